"""Saving by one verb, and the tables of a plan as Parquet."""

import datetime as dt

import pandas as pd
import pyarrow.parquet
import pytest

import optimizer
from optimizer.domain import Plan
from optimizer.domain.frames import FRAMES
from optimizer.domain.outcome import CapacityRow
from optimizer.domain.proof import Manifest, ModelSize, Termination, TerminationReason
from optimizer.errors import InvalidInputError

ROW = {
    "site": "Pecos",
    "grid_mw": 100.0,
    "mining_mw": 60.0,
    "hosting_mw": 30.0,
    "gpu_mw": 0.0,
    "idle_mw": 10.0,
    "hashrate_eh_s": 3.5,
}


@pytest.fixture
def plan():
    return Plan(
        termination=Termination(reason=TerminationReason.OPTIMAL, objective_usd=1.0, bound_usd=1.0, gap_frac=0.0),
        capacity=tuple(CapacityRow(month=dt.date(2027, month, 1), **ROW) for month in (1, 2)),
        manifest=Manifest(
            portfolio_name="by hand",
            portfolio_sha256="ab" * 32,
            options=optimizer.SolveOptions(),
            versions=(),
            model_size=ModelSize(rows=1, columns=1, integers=0, nonzeros=1),
            timings=(),
        ),
    )


def test_one_verb_saves_portfolios_and_plans(plan, tmp_path):
    portfolio = optimizer.load("tiny")
    optimizer.save(portfolio, tmp_path / "p.yaml")
    optimizer.save(plan, tmp_path / "plan.json")
    assert optimizer.load(tmp_path / "p.yaml") == portfolio
    assert optimizer.load_plan(tmp_path / "plan.json") == plan


def test_every_table_comes_back_from_parquet_as_it_was(plan, tmp_path):
    files = optimizer.save_tables(plan, tmp_path / "new" / "tables")
    assert [file.name for file in files] == [f"{name}.parquet" for name in FRAMES]
    for file, frame in zip(files, plan.frames.values(), strict=True):
        read = pd.read_parquet(file)
        pd.testing.assert_frame_equal(read, frame, check_freq=False, check_dtype=False, check_index_type=False)


def test_months_are_timestamps_and_numbers_are_numbers_for_any_reader_of_arrow(plan, tmp_path):
    schema = {
        field.name: str(field.type) for field in pyarrow.parquet.read_schema(optimizer.save_tables(plan, tmp_path)[1])
    }
    assert schema["month"].startswith("timestamp")
    assert schema["mining_mw"] == "double"


def test_a_folder_that_is_a_file_is_told(plan, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InvalidInputError, match=r"taken: cannot be written to: .*; choose another folder"):
        optimizer.save_tables(plan, tmp_path / "taken")
