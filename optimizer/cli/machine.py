"""The machine of a benchmark in two lines."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def print_machine(machine: dict[str, Any], target: Console) -> None:
    """Processor, cores, cache and load; Python and packages."""
    packages = ", ".join(f"{name} {version or 'not installed'}" for name, version in machine["packages"].items())
    load = machine["load_average_1_min"]
    target.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads_used']} threads, "
        f"cache {machine['largest_cache_mib']:.0f} MiB" + ("" if load is None else f", load {load:.1f}"),
        markup=False,
    )
    target.print(f"Python {machine['python']}, {packages}", markup=False)
