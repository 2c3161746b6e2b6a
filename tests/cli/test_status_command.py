"""``optimizer status``: what a person reads, what a program reads, and the exit code of a server that is not ready."""

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.client import OptimizerClient
from optimizer.domain import Progress
from optimizer.domain.server_status import RunningPlan, ServerStatus
from optimizer.errors import ServiceError
from optimizer.service.server import Server

RUNNER = CliRunner()
BUSY = ServerStatus(
    version="1.2", uptime_s=90_061.4, store="postgresql", worker_count=2, worker_memory_bytes=300 * 2**20, queue_limit=64,
    queued_count=3, running_count=1, oldest_wait_s=12.4,
    running=(RunningPlan(name="plans/a", running_s=8.2, progress=Progress(stage="solve", elapsed_s=7.5, gap_frac=0.0123)),),
)  # fmt: skip


def test_a_server_is_asked():
    with Server("127.0.0.1:0", workers=0) as server:
        done = RUNNER.invoke(app, ["status", "--server", f"127.0.0.1:{server.port}"], catch_exceptions=False)
        told = RUNNER.invoke(app, ["status", "--server", f"127.0.0.1:{server.port}", "--json"], catch_exceptions=False)
    assert done.exit_code == told.exit_code == 0
    assert "ready" in done.output
    assert "queue    0 of 64 waiting\n" in done.output
    assert json.loads(told.output)["store"] == "sqlite"


def test_what_a_person_reads(monkeypatch):
    monkeypatch.setattr(OptimizerClient, "server_status", lambda _: BUSY)
    done = RUNNER.invoke(app, ["status"], catch_exceptions=False)
    assert done.output.splitlines() == [
        "optimizer 1.2, up 1 day, 1:01:01, ready",
        "store    postgresql",
        "workers  2, with 300 MiB",
        "queue    3 of 64 waiting, the oldest for 12 s",
        "running  1",
        "  plans/a   8 s   solve     7.5 s   no plan yet   gap 1.23%",
    ]


def test_a_server_that_is_not_ready_is_told_by_the_exit_code(monkeypatch):
    down = BUSY.model_copy(update={"missing": "workers cannot be started", "running": ()})
    monkeypatch.setattr(OptimizerClient, "server_status", lambda _: down)
    done = RUNNER.invoke(app, ["status"], catch_exceptions=False)
    assert done.exit_code == 5
    assert "not ready: workers cannot be started" in done.output
    assert "queue" not in done.output


def test_no_server_is_told():
    with pytest.raises(ServiceError):
        RUNNER.invoke(app, ["status", "--server", "127.0.0.1:1"], catch_exceptions=False)
