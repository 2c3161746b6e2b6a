"""Parts of a plan as frames."""

import pandas as pd
import pytest
import wire_cases

from optimizer.domain import Plan
from optimizer.domain.frames import capacity_frame, cash_flow_frame, contracts_frame, machines_frame, mining_frame

FRAMES = {
    capacity_frame: ("month", "grid_mw"),
    cash_flow_frame: ("month", "net_cash_usd"),
    contracts_frame: ("sign_month", "npv_usd"),
    machines_frame: ("month", "running_count"),
    mining_frame: ("month", "mined_btc"),
}


@pytest.mark.parametrize("frame_of", FRAMES)
def test_a_frame_has_dates_as_index_and_units_in_its_columns(frame_of):
    index, column = FRAMES[frame_of]
    frame = frame_of(wire_cases.rich_plan())
    assert frame.index.name == index
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert len(frame) == 2
    assert pd.api.types.is_float_dtype(frame[column])


@pytest.mark.parametrize("frame_of", FRAMES)
def test_a_plan_without_rows_has_the_same_columns(frame_of):
    rich = wire_cases.rich_plan()
    empty = frame_of(Plan(termination=rich.termination, manifest=rich.manifest))
    assert list(empty.columns) == list(frame_of(rich).columns)
    assert isinstance(empty.index, pd.DatetimeIndex)
    assert empty.empty


def test_numbers_are_those_of_the_plan():
    plan = wire_cases.rich_plan()
    row = plan.cash_flow[1]
    frame = cash_flow_frame(plan)
    assert frame.loc[pd.Timestamp(row.month), "cash_usd"] == row.cash_usd
    machines = plan.decisions.machines[0]
    assert machines_frame(plan)["running_count"].iloc[0] == sum(mode.machine_count for mode in machines.running)
    assert contracts_frame(plan)["energize_month"].iloc[0] == pd.Timestamp(plan.contracts[0].energize_month)
