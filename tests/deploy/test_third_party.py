"""The bill of materials and the notices: every locked package with its version and licence."""

import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2] / ".ci"
SPEC = importlib.util.spec_from_file_location("third_party", CI / "third_party.py")
third_party = importlib.util.module_from_spec(SPEC)
sys.modules["third_party"] = third_party
SPEC.loader.exec_module(third_party)


def lock_of(tmp_path, **versions):
    path = tmp_path / "run.lock"
    path.write_text("".join(f"{name}=={number} \\\n    --hash=sha256:00\n" for name, number in versions.items()))
    return path


def test_every_package_is_listed_with_version_and_licence(tmp_path):
    lock = lock_of(tmp_path, numpy=version("numpy"), pydantic=version("pydantic"))
    third_party.main(tmp_path, lock)
    bill = json.loads((tmp_path / third_party.SBOM).read_text())
    assert [item["purl"] for item in bill["components"]] == [
        f"pkg:pypi/{name}@{version(name)}" for name in ("numpy", "pydantic")
    ]
    assert bill["components"][1]["licenses"] == [{"license": {"name": "MIT"}}]
    assert bill["dependencies"][0]["dependsOn"] == [item["bom-ref"] for item in bill["components"]]
    told = (tmp_path / third_party.NOTICES).read_text()
    assert f"pydantic {version('pydantic')}: MIT" in told
    assert "Permission is hereby granted, free of charge" in told


def test_the_same_lock_gives_the_same_bytes(tmp_path):
    lock = lock_of(tmp_path, pydantic=version("pydantic"))
    written = []
    for _ in range(2):
        third_party.main(tmp_path, lock)
        written.append((tmp_path / third_party.SBOM).read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("name", "number", "told"),
    [("no-such-package", "1.0", "locked but not installed"), ("numpy", "0.1", "0.1 is locked")],
)
def test_what_is_not_as_it_is_locked_fails(tmp_path, name, number, told):
    with pytest.raises(SystemExit, match=told):
        third_party.main(tmp_path, lock_of(tmp_path, **{name: number}))


def test_the_lock_file_is_read_whole():
    names = [name for name, _ in third_party.locked(third_party.LOCK)]
    text = third_party.LOCK.read_text()
    assert len(names) == sum(line[:1].isalnum() for line in text.splitlines())
    assert {"grpcio", "highspy", "pydantic"} <= set(names)
