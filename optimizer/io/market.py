"""What a market and its stresses refer to: overlays of the library, and files of histories and scenarios."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TypeVar

from optimizer.domain.base import validated
from optimizer.domain.finance import Finance
from optimizer.domain.market import Market
from optimizer.domain.stress import Shock
from optimizer.domain.uncertainty import Bootstrap, Overlay, ScenarioTable
from optimizer.errors import InvalidInputError, Problem, SeriesError, did_you_mean
from optimizer.extras import naming_extras
from optimizer.library import overlays as presets

_Loaded = TypeVar("_Loaded", Bootstrap, ScenarioTable)
_Preset = TypeVar("_Preset", Overlay, Shock)


def load_market(market: Market, folder: Path | None, start_month: dt.date) -> Market:
    """``market`` with its overlays, history and scenarios in it; files are looked for below ``folder``.

    Raises:
        InvalidInputError: with every problem, its path and fix.
    """
    problems: list[Problem] = []
    changed: dict[str, object] = {}
    overlays = []
    for index, overlay in enumerate(market.overlays):
        try:
            overlays.append(_with_effects(overlay, overlay.name, f"market.overlays[{index}].preset"))
        except InvalidInputError as error:
            problems += error.problems
    if overlays:
        changed["overlays"] = tuple(overlays)
    try:
        if market.bootstrap is not None and market.bootstrap.file is not None:
            changed["bootstrap"] = _with_history(market.bootstrap, folder, "market.bootstrap.file")
    except InvalidInputError as error:
        problems += error.problems
    try:
        if market.scenario_table is not None and market.scenario_table.file is not None:
            changed["scenario_table"] = _with_paths(
                market.scenario_table, folder, "market.scenario_table.file", start_month
            )
    except InvalidInputError as error:
        problems += error.problems
    if problems:
        raise InvalidInputError(problems, "market")
    return market.model_copy(update=changed)


def load_finance(finance: Finance) -> Finance:
    """``finance`` with the effects of the library in the shocks of its stresses.

    Raises:
        InvalidInputError: with every problem, its path and fix.
    """
    problems: list[Problem] = []
    stresses = []
    for i, stress in enumerate(finance.stresses):
        shocks = []
        for j, shock in enumerate(stress.shocks):
            try:
                shocks.append(_with_effects(shock, stress.name, f"finance.stresses[{i}].shocks[{j}].preset"))
            except InvalidInputError as error:
                problems += error.problems
        stresses.append(stress.model_copy(update={"shocks": tuple(shocks)}) if shocks else stress)
    if problems:
        raise InvalidInputError(problems, "finance")
    return finance.model_copy(update={"stresses": tuple(stresses)}) if stresses else finance


def _with_effects(overlay: _Preset, name: str, path: str) -> _Preset:
    if overlay.preset is None:
        return overlay
    known = {item.name: item for item in presets.overlays()}
    if overlay.preset not in known:
        told = f"no overlay of the library is named {overlay.preset!r}"
        raise InvalidInputError.single(path, told, did_you_mean(overlay.preset, known).removeprefix("; "))
    preset = known[overlay.preset]
    filled = {"effects": preset.effects, "default_hazard": preset.default_hazard}
    filled = {field: found for field, found in filled.items() if field in type(overlay).model_fields}
    for field, found in filled.items():
        stated = getattr(overlay, field)
        if stated and stated != found:
            told = f"{name} states {field} of its own beside the preset {overlay.preset}"
            raise InvalidInputError.single(path.replace("preset", field), told, "drop one of the two")
    return overlay.model_copy(update=filled)


def _with_history(bootstrap: Bootstrap, folder: Path | None, path: str) -> Bootstrap:
    assert bootstrap.file is not None
    if folder is None:
        return _kept(bootstrap, bool(bootstrap.history), path)
    with naming_extras():
        from optimizer.io.factor_files import read_history  # pandas, which most portfolios do not need

    found = read_history(folder / bootstrap.file.path, bootstrap.file, path)
    history = [{"factor": factor, "values": values} for factor, values in found.items()]
    _same(bootstrap.history, {item.factor: item.values for item in bootstrap.history}, found, path)
    return validated(Bootstrap, {**bootstrap.model_dump(exclude_unset=True), "history": history}, bootstrap.file.path)


def _with_paths(table: ScenarioTable, folder: Path | None, path: str, start_month: dt.date) -> ScenarioTable:
    assert table.file is not None
    if folder is None:
        return _kept(table, bool(table.paths), path)
    with naming_extras():
        from optimizer.io.factor_files import read_scenarios  # pandas, which most portfolios do not need

    found = read_scenarios(folder / table.file.path, table.file, path, start_month)
    stated = {item.factor: [scenario.values for scenario in item.scenarios] for item in table.paths}
    _same(table.paths, stated, found, path)
    paths = [
        {"factor": factor, "scenarios": [{"values": values} for values in scenarios]}
        for factor, scenarios in found.items()
    ]
    return validated(ScenarioTable, {**table.model_dump(exclude_unset=True), "paths": paths}, table.file.path)


def _same(given: object, stated: object, found: object, path: str) -> None:
    """Refuse values that are given beside a file and are not those of the file."""
    if given and stated != found:
        raise InvalidInputError.single(path, "holds other values than those given beside it", "drop one of the two")


def _kept(item: _Loaded, loaded: bool, path: str) -> _Loaded:
    if loaded:
        return item
    raise SeriesError.single(
        path, "has not been read", "load the portfolio from its file, which reads it, before sending"
    )
