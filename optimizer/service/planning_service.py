"""The calls: parse, delegate, serialise. Errors are mapped by the interceptor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.errors import InvalidInputError
from optimizer.service.jobs import Job
from optimizer.service.planner import Planner
from optimizer.service.resources import (
    checked_operation,
    event_message,
    heartbeat_message,
    operation_message,
    parse_options,
    parse_portfolio,
    plan_message,
    portfolio_message,
    resource_id,
)
from optimizer.wire.convert import parse, to_message
from optimizer.wire.curves import HashingCurve, HashingCurveSpec, ThroughputCurve, ThroughputCurveSpec


class PlanningServicer(planning_service_pb2_grpc.PlanningServiceServicer):
    """``optimizer.api.v1.PlanningService``."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def CreatePortfolio(self, request: Any, context: grpc.ServicerContext) -> api.CreatePortfolioResponse:  # noqa: N802
        """Store a portfolio."""
        stored = self._planner.create_portfolio(
            parse_portfolio(request), request.request_id, _content(request), request.validate_only
        )
        return api.CreatePortfolioResponse(portfolio=portfolio_message(stored))
