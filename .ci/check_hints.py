"""Fails when Cython warns about a kernel, has a performance hint, or touches Python where the GIL is released.

A needless exception check costs 40 ns a call. Cython itself refuses Python objects without the GIL, but takes the GIL
back in silence to raise an error, for a zero divisor or an index; its annotation shows that. It annotates no headers,
so inline functions in them are judged only by their compiling without the GIL.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

DIRECTIVES = "boundscheck=False,wraparound=False,initializedcheck=False,cdivision=True"
"""As in a release build."""
SCORE = re.compile(r'^.*?class="cython line score-(\d+)"', re.M)
"""One match a source line; 0 is C without Python."""
NOGIL_BODY = re.compile(r"\bnogil:\s*(#.*)?$")
"""Last line of ``with nogil:`` and of the head of a function that says ``nogil``."""


def main(folder: Path) -> int:
    """Compile every kernel under ``folder`` to C, and read what the compiler says and annotates."""
    with tempfile.TemporaryDirectory() as target:
        said = "".join(line for source in sorted(folder.rglob("*.pyx")) for line in _said(source, folder, Path(target)))
    sys.stderr.write(said)
    return 1 if said.strip() else 0


def _said(source: Path, include: Path, target: Path) -> Iterator[str]:
    output = target / f"{source.stem}.c"
    command = [sys.executable, "-m", "cython", "-3", "-I", str(include), "-X", DIRECTIVES]
    run = subprocess.run(
        [*command, "--annotate", str(source), "-o", str(output)], capture_output=True, text=True, check=False
    )
    yield run.stdout + run.stderr
    if run.returncode:
        yield f"{source}: does not compile\n"
        return
    lines = source.read_text(encoding="utf-8").splitlines()
    scores = [int(score) for score in SCORE.findall(output.with_suffix(".html").read_text(encoding="utf-8"))]
    if len(scores) != len(lines):
        yield f"{source}: {len(lines)} lines, of which Cython annotates {len(scores)}\n"
        return
    for number in _lines_without_gil(lines):
        if scores[number]:
            yield f"{source}:{number + 1}: calls Python without the GIL: {lines[number].strip()}\n"


def _lines_without_gil(lines: Sequence[str]) -> Iterator[int]:
    """Indices of the lines in ``with nogil`` blocks and in functions that say ``nogil``."""
    for head, line in enumerate(lines):
        if not NOGIL_BODY.search(line):
            continue
        margin = _indent(line)
        for number in range(head + 1, len(lines)):
            if lines[number].strip() and _indent(lines[number]) <= margin:
                break
            yield number


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "ext")))
