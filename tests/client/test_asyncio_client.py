"""The asyncio client: the same methods as the other one, the same answers, and a stream that is resumed."""

import asyncio
import inspect
import re
import threading

import grpc
import pytest
import wire_cases

from optimizer.client import AsyncClient, OptimizerClient
from optimizer.client.aio import AsyncClient as SameClient
from optimizer.domain import Portfolio, SolveOptions
from optimizer.errors import InvalidInputError, NotFoundError, ServiceError

HASHING = wire_cases.hashing_spec()


def portfolio_for(target):
    return Portfolio.model_validate(wire_cases.small_data() | {"name": target})


def public(kind):
    return {
        name: getattr(kind, name) for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))
    }


def shape(method):
    """Parameters with defaults and types, and what is returned, as the synchronous client would say it."""
    signature = inspect.signature(method)
    told = re.sub("AsyncIterator", "Iterator", str(signature.return_annotation)).replace(
        "AsyncClient", "OptimizerClient"
    )
    return [(item.name, item.kind, item.default, item.annotation) for item in signature.parameters.values()], told


def test_both_clients_have_the_same_methods():
    ours, theirs = public(AsyncClient), public(OptimizerClient)
    assert ours.keys() == theirs.keys()
    assert {name: shape(method) for name, method in ours.items()} == {
        name: shape(method) for name, method in theirs.items()
    }
    assert SameClient is AsyncClient


def test_what_calls_the_service_is_awaited():
    waiting = {name for name, method in public(AsyncClient).items() if inspect.iscoroutinefunction(method)}
    streams = {
        name
        for name, method in public(AsyncClient).items()
        if "AsyncIterator" in str(inspect.signature(method).return_annotation)
    }
    assert streams == {"list_plans", "list_portfolios", "stream_hashing_curves", "stream_throughput_curves", "watch"}
    assert public(AsyncClient).keys() - waiting - streams == {"from_environment"}


async def planned(port):
    seen = []
    async with AsyncClient(f"127.0.0.1:{port}") as client:
        plan = await client.plan(portfolio_for("quick"), SolveOptions(seed=7), progress=seen.append, allow_reuse=False)
        records = [record async for record in client.list_plans(page_size=1)]
        status = await client.server_status()
    return plan, [progress.stage for progress in seen], records, status


def test_a_plan_is_the_same_as_that_of_the_other_client(server, client):
    plan, stages, records, status = asyncio.run(planned(server.port))
    assert plan == client.plan(portfolio_for("quick"), SolveOptions(seed=7), allow_reuse=False)
    assert stages == ["queued", "curves", "build", "solve", "audit", "done"]
    assert records[0].options.seed == 7
    assert status.worker_count == 2


def test_many_plans_at_a_time(server):
    async def ask():
        async with AsyncClient(f"127.0.0.1:{server.port}") as client:
            portfolio = await client.create_portfolio(portfolio_for("quick"))
            return await asyncio.gather(*(client.plan(portfolio.name, allow_reuse=False) for _ in range(4)))

    assert len(asyncio.run(ask())) == 4


def test_stop_keeps_and_cancel_discards(server):
    async def ask():
        async with AsyncClient(f"127.0.0.1:{server.port}") as client:
            portfolio = await client.create_portfolio(portfolio_for("slow"))
            names = [await client.create_plan(portfolio.name) for _ in range(2)]
            for name in names:
                async for progress in client.watch(name):
                    if progress.stage == "solve":
                        break
            await client.stop(names[0])
            await client.cancel(names[1])
            return [(await client.wait(name)).state.value for name in names]

    assert asyncio.run(ask()) == ["succeeded", "cancelled"]


def test_a_task_that_is_cancelled_leaves_the_plan_to_the_service(server, client):
    async def ask():
        async with AsyncClient(f"127.0.0.1:{server.port}") as connected:
            portfolio = await connected.create_portfolio(portfolio_for("slow"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connected.plan(portfolio.name), 1.0)
            return portfolio.name

    portfolio = asyncio.run(ask())
    (record,) = [record for record in client.list_plans() if record.portfolio_name == portfolio]
    assert not record.state.ended
    client.cancel(record.name)


def test_errors_are_those_of_a_local_call(server):
    async def ask():
        async with AsyncClient(f"127.0.0.1:{server.port}") as client:
            with pytest.raises(NotFoundError, match="plan"):
                await client.get_plan("plans/" + "0" * 32)
            with pytest.raises(InvalidInputError) as caught:
                await client.get_plan("nonsense")
            assert caught.value.problems[0].path == "name"
        async with AsyncClient("127.0.0.1:1", timeout_s=0.5) as client:
            with pytest.raises(ServiceError):
                await client.server_status()

    asyncio.run(ask())


def test_a_stream_that_breaks_is_resumed_where_it_was(flaky, monkeypatch):
    monkeypatch.setattr("optimizer.client.aio.client.RESUME_WAIT_S", 0.01)

    async def ask():
        async with AsyncClient(f"127.0.0.1:{flaky.port}") as client:
            return [progress.elapsed_s async for progress in client.watch("plans/x")]

    assert asyncio.run(ask()) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert flaky.resumed == [0, 2, 4, 6]


def test_a_stream_that_stays_away_is_given_up(flaky, monkeypatch):
    monkeypatch.setattr("optimizer.client.aio.client.RESUME_WAIT_S", 0.01)

    async def ask():
        async with AsyncClient(f"127.0.0.1:{flaky.port}", resume_s=0.0) as client:
            with pytest.raises(ServiceError, match="gone for a moment"):
                _ = [progress async for progress in client.watch("plans/x")]

    asyncio.run(ask())


def test_what_was_refused_for_a_moment_is_asked_again(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE]

    async def ask():
        async with AsyncClient(f"127.0.0.1:{flaky.port}") as client:
            return await client.get_plan("plans/x")

    assert asyncio.run(ask()).name == "plans/x"
    assert flaky.calls == 3


def test_questions_in_a_stream_and_what_they_raise(server, client):
    def questions():
        yield "a", HASHING
        yield "b", HASHING
        raise KeyError("the caller's own mistake")

    async def ask():
        async with AsyncClient(f"127.0.0.1:{server.port}") as connected:
            answers = connected.stream_hashing_curves(questions())
            keys = [(await anext(answers)).key, (await anext(answers)).key]
            with pytest.raises(KeyError, match="own mistake"):
                await anext(answers)
            return keys, await connected.hashing_curve(HASHING)

    keys, curve = asyncio.run(ask())
    assert keys == ["a", "b"]
    assert curve == client.hashing_curve(HASHING)


def test_a_client_serves_in_a_loop_that_runs_already(server):
    """As in a notebook, where each cell awaits in one loop that stays."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def connect():
        return AsyncClient(f"127.0.0.1:{server.port}")

    def cell(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20.0)

    client = cell(connect())
    record = cell(client.create_portfolio(portfolio_for("quick")))
    assert cell(client.plan(record.name)).capacity
    cell(client.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
