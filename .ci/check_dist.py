"""Checks what ``python -m build`` made: nothing is missing, the wheel plans, and a client alone is small and quick.

The wheel is installed twice in empty environments, with the versions and hashes of ``run.lock``: once with all of them,
once with the few that the wheel itself asks for.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Final

NEEDED_IN_SDIST = (".pyx", ".pxd", ".h", ".proto", ".yaml", "py.typed", "MANIFEST.in")
NEEDED_IN_WHEEL = (
    "optimizer/py.typed",
    "optimizer/api/v1/openapi.json",
    "optimizer/console/page/index.html",
    "optimizer/console/page/vendor/lit-html/directives/live.js",
    "optimizer/curves/_power.pyi",
    "optimizer/library/data/portfolios/tiny.yaml",
)
LOCK: Final = Path(__file__).with_name("run.lock")
MOST_CLIENT_MB: Final = 30.0
"""Of a client with all that it needs, beside gRPC and protobuf."""
NOT_COUNTED: Final = ("grpc", "google/protobuf", "google/_upb", "pip", "setuptools", "pkg_resources", "_distutils_hack")
CLIENT: Final = """
import sys, optimizer as opt
from optimizer.client import OptimizerClient
with OptimizerClient(sys.argv[1]) as client:
    name = client.create_portfolio(opt.load("tiny")).name
    print(client.get_portfolio(name).portfolio.name)
"""
"""What an environment of a client does with a server that runs elsewhere."""


class Environment:
    """An empty environment in a folder."""

    def __init__(self, folder: str) -> None:
        venv.create(folder, with_pip=True)
        self.folder = Path(folder)
        self.python = self.folder / "bin" / "python"

    def run(self, *arguments: str | Path) -> str:
        """What a program of the environment writes."""
        program = self.folder / "bin" / arguments[0]
        done = subprocess.run(
            [program, *arguments[1:]], check=True, cwd=self.folder, stdout=subprocess.PIPE, encoding="utf-8"
        )
        return done.stdout

    def pip_install(self, *arguments: str | Path) -> str:
        """Install something; what pip writes."""
        return self.run("python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments)

    def installed_mb(self) -> float:
        """Size of what is installed and counts."""
        packages = next(self.folder.glob("lib/python*/site-packages"))
        files = [file for file in packages.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        counted = [file for file in files if not str(file.relative_to(packages)).startswith(NOT_COUNTED)]
        return sum(file.stat().st_size for file in counted) / 1e6


def main(folder: Path) -> None:
    """Check the one sdist and the one wheel in ``folder``."""
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    check_contents(sdist, wheel)
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as client:
        service = Environment(whole)
        service.pip_install("--require-hashes", "-r", LOCK)
        service.pip_install("--no-deps", wheel.resolve())
        check_plan(service)
        told = check_client(client_environment(client, wheel), service)
    sys.stdout.write(f"{sdist.name} and {wheel.name} are complete; the wheel plans in an empty environment; {told}\n")


def check_contents(sdist: Path, wheel: Path) -> None:
    """What must be in the files is there, and nothing else."""
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    missing = [end for end in NEEDED_IN_SDIST if not any(name.endswith(end) for name in names)]
    if missing:
        sys.exit(f"{sdist.name} lacks files ending in {missing}")
    contents = zipfile.ZipFile(wheel).namelist()
    lacking = [name for name in NEEDED_IN_WHEEL if name not in contents]
    strangers = [name for name in contents if not name.startswith(("optimizer/", "capacity_optimizer-"))]
    if lacking or strangers:
        sys.exit(f"{wheel.name} lacks {lacking}, and has besides the package {strangers[:5]}")


def check_plan(service: Environment) -> None:
    """The wheel plans."""
    plan = json.loads(service.run("optimizer", "plan", "tiny", "--json", "--quiet"))
    if plan["termination"]["reason"] != "optimal" or not plan["audit"]["checks"]:
        sys.exit(f"the installed wheel plans badly: {plan['termination']}")


def client_environment(folder: str, wheel: Path) -> Environment:
    """The wheel without extras, with the versions and hashes of the lock file."""
    client, locked = Environment(folder), locked_blocks()
    pins, chosen = client.folder / "pins.txt", client.folder / "chosen.txt"
    pins.write_text("".join(f"{name}=={block.split()[0].partition('==')[2]}\n" for name, block in locked.items()))
    found = client.pip_install("--dry-run", "--report", "-", "--constraint", pins, wheel.resolve())
    names = {spelt(item["metadata"]["name"]) for item in json.loads(found)["install"]} - {"capacity-optimizer"}
    chosen.write_text("".join(locked[name] for name in sorted(names)))
    client.pip_install("--require-hashes", "-r", chosen)
    client.pip_install("--no-deps", wheel.resolve())
    client.run("python", "-m", "pip", "check")
    return client


def check_client(client: Environment, service: Environment) -> str:
    """The client is small, talks to a server, and says what a command needs; the first in words."""
    size_mb = client.installed_mb()
    if size_mb > MOST_CLIENT_MB:
        sys.exit(f"a client takes {size_mb:.1f} MB beside gRPC and protobuf; {MOST_CLIENT_MB:g} MB at most")
    command = [service.folder / "bin" / "optimizer", "serve", "--listen", "127.0.0.1:0", "--store", "temporary"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=service.folder) as server:
        assert server.stdout is not None
        try:
            ready = re.search(r"127\.0\.0\.1:\d+", server.stdout.readline())
            if ready is None or client.run("python", "-c", CLIENT, ready[0]) != "tiny\n":
                sys.exit("the client of the installed wheel does not reach the server of the installed wheel")
        finally:
            server.terminate()
    done = subprocess.run([client.folder / "bin" / "optimizer"], capture_output=True, encoding="utf-8")
    if done.returncode != 2 or "pip install 'capacity-optimizer[plan]'" not in done.stderr:
        sys.exit(f"the command of a client does not say what it needs: {done.stderr}")
    return f"a client takes {size_mb:.1f} MB beside gRPC and protobuf"


def locked_blocks() -> dict[str, str]:
    """Name, version and hashes of each package of the lock file, by name."""
    blocks = re.findall(r"^[^\s#].*(?:\n\s+.*)*\n?", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {spelt(block.partition("==")[0]): block for block in blocks}


def spelt(name: str) -> str:
    """A name as lock files spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
