"""``optimizer import``: what its commands print, and the portfolio that they write."""

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


def test_forwards_are_printed_as_a_network_and_written_with_the_rest(tmp_path):
    (tmp_path / "strip.csv").write_text("contract,mid\n2027-01,0.00051\n2027-02,0.00049\n")
    arguments = ["import", "forwards", str(tmp_path / "strip.csv"), "tiny", "--column", "mid"]
    arguments += ["--month-column", "contract", "--unit", "btc-per-ph-day"]
    done = CliRunner().invoke(app, arguments)
    assert done.output.startswith("market:\n  network_eh_s:\n    points:\n    - from_month: 2027-01\n")
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "new.yaml")])
    assert "hashprice as quoted from 2027-01 to 2027-02; portfolio written to" in done.output
    written, before = load_portfolio(tmp_path / "new.yaml"), load_portfolio("tiny")
    assert written.market.network_eh_s != before.market.network_eh_s
    market = written.market.model_copy(update={"network_eh_s": before.market.network_eh_s})
    assert written.model_copy(update={"market": market}) == before


@pytest.mark.parametrize(
    ("text", "extra", "told"),
    [
        ("month,mid\n2027-01,45\n", [], "has no column 'hashprice'; it has month, mid"),
        ("month,hashprice\n2027-01,45\n2027-03,44\n", [], "has no value in 2027-02"),
        ("month,hashprice\n2027-01,45\n", ["--unit", "usd"], "one of usd-per-ph-day, btc-per-ph-day"),
    ],
)
def test_forwards_that_cannot_be_read_say_why(tmp_path, text, extra, told):
    (tmp_path / "strip.csv").write_text(text)
    done = CliRunner().invoke(app, ["import", "forwards", str(tmp_path / "strip.csv"), "tiny", *extra])
    assert isinstance(done.exception, InvalidInputError)
    assert told in str(done.exception)
