"""A server in this process, on a free port, with a fake planner."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

for folder in ("wire", "service"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from optimizer.api.v1 import planning_service_pb2 as api  # noqa: E402
from optimizer.api.v1 import planning_service_pb2_grpc  # noqa: E402
from optimizer.api.v1.resources_pb2 import Plan as PlanMessage  # noqa: E402
from optimizer.api.v1.resources_pb2 import PlanState  # noqa: E402
from optimizer.client import OptimizerClient  # noqa: E402
from optimizer.domain import Progress  # noqa: E402
from optimizer.service.server import Server  # noqa: E402
from optimizer.wire.convert import to_message  # noqa: E402


@pytest.fixture(scope="session")
def server():
    with Server("127.0.0.1:0", workers=2, heartbeat_s=0.3, target="fake_targets:by_name") as running:
        yield running


@pytest.fixture
def client(server):
    with OptimizerClient(f"127.0.0.1:{server.port}", timeout_s=20.0) as connected:
        yield connected


class Flaky(planning_service_pb2_grpc.PlanningServiceServicer):
    """Breaks off every stream after two events, and refuses calls for a while."""

    def __init__(self):
        self.resumed, self.calls, self.refusals = [], 0, []
        self.last, self.state = 7, PlanState.PLAN_STATE_SUCCEEDED
        self.delay_s, self.ends_early = 0.0, False

    def WatchPlan(self, request, context):
        self.resumed.append(request.after_sequence)
        if self.ends_early:
            return
        for sequence in range(request.after_sequence + 1, min(request.after_sequence + 3, self.last)):
            progress = to_message(Progress(stage="solve", elapsed_s=float(sequence)))
            yield api.WatchPlanResponse(sequence=sequence, progress=progress)
        if request.after_sequence + 3 <= self.last:
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone for a moment")
        yield api.WatchPlanResponse(sequence=self.last, end=api.PlanEnd(state=self.state))

    def GetPlan(self, request, context):
        self.calls += 1
        time.sleep(self.delay_s)
        if self.refusals:
            context.abort(self.refusals.pop(0), "no")
        return api.GetPlanResponse(plan=PlanMessage(name=request.name, state=self.state))


@pytest.fixture
def flaky():
    servicer = Flaky()
    server = grpc.server(ThreadPoolExecutor(4))
    planning_service_pb2_grpc.add_PlanningServiceServicer_to_server(servicer, server)
    servicer.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer
    server.stop(0).wait()
