"""Writes an sdist again with the same bytes for the same contents: names sorted, times from ``SOURCE_DATE_EPOCH``.

The wheel needs none of this: setuptools heeds the variable there.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from pathlib import Path


def repacked(data: bytes, epoch_s: int) -> bytes:
    """A ``.tar.gz`` with the members of ``data``, nobody's and all of one time."""
    tape = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as source,
        tarfile.open(fileobj=tape, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in sorted(source, key=lambda item: item.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch_s, 0, 0, "", ""
            member.mode, member.pax_headers = (0o755 if member.mode & 0o100 else 0o644), {}
            target.addfile(member, source.extractfile(member) if member.isfile() else None)
    return gzip.compress(tape.getvalue(), mtime=epoch_s)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_bytes(repacked(path.read_bytes(), int(os.environ["SOURCE_DATE_EPOCH"])))
