"""A service and its gateway, on free ports, with a fake planner."""

import sys
from pathlib import Path

import pytest

for folder in ("wire", "service", "console"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from optimizer.gateway import GatewayServer  # noqa: E402
from optimizer.service.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def page():
    """The origin of a page that may call."""
    return "https://planner.example"


@pytest.fixture(scope="session")
def service():
    """A service whose planner does what the portfolio is named after."""
    with Server("127.0.0.1:0", workers=1, heartbeat_s=0.3, target="fake_targets:by_name") as server:
        yield server


@pytest.fixture(scope="session")
def gateway(service, page):
    with GatewayServer(f"127.0.0.1:{service.port}", origins=[page]) as server:
        yield server
