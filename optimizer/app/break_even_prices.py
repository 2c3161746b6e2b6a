"""Which price of an offer to try next, and what those that were tried prove; for :mod:`optimizer.app.break_evens`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

CENT = 0.01
"""Prices are told to this, in USD/kW-month."""
DEAREST = 2_000.0
"""No offer is tried above this, in USD/kW-month: the domain refuses it."""
FIRST_STEP = 0.2
"""From the stated price to the second that is tried, relative to it."""


class Worth(NamedTuple):
    """What the best of some plans is worth: from a plan to a bound, in USD; infinite where neither is known."""

    least: float = -np.inf
    most: float = np.inf

    def narrowed(self, other: Worth) -> Worth:
        """What both prove."""
        return Worth(max(self.least, other.least), min(self.most, other.most))


NOTHING_KNOWN = Worth()


@dataclass(eq=False)
class PriceQuestion:
    """One offer: what is known of it."""

    offer: int
    price: float
    signed: bool
    without: Worth = NOTHING_KNOWN
    out: float | None = None
    """The dearest price at which it is proven out."""
    in_: float | None = None
    """The cheapest price at which it is proven in."""
    tried: dict[float, Worth] = field(default_factory=dict)
    """What the best plan with it is worth, by price."""

    def learn(self, price: float, worth: Worth) -> None:
        """Note what the best plan with the offer is worth at a price."""
        self.tried[price] = worth
        if worth.most <= self.without.least and (self.out is None or price > self.out):
            self.out = price
        if worth.least >= self.without.most and (self.in_ is None or price < self.in_):
            self.in_ = price

    @property
    def next_price(self) -> float | None:
        """What to try, or nothing where that would not narrow the answer."""
        if not self.tried:
            return self.price if self._is_open(self.price) or self._middle is None else self._middle
        known = sorted(self.tried)
        edges = (
            [(price, self.tried[price].least - self.without.most) for price in known],
            [(price, self.tried[price].most - self.without.least) for price in known],
        )
        turn = len(known) % 2
        for points in (edges[turn], edges[1 - turn]):
            price = meets(points, up=points is edges[0])
            if price is not None and not self._is_open(price):
                price = self._middle
            if price is not None and price not in self.tried:
                return price
        return None

    def _is_open(self, price: float) -> bool:
        return (self.out is None or price > self.out) and (self.in_ is None or price < self.in_)

    @property
    def _middle(self) -> float | None:
        """Of what is open, where there is room; nothing if all is."""
        least = 0.0 if self.out is None else self.out
        most = DEAREST if self.in_ is None else self.in_
        if most - least < 1.5 * CENT or (self.out is None and self.in_ is None):
            return None
        return _cents((least + most) / 2.0, up=False)


def meets(points: list[tuple[float, float]], *, up: bool) -> float | None:
    """The price, in whole cents, where a rising function of it through these points meets zero, rounded up or down."""
    below = [point for point in points if point[1] < 0.0]
    above = [point for point in points if point[1] >= 0.0]
    if below and above:
        (left, low), (right, high) = below[-1], above[0]
        if right - left < 1.5 * CENT:
            return None
        share = -low / (high - low) if np.isfinite(high - low) else 0.5
        price = _cents(left + share * (right - left), up=up)
        return min(max(price, _cents(left + CENT, up=False)), _cents(right - CENT, up=True))
    return _beyond(points, up=up)


def _beyond(points: list[tuple[float, float]], *, up: bool) -> float | None:
    """The same where all points are on one side of zero."""
    rising = points[-1][1] < 0.0
    (near, here), (far, there) = (points[-1], points[-2:][0]) if rising else (points[0], points[:2][-1])
    slope = (here - there) / (near - far) if near != far else 0.0
    if slope > 0.0 and np.isfinite(slope):
        price = near - here / slope
    else:
        step = FIRST_STEP * max(near, 1.0) * len(points)
        price = near + step if rising else near - step
    price = min(max(_cents(price, up=up), 0.0), DEAREST)
    return None if price == near else price


def _cents(price: float, *, up: bool) -> float:
    cents = price / CENT
    return float(np.round((np.ceil(cents - 1e-6) if up else np.floor(cents + 1e-6)) * CENT, 2))


def in_words(name: str, question: PriceQuestion, *, possible: bool) -> str:
    """What is proven, and what the gap leaves open."""
    if not possible:
        return f"{name} can be signed in no month: no price helps."
    out, in_ = question.out, question.in_
    verb = "leaves" if question.signed else "enters"
    now = f"{name}, {'' if question.signed else 'not '}signed at {question.price:,.2f} USD/kW-month, {verb}"
    if out is None and in_ is None:
        return f"{now} at a price that is not known: give more time."
    if in_ is None and out == DEAREST:
        return f"{name} is not worth signing at any price up to {DEAREST:,.0f} USD/kW-month (proven)."
    if in_ is None:
        return f"{now} above {out:,.2f} (proven out up to there), if at all."
    if out is None and in_ == 0.0:
        return f"{name} is worth signing at any price (proven)."
    if out is None:
        return f"{now} below {in_:,.2f} (proven in from there on), if at all."
    if in_ - out <= 1.5 * CENT:
        return f"{now} at {in_:,.2f} USD/kW-month (proven, by plans on both sides)."
    return f"{now} between {out:,.2f} and {in_:,.2f} USD/kW-month (proven); where in between, the gap hides."
