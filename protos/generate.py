"""Regenerate what comes from the protos, and the asyncio client from the other one; check; lint the protos.

From the protos come the code in ``optimizer/api/v1``, the description of its JSON over HTTP (OpenAPI) beside it, and
the page of reference in ``docs``.

Usage::

    python protos/generate.py           # write the code
    python protos/generate.py --check   # fail, with the names, if it differs from what is checked in
    python protos/generate.py --lint    # buf's rules on a descriptor set, without network
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import asyncio_client
import google.rpc
import openapi
import reference
from described import described
from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
PROTOS = ROOT / "protos"
PACKAGE = Path("optimizer/api/v1")
FOLDERS = (PACKAGE, asyncio_client.TWINS)
OPENAPI = PACKAGE / "openapi.json"
PAGE = Path("docs/reference/api.md")
HAND_WRITTEN = {"__init__.py"}
TOOLS = Path(sys.executable).parent


def include_options() -> list[str]:
    """Where protoc finds our protos, protobuf's own and Google's common ones."""
    common = Path(next(iter(google.rpc.__path__))).parents[1]
    return [f"-I{path}" for path in (PROTOS, files("grpc_tools") / "_proto", common)]


def sources() -> list[str]:
    """Our protos, relative to the include path."""
    return sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / PACKAGE).glob("*.proto"))


def run_protoc(*options: str) -> None:
    """Run protoc on all sources, or exit with its status."""
    status = protoc.main(["protoc", *include_options(), *options, *sources()])
    if status:
        raise SystemExit(status)


def generate(out: Path) -> None:
    """Write the code below ``out``."""
    plugins = [f"--plugin={name}={TOOLS / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    targets = ("python", "grpc_python", "mypy", "mypy_grpc")
    run_protoc(*plugins, *(f"--{target}_out={'quiet:' if 'mypy' in target else ''}{out}" for target in targets))
    for path in (out / PACKAGE).glob("*_pb2_grpc.py*"):
        if path.name.split("_pb2_grpc")[0] != "planning_service":  # the others have no service in them
            path.unlink()
    asyncio_client.generate(ROOT, out)
    with tempfile.TemporaryDirectory() as folder:
        protos = described(write_image(Path(folder)))
    (out / OPENAPI).write_text(openapi.openapi(protos), encoding="utf-8")
    (out / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (out / PAGE).write_text(reference.reference(protos, str(PACKAGE)), encoding="utf-8")


def write_image(folder: Path) -> Path:
    """A descriptor set of the protos, with their comments."""
    image = folder / "image.binpb"
    run_protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={image}")
    return image


def generated(root: Path) -> dict[str, bytes]:
    """Generated files below ``root`` by path."""
    code = [path for folder in FOLDERS for path in (root / folder).glob("*.py*") if path.name not in HAND_WRITTEN]
    paths = [*code, root / OPENAPI, root / PAGE]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths if path.is_file()}


def check() -> int:
    """1 and the names, if what is checked in is not what would be generated."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh, here = generated(Path(folder)), generated(ROOT)
    different = sorted(name for name in fresh.keys() | here.keys() if fresh.get(name) != here.get(name))
    for name in different:
        what = "is missing" if name not in here else "is stale" if name not in fresh else "differs"
        sys.stderr.write(f"{name} {what}\n")
    return 1 if different else 0


def lint() -> int:
    """Status of buf's rules in ``buf.yaml``."""
    buf = shutil.which("buf", path=str(TOOLS)) or shutil.which("buf")
    if buf is None:
        sys.stderr.write("buf is not installed\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        image = write_image(Path(folder))
        return subprocess.run([buf, "lint", str(image), "--config", str(PROTOS / "buf.yaml")], check=False).returncode


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="fail if the code checked in is not up to date")
    action.add_argument("--lint", action="store_true", help="lint the protos")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if arguments.lint:
        return lint()
    for path in generated(ROOT):
        (ROOT / path).unlink()
    generate(ROOT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
