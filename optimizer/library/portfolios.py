"""The example portfolios."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

from optimizer.errors import NotFoundError

_FOLDER = "data/portfolios"


def example_names() -> list[str]:
    """Names of the example portfolios, smallest first."""
    files = resources.files("optimizer.library").joinpath(_FOLDER)
    found = [item for item in files.iterdir() if item.name.endswith(".yaml")]
    sizes = {item.name.removesuffix(".yaml"): len(item.read_bytes()) for item in found}
    return sorted(sizes, key=lambda name: sizes[name])


def example_path(name: str) -> Traversable:
    """The file of an example portfolio."""
    if name not in example_names():
        raise NotFoundError("example portfolio", name, example_names())
    return resources.files("optimizer.library").joinpath(_FOLDER, f"{name}.yaml")
