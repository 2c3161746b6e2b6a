"""``optimizer market``."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from optimizer.cli.main import app, main


def run(*words):
    return CliRunner().invoke(app, ["market", *map(str, words)])


@pytest.fixture
def history(tmp_path):
    random = np.random.default_rng(3)
    rows = np.exp(np.cumsum(random.normal(0.0, 0.1, (60, 2)), axis=0))
    lines = [f"{2020 + m // 12}-{m % 12 + 1:02},{a},{b}" for m, (a, b) in enumerate(rows)]
    path = tmp_path / "history.csv"
    path.write_text("\n".join(["when,usd,eh", *lines]) + "\n")
    return path


def test_calibration_prints_what_a_portfolio_can_take(history):
    columns = ("--column", "btc_price=usd", "--column", "network_hashrate=eh", "--month-column", "when")
    told = run("calibrate", history, *columns)
    assert told.exit_code == 0, told.output
    snippet = yaml.safe_load(told.output[told.output.index("uncertainty:") :])
    answer = json.loads(run("calibrate", history, *columns, "--json").output)
    assert snippet == {key: answer[key] for key in ("uncertainty", "correlations")}
    assert answer["month_count"] == 60
    assert snippet["uncertainty"][0]["volatility_per_year_frac"] == pytest.approx(0.1 * 12**0.5, rel=0.35)


def test_a_fan_is_a_table_a_file_and_a_picture(tmp_path):
    told = run("fan", "tiny", "--out", tmp_path / "fan.csv", "--plot", tmp_path / "fan.html")
    assert told.exit_code == 0, told.output
    rows = (tmp_path / "fan.csv").read_text().splitlines()
    assert rows[0] == "month,mean,5%,25%,50%,75%,95%"
    assert len(rows) - 1 == len(json.loads(run("fan", "tiny", "--json").output)["months"])
    assert "Quantiles over" in (tmp_path / "fan.html").read_text()


def test_scenarios_are_a_table(tmp_path):
    file = tmp_path / "scenarios.csv"
    told = run("scenarios", "tiny", "--scenarios", 3, "--out", file)
    assert told.exit_code == 0, told.output
    assert "3 scenarios, 180 rows written to" in told.output
    assert len(file.read_text().splitlines()) == 181
    answer = json.loads(run("scenarios", "tiny", "--scenarios", 3, "--out", file, "--json").output)
    assert answer == {"file": str(file), "scenario_count": 3, "row_count": 180}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("calibrate", "h.csv", "--column", "btc_price"), "write btc_price=price"),
        (("calibrate", "h.csv", "--column", "bitcoin=usd"), "btc_price"),
        (("calibrate", "none.csv", "--column", "btc_price=usd"), "cannot be read"),
        (("fan", "tinny"), "tiny"),
        (("fan", "tiny", "--plot", "fan.gif"), "use .pdf, .png, .svg, .html"),
    ],
)
def test_nonsense_is_told_with_a_fix(words, message, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["optimizer", "market", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_exports_become_a_file_and_the_lines_that_name_it(tmp_path):
    export, out = tmp_path / "export.csv", tmp_path / "hub.csv"
    rows = [f"1/1/2025 {hour}:00:00 AM,HUB,{hour}" for hour in (6, 7, 9)]
    export.write_text("\n".join(["datetime_beginning_utc,pnode_name,total_lmp_da", *rows]))
    words = ("prices", export, "--operator", "pjm", "--place", "HUB", "--out", out)
    told = run(*words)
    assert told.exit_code == 0, told.output
    assert "3 hours at HUB, 2025-01-01T01:00 to 2025-01-01T04:00, 1 missing" in told.output
    snippet = yaml.safe_load(told.output[told.output.index("series:") :])
    assert snippet == {"series": [{"name": "hub", "file": {"path": "hub.csv", "missing_hours": "typical-hour"}}]}
    assert out.read_text().splitlines()[:2] == ["time,price_usd_per_mwh", "2025-01-01T01:00,6.0"]
    answer = json.loads(run(*words, "--json").output)
    assert (answer["hour_count"], answer["missing_hour_count"]) == (3, 1)
