"""Two sdists with the same contents have the same bytes."""

import importlib.util
import io
import tarfile
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("repack", Path(__file__).resolve().parents[2] / ".ci" / "repack.py")
repack = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(repack)


def sdist(names, mtime, uid, text=b"content"):
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w:gz") as archive:
        folder = tarfile.TarInfo("p")
        folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o775, mtime
        archive.addfile(folder)
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.uname, member.mode = len(text), mtime, uid, "me", 0o664
            archive.addfile(member, io.BytesIO(text))
    return tape.getvalue()


def test_order_times_and_owners_do_not_count():
    first = repack.repacked(sdist(["p/a", "p/b"], 1.5, 1000), 77)
    assert first == repack.repacked(sdist(["p/b", "p/a"], 2.5, 0), 77)
    assert first != repack.repacked(sdist(["p/a", "p/b"], 1.5, 1000), 78)
    assert first != repack.repacked(sdist(["p/a", "p/b"], 1.5, 1000, b"changed"), 77)


def test_the_contents_stay():
    with tarfile.open(fileobj=io.BytesIO(repack.repacked(sdist(["p/b", "p/a"], 1.5, 1000), 77))) as archive:
        assert archive.getnames() == ["p", "p/a", "p/b"]
        assert archive.extractfile("p/a").read() == b"content"
        assert {member.mtime for member in archive} == {77}
        assert {member.mode for member in archive} == {0o755, 0o644}
