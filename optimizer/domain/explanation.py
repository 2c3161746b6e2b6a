"""Question and answer about one placement: why it is in a plan, or why not; see :mod:`optimizer.app.explanation`."""

from __future__ import annotations

from optimizer.domain.base import Real, Value
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.policy import Placement
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import WorthDifference


class ExplanationSpec(Value):
    """What to explain."""

    portfolio: Portfolio
    """The portfolio that the plan was made for."""
    decisions: Decisions
    """All that the plan decides; of it the whole decisions count, the rest is done at its best."""
    bound_usd: Real | None = None
    """No plan is worth more than this: the bound of the plan's termination; searched for if absent."""
    placement: Placement
    """What to explain: an offer, at a site and in a month if they are stated."""
    relaxed_only: bool = False
    """Whether linear programs are enough: what is lost is as proven, but told more widely, and soon."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search."""


class PriceReason(Value):
    """A part of what a contract is worth at the prices of a plan."""

    told: str
    """What it is, in words."""
    worth_usd: Real
    """What it adds; negative for what it uses of something that is scarce."""


class Explanation(Value):
    """Why a placement is in a plan, or why not, with what is proven about it."""

    signed: bool
    """Whether the plan has it."""
    possible: bool | None = None
    """Whether there is a plan with it (without it, if it is signed) that keeps every limit; absent if not known."""
    least_lost_usd: Real | None = None
    """What having it (not having it) loses at least, of the best plan; absent if it is not possible."""
    most_lost_usd: Real | None = None
    """What it loses at most; absent if no such plan was found."""
    lost: WorthDifference | None = None
    """What the plan at hand is worth more than that one, and how much of it could be an artefact of the gap; absent
    without such a plan."""
    other: Decisions | None = None
    """The best plan that was found with it (without it)."""
    reasons: tuple[PriceReason, ...] = ()
    """Its own worth and what it uses, at the prices that the plan at hand puts on limits: a view from the margin."""
    margin_usd: Real | None = None
    """The sum of the reasons: what a first bit of it adds, scaled to all of it, the whole decisions of the plan being
    kept; absent where there is no room for any."""
    explained: Placement
    """The place and month that the reasons are of: the one that is signed, or the best at those prices."""
    blocked: tuple[str, ...] = ()
    """Rules that it breaks beside the plan's other whole decisions, in words."""
    told: str
    """The answer, in words."""
