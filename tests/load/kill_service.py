"""Kills servers and workers at moments drawn from a seed, and counts what became of the plans that were accepted.

A few runs are a test (``tests/service/test_recovery.py``); many, from the root of the project::

    python tests/load/kill_service.py --runs 200 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = [str(TESTS.parent), str(TESTS), str(TESTS / "wire"), str(TESTS / "service")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]

import wire_cases  # noqa: E402

from optimizer.client import OptimizerClient  # noqa: E402
from optimizer.domain import Portfolio, SolveOptions  # noqa: E402
from optimizer.errors import ServiceError  # noqa: E402

SHORTEST_S, LONGEST_S = 0.1, 0.6
"""Of plans; kills come within twice the longest."""
SERVER = f"""
import sys
sys.path[:0] = {FOLDERS!r}
from optimizer.service.server import Server
if __name__ == "__main__":
    server = Server("127.0.0.1:0", workers=2, target="fake_targets:held", store=sys.argv[1], lease_s=1.0).start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()
"""


class Process:
    """A server in a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        script = folder / "server.py"
        script.write_text(SERVER)
        self._process = subprocess.Popen(
            [sys.executable, str(script), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"HELD_FOLDER": str(folder)},
        )
        self.client = OptimizerClient(f"127.0.0.1:{int(self._process.stdout.readline())}", timeout_s=20.0)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def kill_a_worker(self, draw: random.Random) -> None:
        workers = sorted(workers_of(self._process.pid))
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(draw.choice(workers), signal.SIGKILL)

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(20.0)
        self._close()

    def _close(self) -> None:
        self.client.close()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def workers_of(process_id: int) -> list[int]:
    """The workers of a server, by the process table of Linux: they are forked from a child of it."""
    return [worker for child in children_of(process_id) for worker in children_of(child)]


def children_of(process_id: int) -> list[int]:
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{process_id}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (task / "children").read_text().split())
    return found


def portfolio_named(name: str) -> Portfolio:
    return Portfolio.model_validate(wire_cases.small_data() | {"name": name})


def kill_runs(url: str, run_count: int, seed: int, server_count: int = 1) -> Counter[str]:
    """How many plans came to which end, and how many were lost, doubled or other than they should be."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        servers = [Process(url, folder) for _ in range(server_count)]
        try:
            accepted: dict[str, str] = {}
            for run in range(run_count):
                for index in range(draw.randint(1, 2)):
                    options = SolveOptions(time_limit_s=draw.uniform(SHORTEST_S, LONGEST_S))
                    accepted[f"p{run}-{index}"] = ask(draw.choice(servers).client, f"p{run}-{index}", options)
                time.sleep(draw.uniform(0.0, 2 * LONGEST_S))
                kill_one(servers, draw, lambda: Process(url, folder))
            counts = counted(servers[0].client, accepted)
        finally:
            for server in servers:
                server.stop()
        counts["doubled"] = len(list(folder.glob("*.doubled")))
    return counts


def kill_one(servers: list[Process], draw: random.Random, start: Callable[[], Process]) -> None:
    """Kill a server, or a worker of it, or both; a server is replaced."""
    victim = draw.choice(servers)
    kind = draw.choice(["server", "server", "worker", "both"])
    if kind != "server":
        victim.kill_a_worker(draw)
    if kind != "worker":
        victim.kill()
        servers[servers.index(victim)] = start()


def ask(client: OptimizerClient, label: str, options: SolveOptions) -> str:
    """The name of a new plan; asked for twice, as somebody would who did not get the first answer."""
    portfolio = client.create_portfolio(portfolio_named(label), request_id=label)
    while True:
        try:
            name = client.create_plan(portfolio.name, options, request_id=label)
            break
        except ServiceError as error:
            if error.reason != "OVERLOADED":
                raise
        time.sleep(1.0)
    assert client.create_plan(portfolio.name, options, request_id=label) == name
    return name


def counted(client: OptimizerClient, accepted: dict[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter(accepted=len(accepted))
    there = {record.name for record in client.list_plans(page_size=1000)}
    counts["lost"] = len(set(accepted.values()) - there)
    counts["surplus"] = len(there - set(accepted.values()))
    for label, name in accepted.items():
        record = client.wait(name)
        reason = re.sub("[^A-Z_]", "", record.error.reason) if isinstance(record.error, ServiceError) else ""
        counts[f"{record.state} {reason}".strip()] += 1
        if record.plan is not None and record.plan.manifest.portfolio_name != label:
            counts["mixed up"] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--url", help="of an empty store; by default a file of SQLite")
    asked = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = kill_runs(asked.url or f"sqlite:///{folder}/store.db", asked.runs, asked.seed, asked.servers)
    print(f"{asked.runs} kills in {time.monotonic() - begin:.0f} s:", dict(counts))


if __name__ == "__main__":
    main()
