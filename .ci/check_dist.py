"""Checks what ``python -m build`` made: the sdist has the Cython sources, the wheel plans in an empty environment."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

NEEDED_IN_SDIST = (".pyx", ".pxd", ".h", ".proto", ".yaml", "py.typed", "MANIFEST.in")
NEEDED_IN_WHEEL = (
    "optimizer/py.typed",
    "optimizer/console/page/index.html",
    "optimizer/console/page/vendor/lit-html/directives/live.js",
    "optimizer/curves/_power.pyi",
    "optimizer/library/data/portfolios/tiny.yaml",
)


def main(folder: Path) -> None:
    """Check the one sdist and the one wheel in ``folder``."""
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
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
    lock = Path(__file__).with_name("run.lock")
    with tempfile.TemporaryDirectory() as empty:
        venv.create(empty, with_pip=True)
        python = Path(empty, "bin", "python")
        install = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*install, "--require-hashes", "-r", lock], check=True, cwd=empty)
        subprocess.run([*install, "--no-deps", wheel.resolve()], check=True, cwd=empty)
        command = [Path(empty, "bin", "optimizer"), "plan", "tiny", "--json", "--quiet"]
        plan = json.loads(subprocess.run(command, check=True, cwd=empty, capture_output=True).stdout)
    if plan["termination"]["reason"] != "optimal" or not plan["audit"]["checks"]:
        sys.exit(f"the installed wheel plans badly: {plan['termination']}")
    sys.stdout.write(f"{sdist.name} and {wheel.name} are complete; the wheel plans in an empty environment\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
