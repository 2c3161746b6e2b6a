"""Portfolio files: one schema, YAML, JSON or a workbook, series beside them; lossless both ways."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.domain.base import render_path, validated
from optimizer.domain.portfolio import Portfolio, scenario_findings
from optimizer.errors import InvalidInputError, NotFoundError, Problem
from optimizer.extras import naming_extras
from optimizer.io.market import load_finance, load_market
from optimizer.io.series import load_hours
from optimizer.io.text import read_data, write_text, yaml_text
from optimizer.library.portfolios import example_names, example_path

if TYPE_CHECKING:
    from openpyxl import Workbook

SCHEMA_ID = "optimizer/portfolio/v1"
WORKBOOK_SUFFIX = ".xlsx"
_LOADED_FROM_FILES = (("bootstrap", "history"), ("scenario_table", "paths"))
"""Parts of a market and the field that is filled from their file."""


def load_portfolio(source: str | Path) -> Portfolio:
    """A portfolio from a file, or an example of the library by its name, with its series read.

    Raises:
        NotFoundError: for a name that is neither a file nor an example.
        InvalidInputError: with every problem, its path, value and fix.
    """
    path = Path(source)
    if not path.suffix and not path.exists():
        if str(source) not in example_names():
            raise NotFoundError("portfolio file or example", str(source), example_names())
        with resources.as_file(example_path(str(source))) as example:
            return parse_portfolio(read_data(example, str(source)), None, str(source))
    if path.suffix.lower() == WORKBOOK_SUFFIX:
        return _load_workbook(path)
    return parse_portfolio(read_data(path, path.name), path.parent, path.name)


def _load_workbook(path: Path) -> Portfolio:
    """A portfolio from a workbook; problems name sheet and cell."""
    with naming_extras():
        from optimizer.io.workbook import read_workbook  # openpyxl, which most portfolios do not need

    read = read_workbook(path, path.name)
    try:
        return parse_portfolio(read.data, path.parent, path.name)
    except InvalidInputError as error:
        raise read.located(error) from None


def parse_portfolio(data: Mapping[str, Any] | object, folder: Path | None, what: str) -> Portfolio:
    """A portfolio from plain data; series files are looked for below ``folder``."""
    portfolio = validated(Portfolio, data, what)
    problems: list[Problem] = []
    market, series = portfolio.market, []
    try:
        market = load_market(portfolio.market, folder, portfolio.horizon.start_month)
        problems += [
            Problem(render_path(location), told, fix)
            for location, told, fix, _ in scenario_findings(market, portfolio.risk, portfolio.horizon)
        ]
    except InvalidInputError as error:
        problems += error.problems
    finance = portfolio.finance
    try:
        finance = load_finance(portfolio.finance)
    except InvalidInputError as error:
        problems += error.problems
    for index, item in enumerate(portfolio.series):
        try:
            series.append(load_hours(item, folder, f"series[{index}]"))
        except InvalidInputError as error:
            problems += error.problems
    if problems:
        raise InvalidInputError(problems, what)
    changed: dict[str, object] = {}
    if portfolio.series:
        changed["series"] = tuple(series)
    if market is not portfolio.market:
        changed["market"] = market
    if finance is not portfolio.finance:
        changed["finance"] = finance
    return portfolio.model_copy(update=changed) if changed else portfolio


def dump_portfolio(portfolio: Portfolio) -> dict[str, Any]:
    """Plain data of a portfolio as it was written: no defaults, no hours that come from a file or the library."""
    data = portfolio.model_dump(mode="json", exclude_unset=True)
    for item, kept in zip(data.get("series", ()), portfolio.series, strict=True):
        if kept.file is not None or kept.library is not None:
            item.pop("hours", None)
    market = data["market"]
    for item, overlay in zip(market.get("overlays", ()), portfolio.market.overlays, strict=True):
        if overlay.preset is not None:
            item.pop("effects", None)
            item.pop("default_hazard", None)
    for item, stress in zip(data["finance"].get("stresses", ()), portfolio.finance.stresses, strict=True):
        for stated, shock in zip(item.get("shocks", ()), stress.shocks, strict=True):
            if shock.preset is not None:
                stated.pop("effects", None)
    for name, loaded in _LOADED_FROM_FILES:
        if market.get(name) and market[name].get("file"):
            market[name].pop(loaded, None)
    return data


def dump_without_files(portfolio: Portfolio) -> dict[str, Any]:
    """As :func:`dump_portfolio`, but with the contents of files in place of their names: it can be read anywhere."""
    data, whole = dump_portfolio(portfolio), portfolio.model_dump(mode="json", exclude_unset=True)
    for item, loaded in zip(data.get("series", ()), whole.get("series", ()), strict=True):
        if item.pop("file", None) is not None:
            item["hours"] = loaded["hours"]
    for name, field in _LOADED_FROM_FILES:
        stated = data["market"].get(name)
        if stated and stated.pop("file", None) is not None:
            stated[field] = whole["market"][name][field]
    return data


def save_portfolio(portfolio: Portfolio, path: str | Path) -> None:
    """Write a portfolio as YAML, JSON or a workbook, by extension."""
    path = Path(path)
    data = dump_portfolio(portfolio)
    match path.suffix.lower():
        case other if other == WORKBOOK_SUFFIX:
            with naming_extras():
                from optimizer.io.workbook import write_workbook

            write_workbook(data, path)
            return
        case ".yaml" | ".yml":
            text = yaml_text(data)
        case ".json":
            text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        case other:
            raise InvalidInputError.single(str(path), f"has extension {other!r}", "use .yaml, .yml, .json or .xlsx")
    write_text(path, text)


def portfolio_book(portfolio: Portfolio, source: str | Path) -> Workbook:
    """The workbook that a portfolio was loaded from, changed where the portfolio has been; else a new one."""
    from optimizer.io.workbook import changed_book, new_book

    path = Path(source)
    if path.suffix.lower() != WORKBOOK_SUFFIX:
        return new_book(dump_portfolio(portfolio))
    return changed_book(path, dump_portfolio(load_portfolio(path)), dump_portfolio(portfolio))


def canonical_json(portfolio: Portfolio) -> str:
    """The portfolio with all defaults and all hours, keys sorted: equal for portfolios that mean the same."""
    data = portfolio.model_dump(mode="json")
    for item in data["series"]:
        item.pop("file", None)
        item.pop("library", None)
    for item in data["market"]["overlays"]:
        item.pop("preset", None)
    for stress in data["finance"]["stresses"]:
        for shock in stress["shocks"]:
            shock.pop("preset", None)
    for name, _ in _LOADED_FROM_FILES:
        if data["market"][name] is not None:
            data["market"][name].pop("file", None)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(portfolio: Portfolio) -> str:
    """SHA-256 of the canonical portfolio."""
    return hashlib.sha256(canonical_json(portfolio).encode()).hexdigest()


def portfolio_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of portfolio files."""
    schema = Portfolio.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
