"""``optimizer serve`` with ``--console`` and ``--http``."""

import re
import subprocess
import sys
import urllib.request

import pytest

from optimizer.cli.commands.serve import serve
from optimizer.errors import InvalidInputError


def test_the_server_serves_the_console_and_its_calls_until_it_is_stopped():
    command = [sys.executable, "-m", "optimizer.cli.main", "serve", "--listen", "127.0.0.1:0", "--store", "temporary"]
    http = ["--console", "--console-port", "0", "--http", "127.0.0.1:0"]
    with subprocess.Popen([*command, "--workers", "1", *http], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("listening on 127.0.0.1:")
        address = re.fullmatch(r"console at (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())[1]
        with urllib.request.urlopen(f"{address}/console/plans", timeout=20) as answer:
            assert answer.read() == b'{"plans":[]}'
        calls = re.fullmatch(r"JSON over HTTP at (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())[1]
        for server in (address, calls):
            with urllib.request.urlopen(f"{server}/v1/plans", timeout=20) as answer:
                assert answer.read() == b"{}"
        process.terminate()
        assert process.wait(20) == 0


def test_the_console_lends_its_certificate_to_nobody(tmp_path):
    with pytest.raises(InvalidInputError, match=r"console: .*add --tokens"):
        serve(console=True, tls_client_ca=tmp_path / "ca.pem", tokens=False)


def test_origins_without_a_server_for_them_are_refused():
    with pytest.raises(InvalidInputError, match=r"http_origin: .*add --http"):
        serve(http_origin=["https://planner.example"])
