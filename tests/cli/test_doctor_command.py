"""``optimizer doctor``: what it looks at, and what it says when something is wrong."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from optimizer.cli import checks
from optimizer.cli.checks import Found, State, found_by
from optimizer.cli.main import app
from optimizer.errors import ServiceError

EXTENSIONS = Path(__file__).resolve().parents[2] / "ext" / "optimizer" / "curves"


def doctor(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_a_good_machine_can_plan_here_and_in_a_worker():
    done = doctor()
    assert done.exit_code == 0, done.output
    assert "failed" not in done.output
    assert "planned tiny in" in done.output
    assert "in a process of its own" in done.output
    assert "next: optimizer plan tiny" in done.output


def test_quick_plans_nothing(monkeypatch):
    monkeypatch.setattr(checks, "found_by", lambda check: Found(check.__name__, State.GOOD, "seen"))
    names = [found["name"] for found in json.loads(doctor("--quick", "--json").output)]
    assert names == ["python", "kernels", "compiler", "threads", "temporary_space", "extras"]


def test_every_kernel_is_looked_at():
    assert {f"_{name}" for name in checks._KERNELS} == {file.stem for file in EXTENSIONS.glob("*.pyx")}


def test_a_failure_is_told_with_its_fix_and_exits_1(monkeypatch):
    monkeypatch.setitem(sys.modules, "optimizer.curves._margin", None)
    done = doctor("--quick")
    assert done.exit_code == 1
    assert "failed kernels: not compiled for this Python: margin" in done.output
    assert "fix: pip install --force-reinstall ." in done.output
    assert "can plan" not in done.output
    assert doctor("--quick", "--json").exit_code == 1


@pytest.mark.parametrize(
    ("check", "spoil", "state", "told"),
    [
        (checks.python, lambda patch: patch.setattr(sys, "version_info", (3, 10)), State.FAILED, ""),
        (checks.compiler, lambda patch: patch.setattr(shutil, "which", lambda name: None), State.NOTE, "only building"),
        (checks.threads, lambda patch: patch.setenv("OPTIMIZER_THREADS", "0"), State.FAILED, "OPTIMIZER_THREADS: is 0"),
        (
            checks.temporary_space,
            lambda patch: patch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000)),
            State.FAILED,
            "0.0 GiB free",
        ),
        (checks.extras, lambda patch: patch.setattr(checks, "find_spec", lambda name: None), State.NOTE, "parquet"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_wrong_has_a_fix(check, spoil, state, told, monkeypatch):
    assert check().state is State.GOOD
    spoil(monkeypatch)
    found = check()
    assert found.state is state
    assert told in found.told
    assert found.fix


def test_a_check_that_breaks_down_has_failed():
    def worker():
        raise ServiceError("the server did not start")

    assert found_by(worker) == Found(
        "worker", State.FAILED, "the server did not start", "optimizer plan tiny tells more"
    )


def test_a_plan_that_is_not_sound_fails(monkeypatch):
    unsound = SimpleNamespace(audit_failed=True, termination=SimpleNamespace(has_plan=True))
    monkeypatch.setattr("optimizer.app.plan", lambda portfolio: unsound)
    assert checks.solver().state is State.FAILED
