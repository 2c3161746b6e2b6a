"""Many questions about curves from the caller's side: what it may hand in, and what it gets back if it fails."""

import itertools
import time

import pytest
import wire_cases

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.client import CurveAnswer, OptimizerClient
from optimizer.errors import ServiceError
from optimizer.wire.convert import to_message

SPEC = wire_cases.hashing_spec()


def test_questions_come_from_any_iterable(client):
    expected = client.hashing_curve(SPEC)
    for questions in ({"a": SPEC, "b": SPEC}.items(), [("a", SPEC), ("b", SPEC)], ((key, SPEC) for key in "ab")):
        assert list(client.stream_hashing_curves(questions)) == [
            CurveAnswer("a", expected, None),
            CurveAnswer("b", expected, None),
        ]
    assert list(client.stream_hashing_curves([])) == []


def test_a_key_may_stand_twice(client):
    assert [answer.key for answer in client.stream_hashing_curves([("", SPEC), ("", SPEC)])] == ["", ""]


def test_answers_come_while_questions_are_still_asked(client):
    """Each question is made of the answer before it: were they collected first, this would never end."""
    answers = []

    def asked():
        yield "0", SPEC
        for number in range(1, 5):
            while len(answers) < number:
                time.sleep(0.001)
            yield f"{number} after {answers[-1]}", SPEC

    for answer in client.stream_hashing_curves(asked()):
        answers.append(answer.key)  # noqa: PERF401 - the questions read what was answered so far
    assert answers[1:3] == ["1 after 0", "2 after 1 after 0"]
    assert len(answers) == 5


def test_what_the_questions_raise_is_raised_after_the_answers_before_it(client):
    def asked():
        yield "a", SPEC
        yield "b", SPEC
        raise KeyError("the caller's own mistake")

    answers = client.stream_hashing_curves(asked())
    assert [next(answers).key, next(answers).key] == ["a", "b"]
    with pytest.raises(KeyError, match="own mistake"):
        next(answers)


def test_leaving_early_ends_the_asking(client):
    asked = []

    def endless():
        for number in itertools.count():
            asked.append(number)
            yield str(number), SPEC

    for answer in client.stream_hashing_curves(endless()):
        if answer.key == "3":
            break
    time.sleep(0.2)
    count = len(asked)
    time.sleep(0.2)
    assert len(asked) == count


def test_nobody_there_is_a_service_error():
    with OptimizerClient("127.0.0.1:1") as client, pytest.raises(ServiceError) as caught:
        list(client.stream_hashing_curves([("a", SPEC)]))
    assert caught.value.code == "UNAVAILABLE"


def test_leaving_early_cancels_the_call_at_once(client, monkeypatch):
    """Not only when the garbage collector comes to it."""

    class Stream:
        cancelled = 0

        def __iter__(self):
            return itertools.repeat(api.StreamHashingCurvesResponse(key="a", curve=to_message(curve)))

        def cancel(self):
            self.cancelled += 1

    curve, stream = client.hashing_curve(SPEC), Stream()
    monkeypatch.setattr(client._planning, "StreamHashingCurves", lambda _: stream)
    answers = client.stream_hashing_curves([])
    assert next(answers) == CurveAnswer("a", curve, None)
    assert stream.cancelled == 0
    answers.close()
    assert stream.cancelled == 1
