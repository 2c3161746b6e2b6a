"""A service and a console in front of it, on free ports, with a fake planner; and a browser."""

import sys
from pathlib import Path

import pytest

for folder in ("wire", "service"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from chromium import CHROMIUM, Browser  # noqa: E402

from optimizer.console import ConsoleServer  # noqa: E402
from optimizer.service.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def faked():
    """A console of a service whose planner does what the portfolio is named after."""
    with (
        Server("127.0.0.1:0", workers=1, heartbeat_s=0.3, target="fake_targets:by_name") as service,
        ConsoleServer(f"127.0.0.1:{service.port}") as console,
    ):
        yield console


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no chromium on the path")
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()
