"""Questions in processes of their own: answered, refused, left without an answer or without anybody who waits."""

import threading
import time

import pytest
from google.rpc.code_pb2 import Code

from optimizer.errors import InvalidInputError, JobCancelledError, ServiceError, SolverError
from optimizer.service.own_process import OwnProcesses
from optimizer.wire.errors import WorkerDiedError, to_status


def ask(name, processes=None, still_wanted=lambda: True):
    return (processes or OwnProcesses(1)).ask(f"fake_targets:{name}", b"why", still_wanted)


def test_an_answer_and_a_refusal_come_back():
    assert ask("upper") == b"WHY"
    with pytest.raises(InvalidInputError, match="why is odd; ask something else"):
        ask("refuse_question")


def test_what_failed_in_it_is_passed_on_as_it_is():
    with pytest.raises(ServiceError, match="HiGHS failed") as told:
        ask("fail_at_question")
    assert to_status(told.value).code == to_status(SolverError("HiGHS failed")).code == Code.INTERNAL
    assert told.value.reason == "SOLVER_FAILED"


def test_a_process_that_dies_is_told():
    with pytest.raises(WorkerDiedError) as told:
        ask("die_of_question")
    assert told.value.exit_code == 7


def test_nobody_waits_and_the_process_is_ended_and_its_place_is_free():
    processes, began = OwnProcesses(1), time.monotonic()
    with pytest.raises(JobCancelledError):
        ask("ponder", processes, lambda: time.monotonic() < began + 0.5)
    assert ask("upper", processes) == b"WHY"
    assert time.monotonic() - began < 60.0


def test_questions_beyond_the_slots_wait():
    processes, over = OwnProcesses(1), threading.Event()
    first = threading.Thread(target=_until, args=(processes, over))
    first.start()
    time.sleep(0.3)
    with pytest.raises(JobCancelledError):
        ask("upper", processes, lambda: False)
    over.set()
    first.join()
    assert ask("upper", processes) == b"WHY"


def _until(processes, over):
    with pytest.raises(JobCancelledError):
        ask("ponder", processes, lambda: not over.is_set())
