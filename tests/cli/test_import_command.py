"""``optimizer import fleet``: what it prints, and the portfolio that it writes."""

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio

EXPORT = "Site,Model,Count\nPecos,Antminer S21 Pro,21000\nMoses Lake,S21 Pro,8000\n"


@pytest.fixture
def imported(tmp_path):
    (tmp_path / "miners.csv").write_text(EXPORT)

    def run(*arguments):
        return CliRunner().invoke(app, ["import", "fleet", str(tmp_path / "miners.csv"), "tiny", *map(str, arguments)])

    return run


def test_the_fleets_are_printed_as_a_portfolio_states_them(imported):
    done = imported()
    assert done.output.startswith("fleets:\n- asic_model: s21-pro\n  site: Pecos\n  count: 21000\n")
    assert json.loads(imported("--json").output)["fleets"][1]["count"] == 8000


@pytest.mark.parametrize("suffix", [".yaml", ".xlsx"])
def test_the_portfolio_is_written_with_them_and_otherwise_as_it_was(imported, tmp_path, suffix):
    done = imported("--out", tmp_path / f"new{suffix}")
    assert "29,000 machines in 2 fleets" in done.output
    written, before = load_portfolio(tmp_path / f"new{suffix}"), load_portfolio("tiny")
    assert [(item.site, item.count) for item in written.fleets] == [("Pecos", 21000), ("Moses Lake", 8000)]
    assert written.model_copy(update={"fleets": before.fleets}) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--column", "owner=x"], "'owner' is not read; one of site, model, count"),
        (["--site", "Pecos"], "has no two sides; write NAME=VALUE"),
    ],
)
def test_options_that_mean_nothing_are_refused(imported, arguments, told):
    done = imported(*arguments)
    assert isinstance(done.exception, InvalidInputError)
    assert told in str(done.exception)
