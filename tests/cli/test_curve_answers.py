"""``optimizer curve`` of sites, clusters and the network: tables, JSON, CSV and pictures, and what is refused."""

from __future__ import annotations

import csv
import json
import re

import pytest
from typer.testing import CliRunner

from optimizer.app.cluster_curves import cluster_curve, cluster_value
from optimizer.app.merit_order import site_merit_order
from optimizer.app.network_curves import network_curve
from optimizer.cli.curve_options import geometric_counts
from optimizer.cli.main import app
from optimizer.domain.cluster_curves import ClusterCurveSpec, ClusterValueSpec
from optimizer.domain.merit_order import MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurveSpec
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.io import dump_portfolio, load_portfolio, parse_portfolio, save_portfolio

MERIT_ORDER = ("curve", "merit-order", "--portfolio", "us-miner", "--site", "ward county", "--month", "2029-02")
LOSSES = (
    "--failures-per-1000-gpu-days", "0.47", "--checkpoint-save-s", "60", "--restart-s", "600",
    "--reference-count", "1024", "--kept-per-doubling", "0.9",
)  # fmt: skip
LOSSES_DATA = {
    "failures_per_1000_gpu_days": 0.47,
    "checkpoint_save_s": 60.0,
    "restart_s": 600.0,
    "reference_gpu_count": 1024,
    "kept_per_doubling_frac": 0.9,
}
CLUSTER = ("curve", "cluster", "--gpu", "GB300", "--counts", "1024:8192", *LOSSES)
VALUE = ("curve", "cluster-value", "--gpu", "GB300", "--largest-mw", "20", "--rental", "3.2", "--power", "60", *LOSSES)
NETWORK = ("curve", "network", "--network-eh-s", "1000", "--growth", "0.2", "--months", "60", "--height", "982000")
EXIT = ("--exit-eh-s", "20", "--exit-month", "2028-01")
COMMANDS = [MERIT_ORDER, CLUSTER, VALUE, NETWORK, (*NETWORK, *EXIT)]


def printed(*arguments):
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(*arguments):
    return json.loads(printed(*arguments, "--json"))


def refusal(*arguments):
    """What a command says no with."""
    return CliRunner().invoke(app, arguments).exception


def numbers(row):
    return [float(cell.replace(",", "")) for cell in row]


# ---------------------------------------------------------------------------------------------------------- merit order


def test_the_merit_order_of_a_site():
    portfolio = load_portfolio("us-miner")
    spec = MeritOrderSpec(portfolio=portfolio, site="Ward County", month="2029-02", hashprice_usd_per_ph_day=22.0)
    order = site_merit_order(spec)
    text = printed(*MERIT_ORDER, "--hashprice", "22")
    table = [line for line in text.splitlines() if re.match(r" s(19|21)", line)]
    assert [line.split()[0] for line in table] == [step.asic_model for step in order.steps]
    assert [line.split()[-1] for line in table] == [f"{step.cumulative_usd_per_month:,.0f}" for step in order.steps]
    assert "hashprice 22.00 USD/PH/day as stated" in text
    assert f"{order.paying_grid_mw:,.1f} of {order.fleet_grid_mw:,.1f} MW pay" in text
    answer = told(*MERIT_ORDER, "--hashprice", "22")
    assert answer["merit_order"] == order.model_dump(mode="json")
    assert answer["question"]["site"] == "Ward County"


def test_without_a_hashprice_it_is_that_of_the_base_paths():
    text = printed(*MERIT_ORDER)
    assert "USD/PH/day of the base paths" in text
    assert max(map(len, text.splitlines())) <= 84


# ------------------------------------------------------------------------------------------------------------- clusters


def test_clusters_of_several_sizes():
    spec = {"gpu_counts": [1024, 2048, 4096, 8192], "power_kw_per_gpu": 1.9, "losses": LOSSES_DATA, "pue": 1.3}
    curve = cluster_curve(ClusterCurveSpec.model_validate(spec))
    assert told(*CLUSTER, "--pue", "1.3")["curve"] == curve.model_dump(mode="json")
    text = printed(*CLUSTER, "--pue", "1.3")
    table = [numbers(line.split()) for line in text.splitlines() if re.match(r" +\d", line)]
    assert [row[0] for row in table] == [1024, 2048, 4096, 8192]
    assert [row[-1] for row in table] == [round(p.marginal_effective_gpu_frac, 3) for p in curve.points]
    assert f"one more GPU adds nothing at {curve.largest_useful_gpu_count:,.0f}" in text
    assert "each doubling beyond 1,024 GPUs keeps 90.0%" in text
    plain = printed("curve", "cluster", "--gpu", "GB300", "--counts", "8")
    assert "nothing lost to failures or scaling" in plain
    assert "one more GPU always adds something" in plain


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("1024:65536", [1024, 2048, 4096, 8192, 16384, 32768, 65536]),
        ("1000:5000", [1000, 2000, 4000, 5000]),
        ("10:40:1.5", [10, 15, 22, 34, 40]),
        ("1:2:1.2", [1, 2]),
        ("7,3,9", [7, 3, 9]),
        ("64", [64]),
        ("64:64", [64]),
    ],
)
def test_counts_grow_geometrically_and_end_where_they_say(text, counts):
    assert geometric_counts(text, "counts") == counts


@pytest.mark.parametrize(
    "text", ["", "a", "1:", "10:5", "1:8:1", "0:8", "1:2:3:4", "1.5,2", "nan", "1:inf", "1:8:1.00001"]
)
def test_counts_that_are_none_are_refused(text):
    error = refusal("curve", "cluster", "--gpu", "GB300", "--counts", text)
    assert isinstance(error, InvalidInputError)
    assert "counts: " in str(error)
    assert "write low:high, low:high:factor" in str(error)


def test_the_value_of_a_cluster_in_straight_pieces():
    spec = {
        "largest_mw": 20.0,
        "power_kw_per_gpu": 1.9,
        "rental_usd_per_gpu_hour": 3.2,
        "power_usd_per_mwh": 60.0,
        "losses": LOSSES_DATA,
        "cap_curve": "a100-training",
        "utilisation_frac": 0.7,
        "relative_error_frac": 0.01,
    }
    value = cluster_value(ClusterValueSpec.model_validate(spec))
    stated = (*VALUE, "--cap-curve", "a100-training", "--utilisation", "0.7", "--relative-error", "0.01")
    assert told(*stated)["value"] == value.model_dump(mode="json")
    text = printed(*stated)
    table = [line.split() for line in text.splitlines() if re.match(r" +\d", line)]
    assert [row[2] for row in table] == [f"{knot.usd_per_month:,.0f}" for knot in value.knots]
    assert table[0][-1] == "-"
    assert f"{len(value.knots) - 1} straight pieces" in text
    assert f"{value.error_bound_usd_per_month:,.0f} USD a month off them" in text


# -------------------------------------------------------------------------------------------------------------- network


def test_the_network_month_by_month():
    spec = {
        "start_month": "2027-01",
        "month_count": 60,
        "network_eh_s": {"value": 1000.0, "growth_per_year_frac": 0.2},
        "block_height_at_start": 982_000,
    }
    plain = network_curve(NetworkCurveSpec.model_validate(spec))
    assert told(*NETWORK)["curve"] == plain.model_dump(mode="json")
    exit_ = {"own_exit": {"exit_eh_s": 20.0, "from_month": "2028-01"}}
    left = network_curve(NetworkCurveSpec.model_validate(spec | exit_))
    assert told(*NETWORK, *EXIT)["curve"] == left.model_dump(mode="json")
    text = printed(*NETWORK, *EXIT)
    table = [line.split() for line in text.splitlines() if re.match(r" 20\d\d-", line)]
    assert [row[0] for row in table][:3] == ["2027-01", "2027-04", "2027-07"]
    assert [row[-1] for row in table] == [f"{100 * row.hashprice_change_frac:.2f}" for row in left.months[::3]]
    most = max(row.hashprice_change_frac for row in left.months)
    assert f"the exit lifts hashprice by at most {most:.2%}" in text


def test_the_others_answer_as_the_portfolio_says(tmp_path):
    data = dump_portfolio(load_portfolio("tiny"))
    data["market"]["network_price_elasticity"] = 0.7
    save_portfolio(parse_portfolio(data, None, "changed"), tmp_path / "changed.yaml")
    asked = ("curve", "network", "--portfolio", str(tmp_path / "changed.yaml"), "--exit-eh-s", "20", "--exit-month")
    assert told(*asked, "2027-06")["question"]["own_exit"]["elasticity"] == 0.7
    assert told(*asked, "2027-06", "--elasticity", "0.1")["question"]["own_exit"]["elasticity"] == 0.1


def test_the_network_of_a_portfolio_is_its_market():
    market, horizon = load_portfolio("us-miner").market, load_portfolio("us-miner").horizon
    question = told("curve", "network", "--portfolio", "us-miner", *EXIT)["question"]
    assert question["month_count"] == horizon.month_count
    assert question["block_height_at_start"] == market.block_height_at_start
    replaced = told("curve", "network", "--portfolio", "us-miner", "--months", "3", "--height", "1")["question"]
    assert (replaced["month_count"], replaced["block_height_at_start"]) == (3, 1)


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command[1]}-{len(command)}")
@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("html", b"<!doctype html>")])
def test_pictures_and_tables_are_written(command, suffix, magic, tmp_path):
    picture, table = tmp_path / f"curve.{suffix}", tmp_path / "table.csv"
    text = printed(*command, "--plot", str(picture), "--out", str(table))
    assert f"picture written to {picture}" in text
    assert picture.read_bytes().lower().startswith(magic.lower())
    assert picture.stat().st_size > 20_000
    written = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len(written) > 3
    assert len(set(written[-1].values())) > 3


@pytest.mark.parametrize(
    ("arguments", "path", "fix"),
    [
        ((*MERIT_ORDER[:-1], "2040-01"), "month", "name a month of the horizon"),
        ((*MERIT_ORDER[:-1], "June"), "month", "write year and month, as 2027-04"),
        ((*MERIT_ORDER, "--hashprice", "-1"), "hashprice_usd_per_ph_day", "give a value between 0"),
        ((*CLUSTER, "--kept-per-doubling", "0.3"), "losses.kept_per_doubling_frac", "below a half"),
        (("curve", "cluster", "--gpu", "MI300X", "--counts", "8"), "power_kw_per_gpu", "--power-kw-per-gpu"),
        ((*VALUE, "--largest-mw", "0"), "largest_mw", "in MW"),
        ((*VALUE, "--kept-per-doubling", "0.55", "--largest-mw", "90000"), "largest_mw", "pass at most"),
        (("curve", "network"), "network", "give one of --portfolio and --network-eh-s"),
        ((*NETWORK, "--portfolio", "tiny"), "network", "give one of --portfolio and --network-eh-s"),
        (("curve", "network", "--portfolio", "tiny", "--growth", "0.1"), "growth", "give --network-eh-s"),
        (NETWORK[:-2], "block_height_at_start", "add 'block_height_at_start'"),
        ((*NETWORK, "--exit-eh-s", "20"), "own_exit.from_month", "add 'from_month'"),
        ((*NETWORK, "--exit-eh-s", "2000", "--exit-month", "2028-01"), "own_exit.exit_eh_s", "less than the whole"),
        ((*NETWORK, "--exit-eh-s", "20", "--exit-month", "2035-01"), "own_exit.from_month", "leave in a month"),
    ],
)
def test_nonsense_is_refused_with_path_and_fix(arguments, path, fix):
    error = refusal(*arguments)
    assert isinstance(error, InvalidInputError)
    assert path in [problem.path for problem in error.problems]
    assert fix in str(error)


def test_unknown_names_are_not_found():
    assert "did you mean 'Ward County'" in str(refusal(*MERIT_ORDER[:4], "--site", "Ward Country"))
    assert isinstance(refusal("curve", "cluster", "--gpu", "H1000", "--counts", "8"), NotFoundError)
