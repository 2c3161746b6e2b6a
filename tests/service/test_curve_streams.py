"""Many curve questions in one stream: in order, one at a time, each with its own error, and room given back."""

import contextlib
import itertools
import logging
import queue
import time

import pytest
import wire_cases
from calls import refused

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.app.curves import hashing_curve, throughput_curve
from optimizer.client import OptimizerClient
from optimizer.errors import InvalidInputError, ServiceError
from optimizer.service import curve_answers
from optimizer.service import server as server_module
from optimizer.service.server import Server
from optimizer.wire.convert import to_message
from optimizer.wire.errors import from_status

STREAM = "/optimizer.api.v1.PlanningService/StreamHashingCurves"


@pytest.fixture(scope="module")
def server():
    """A server that computes no plans, so that it starts no processes."""
    with Server("127.0.0.1:0", workers=0) as running:
        yield running


def hashing_question(number):
    return wire_cases.hashing_spec().model_copy(update={"flat_usd_per_mwh": 20.0 + number / 50.0})


def request(key, spec=None):
    return api.StreamHashingCurvesRequest(key=key, spec=to_message(spec or wire_cases.hashing_spec()))


def test_a_thousand_questions_are_answered_one_by_one_and_a_bad_one_is_told(client):
    specs = {f"question {number}": hashing_question(number) for number in range(1000)}
    specs["question 500"] = specs["question 500"].model_copy(update={"pue": 0.5})  # not checked here, but there
    answers = list(client.stream_hashing_curves(specs.items()))
    assert [answer.key for answer in answers] == list(specs)
    bad = answers.pop(500)
    assert bad.curve is None
    assert isinstance(bad.error, InvalidInputError)
    assert [problem.path for problem in bad.error.problems] == ["pue"]
    assert all(answer.error is None for answer in answers)
    margins = [answer.curve.points[1].margin_usd_per_machine_month for answer in answers]
    assert margins == sorted(margins, reverse=True)
    assert len(set(margins)) == 999  # power is dearer from question to question
    for answer in (answers[0], answers[-1]):
        assert answer.curve == hashing_curve(specs[answer.key])


def test_a_stream_of_clusters(client):
    spec = wire_cases.throughput_spec()
    good, bad = client.stream_throughput_curves([("a", spec), ("b", spec.model_copy(update={"gpu_count": 0}))])
    assert good.curve == throughput_curve(spec)
    assert (bad.key, [problem.path for problem in bad.error.problems]) == ("b", ["gpu_count"])


def test_every_way_to_ask_gives_the_local_answer(client):
    for spec in (wire_cases.hashing_spec(), wire_cases.hourly_hashing_spec()):
        (streamed,) = client.stream_hashing_curves([("", spec)])
        assert streamed.curve == client.hashing_curve(spec) == hashing_curve(spec)


def test_an_error_in_a_stream_is_the_error_of_a_call(planning, client):
    empty = api.StreamHashingCurvesRequest(key="empty")
    (answer,) = planning.StreamHashingCurves(iter([empty]))
    told = from_status(answer.error)
    with pytest.raises(InvalidInputError) as alone:
        client._call(planning.ComputeHashingCurve, api.ComputeHashingCurveRequest())
    assert told.problems == alone.value.problems != ()


def test_what_nobody_foresaw_is_told_by_an_id_and_harms_no_other(client, monkeypatch, caplog):
    def broken(spec):
        if spec.btc_usd is None:
            raise RuntimeError("secret")
        return hashing_curve(spec)

    monkeypatch.setattr("optimizer.app.curves.hashing_curve", broken)
    bad, good = client.stream_hashing_curves(
        [("a", wire_cases.hourly_hashing_spec()), ("b", wire_cases.hashing_spec())]
    )
    assert isinstance(bad.error, ServiceError)
    assert bad.error.code == "INTERNAL"
    assert "secret" not in str(bad.error)
    assert "secret" in caplog.text
    assert good.curve is not None


def test_a_question_is_answered_before_the_next_one_is_read():
    read = []

    def asked():
        for number in itertools.count():
            read.append(number)
            yield request(str(number))

    answers = curve_answers.each(asked(), curve_answers.hashing_curve, api.StreamHashingCurvesResponse)
    assert [next(answers).key for _ in range(3)] == ["0", "1", "2"]
    assert read == [0, 1, 2]


def test_bytes_that_are_no_message_end_the_stream_after_what_came_before(channel):
    call = channel.stream_stream(STREAM)(iter([request("good").SerializeToString(), b"\xff\xff\xff"]))
    assert api.StreamHashingCurvesResponse.FromString(next(call)).HasField("curve")
    assert refused(lambda: next(call))[:2] == ("INVALID_ARGUMENT", "INVALID_INPUT")


# ------------------------------------------------------------------------------------------------------- broken off


class Question:
    """A stream that stays open until told."""

    def __init__(self, planning):
        self.wanted = queue.SimpleQueue()
        self.wanted.put(request("first"))
        self.call = planning.StreamHashingCurves(iter(self.wanted.get, None))

    def end(self):
        self.call.cancel()
        self.wanted.put(None)


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(server_module, "WAITING_LIMIT", 2)
    with Server("127.0.0.1:0", workers=0) as running, OptimizerClient(f"127.0.0.1:{running.port}") as client:
        yield client


def soon(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.02)
    return False


def endless(asked):
    """Questions of 40 kB whose answers have half a megabyte; notes how many were asked for."""
    many = tuple(20.0 + place / 100.0 for place in range(5000))
    spec = wire_cases.hashing_spec().model_copy(update={"hashprice_usd_per_ph_day": many})
    for number in itertools.count():
        asked.append(number)
        yield str(number), spec


def settled(asked):
    """How many were asked once no more are."""
    for _ in range(40):
        count = len(asked)
        time.sleep(0.5)
        if len(asked) == count:
            return count
    raise AssertionError(f"{len(asked)} questions, and no end")


def answered(client):
    """Whether there is room for one more stream."""
    with contextlib.suppress(ServiceError):
        return len(list(client.stream_hashing_curves([("late", wire_cases.hashing_spec())]))) == 1
    return False


def test_open_streams_leave_room_for_others_and_give_it_back_when_cancelled(narrow, caplog):
    first, second = Question(narrow._planning), Question(narrow._planning)
    assert [next(first.call).key, next(second.call).key] == ["first", "first"]
    with pytest.raises(ServiceError) as caught:
        list(narrow.stream_hashing_curves([("late", wire_cases.hashing_spec())]))
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert narrow.hashing_curve(wire_cases.hashing_spec()).points  # a call of its own is still answered
    with caplog.at_level(logging.WARNING):
        first.end()
        assert soon(lambda: answered(narrow))
    second.end()
    assert soon(lambda: answered(narrow))
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not warned  # a caller who leaves is nobody's error


def test_a_reader_who_leaves_in_the_middle_frees_the_server(narrow):
    asked = []
    for _ in range(3):  # more often than there is room
        answers = narrow.stream_hashing_curves(endless(asked))
        assert next(answers).key == "0"
        answers.close()
        assert soon(lambda: answered(narrow))
    assert settled(asked)


def test_a_slow_reader_holds_the_questions_back(narrow):
    asked = []
    answers = narrow.stream_hashing_curves(endless(asked))
    next(answers)
    count = settled(asked)
    answers.close()
    assert count < 1000  # about 120: what fits into the windows of the connection
