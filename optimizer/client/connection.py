"""How clients reach a service, and what a failed call stands for."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any, Final, NoReturn

from grpc_status import rpc_status

from optimizer.domain.plan import Progress
from optimizer.errors import ServiceError
from optimizer.wire.errors import from_status

MAXIMUM_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_RETRY_UNAVAILABLE: Final = {
    "methodConfig": [
        {
            "name": [{"service": "optimizer.api.v1.PlanningService"}, {"service": "google.longrunning.Operations"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "3s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""Only what surely did no harm is repeated; creations carry a request id, so they are made once."""
OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_RETRY_UNAVAILABLE)),
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
_TOO_LARGE: Final = "larger than max"
"""How gRPC says, here and there, that a message has more bytes than it takes."""
RESUME_WAIT_S: Final = 0.5
"""Before a stream that broke off is asked for again."""


def raise_for(error: Any) -> NoReturn:
    """Raise what a failed call stands for."""
    status = rpc_status.from_call(error)
    if status is not None:
        raise from_status(status) from None
    told = error.details() or "the call failed"
    if _TOO_LARGE in told:
        most = MAXIMUM_MESSAGE_BYTES // 2**20
        fix = "name series of the library instead of sending their hours, or send fewer scenarios of a table"
        raise ServiceError(f"{told}: {most} MiB at most; {fix}", error.code().name, "MESSAGE_TOO_LARGE") from None
    raise ServiceError(told, error.code().name) from None


def new_id() -> str:
    """The id of a request."""
    return uuid.uuid4().hex


def write_line(progress: Progress) -> None:
    """Write one moment of a plan to standard error."""
    numbers = [f"{progress.elapsed_s:8.1f} s  {progress.stage:<7}"]
    if progress.incumbent_usd is not None:
        numbers.append(f"best {progress.incumbent_usd:,.0f} USD")
    if progress.bound_usd is not None:
        numbers.append(f"at most {progress.bound_usd:,.0f} USD")
    if progress.gap_frac is not None:
        numbers.append(f"gap {progress.gap_frac:.2%}")
    sys.stderr.write("  ".join(numbers) + "\n")
