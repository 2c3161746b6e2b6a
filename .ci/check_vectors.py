"""Fails when the compiler does not vectorise a function that is marked VECTOR_CLONES, as a release build compiles it.

Such a function stands in a header and is compiled twice, for AVX2 and for any x86-64. In the former at least one loop,
its own or of a function that it takes in (INLINED), must come out with 32-byte vectors. Needs GCC on x86-64; elsewhere
there are no clones to check.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy

DIRECTIVES = "boundscheck=False,wraparound=False,initializedcheck=False,cdivision=True"
FLAGS = ("-c", "-O3", "-ffp-contract=off", "-fPIC", "-fopt-info-vec-optimized", "-DNPY_NO_DEPRECATED_API=1")
VECTORISED = re.compile(r"([\w.]+\.h):(\d+):\d+: optimized: loop vectorized using 32 byte vectors")
HEAD = re.compile(r"^(VECTOR_CLONES static|INLINED) [\w *]*?(\w+)\(")


class Function(NamedTuple):
    """A function in a header."""

    name: str
    marked: bool
    vectorised: bool
    body: str


def main(folder: Path) -> int:
    """Compile the kernels under ``folder`` that use marked functions, and look for the vectors."""
    version = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=False).stdout
    if platform.machine() != "x86_64" or "Free Software Foundation" not in version:
        sys.stdout.write("no GCC on x86-64 here: vectors are not checked\n")
        return 0
    headers = sorted(folder.rglob("*.h"))
    marking = [header.name for header in headers if "\nVECTOR_CLONES static" in header.read_text(encoding="utf-8")]
    places: set[tuple[str, int]] = set()
    with tempfile.TemporaryDirectory() as target:
        for source in sorted(folder.rglob("*.pyx")):
            places |= _vectorised(source, folder, Path(target), marking)
    functions = {function.name: function for header in headers for function in _functions(header, places)}
    missing = [
        function.name for function in functions.values() if function.marked and not _has_vectors(function, functions)
    ]
    sys.stderr.write("".join(f"{name} is marked VECTOR_CLONES and has no vectorised loop\n" for name in missing))
    if not any(function.marked for function in functions.values()):
        sys.exit("nothing is marked VECTOR_CLONES")
    return 1 if missing else 0


def _vectorised(source: Path, include: Path, target: Path, marking: list[str]) -> set[tuple[str, int]]:
    """Header and line of every loop that comes out with 32-byte vectors; none if no marked function is used."""
    output = target / f"{source.stem}.c"
    cython = [sys.executable, "-m", "cython", "-3", "-I", str(include), "-X", DIRECTIVES]
    subprocess.run([*cython, str(source), "-o", str(output)], check=True)
    if not any(f'#include "{name}"' in output.read_text(encoding="utf-8") for name in marking):
        return set()
    includes = [f"-I{path}" for path in (source.parent, sysconfig.get_paths()["include"], numpy.get_include())]
    compiled = subprocess.run(
        ["gcc", *FLAGS, *includes, str(output), "-o", str(output.with_suffix(".o"))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {(name, int(line)) for name, line in VECTORISED.findall(compiled.stderr)}


def _functions(header: Path, places: set[tuple[str, int]]) -> list[Function]:
    lines, found = header.read_text(encoding="utf-8").splitlines(), []
    for number, line in enumerate(lines, start=1):
        if match := HEAD.match(line):
            last = next(end for end in range(number, len(lines) + 1) if lines[end - 1].startswith("}"))
            own = any(name == header.name and number <= at <= last for name, at in places)
            body = "\n".join(lines[number:last])
            found.append(Function(match[2], match[1] != "INLINED", own, body))
    return found


def _has_vectors(function: Function, functions: dict[str, Function]) -> bool:
    called = [functions[name] for name in re.findall(r"(\w+)\(", function.body) if name in functions]
    return function.vectorised or any(_has_vectors(item, functions) for item in called)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "ext")))
