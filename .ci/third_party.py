"""Writes what is built on: a bill of materials (CycloneDX) and notices with the licences of everything that is locked.

Names and versions are those of the lock file, licences those of the packages installed here. A package without a
licence, or installed in another version than the locked one, fails.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).with_name("run.lock")
SBOM, NOTICES = "capacity-optimizer.cdx.json", "THIRD_PARTY_NOTICES.txt"
_LICENCE_FILES: Final = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Package:
    """A locked package."""

    name: str
    version: str
    licence: str
    """As the package states it: an SPDX expression, or words."""
    texts: tuple[str, ...]
    """Its licence files."""


def locked(lock: Path) -> list[tuple[str, str]]:
    """Names and versions of a lock file."""
    return re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)


def package(name: str, version: str) -> Package:
    """A locked package as it is installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        sys.exit(f"{name} is locked but not installed; make test installs it")
    if found.version != version:
        sys.exit(f"{name} {found.version} is installed, {version} is locked; make test installs it")
    licence = licence_of(found)
    if not licence:
        sys.exit(f"{name} {version} states no licence; look it up before it is used")
    files = [file for file in found.files or () if _LICENCE_FILES.search(file.name) and ".dist-info" in str(file)]
    texts = [Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in files]
    return Package(name, version, licence, tuple(texts))


def licence_of(found: Distribution) -> str:
    """The licence in the metadata of a package: the expression, else the classifiers, else the first line in words."""
    stated = found.metadata
    classified = [
        item.rpartition(" :: ")[2] for item in stated.get_all("Classifier") or () if item.startswith("License ::")
    ]
    words = (stated.get("License") or "").strip().splitlines()
    return stated.get("License-Expression") or ", ".join(classified) or (words[0] if words else "")


def sbom(packages: list[Package]) -> dict[str, Any]:
    """The bill of materials; the same packages give the same bytes."""
    components = [
        {
            "type": "library",
            "bom-ref": purl(item),
            "name": item.name,
            "version": item.version,
            "purl": purl(item),
            "licenses": [{"license": {"name": item.licence}}],
        }
        for item in packages
    ]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(item["purl"] for item in components))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "capacity-optimizer", "name": "capacity-optimizer"}
        },
        "components": components,
        "dependencies": [{"ref": "capacity-optimizer", "dependsOn": [item["bom-ref"] for item in components]}],
    }


def purl(item: Package) -> str:
    """The package's address in the language of bills of materials."""
    return f"pkg:pypi/{re.sub('[-_.]+', '-', item.name).lower()}@{item.version}"


def notices(packages: list[Package]) -> str:
    """Licences and their texts, package by package."""
    head = "What capacity-optimizer is built on, with the licences of each.\n"
    rule = "\n" + "-" * 100 + "\n"
    return head + "".join(
        f"{rule}{item.name} {item.version}: {item.licence}\n" + "".join(f"\n{text.strip()}\n" for text in item.texts)
        for item in packages
    )


def main(folder: Path, lock: Path = LOCK) -> None:
    """Write both files into a folder."""
    packages = [package(name, version) for name, version in locked(lock)]
    (folder / SBOM).write_text(json.dumps(sbom(packages), indent=1) + "\n", encoding="utf-8")
    (folder / NOTICES).write_text(notices(packages), encoding="utf-8")
    sys.stdout.write(f"{len(packages)} packages in {SBOM} and {NOTICES}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
