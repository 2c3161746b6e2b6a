"""Which terms of an offer to try next, and what those that were tried prove; for :mod:`optimizer.app.break_evens`.

A term is told as a number of which more is worth more: a price as it is, a cost, a delay or a hazard as its negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from optimizer.domain.break_evens import UNITS, ContractTerm
from optimizer.domain.offer import Offer
from optimizer.domain.portfolio import Portfolio, sign_months
from optimizer.domain.proof import Certainty

FIRST_STEP = 0.2
"""From the stated term to the second that is tried, relative to it."""


class Scale(NamedTuple):
    """In which steps, and between which ends, a term is tried."""

    step: float
    least: float
    most: float
    large: float = 1.0
    """What the first step is relative to where that is more than the term."""


SCALES: Final = {
    ContractTerm.PRICE: Scale(0.01, 0.0, 2_000.0),
    ContractTerm.CAPEX: Scale(0.001, -5.0, 0.0),
    ContractTerm.DELAY: Scale(1.0, -60.0, 0.0, large=15.0),
    ContractTerm.HAZARD: Scale(0.0001, -0.9, 0.0, large=0.1),
}
"""Of every term; beyond the ends the domain refuses it, or it is no term that anybody states."""
ONE_WAY: Final = (ContractTerm.PRICE, ContractTerm.CAPEX)
"""Of which more, or less, is always worth more; of the others that is so as a rule, and what is tried is proven."""
CENT, DEAREST = SCALES[ContractTerm.PRICE].step, SCALES[ContractTerm.PRICE].most


def scale_of(term: ContractTerm, offer: Offer, portfolio: Portfolio) -> Scale:
    """The same for an offer: it is not built in less than no time, nor too late for the terms of any of its sites."""
    scale = SCALES[term]
    if term is not ContractTerm.DELAY:
        return scale
    latest = 0.0
    while latest - scale.step >= scale.least and _can_be_signed(with_term(offer, term, latest - scale.step), portfolio):
        latest -= scale.step
    return scale._replace(least=latest, most=float(min(place.build_months for place in offer.sites)))


def _can_be_signed(offer: Offer, portfolio: Portfolio) -> bool:
    return all(sign_months(offer, place, portfolio.site(place.site), portfolio.horizon) for place in offer.sites)


def stated(term: ContractTerm, offer: Offer) -> float:
    """A term of an offer as it is, as a number of which more is worth more."""
    return {
        ContractTerm.PRICE: offer.price_usd_per_kw_month,
        ContractTerm.CAPEX: -1.0,
        ContractTerm.DELAY: 0.0,
        ContractTerm.HAZARD: -offer.credit.default_hazard_per_year_frac,
    }[term]


def with_term(offer: Offer, term: ContractTerm, number: float) -> Offer:
    """The offer on another term."""
    if term is ContractTerm.PRICE:
        return offer.model_copy(update={"price_usd_per_kw_month": number})
    if term is ContractTerm.HAZARD:
        credit = offer.credit.model_copy(update={"default_hazard_per_year_frac": -number})
        return offer.model_copy(update={"credit": credit})
    if term is ContractTerm.CAPEX:
        changes = [{"capex_usd_per_critical_mw": place.capex_usd_per_critical_mw * -number} for place in offer.sites]
    else:
        changes = [{"build_months": place.build_months - round(number)} for place in offer.sites]
    places = [place.model_copy(update=change) for place, change in zip(offer.sites, changes, strict=True)]
    return offer.model_copy(update={"sites": tuple(places)})


class Worth(NamedTuple):
    """What the best of some plans is worth: from a plan to a bound, in USD; infinite where neither is known."""

    least: float = -np.inf
    most: float = np.inf

    def narrowed(self, other: Worth) -> Worth:
        """What both prove."""
        return Worth(max(self.least, other.least), min(self.most, other.most))


NOTHING_KNOWN = Worth()


@dataclass(eq=False)
class Question:
    """One offer: what is known of it."""

    offer: int
    stated: float
    signed: bool
    scale: Scale = SCALES[ContractTerm.PRICE]
    without: Worth = NOTHING_KNOWN
    out: float | None = None
    """The most at which it is proven out."""
    in_: float | None = None
    """The least at which it is proven in."""
    tried: dict[float, Worth] = field(default_factory=dict)
    """What the best plan with it is worth, by what was tried."""

    @property
    def certainty(self) -> Certainty:
        """Whether what the plan does with the offer as it is stated is proven to be best."""
        if self.signed:
            proven = self.in_ is not None and self.stated >= self.in_
        else:
            proven = self.out is not None and self.stated <= self.out
        return Certainty.PROVEN if proven else Certainty.WITHIN_GAP

    def learn(self, number: float, worth: Worth) -> None:
        """Note what the best plan with the offer is worth on a term."""
        self.tried[number] = worth
        if worth.most <= self.without.least and (self.out is None or number > self.out):
            self.out = number
        if worth.least >= self.without.most and (self.in_ is None or number < self.in_):
            self.in_ = number

    @property
    def next_number(self) -> float | None:
        """What to try, or nothing where that would not narrow the answer."""
        if not self.tried:
            return self.stated if self._is_open(self.stated) or self._middle is None else self._middle
        known = sorted(self.tried)
        edges = (
            [(number, self.tried[number].least - self.without.most) for number in known],
            [(number, self.tried[number].most - self.without.least) for number in known],
        )
        turn = len(known) % 2
        for points in (edges[turn], edges[1 - turn]):
            number = meets(points, self.scale, up=points is edges[0])
            if number is not None and not self._is_open(number):
                number = self._middle
            if number is not None and number not in self.tried:
                return number
        return None

    def _is_open(self, number: float) -> bool:
        return (self.out is None or number > self.out) and (self.in_ is None or number < self.in_)

    @property
    def _middle(self) -> float | None:
        """Of what is open, where there is room; nothing if all is."""
        least = self.scale.least if self.out is None else self.out
        most = self.scale.most if self.in_ is None else self.in_
        if most - least < 1.5 * self.scale.step or (self.out is None and self.in_ is None):
            return None
        return _stepped((least + most) / 2.0, self.scale, up=False)


def meets(points: list[tuple[float, float]], scale: Scale, *, up: bool) -> float | None:
    """Where a rising function through these points meets zero, in whole steps, rounded up or down."""
    below = [point for point in points if point[1] < 0.0]
    above = [point for point in points if point[1] >= 0.0]
    if below and above:
        (left, low), (right, high) = below[-1], above[0]
        if right - left < 1.5 * scale.step:
            return None
        share = -low / (high - low) if np.isfinite(high - low) else 0.5
        number = _stepped(left + share * (right - left), scale, up=up)
        least, most = _stepped(left + scale.step, scale, up=False), _stepped(right - scale.step, scale, up=True)
        return min(max(number, least), most)
    return _beyond(points, scale, up=up)


def _beyond(points: list[tuple[float, float]], scale: Scale, *, up: bool) -> float | None:
    """The same where all points are on one side of zero."""
    rising = points[-1][1] < 0.0
    (near, here), (far, there) = (points[-1], points[-2:][0]) if rising else (points[0], points[:2][-1])
    slope = (here - there) / (near - far) if near != far else 0.0
    if slope > 0.0 and np.isfinite(slope):
        number = near - here / slope
    else:
        step = FIRST_STEP * max(abs(near), scale.large) * len(points)
        number = near + step if rising else near - step
    number = min(max(_stepped(number, scale, up=up), scale.least), scale.most)
    return None if number == near else number


def _stepped(number: float, scale: Scale, *, up: bool) -> float:
    steps = number / scale.step
    return float(np.round((np.ceil(steps - 1e-6) if up else np.floor(steps + 1e-6)) * scale.step, 6))


def in_words(name: str, term: ContractTerm, question: Question, *, possible: bool) -> str:
    """What is proven, and what the gap leaves open."""
    if not possible:
        return f"{name} can be signed in no month: no {term.value} helps."
    out, in_, scale = question.out, question.in_, question.scale
    verb, rises = "leaves" if question.signed else "enters", term is ContractTerm.PRICE
    now = f"{name}, {'' if question.signed else 'not '}signed at {_told(term, question.stated)}, {verb}"
    better, worse = ("above", "below") if rises else ("below", "above")
    onwards, until = ("from there on", "up to there") if rises else ("up to there", "from there on")
    if term not in ONE_WAY:  # only what was tried is proven
        onwards = until = "there"
    if out is None and in_ is None:
        return f"{now} at a {term.value} that is not known: give more time."
    if in_ is None and out == scale.most:
        end = f"up to {_told(term, out)}" if rises else f"down to {_told(term, out)}"
        return f"{name} is not worth signing at any {term.value} {end} (proven)."
    if in_ is None:
        return f"{now} {better} {_number(term, out)} (proven out {until}), if at all."
    if out is None and in_ == scale.least:
        end = "" if rises else f" up to {_told(term, in_)}"
        later = "; with more, one of its sites is too late for its terms" if in_ > SCALES[term].least else ""
        return f"{name} is worth signing at any {term.value}{end} (proven){later}."
    if out is None:
        return f"{now} {worse} {_number(term, in_)} (proven in {onwards}), if at all."
    if in_ < out:
        return f"{now} and comes back: it is in at {_told(term, in_)} and out at {_told(term, out)} (proven)."
    if in_ - out <= 1.5 * scale.step and rises:
        return f"{now} at {_told(term, in_)} (proven, by plans on both sides)."
    low, high = (out, in_) if rises else (in_, out)
    between = f"{now} between {_number(term, low)} and {_told(term, high)} (proven)"
    return f"{between}." if in_ - out <= 1.5 * scale.step else f"{between}; where in between, the gap hides."


def _number(term: ContractTerm, number: float | None) -> str:
    digits = {ContractTerm.PRICE: 2, ContractTerm.CAPEX: 3, ContractTerm.DELAY: 0, ContractTerm.HAZARD: 4}
    return f"{value_of(term, number or 0.0):,.{digits[term]}f}"


def _told(term: ContractTerm, number: float) -> str:
    return f"{_number(term, number)} {UNITS[term]}"


def value_of(term: ContractTerm, number: float) -> float:
    """The term of a number of which more is worth more."""
    return number if term is ContractTerm.PRICE else -number + 0.0
