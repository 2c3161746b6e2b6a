"""The command line: exit codes, JSON, the same output locally and through a server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.cli.output import EXIT_CODES, ExitCode, exit_code_of
from optimizer.errors import InvalidInputError, OptimizerError, SeriesError, SolverError
from optimizer.io import dump_portfolio, load_plan, load_portfolio, save_plan, save_portfolio
from optimizer.io.text import yaml_text

OPTIMIZER = str(Path(sys.executable).with_name("optimizer"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([OPTIMIZER, *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def tiny_plan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "plan.json"
    done = run("plan", "tiny", "--out", str(path))
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "northern-cloud" in done.stdout
    assert "audit: passed" in done.stdout
    assert "solve" in done.stderr  # progress goes to standard error
    assert "\x1b[" not in done.stdout + done.stderr  # no colours when piped
    return path


def changed(tmp_path: Path, **changes) -> str:
    path = tmp_path / "changed.yaml"
    path.write_text(yaml_text(dump_portfolio(load_portfolio("tiny")) | changes), encoding="utf-8")
    return str(path)


def test_show_prints_what_plan_printed(tiny_plan):
    shown = run("show", str(tiny_plan))
    assert shown.returncode == ExitCode.GOOD
    assert "northern-cloud" in shown.stdout
    as_json = run("show", str(tiny_plan), "--json")
    assert json.loads(as_json.stdout) == json.loads(tiny_plan.read_text())


def test_json_is_the_plan_and_nothing_else(tiny_plan):
    done = run("plan", "tiny", "--json", "--quiet")
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    expected = load_plan(tiny_plan)
    assert answer["termination"]["objective_usd"] == pytest.approx(expected.termination.objective_usd, rel=1e-9)
    assert [item["offer"] for item in answer["contracts"]] == [item.offer for item in expected.contracts]


def test_bad_input_exits_2_and_says_where(tmp_path):
    data = dump_portfolio(load_portfolio("tiny"))
    data["offers"][0]["price_usd_per_kw_month"] = 150_000
    path = tmp_path / "bad.yaml"
    path.write_text(yaml_text(data), encoding="utf-8")
    done = run("validate", str(path))
    assert done.returncode == ExitCode.BAD_INPUT
    assert "offers[0].price_usd_per_kw_month" in done.stderr
    told = json.loads(run("validate", str(path), "--json").stderr)
    assert told["problems"][0]["path"] == "offers[0].price_usd_per_kw_month"
    assert run("plan", "tinny").returncode == ExitCode.BAD_INPUT
    assert run("plan", "tiny", "--gap", "5").returncode == ExitCode.BAD_INPUT


def test_no_plan_exits_4_and_is_a_result(tmp_path):
    policy = {"mandatory": [{"offer": "cheap-lease"}]}
    finance = dump_portfolio(load_portfolio("tiny"))["finance"]
    finance["capex_budgets"] = [
        {"name": "none", "from_month": "2027-01", "until_month": "2031-12", "maximum_capex_usd": 1e6}
    ]
    done = run("plan", changed(tmp_path, policy=policy, finance=finance), "--json")
    assert done.returncode == ExitCode.NO_PLAN
    assert json.loads(done.stdout)["termination"]["reason"] == "infeasible"


def test_a_failed_audit_exits_3(tiny_plan, tmp_path):
    plan = load_plan(tiny_plan)
    check = plan.audit.checks[0].model_copy(update={"largest_deviation": 5.0, "tolerance": 1.0, "where": "Pecos"})
    broken = plan.model_copy(update={"audit": plan.audit.model_copy(update={"checks": (check,)})})
    save_plan(broken, tmp_path / "broken.json")
    done = run("show", str(tmp_path / "broken.json"))
    assert done.returncode == ExitCode.AUDIT_FAILED
    assert "AUDIT FAILED" in done.stdout


def test_a_server_that_is_not_there_exits_5():
    assert run("plan", "tiny", "--server", "127.0.0.1:1", "--quiet").returncode == ExitCode.SERVICE


def test_a_remote_plan_prints_what_a_local_one_does(tiny_plan, tmp_path):
    command = [OPTIMIZER, "serve", "--listen", "127.0.0.1:0", "--store", f"sqlite:///{tmp_path / 'store.db'}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[2].rstrip(",")
        remote = run("plan", "tiny", "--quiet", "--server", address)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
    assert remote.returncode == ExitCode.GOOD, remote.stderr
    assert remote.stdout == run("show", str(tiny_plan)).stdout


def test_report_library_schema(tiny_plan, tmp_path):
    out = tmp_path / "r.html"
    assert run("report", str(tiny_plan), "--out", str(out)).returncode == ExitCode.GOOD
    assert out.stat().st_size > 1_000_000
    assert len(json.loads(run("library", "list", "asics", "--json").stdout)) >= 30
    assert json.loads(run("library", "show", "s21-xp", "--json").stdout)["hashrate_th_s"] == 270.0
    assert run("library", "show", "tiny").stdout.startswith("name: tiny")
    assert run("library", "show", "s21-xq").returncode == ExitCode.BAD_INPUT
    assert json.loads(run("schema").stdout)["title"] == "Portfolio"


def test_every_error_has_an_exit_code():
    assert exit_code_of(SeriesError([])) is ExitCode.BAD_INPUT  # by its base class
    assert exit_code_of(SolverError("x")) is ExitCode.UNEXPECTED
    assert issubclass(InvalidInputError, OptimizerError)
    assert set(EXIT_CODES.values()) <= set(ExitCode)


@pytest.mark.parametrize("after", ["twin", "solve"])
def test_ctrl_c_ends_the_search_and_keeps_the_best_plan(after, tmp_path):
    out = tmp_path / "plan.json"
    command = [OPTIMIZER, "plan", "us-miner", "--gap", "0", "--time-limit", "100", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith(after):
            break
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.GOOD
    assert "(interrupted)" in stdout
    assert "audit: passed" in stdout
    assert load_plan(out).termination.limit == "interrupted"


def test_a_workbook_comes_back_with_its_plan(tmp_path):
    stated, out = tmp_path / "portfolio.xlsx", tmp_path / "plan.xlsx"
    save_portfolio(load_portfolio("tiny"), stated)
    done = run("plan", str(stated), "--out", str(out), "--scenarios", "7")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert f"plan written to {out}\n" in done.stdout
    again = load_portfolio(out)
    assert again.risk.scenario_count == 7
    assert again.model_copy(update={"risk": load_portfolio(stated).risk}) == load_portfolio(stated)


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path):
    done = run("plan", "tiny", "--out", str(tmp_path / "no" / "plan.json"))
    assert done.returncode == ExitCode.BAD_INPUT
    assert "there is no folder" in done.stderr
    assert "solve" not in done.stderr


def test_a_template_is_a_workbook_that_validates(tmp_path):
    out = tmp_path / "portfolio.xlsx"
    done = run("template", "tiny", "--out", str(out))
    assert done.returncode == ExitCode.GOOD
    assert f"next: optimizer plan {out}" in done.stdout
    assert run("validate", str(out), "--json").stdout == run("validate", "tiny", "--json").stdout
    assert run("template", "tiny", "--out", str(tmp_path / "portfolio.txt")).returncode == ExitCode.BAD_INPUT
