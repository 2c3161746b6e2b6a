"""Parts of a plan as pandas frames: dates as index, units in the names of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from optimizer.domain.base import Value
from optimizer.domain.decisions import MachineDecision
from optimizer.domain.outcome import CapacityRow, CashFlowRow, ContractOutcome, MiningRow
from optimizer.extras import naming_extras

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.domain.plan import Plan


def capacity_frame(plan: Plan) -> pd.DataFrame:
    """Use of every site in every month, in MW at the meter; index ``month``."""
    return _frame(CapacityRow, map(dict, plan.capacity), "month")


def mining_frame(plan: Plan) -> pd.DataFrame:
    """Energy, bitcoin and revenue of mining by site and month; index ``month``."""
    return _frame(MiningRow, map(dict, plan.mining), "month")


def cash_flow_frame(plan: Plan) -> pd.DataFrame:
    """Expected cash by month in USD, costs negative; index ``month``."""
    return _frame(CashFlowRow, map(dict, plan.cash_flow), "month")


def contracts_frame(plan: Plan) -> pd.DataFrame:
    """Signed contracts with their dates and worth; index ``sign_month``."""
    return _frame(ContractOutcome, map(dict, plan.contracts), "sign_month")


def machines_frame(plan: Plan) -> pd.DataFrame:
    """Machines by site, model, condition and period; index ``month``. ``running_count`` is over all modes."""
    rows = []
    for decision in plan.decisions.machines:
        row: dict[str, Any] = dict(decision)
        row["running"] = sum(mode.machine_count for mode in decision.running)
        rows.append(row)
    return _frame(MachineDecision, rows, "month").rename(columns={"running": "running_count"})


FRAMES: Final[Mapping[str, Callable[[Plan], pd.DataFrame]]] = {
    "contracts": contracts_frame,
    "capacity_mw": capacity_frame,
    "mining": mining_frame,
    "machines": machines_frame,
    "cash_flow_usd": cash_flow_frame,
}
"""Every frame of a plan by its name."""


def _frame(kind: type[Value], rows: Iterable[Mapping[str, Any]], index: str) -> pd.DataFrame:
    """Rows as a frame with the fields of ``kind`` as columns, also where there are no rows; months as timestamps."""
    with naming_extras():
        import pandas as pd  # not needed to plan, and slow to load

    frame = pd.DataFrame(list(rows), columns=list(kind.model_fields))
    for name in frame.columns:
        if name.split("_")[-1] == "month":
            frame[name] = pd.to_datetime(frame[name])
    return frame.set_index(index)
