"""The best plan and the best bound that anybody has found of an instance; kept in ``data/best_known.csv``.

``python -m optimizer.bench.best_known bench.json ...`` takes over what reports of the bench have found.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from optimizer.bench.instances import Size, instance_name, instance_sha256
from optimizer.io import write_text

FILE: Final = "data/best_known.csv"


@dataclass(frozen=True, slots=True)
class BestKnown:
    """What is known of an instance. The optimum lies between the two figures."""

    instance: str
    """Its name."""
    sha256: str
    """Of what was drawn; figures of another are void."""
    objective_usd: float
    """Of an audited plan."""
    bound_usd: float
    """Proven by a solver."""
    found_by: str
    """Who found the plan."""
    bound_by: str
    """Who proved the bound."""

    @property
    def gap_frac(self) -> float:
        """What is left between them."""
        return (self.bound_usd - self.objective_usd) / max(abs(self.objective_usd), 1.0)

    def joined(self, other: BestKnown) -> BestKnown:
        """The better of both figures."""
        better = other if other.objective_usd > self.objective_usd else self
        tighter = other if other.bound_usd < self.bound_usd else self
        return replace(
            self,
            objective_usd=better.objective_usd,
            found_by=better.found_by,
            bound_usd=tighter.bound_usd,
            bound_by=tighter.bound_by,
        )


@cache
def best_known() -> dict[str, BestKnown]:
    """What is known, by name of the instance."""
    lines = resources.files("optimizer.bench").joinpath(FILE).read_text(encoding="utf-8").splitlines()
    rows = [
        BestKnown(
            instance=row["instance"],
            sha256=row["sha256"],
            objective_usd=float(row["objective_usd"]),
            bound_usd=float(row["bound_usd"]),
            found_by=row["found_by"],
            bound_by=row["bound_by"],
        )
        for row in csv.DictReader(lines)
    ]
    return {row.instance: row for row in rows}


def known_of(size: Size, seed: int) -> BestKnown | None:
    """What is known of an instance, if it is still the one that was measured."""
    found = best_known().get(instance_name(size, seed))
    return found if found is not None and found.sha256 == instance_sha256(size, seed) else None


def save_best_known(rows: Iterable[BestKnown], path: Path) -> None:
    """Write a table of what is known."""
    names = [item.name for item in fields(BestKnown)]
    lines = [",".join(names)]
    for row in rows:
        values = asdict(row) | {"objective_usd": f"{row.objective_usd:.0f}", "bound_usd": f"{row.bound_usd:.0f}"}
        lines.append(",".join(str(values[name]) for name in names))
    write_text(path, "\n".join(lines) + "\n")


def known_from(report: Mapping[str, Any]) -> dict[str, BestKnown]:
    """What the plain data of a report has found out of each instance, by name; only audited plans count."""
    found = {}
    for item in report["instances"]:
        plans = [solve for solve in item["solves"] if solve["audit_passed"]]
        bounded = [solve for solve in item["solves"] if solve["bound_usd"] is not None]
        if plans and bounded:
            best = max(plans, key=lambda solve: solve["objective_usd"])
            least = min(bounded, key=lambda solve: solve["bound_usd"])
            found[item["name"]] = BestKnown(
                instance=item["name"],
                sha256=item["sha256"],
                objective_usd=best["objective_usd"],
                bound_usd=least["bound_usd"],
                found_by=f"{best['solver']} {best['version']}",
                bound_by=f"{least['solver']} {least['version']}",
            )
    return found


def merged(known: Mapping[str, BestKnown], found: Mapping[str, BestKnown]) -> dict[str, BestKnown]:
    """Both together; what was known of another drawing is dropped."""
    result = dict(known)
    for name, row in found.items():
        before = known.get(name)
        result[name] = row if before is None or before.sha256 != row.sha256 else before.joined(row)
    return result


def main(paths: Sequence[str]) -> int:
    """Merge reports into the table of what is known."""
    known = best_known()
    for path in paths:
        known = merged(known, known_from(json.loads(Path(path).read_text(encoding="utf-8"))))
    for name, row in known.items():
        sys.stdout.write(f"{name}: {row.objective_usd:,.0f} of {row.bound_usd:,.0f} USD, gap {row.gap_frac:.3%}\n")
    with resources.as_file(resources.files("optimizer.bench").joinpath(FILE)) as target:
        save_best_known(known.values(), target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
