"""A server in this process, on a free port, with a fake planner."""

import sys
from pathlib import Path

import pytest

for folder in ("wire", "service"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from optimizer.client import OptimizerClient  # noqa: E402
from optimizer.service.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def server():
    with Server("127.0.0.1:0", workers=2, heartbeat_s=0.3, target="fake_targets:by_name") as running:
        yield running


@pytest.fixture
def client(server):
    with OptimizerClient(f"127.0.0.1:{server.port}", timeout_s=20.0) as connected:
        yield connected
