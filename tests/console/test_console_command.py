"""``optimizer serve --console``."""

import re
import subprocess
import sys
import urllib.request

import pytest

from optimizer.cli.commands.serve import serve
from optimizer.errors import InvalidInputError


def test_the_server_serves_the_console_until_it_is_stopped():
    command = [sys.executable, "-m", "optimizer.cli.main", "serve", "--listen", "127.0.0.1:0", "--store", "temporary"]
    with subprocess.Popen(
        [*command, "--workers", "1", "--console", "--console-port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().startswith("listening on 127.0.0.1:")
        address = re.fullmatch(r"console at (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())[1]
        with urllib.request.urlopen(f"{address}/v1/plans", timeout=20) as answer:
            assert answer.read() == b'{"plans":[]}'
        process.terminate()
        assert process.wait(20) == 0


def test_the_console_lends_its_certificate_to_nobody(tmp_path):
    with pytest.raises(InvalidInputError, match=r"console: .*add --tokens"):
        serve(console=True, tls_client_ca=tmp_path / "ca.pem", tokens=False)
