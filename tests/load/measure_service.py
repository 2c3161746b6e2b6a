"""Measures a service on this machine beside a servicer that only echoes; from the root of the project::

python tests/load/measure_service.py calls --clients 200      # calls a second and percentiles
python tests/load/measure_service.py jobs --count 50          # tiny portfolios a second
python tests/load/measure_service.py watchers --count 1000    # of one plan, and how many saw its end
python tests/load/measure_service.py stop                     # seconds from StopPlan to the end, by stage
python tests/load/measure_service.py ready                    # seconds from start to the first answer
python tests/load/measure_service.py soak --count 2000        # memory of the server over so many jobs
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = [str(TESTS.parent), str(TESTS), str(TESTS / "wire"), str(TESTS / "service")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]

import grpc  # noqa: E402
import wire_cases  # noqa: E402

from optimizer.api.v1 import planning_service_pb2 as api  # noqa: E402
from optimizer.client import AsyncClient, OptimizerClient  # noqa: E402
from optimizer.client.connection import OPTIONS  # noqa: E402
from optimizer.domain import Portfolio, SolveOptions  # noqa: E402
from optimizer.io import load_portfolio  # noqa: E402
from optimizer.service.memory import resident_bytes  # noqa: E402

SERVICE = f"""
import sys
sys.path[:0] = {FOLDERS!r}
from optimizer.service.limits import Limits
from optimizer.service.server import Server
if __name__ == "__main__":
    url, target, workers = sys.argv[1:]
    server = Server("127.0.0.1:0", workers=int(workers), target=target, store=url, limits=Limits(10**6)).start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop(0.5)
"""
ECHO = """
import sys
from concurrent.futures import ThreadPoolExecutor
import grpc
if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(64))
    echo = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", {"Echo": echo})])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)
"""
ECHO_METHOD, GET_PLAN, LIST_PLANS = "/echo.Echo/Echo", "GetPlan", "ListPlans"
CHANNELS = 20
"""Connections that the clients share, as the channels of one process do."""
WARM_UP_S = 2.0


@contextlib.contextmanager
def running(script: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Port and process id of a server in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.py"
        path.write_text(script)
        command = [sys.executable, str(path), *arguments]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield int(process.stdout.readline()), process.pid
            finally:
                process.stdin.close()
                process.wait(60.0)


@contextlib.contextmanager
def service(target: str = "optimizer.app:plan", workers: int = 2) -> Iterator[tuple[int, int]]:
    """A service on an empty store."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(SERVICE, f"sqlite:///{folder}/store.db", target, str(workers)) as there,
    ):
        yield there


def portfolio_named(name: str) -> Portfolio:
    return Portfolio.model_validate(wire_cases.small_data() | {"name": name})


# --------------------------------------------------------------------------------------------------------------- calls


async def load(port: int, method: str, body: bytes, clients: int, seconds: float) -> tuple[float, float, float]:
    """Calls a second, and the median and the 99th percentile of their seconds, of clients that call without a pause."""
    channels = [
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=(*OPTIONS, ("grpc.use_local_subchannel_pool", 1)))
        for _ in range(min(CHANNELS, clients))
    ]
    latencies: list[float] = []
    begin = time.perf_counter() + WARM_UP_S
    end = begin + seconds

    async def call_on(channel: grpc.aio.Channel) -> None:
        call = channel.unary_unary(method)
        while (now := time.perf_counter()) < end:
            await call(body, timeout=60.0)
            if now >= begin:
                latencies.append(time.perf_counter() - now)

    await asyncio.gather(*(call_on(channels[client % len(channels)]) for client in range(clients)))
    for channel in channels:
        await channel.close()
    ordered = sorted(latencies)
    return len(ordered) / seconds, statistics.median(ordered), ordered[int(0.99 * len(ordered))]


def measure_calls(clients: int, seconds: float, rounds: int) -> None:
    with service("fake_targets:by_name", 1) as (port, _), running(ECHO) as (echo_port, _):
        with OptimizerClient(f"127.0.0.1:{port}") as client:
            name = client.create_plan(client.create_portfolio(portfolio_named("quick")).name)
            client.wait(name)
        prefix = "/optimizer.api.v1.PlanningService/"
        asked = {
            GET_PLAN: api.GetPlanRequest(name=name).SerializeToString(),
            LIST_PLANS: api.ListPlansRequest(page_size=1).SerializeToString(),
        }
        for _ in range(rounds):
            plain = asyncio.run(load(echo_port, ECHO_METHOD, b"x" * 40, clients, seconds))
            print(
                f"{'echo':<12} {plain[0]:7,.0f} calls/s   p50 {1e3 * plain[1]:6.1f} ms   p99 {1e3 * plain[2]:6.1f} ms"
            )
            for method, body in asked.items():
                ours = asyncio.run(load(port, prefix + method, body, clients, seconds))
                print(
                    f"{method:<12} {ours[0]:7,.0f} calls/s   p50 {1e3 * ours[1]:6.1f} ms   p99 {1e3 * ours[2]:6.1f} ms   "
                    f"{ours[0] / plain[0]:.0%} of the rate, p99 {ours[2] / plain[2]:.1f} times",
                    flush=True,
                )


# ---------------------------------------------------------------------------------------------------------------- jobs


def measure_jobs(count: int, workers: int, target: str) -> None:
    with service(target, workers) as (port, _), OptimizerClient(f"127.0.0.1:{port}") as client:
        portfolio = load_portfolio("tiny") if target == "optimizer.app:plan" else portfolio_named("quick")
        stored = client.create_portfolio(portfolio).name
        client.plan(stored)
        begin = time.perf_counter()
        names = [client.create_plan(stored, SolveOptions(seed=seed)) for seed in range(count)]
        for name in names:
            client.wait(name)
        seconds = time.perf_counter() - begin
        print(f"{count} jobs with {workers} workers in {seconds:.1f} s: {count / seconds:.2f} a second")


# ------------------------------------------------------------------------------------------------------------- watchers


async def watch_all(port: int, name: str, count: int) -> list[str]:
    """How each of the watchers of a plan saw it end."""
    clients = [AsyncClient(f"127.0.0.1:{port}", resume_s=120.0) for _ in range(CHANNELS)]

    async def watch(client: AsyncClient) -> str:
        last = "nothing"
        try:
            async for progress in client.watch(name):
                last = progress.stage
        except Exception as error:  # it is counted
            return f"{type(error).__name__}: {error}"
        return last

    seen = await asyncio.gather(*(watch(clients[number % CHANNELS]) for number in range(count)))
    for client in clients:
        await client.close()
    return seen


def measure_watchers(count: int) -> None:
    with service("fake_targets:by_name", 1) as (port, _):
        with OptimizerClient(f"127.0.0.1:{port}") as client:
            stored = client.create_portfolio(portfolio_named("slow")).name
            name = client.create_plan(stored, SolveOptions(time_limit_s=15.0))
        begin = time.perf_counter()
        seen = asyncio.run(watch_all(port, name, count))
        counts = {last: seen.count(last) for last in sorted(set(seen))}
        print(f"{count} watchers in {time.perf_counter() - begin:.1f} s, by what they saw last: {counts}")


# ----------------------------------------------------------------------------------------------------- stop, ready, soak


def measure_stop(case: str) -> None:
    with service(workers=1) as (port, _), OptimizerClient(f"127.0.0.1:{port}") as client:
        stored = client.create_portfolio(load_portfolio(case)).name
        for stage in ("queued", "curves", "build", "solve", "twin", "audit"):
            name = client.create_plan(stored, SolveOptions(gap_frac=0.0, time_limit_s=90.0))
            reached = ""
            for progress in client.watch(name):
                reached = progress.stage
                if reached == stage:
                    break
            begin = time.perf_counter()
            client.stop(name)
            record = client.wait(name)
            print(f"stopped in {reached:<7} {time.perf_counter() - begin:6.2f} s   {record.state.value}", flush=True)


def measure_ready(rounds: int) -> None:
    for _ in range(rounds):
        begin = time.perf_counter()
        with service(workers=1) as (port, _), OptimizerClient(f"127.0.0.1:{port}") as client:
            status = client.server_status()
            print(f"ready in {time.perf_counter() - begin:.2f} s{status.missing}", flush=True)


def measure_soak(count: int, lots: int) -> None:
    with service("fake_targets:by_name", 2) as (port, process_id), OptimizerClient(f"127.0.0.1:{port}") as client:
        stored = client.create_portfolio(portfolio_named("quick")).name
        for lot in range(lots + 1):
            names = [client.create_plan(stored, allow_reuse=False) for _ in range(count // lots)]
            for name in names:
                client.wait(name)
            mib = (resident_bytes(process_id) or 0) / 2**20
            print(f"{(lot + 1) * (count // lots):6} jobs: {mib:7.1f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    runs: dict[str, tuple[Callable[..., None], dict[str, object]]] = {
        "calls": (measure_calls, {"clients": 200, "seconds": 10.0, "rounds": 2}),
        "jobs": (measure_jobs, {"count": 20, "workers": 2, "target": "optimizer.app:plan"}),
        "watchers": (measure_watchers, {"count": 1000}),
        "stop": (measure_stop, {"case": "us-miner"}),
        "ready": (measure_ready, {"rounds": 3}),
        "soak": (measure_soak, {"count": 2000, "lots": 10}),
    }
    for name, (_, defaults) in runs.items():
        command = commands.add_parser(name)
        for option, default in defaults.items():
            command.add_argument(f"--{option}", type=type(default), default=default)
    asked = vars(parser.parse_args())
    runs[asked.pop("command")][0](**asked)


if __name__ == "__main__":
    main()
