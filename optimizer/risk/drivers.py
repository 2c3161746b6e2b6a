"""What drives the tail: the part that each site's machines, GPUs and power sales, and each contract, have in it.

What varies of the NPV is a sum over such parts, scenario by scenario. So is its mean over the tail less its mean over
all scenarios, which is CVaR less expected NPV: the attribution is exact, and no order of the parts matters.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.decisions import Decisions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.tail import DriverKind, TailDriver
from optimizer.risk.measures import tail_shares
from optimizer.risk.outcomes import weighted_npv_usd

NOTHING_USD = 1.0
"""Parts that differ by less are left out."""


def tail_drivers(
    portfolio: Portfolio, futures: Futures, decisions: Decisions, npv_usd: NDArray[np.float64]
) -> tuple[TailDriver, ...]:
    """The parts of a plan that differ in its tail, worst first; ``npv_usd`` is its NPV in every scenario, ``[W]``."""
    parts = _parts(decisions)
    share = tail_shares(npv_usd, portfolio.risk.tail_probability) - 1.0 / len(npv_usd)
    differences = weighted_npv_usd(portfolio, futures, [part for _, part in parts], share)
    found = [
        TailDriver(**named, difference_usd=usd)
        for (named, _), usd in zip(parts, differences.tolist(), strict=True)
        if abs(usd) >= NOTHING_USD
    ]
    return tuple(sorted(found, key=lambda driver: driver.difference_usd))


def _parts(decisions: Decisions) -> list[tuple[dict[str, Any], Decisions]]:
    """The decisions whose outcome varies, apart: what names them, and they alone."""
    found: list[tuple[dict[str, Any], Decisions]] = []
    for site, machines in _grouped(decisions.machines, lambda item: item.site):
        found.append(({"kind": DriverKind.MACHINES, "site": site}, Decisions(machines=machines)))
    for (option, site), orders in _grouped(decisions.gpu_orders, lambda item: (item.gpu_option, item.site)):
        named = {"kind": DriverKind.GPUS, "site": site, "gpu_option": option}
        found.append((named, Decisions(gpu_orders=orders)))
    for site, sales in _grouped(decisions.power_sales, lambda item: item.site):
        found.append(({"kind": DriverKind.POWER_SALES, "site": site}, Decisions(power_sales=sales)))
    for contract in decisions.contracts:
        named = {"kind": DriverKind.CONTRACT, "site": contract.site, "offer": contract.offer}
        found.append((named, Decisions(contracts=(contract,))))
    return found


def _grouped(items: Iterable[Any], key: Callable[[Any], Hashable]) -> list[tuple[Any, tuple[Any, ...]]]:
    """Items by their key, in the order of its first appearance."""
    groups: dict[Hashable, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return [(name, tuple(group)) for name, group in groups.items()]
