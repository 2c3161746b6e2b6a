"""A service and a console in front of it, on free ports, with a fake planner; and a browser."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

for folder in ("wire", "service"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from chromium import CHROMIUM, Browser  # noqa: E402

from optimizer.console import ConsoleServer  # noqa: E402
from optimizer.service.server import Server  # noqa: E402


def ask(console, path, body=None, **headers):
    """Status, headers and content of a call."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        given.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(console.address + path, data, given)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


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
