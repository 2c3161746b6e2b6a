"""``optimizer simulate`` and ``optimizer backtest``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError, SeriesError

FEW = ("--every", 24, "--gap", 0.01, "--scenarios", 50)


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def history(tmp_path, column="btc_price"):
    rows = "\n".join(f"2027-{month:02d},{100_000 - 5_000 * month}" for month in range(1, 13))
    (tmp_path / "h.csv").write_text(f"month,{column}\n{rows}\n")
    return tmp_path / "h.csv"


def test_simulated_paths_as_a_table_notes_and_files(tmp_path):
    files = ("--out", tmp_path / "s.csv", "--plot", tmp_path / "s.svg")
    done = run("simulate", "tiny", "--paths", 3, *FEW, "-q", *files)
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "tiny: a plan on 3 simulated paths" in done.output
    assert "the plan, held as it is" in done.output
    assert "Cash falls below the liquidity floor on so many paths" in done.output
    assert "in the planned month on" in done.output
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 4
    assert "Share of paths that earn less" in (tmp_path / "s.svg").read_text()


def test_a_past_as_a_table_notes_and_a_picture(tmp_path):
    done = run("backtest", "tiny", history(tmp_path), *FEW, "--plot", tmp_path / "b.svg")
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "NPV in what happened" in done.output
    assert "From 2028-01 on the last values of history are held." in done.output
    assert "Hashprice" in (tmp_path / "b.svg").read_text()


def test_columns_of_another_name_and_json(tmp_path):
    named = ("--column", "btc_price=Close", "--default", "Northern Cloud=2029-01")
    done = run("backtest", "tiny", history(tmp_path, "Close"), *named[:2], *FEW, "--json")
    found = json.loads(done.stdout)
    assert [item["strategy"] for item in found["outcomes"]] == ["held", "replanned", "mining"]
    assert found["known_month_count"] == 12


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--column", "btc_price"), "write it as FACTOR=COLUMN"),
        (("--column", "price=usd"), "'price' is not one of"),
        (("--column", "btc_price=usd", "--default", "x="), "write it as TENANT=MONTH"),
        ((), "no column that is named as a factor"),
    ],
)
def test_bad_columns_are_told(tmp_path, arguments, told):
    done = run("backtest", "tiny", history(tmp_path, "usd"), *arguments)
    assert isinstance(done.exception, InvalidInputError)
    assert told in str(done.exception)


def test_a_history_that_begins_later_is_refused(tmp_path):
    late = history(tmp_path)
    late.write_text(late.read_text().replace("2027", "2030"))
    done = run("backtest", "tiny", late)
    assert isinstance(done.exception, SeriesError)
    assert "without the first month 2027-01" in str(done.exception)
