"""Check that the market was assumed to answer to the hashrate that the plan has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import Worst
from optimizer.domain import AuditCheck

ANSWER_TOLERANCE_FRAC: Final = 0.005
"""The answer is found by planning again; half a percent of hashprice is where that ends."""
_HALVINGS: Final = 200


def market_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Hashprice answers to the plan's own hashrate, where the portfolio says so."""
    portfolio = recalculation.book.portfolio
    market, horizon = portfolio.market, portfolio.horizon
    if not market.own_hashrate_feedback:
        return
    worst = Worst("hashprice answers to the plan's own hashrate", "1")
    for t, own_eh_s in enumerate(recalculation.use.hashrate_eh_s.sum(axis=0)):
        network_eh_s = market.network_eh_s.at(horizon.start_month, horizon.month_at(t))
        made = _answer(network_eh_s, float(own_eh_s), portfolio.initial_hashrate_eh_s, market.network_price_elasticity)
        worst.add(
            abs(float(recalculation.own_hashprice_multiplier[t]) / made - 1.0),
            ANSWER_TOLERANCE_FRAC,
            f"{horizon.month_at(t):%Y-%m}",
        )
    yield from worst.checks()


def _answer(network_eh_s: float, own_eh_s: float, initial_eh_s: float, elasticity: float) -> float:
    """Multiplier of hashprice at which the network is what all others, who answer to it, and the owner make it.

    What a hash earns falls as the network's hashrate rises, so the balance changes sign once: bisection.
    """
    low, high = 0.0, 1.0 + network_eh_s / max(own_eh_s, network_eh_s - initial_eh_s, 1e-9)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        answered_eh_s = own_eh_s + (network_eh_s - initial_eh_s) * middle**elasticity
        low, high = (low, middle) if middle * answered_eh_s > network_eh_s else (middle, high)
    return (low + high) / 2.0
