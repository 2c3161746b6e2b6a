"""What a market refers to: overlays of the library, and files of histories and scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from optimizer.domain.base import validated
from optimizer.domain.market import Market
from optimizer.domain.uncertainty import Bootstrap, Overlay, ScenarioTable
from optimizer.errors import InvalidInputError, Problem, SeriesError, did_you_mean
from optimizer.library import overlays as presets

_Loaded = TypeVar("_Loaded", Bootstrap, ScenarioTable)


def load_market(market: Market, folder: Path | None) -> Market:
    """``market`` with its overlays, history and scenarios in it; files are looked for below ``folder``.

    Raises:
        InvalidInputError: with every problem, its path and fix.
    """
    problems: list[Problem] = []
    changed: dict[str, object] = {}
    overlays = []
    for index, overlay in enumerate(market.overlays):
        try:
            overlays.append(_with_effects(overlay, f"market.overlays[{index}].preset"))
        except InvalidInputError as error:
            problems += error.problems
    if overlays:
        changed["overlays"] = tuple(overlays)
    for name, load in (("bootstrap", _with_history), ("scenario_table", _with_paths)):
        item = getattr(market, name)
        if item is not None and item.file is not None:
            try:
                changed[name] = load(item, folder, f"market.{name}.file")
            except InvalidInputError as error:
                problems += error.problems
    if problems:
        raise InvalidInputError(problems, "market")
    return market.model_copy(update=changed)


def _with_effects(overlay: Overlay, path: str) -> Overlay:
    if overlay.preset is None:
        return overlay
    known = {item.name: item for item in presets.overlays()}
    if overlay.preset not in known:
        told = f"no overlay of the library is named {overlay.preset!r}"
        raise InvalidInputError.single(path, told, did_you_mean(overlay.preset, known).removeprefix("; "))
    preset = known[overlay.preset]
    return overlay.model_copy(update={"effects": preset.effects, "default_hazard": preset.default_hazard})


def _with_history(bootstrap: Bootstrap, folder: Path | None, path: str) -> Bootstrap:
    assert bootstrap.file is not None
    if folder is None:
        return _kept(bootstrap, bool(bootstrap.history), path)
    from optimizer.io.factor_files import read_history  # pandas, which most portfolios do not need

    found = read_history(folder / bootstrap.file.path, bootstrap.file, path)
    history = [{"factor": factor, "values": values} for factor, values in found.items()]
    return validated(Bootstrap, {**bootstrap.model_dump(exclude_unset=True), "history": history}, bootstrap.file.path)


def _with_paths(table: ScenarioTable, folder: Path | None, path: str) -> ScenarioTable:
    assert table.file is not None
    if folder is None:
        return _kept(table, bool(table.paths), path)
    from optimizer.io.factor_files import read_scenarios  # pandas, which most portfolios do not need

    found = read_scenarios(folder / table.file.path, table.file, path)
    paths = [
        {"factor": factor, "scenarios": [{"values": values} for values in scenarios]}
        for factor, scenarios in found.items()
    ]
    return validated(ScenarioTable, {**table.model_dump(exclude_unset=True), "paths": paths}, table.file.path)


def _kept(item: _Loaded, loaded: bool, path: str) -> _Loaded:
    if loaded:
        return item
    raise SeriesError.single(path, "there is no folder to find it in", "load the portfolio from a file")
