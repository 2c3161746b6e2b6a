"""``optimizer export``: a file with readable, unique names that has the same optimum when it is read back."""

from __future__ import annotations

import json
import re

import highspy
import numpy as np
import pytest
from support import EXACT
from typer.testing import CliRunner

from optimizer.app.export import export
from optimizer.cli.main import app
from optimizer.curves.futures import Futures
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.names import LONGEST, column_names, row_names
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.solve import solve_program

WELL_FORMED = re.compile(r"[a-z][A-Za-z0-9_.]*")


def program_of(case):
    return assemble(PlanningProblem.of(case, Futures.of(case)), FORMULATION)


def read_back(path):
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    return highs


@pytest.mark.parametrize("suffix", [".mps", ".lp"])
def test_a_file_read_back_is_the_same_program(tmp_path, suffix):
    case, path = load_portfolio("tiny"), tmp_path / f"tiny{suffix}"
    size = export(case, path)
    program = program_of(case)
    matrix = program.compile()
    highs = read_back(path)
    lp = highs.getLp()
    assert (highs.getNumCol(), highs.getNumNz(), size.columns) == (matrix.shape[1], len(matrix.value), matrix.shape[1])
    assert lp.sense_ == highspy.ObjSense.kMaximize
    assert lp.offset_ == pytest.approx(matrix.constant)
    place = {name: column for column, name in enumerate(lp.col_names_)}
    order = [place[name] for name in column_names(program)]
    assert np.allclose(np.array(lp.col_cost_)[order], matrix.cost, rtol=1e-12, atol=1e-12)
    assert np.array_equal(np.array(lp.col_lower_)[order], matrix.column_lower)
    assert np.allclose(np.array(lp.col_upper_)[order], matrix.column_upper, rtol=1e-12)
    kinds = np.array([kind == highspy.HighsVarType.kInteger for kind in lp.integrality_])
    assert np.array_equal(kinds[order], matrix.integer)
    highs.run()
    best = solve_program(matrix, EXACT).termination.objective_usd
    assert 1e6 * highs.getInfo().objective_function_value == pytest.approx(best, rel=1e-4)


def test_names_say_what_they_are_and_fit_every_reader():
    program = program_of(load_portfolio("us-miner"))
    columns, rows = column_names(program), row_names(program)
    assert (len(columns), len(rows)) == (program.compile().shape[1], program.compile().shape[0])
    for names in (columns, rows):
        assert len(set(names)) == len(names)
        assert all(WELL_FORMED.fullmatch(name) and len(name) <= LONGEST for name in names)
    assert "stock_machines.Ward_County.s19j_pro.0_9.2027_01" in columns


def test_names_that_would_be_the_same_are_numbered_and_long_ones_are_cut():
    program = Program("p")
    program.open_account("npv_musd", np.zeros(1))
    keys = [("Ward County", "é"), ("Ward-County", "e"), "x" * 300, "x" * 300 + "y", ("Ward_County", "e")]
    program.add_variables("sign", keys)
    terms = Triplets()
    terms.add(0, 0, 1.0)
    program.add_rows("row", [("A", 2027)], terms, upper=1.0)
    names = column_names(program)
    assert [names[0], names[1], names[4]] == ["sign.Ward_County.e", "sign.Ward_County.e__2", "sign.Ward_County.e__3"]
    assert names[3] == f"{names[2]}__2"
    assert max(map(len, names)) <= LONGEST
    assert row_names(program) == ["row.A.2027"]


def test_the_command_writes_and_tells(tmp_path):
    out = tmp_path / "tiny.lp"
    told = CliRunner().invoke(app, ["export", "tiny", "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert "555 rows, 752 columns (19 integer)" in told.output
    assert out.read_text().splitlines()[1] == "max"
    told = CliRunner().invoke(app, ["export", "tiny", "--out", str(out), "--json"])
    assert json.loads(told.output) == {
        "file": str(out), "rows": 555, "columns": 752, "integers": 19, "nonzeros": 4891,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "word"), [("tiny.txt", "use .mps or .lp"), ("no/tiny.mps", "there is no folder")])
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, word):
    told = CliRunner().invoke(app, ["export", "tiny", "--out", str(tmp_path / name)])
    assert isinstance(told.exception, InvalidInputError)
    assert word in str(told.exception)
