"""What the tests of calls share."""

import grpc
import pytest
import wire_cases
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from optimizer.domain import Portfolio, SolveOptions

OPTIONS = SolveOptions(time_limit_s=20.0)


def portfolio_for(target):
    """A portfolio on which the fake planner behaves as ``target``."""
    return Portfolio.model_validate(wire_cases.small_data() | {"name": target})


def refused(call):
    """Code, reason and violations of a refused call."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    assert status is not None, caught.value
    info, bad_request = ErrorInfo(), BadRequest()
    for detail in status.details:
        for known in (info, bad_request):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    return caught.value.code().name, info.reason, [item.field for item in bad_request.field_violations]
