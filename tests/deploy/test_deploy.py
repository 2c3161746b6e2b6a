"""The container file and the systemd unit: every instruction, file, command and option in them exists."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from optimizer.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "optimizer.service"
HOME = "/opt/optimizer/bin/optimizer"
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def instructions():
    lines = [line for line in CONTAINER.splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in whole.splitlines() if line.strip()]


def parsed(command):
    """The parameters of a command as its own parser reads them; it refuses what it does not know."""
    name, *arguments = command
    return typer.main.get_command(app).commands[name].make_context(name, arguments).params


def unit():
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser


def test_the_container_serves_with_tls_and_tokens():
    found = dict(instructions())
    assert set(found) == INSTRUCTIONS
    assert json.loads(found["ENTRYPOINT"]) == [HOME]
    stated = parsed(json.loads(found["CMD"]))
    assert stated["listen"].rpartition(":")[2] == found["EXPOSE"]
    assert stated["tokens"]
    assert stated["tls_certificate"]
    assert stated["tls_key"]
    assert stated["store"] == f"sqlite:///{found['VOLUME']}/optimizer.db"
    assert found["USER"] == "optimizer"


def test_what_the_container_installs_is_locked_and_there():
    (locked,) = re.findall(r"--requirement (\S+)", CONTAINER)
    assert (ROOT / locked).is_file()
    assert CONTAINER.count("--require-hashes") == 1
    assert CONTAINER.count("pip install") == 2


def test_the_unit_serves_on_loopback_from_its_own_folder():
    service = unit()["Service"]
    program, *command = shlex.split(service["ExecStart"])
    assert program == HOME
    stated = parsed(command)
    assert stated["listen"].startswith("127.0.0.1:")
    assert stated["store"] == f"sqlite:////var/lib/{service['StateDirectory']}/optimizer.db"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_accepts_the_unit(tmp_path):
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(HOME, sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert UNIT.name not in done.stderr


def test_an_option_that_is_not_there_would_be_seen():
    with pytest.raises(Exception, match="No such option"):
        parsed(["serve", "--listen-on", "127.0.0.1:1"])
