"""``optimizer curve``: tables, JSON, CSV and pictures; names and prices that are wrong."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from typer.testing import CliRunner

from optimizer.app.curves import hashing_curve, throughput_curve
from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.domain.curves import HashingCurveSpec, ThroughputCurveSpec
from optimizer.domain.fleet import OperatingMode
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.report import curve_charts

HASHING = ("curve", "hashing", "--model", "S21 XP", "--flat", "42")
THROUGHPUT = ("curve", "throughput", "--gpu", "GB300", "--count", "1024", "--cap-curve", "a100-training")
BREAKEVEN = ("curve", "breakeven", "--model", "S21 XP", "--hashprice", "38")
S21_XP = OperatingMode(hashrate_th_s=270.0, power_w=3645.0)


def printed(*arguments):
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == ExitCode.GOOD, done.output
    return done.stdout


def refusal(*arguments):
    """What a command says no with."""
    return CliRunner().invoke(app, arguments).exception


# -------------------------------------------------------------------------------------------------------------- hashing


def test_the_table_shows_the_curve_of_the_question():
    text = printed(*HASHING, "--hashprice", "30:50:10", "--btc-usd", "90000")
    spec = HashingCurveSpec(
        modes=(S21_XP,), hashprice_usd_per_ph_day=(30.0, 40.0, 50.0), flat_usd_per_mwh=42.0, btc_usd=90_000.0
    )
    curve = hashing_curve(spec)
    rows = [line.split() for line in text.splitlines() if re.match(r" +\d", line)]
    assert [row[:2] for row in rows] == [
        [f"{point.hashprice_usd_per_ph_day:.2f}", f"{point.margin_usd_per_machine_month:.2f}"] for point in curve.points
    ]
    assert [row[-1] for row in rows] == [f"{point.btc_per_machine_month:.6f}" for point in curve.points]
    assert f"breaks even at a hashprice of {curve.breakeven_hashprice_usd_per_ph_day:,.2f}" in text
    assert "mean power price 42.00" in text


def test_the_table_fits_a_terminal():
    text = printed(*HASHING, "--btc-usd", "90000", "--hashprice", "20:200:20")
    assert max(len(line) for line in text.splitlines() if "breaks even" not in line) <= 80


def test_json_is_the_answer_and_nothing_else():
    told = json.loads(printed(*HASHING, "--hashprice", "30,45.5", "--json"))
    assert [point["hashprice_usd_per_ph_day"] for point in told["curve"]["points"]] == [30.0, 45.5]
    assert told["question"]["model"] == "Antminer S21 XP"
    assert told["question"]["flat_usd_per_mwh"] == 42.0
    assert "hours" not in told["question"]  # 8,760 numbers


def test_a_site_states_its_terms_and_options_replace_them():
    site = ("--portfolio", "us-miner", "--site", "Ward County", "--model", "S21 XP", "--json")
    told = json.loads(printed("curve", "hashing", *site))["question"]
    assert (told["adder_usd_per_mwh"], told["pue"], told["uptime_frac"]) == (12.0, 1.04, 0.96)
    assert len(told["modes"]) == 2  # the portfolio's own machine
    changed = json.loads(printed("curve", "hashing", *site, "--adder", "-3", "--pue", "1.2"))["question"]
    assert (changed["adder_usd_per_mwh"], changed["pue"], changed["uptime_frac"]) == (-3.0, 1.2, 0.96)


def test_a_file_of_prices(tmp_path):
    file = tmp_path / "prices.csv"
    days = [f"2025-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, DAYS[month - 1] + 1)]
    rows = [f"{day}T{hour:02d}:00,{20 if hour < 12 else 400}" for day in days for hour in range(24)]
    file.write_text("start,lmp\n" + "\n".join(rows), encoding="utf-8")
    named = ("--time-column", "start", "--value-column", "lmp", "--hashprice", "40", "--json")
    told = json.loads(printed("curve", "hashing", "--model", "s21", "--price-series", str(file), *named))
    (point,) = told["curve"]["points"]
    assert point["running_hours_frac"] == pytest.approx(0.5)
    assert point["realised_power_usd_per_mwh"] == pytest.approx(20.0)
    assert told["curve"]["mean_power_usd_per_mwh"] == pytest.approx(210.0)


DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@pytest.mark.parametrize(
    "prices",
    [
        (),
        ("--flat", "40", "--price-series", "ercot-west"),
        ("--flat", "40", "--portfolio", "us-miner", "--site", "Navarro"),
    ],
)
def test_exactly_one_power_price(prices):
    error = refusal("curve", "hashing", "--model", "s21", *prices)
    assert isinstance(error, InvalidInputError)
    assert "give one of --site, --price-series and --flat" in str(error)


def test_a_site_needs_its_portfolio():
    assert "add --portfolio" in str(refusal("curve", "hashing", "--model", "s21", "--site", "Navarro"))


@pytest.mark.parametrize(
    "hashprice", ["", "a", "20:80", "20:80:0", "80:20:5", "20:80:-1", "0:1e9:0.001", "nan:80:5", "1,,2"]
)
def test_hashprices_that_are_none_are_refused(hashprice):
    error = refusal(*HASHING, "--hashprice", hashprice)
    assert isinstance(error, InvalidInputError)
    assert "write low:high:step" in str(error)


def test_a_range_ends_where_it_says_whatever_binary_makes_of_it():
    told = json.loads(printed(*HASHING, "--hashprice", "1.1:1.3:0.1", "--json"))
    assert [point["hashprice_usd_per_ph_day"] for point in told["curve"]["points"]] == pytest.approx([1.1, 1.2, 1.3])


def test_what_the_domain_refuses_is_refused_with_its_name():
    assert "pue" in str(refusal(*HASHING, "--pue", "0.5"))
    assert "hashprice_usd_per_ph_day[0]" in str(refusal(*HASHING, "--hashprice", "-5,40"))


# ----------------------------------------------------------------------------------------------- throughput, break-even


def test_throughput_is_the_curve_of_the_question():
    failing = ("--mtbf-hours", "30", "--checkpoint-save-s", "60", "--restart-s", "600")
    told = json.loads(printed(*THROUGHPUT, "--pue", "1.3", *failing, "--json"))
    data = {
        "gpu_count": 1024,
        "power_kw_per_gpu": 1.9,
        "cap_curve": "a100-training",
        "pue": 1.3,
        "checkpointing": {"mtbf_hours": 30.0, "checkpoint_save_s": 60.0, "restart_s": 600.0},
    }
    assert told["curve"] == throughput_curve(ThroughputCurveSpec.model_validate(data)).model_dump(mode="json")
    text = printed(*THROUGHPUT, *failing)
    assert "best interval" in text
    assert len([line for line in text.splitlines() if re.match(r" +\d", line)]) == len(told["curve"]["points"])


def test_half_of_a_failure_is_told():
    assert "checkpointing.restart_s" in str(refusal(*THROUGHPUT, "--mtbf-hours", "30", "--checkpoint-save-s", "60"))
    assert "mtbf_hours" in str(refusal(*THROUGHPUT, "--checkpoint-save-s", "60", "--restart-s", "60"))


def test_a_gpu_without_a_rating_needs_its_power():
    assert "--power-kw-per-gpu" in str(refusal("curve", "throughput", "--gpu", "MI300X", "--count", "8"))
    stated = ("--gpu", "MI300X", "--count", "8", "--power-kw-per-gpu", "1.2", "--json")
    told = json.loads(printed("curve", "throughput", *stated))
    assert told["curve"]["points"][-1]["critical_mw"] == pytest.approx(8 * 1.2e-3)


def test_break_even_by_hand():
    told = json.loads(printed(*BREAKEVEN, "--json"))
    (row,) = told["breakevens"]
    assert row["breakeven_usd_per_mwh"] == pytest.approx(38.0 * 0.99 / (0.024 * 13.5 * 1.05))
    text = printed(*BREAKEVEN)
    assert f"{row['breakeven_usd_per_mwh']:.2f}" in text
    assert "nameplate (vendor)" in text


def test_modes_never_worth_running_have_no_step():
    told = json.loads(
        printed("curve", "breakeven", "--model", "s19j-pro", "--mode", "LuxOS", "--hashprice", "38", "--json")
    )
    by_mode = {row["mode"].split()[0]: row["step_usd_per_mwh"] for row in told["breakevens"]}
    assert by_mode["luxos-minus-16"] is None
    assert by_mode["luxos-minus-9"] > by_mode["luxos-minus-7"] > by_mode["luxos-0"]


# ---------------------------------------------------------------------------------------------------------------- files


def test_the_table_as_csv_has_every_column(tmp_path):
    out = tmp_path / "table.csv"
    text = printed(*HASHING, "--hashprice", "5,40", "--out", str(out))
    assert f"table written to {out}" in text.replace("\n", "")
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    answer = json.loads(printed(*HASHING, "--hashprice", "5,40", "--json"))["curve"]["points"]
    assert [list(row) for row in rows] == [list(point) for point in answer]
    assert float(rows[1]["margin_usd_per_mw_month"]) == answer[1]["margin_usd_per_mw_month"]
    assert rows[0]["realised_power_usd_per_mwh"] == ""  # it never runs


@pytest.mark.parametrize("command", [HASHING, THROUGHPUT, BREAKEVEN], ids=lambda command: command[1])
@pytest.mark.parametrize(
    ("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_pictures_are_written(command, suffix, magic, tmp_path):
    picture = tmp_path / f"curve.{suffix}"
    printed(*command, "--plot", str(picture))
    content = picture.read_bytes()
    assert content.lower().startswith(magic.lower())
    assert len(content) > 5_000


def test_the_same_question_draws_the_same_file(tmp_path):
    for suffix in ("svg", "pdf", "png"):
        files = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
        for file in files:
            printed(*HASHING, "--plot", str(file))
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_page_holds_everything_and_names_do_no_harm(tmp_path):
    spec = ThroughputCurveSpec.model_validate({"gpu_count": 8, "power_kw_per_gpu": 1.0})
    chart = curve_charts.throughput_chart(throughput_curve(spec), "</script><img src=x>", "a $b$ c")
    curve_charts.write_chart(chart, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(text) > 1_000_000  # with the script that draws
    assert "<img src=x>" not in text
    assert 'src="http' not in text


def test_a_dollar_sign_in_a_name_is_no_formula(tmp_path):
    spec = ThroughputCurveSpec.model_validate({"gpu_count": 8, "power_kw_per_gpu": 1.0})
    chart = curve_charts.throughput_chart(throughput_curve(spec), r"site $\frac of $x", "")
    curve_charts.write_chart(chart, tmp_path / "page.svg")


def test_a_curve_that_never_runs_is_drawn(tmp_path):
    for suffix in ("png", "html"):
        printed(*HASHING, "--hashprice", "1:3:1", "--plot", str(tmp_path / f"curve.{suffix}"))


def test_a_picture_that_cannot_be_drawn_is_told_before_the_work(tmp_path, monkeypatch):
    assert "use .pdf, .png, .svg, .html" in str(refusal(*HASHING, "--plot", str(tmp_path / "curve.gif")))
    assert "there is no folder" in str(refusal(*HASHING, "--plot", str(tmp_path / "no" / "curve.html")))
    assert "there is no folder" in str(refusal(*HASHING, "--out", str(tmp_path / "no" / "table.csv")))
    monkeypatch.setattr(curve_charts, "find_spec", lambda _: None)
    error = refusal(*HASHING, "--plot", str(tmp_path / "curve.png"))
    assert isinstance(error, InvalidInputError)
    assert "pip install 'capacity-optimizer[plot]'" in str(error)
    assert not list(tmp_path.iterdir())


def test_drawing_leaves_the_settings_of_matplotlib_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    printed(*HASHING, "--plot", str(tmp_path / "curve.svg"))
    assert dict(matplotlib.rcParams) == before


# --------------------------------------------------------------------------------------------------------------- errors


def test_unknown_names_exit_2_and_tell_the_nearest():
    optimizer = str(Path(sys.executable).with_name("optimizer"))
    command = [optimizer, "curve", "breakeven", "--model", "S21 XQ", "--hashprice", "38"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == ExitCode.BAD_INPUT
    assert "did you mean 's21-xp'" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("curve", "hashing", "--model", "s21", "--portfolio", "us-miner", "--site", "Nowhere"),
        ("curve", "hashing", "--model", "s21", "--price-series", "nowhere"),
        ("curve", "hashing", "--model", "s21", "--mode", "warp", "--flat", "40"),
        ("curve", "throughput", "--gpu", "H1000", "--count", "8"),
    ],
)
def test_unknown_names_are_not_found(arguments):
    assert isinstance(refusal(*arguments), NotFoundError)


def test_help_loads_neither_curves_nor_pictures():
    script = (
        "import sys\nfrom optimizer.cli.commands import curve\n"
        "print(sorted({'numpy', 'matplotlib', 'plotly', 'pandas', 'optimizer.curves'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "curves.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```console\n\$ optimizer ([^\n]*)\n(?!\$|```)(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command.split()[1] for command, _ in SHOWN])
def test_the_guide_shows_what_the_command_prints(command, shown):
    lines = [line.rstrip() for line in printed(*shlex.split(command)).splitlines()]
    assert [line.rstrip() for line in shown.splitlines()] == lines


def test_the_guide_shows_four_tables():
    assert len(SHOWN) == 4
