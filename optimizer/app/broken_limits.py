"""A broken limit in planner's words: what is wrong, by how much and where, and what to do about it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from optimizer.domain.evaluation import BrokenLimit
from optimizer.domain.proof import AuditCheck
from optimizer.units import USD_PER_MUSD

WINDOW: Final = "move its month into the window of the terms, or widen the window"
BOOKS: Final = "correct the machines of that site and period"
CLOSED: Final = "move it to months in which the site is open and leased, or open the site earlier"

FIXES: Final = MappingProxyType(
    {
        "power within the import limit": "sign less there, run fewer machines, or let more grid power come earlier",
        "machines and displaced halls within the halls": "run fewer machines there, add halls, or convert fewer",
        "contracts that need a building within the space of the finished ones": "build earlier, or energize later",
        "power sold back within its terms": "sell less in that period, or at a site with terms of selling",
        "no offer is signed twice": "keep one of its contracts",
        "contracts signed inside their window": WINDOW,
        "contracts signed on the signing grid": "sign in a month of the grid, or lower horizon.sign_every_months",
        "nothing new is signed before the freeze ends": "sign after the freeze, or move policy.freeze_until_month",
        "contracts energized in time": "sign earlier, build faster, or place it at a site that is ready earlier",
        "sites of contracts usable from building to the end of the term": CLOSED,
        "contracts within their MW": "state MW that the offer allows",
        "what is let again or converted back is of the contract, on its terms": "let or convert no more than its terms",
        "GPU blocks ordered when they can be": WINDOW,
        "GPU blocks within their number, at their sites": "order fewer blocks, or at a site of the option",
        "sites of GPU blocks usable while they stand": CLOSED,
        "GPU blocks refreshed when they can be": "refresh them where their terms allow it, inside the horizon",
        "no more GPU blocks refreshed than ordered": "refresh no more blocks than were ordered",
        "sites opened when they can be": "open it later, as its terms allow",
        "grid steps brought forward when they can be": "bring it forward by as many months as its terms allow",
        "grid steps come in order": "bring the step before it forward as well, or this one less",
        "halls ordered when they can be": "order them later, or early enough to be ready inside the horizon",
        "halls added within their MW": "order fewer MW of halls",
        "sites of halls usable from the order until they are ready": CLOSED,
        "buildings begun when they can be": "begin later, or early enough to finish inside the horizon",
        "sites of buildings usable until they are finished": CLOSED,
        "no number of machines is negative": BOOKS,
        "stock of machines follows from what came and went": "state what all machines do in every period, those of the "
        "start included",
        "machines running are in stock": BOOKS,
        "machines run only in modes that pay": "run them in another mode",
        "machines in transit arrive in time": "state their arrival after the downtime of the move",
        "machines ordered or moved arrive inside the horizon": "order or move them earlier",
        "machines trade on the signing grid": "trade in a period that starts on the grid",
        "machines bought are for sale": "buy a model that is for sale, in new condition",
        "exclusive groups respected": "sign fewer offers of the group",
        "all-or-nothing groups signed whole or not at all": "sign the rest of the group too, or none of it",
        "mandatory contracts signed": "sign it, or drop it from policy.mandatory",
        "forbidden contracts not signed": "do not sign it, or drop it from policy.forbidden",
        "mandatory GPU orders and openings placed": "order or open it, or drop it from the policy",
        "nothing new is ordered or opened before the freeze ends": "wait for policy.freeze_orders_until_month",
        "mandatory works at sites done": "do it in that month, or drop it from the policy",
        "mandatory halls ordered": "order them in that month, or drop them from the policy",
        "no work at a site decided before the freeze ends": "wait for policy.freeze_works_until_month",
        "no halls ordered before the freeze ends": "wait for policy.freeze_works_until_month",
        "changes of contracts within their number": "keep more of the previous plan, or allow more changes",
        "contracts under construction within their number": "stagger the builds, or allow more of them",
        "MW of single tenants within their limit": "sign less with that tenant, or raise its limit",
        "MW of single countries within their limit": "use less power in that country, or raise its limit",
        "MW of single uses within their limit": "use less power for it, or raise its limit",
        "hashrate of single sorts of machines within their limit": "run fewer of them, or raise their limit",
        "share at home kept": "use more power at home or less abroad, or lower the share",
        "least hashrate kept": "run more machines in those months, or lower policy.minimum_hashrate",
        "carbon within its caps": "use less power, or cleaner, in that year, or raise the cap",
        "hashprice answers to the plan's own hashrate": "evaluate it under the hashprice that it makes",
        "capex within its budgets": "build less or later, or raise that budget",
        "CVaR above its floor": "sign with safer tenants, mine less or lower risk.minimum_cvar_usd",
        "cash above the liquidity floor": "build less or later, borrow more, or lower finance.minimum_liquidity_usd",
        "cash above the liquidity floor in every stress": "hold more cash into the stress, or lower its floor",
        "debt outstanding within its limit": "borrow less or later, or raise project_debt.maximum_debt_usd",
        "project debt within its share of the capex": "borrow less for it",
        "income covers debt service": "borrow less for it, or over more months",
    }
)
"""What to do, by the name of the check."""

UNITS: Final = MappingProxyType({"1": "", "USD": " million USD"})
"""Where the unit of a check is not what a planner reads."""


def broken_limit(check: AuditCheck) -> BrokenLimit:
    """A check that did not pass, in words."""
    by, where = amount(check.largest_deviation, check.unit), f" at {check.where}" if check.where else ""
    return BrokenLimit(check=check, told=f"not so: {check.name}; by {by}{where}", fix=FIXES[check.name])


def amount(value: float, unit: str) -> str:
    """A deviation with its unit, money in millions."""
    shown = value / USD_PER_MUSD if unit == "USD" else value
    return f"{shown:,.6g}{UNITS.get(unit, f' {unit}')}"
