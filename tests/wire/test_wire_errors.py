"""Errors as statuses, and back."""

import base64
import logging

import pytest
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status

from optimizer.errors import (
    InvalidInputError,
    JobCancelledError,
    ModelAssemblyError,
    NotFoundError,
    Problem,
    SeriesError,
    ServiceError,
    SolverError,
)
from optimizer.wire import errors
from optimizer.wire.errors import (
    EtagError,
    JobMemoryError,
    OverloadedError,
    PreconditionError,
    QuotaError,
    WorkerDiedError,
    from_status,
    to_status,
)

TWO = [Problem("sites[0].hall_mw", "is missing", "add 'hall_mw'"), Problem("name", "is empty")]


def details(status, kind):
    found = []
    for detail in status.details:
        if detail.Is(kind.DESCRIPTOR):
            message = kind()
            detail.Unpack(message)
            found.append(message)
    return found


def test_problems_come_back_as_they_went():
    status = to_status(InvalidInputError(TWO, "portfolio"))
    back = from_status(status)
    assert (status.code, type(back), back.what) == (Code.INVALID_ARGUMENT, InvalidInputError, "portfolio")
    assert back.problems == tuple(TWO)
    (info,) = details(status, ErrorInfo)
    assert (info.reason, info.domain) == ("INVALID_INPUT", "optimizer.api.v1")


@pytest.mark.parametrize(
    ("error", "code", "back"),
    [
        (SeriesError(TWO, "series"), Code.INVALID_ARGUMENT, SeriesError),
        (NotFoundError("plan", "plans/x"), Code.NOT_FOUND, NotFoundError),
        (JobCancelledError("gone"), Code.CANCELLED, JobCancelledError),
        (SolverError("no"), Code.INTERNAL, ServiceError),
        (ModelAssemblyError("no"), Code.INTERNAL, ServiceError),
        (WorkerDiedError(-9), Code.INTERNAL, ServiceError),
        (OverloadedError("full", 3.0), Code.RESOURCE_EXHAUSTED, ServiceError),
        (QuotaError("east", 4, 3.0), Code.RESOURCE_EXHAUSTED, ServiceError),
        (JobMemoryError(4.0), Code.RESOURCE_EXHAUSTED, ServiceError),
        (PreconditionError("NOT_ENDED", "plans/a", "it is queued"), Code.FAILED_PRECONDITION, ServiceError),
        (EtagError("plans/a", "0"), Code.ABORTED, ServiceError),
        (ServiceError("odd", "UNKNOWN", "ODD"), Code.UNKNOWN, ServiceError),
        (ServiceError("passed on", "INTERNAL", "SOLVER_FAILED"), Code.INTERNAL, ServiceError),
        (ServiceError("odd", "NO_SUCH_CODE", "ODD"), Code.UNKNOWN, ServiceError),
    ],
)
def test_every_error_has_code_and_one_error_info(error, code, back):
    status = to_status(error)
    assert status.code == code
    assert len(details(status, ErrorInfo)) == 1
    assert type(from_status(status)) is back
    assert bool(details(status, BadRequest)) == isinstance(error, InvalidInputError)


def test_an_overloaded_service_says_when_to_come_again():
    (retry,) = details(to_status(OverloadedError("full", 2.5)), RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 2500


def test_a_quota_names_whose_it_is():
    status = to_status(QuotaError("east", 4, 2.5))
    (failure,), (info,) = details(status, QuotaFailure), details(status, ErrorInfo)
    assert [(item.subject, item.description) for item in failure.violations] == [("tenants/east", status.message)]
    assert (info.reason, details(status, RetryInfo)[0].retry_delay.seconds) == ("QUOTA_EXCEEDED", 2)
    assert "tenant east may have 4 plans under way" in status.message
    (failure,) = details(to_status(OverloadedError("full", 2.5)), QuotaFailure)
    assert failure.violations[0].subject == "service"


def test_a_precondition_names_its_kind_and_what_it_is_about():
    (failure,) = details(to_status(PreconditionError("NOT_ENDED", "plans/a", "it is queued")), PreconditionFailure)
    (violation,) = failure.violations
    assert (violation.type, violation.subject, violation.description) == ("NOT_ENDED", "plans/a", "it is queued")


def test_a_service_error_keeps_code_and_reason():
    back = from_status(to_status(WorkerDiedError(-9)))
    assert isinstance(back, ServiceError)
    assert (back.code, back.reason) == ("INTERNAL", "WORKER_DIED")
    assert "-9" in str(back)


@pytest.mark.parametrize("text", ["short", "x" * 5000, "é" * 5000, "語" * 5000])
@pytest.mark.parametrize("count", [1, 49, 50, 51, 3000])
def test_a_status_fits_into_a_trailer(text, count):
    problems = [Problem(f"offers[{i}].sites[0].{text[:300]}", text, text) for i in range(count)]
    status = to_status(InvalidInputError(problems, "portfolio" + text))
    trailer = len(base64.b64encode(status.SerializeToString())) + 3 * len(status.message.encode())
    assert trailer < 8000
    (bad_request,) = details(status, BadRequest)
    (info,) = details(status, ErrorInfo)
    shown = len(bad_request.field_violations)
    assert 1 <= shown <= 50
    assert info.metadata["problem_count"] == str(count)
    assert info.metadata["left_out_count"] == str(count - shown)
    back = from_status(status)
    assert isinstance(back, InvalidInputError)
    assert len(back.problems) == shown + (shown < count)


def test_short_problems_are_all_told_up_to_fifty():
    (bad_request,) = details(
        to_status(InvalidInputError([Problem(f"a[{i}]", "is odd") for i in range(60)])), BadRequest
    )
    assert len(bad_request.field_violations) == 50


def test_an_unknown_exception_is_told_by_an_id_only(caplog):
    with caplog.at_level(logging.ERROR, logger=errors.__name__):
        status = to_status(ZeroDivisionError("secret"))
    (info,) = details(status, ErrorInfo)
    assert status.code == Code.INTERNAL
    assert "secret" not in str(status)
    assert info.metadata["error_id"] in status.message
    assert info.metadata["error_id"] in caplog.text
    assert "ZeroDivisionError: secret" in caplog.text


def test_a_status_of_somebody_else_is_a_service_error():
    back = from_status(Status(code=Code.NOT_FOUND, message="no such method"))
    assert isinstance(back, ServiceError)
    assert back.code == "NOT_FOUND"
