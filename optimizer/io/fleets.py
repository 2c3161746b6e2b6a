"""Fleets out of the CSV files that fleet managers export: one row a machine, or one a group with its count.

Columns are looked up by their letters alone, the names below in their order; another one can be named. Sites and models
are those of the portfolio, spelt as they may be; what matches none is a problem with its row and what it may mean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from optimizer.domain.fleet import Fleet
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError, Problem, did_you_mean
from optimizer.io.table_files import columns_of, read_table
from optimizer.library.tables import asics

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "site": ("site", "sitename", "location", "facility", "farm", "farmname", "mine", "datacenter"),
        "model": ("model", "modelname", "minermodel", "minertype", "hardware", "devicemodel", "type"),
        "count": ("count", "quantity", "qty", "miners", "machines", "units"),
    }
)
"""What is read, and the columns that may hold it; without a count every row is one machine."""
_MAKERS: Final = ("bitmain", "antminer", "microbt", "whatsminer", "canaan", "avalonminer", "bitdeer", "auradine")
_HASHRATE: Final = re.compile(r"\b\d+(?:\.\d+)?\s*th?(?:/s)?\b")


@dataclass(frozen=True, slots=True)
class FleetColumns:
    """What the file calls things that it does not call as :data:`COLUMNS` does."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns by what they hold: ``site``, ``model``, ``count``."""
    sites: Mapping[str, str] = field(default_factory=dict)
    """Sites of the portfolio by their names in the file."""
    models: Mapping[str, str] = field(default_factory=dict)
    """ASIC models of the portfolio by their names in the file."""


def read_fleets(file: Path, portfolio: Portfolio, named: FleetColumns | None = None) -> tuple[Fleet, ...]:
    """The machines of a file, summed by site and model in the order of the portfolio.

    Raises:
        InvalidInputError: with every site, model and count that cannot be read, its row and fix.
    """
    named = named or FleetColumns()
    table = read_table(file, str(file))
    sites, models = (_texts(table, what, named.columns, file) for what in ("site", "model"))
    counts, problems = _counts(table, named.columns, file)
    known_sites = {_letters(item.name): item.name for item in portfolio.sites}
    known_models = _spellings([item.name for item in portfolio.asic_models])
    site_of = {text: named.sites.get(text) or known_sites.get(_letters(text)) for text in sites}
    model_of = {
        text: named.models.get(text) or known_models.get(_letters(text)) or known_models.get(_model_letters(text))
        for text in models
    }
    problems += _unknown(site_of, sites, "site", {item.name for item in portfolio.sites}, file)
    problems += _unknown(model_of, models, "model", {item.name for item in portfolio.asic_models}, file)
    if problems:
        raise InvalidInputError(problems, file.name)
    totals: Counter[tuple[str | None, str | None]] = Counter()
    for site, model, count in zip(sites, models, counts, strict=True):
        totals[site_of[site], model_of[model]] += count
    return tuple(
        Fleet(asic_model=model.name, site=site.name, count=totals[site.name, model.name])
        for site in portfolio.sites
        for model in portfolio.asic_models
        if totals[site.name, model.name]
    )


def _texts(table: pd.DataFrame, what: str, columns: Mapping[str, str], file: Path) -> list[str]:
    found = _column(table, what, columns, file)
    if found is None:
        fix = f"name it: --column {what}=COLUMN; {columns_of(table)}"
        raise InvalidInputError.single(str(file), f"no column is known to hold the {what}", fix, file.name)
    return [str(text).strip() for text in table[found].astype(object).fillna("")]


def _counts(table: pd.DataFrame, columns: Mapping[str, str], file: Path) -> tuple[list[int], list[Problem]]:
    """Machines of each row, and the rows whose number is none."""
    found = _column(table, "count", columns, file)
    if found is None:
        return [1] * len(table), []
    counts, problems = [], []
    for row, text in enumerate(table[found].astype(str), start=2):
        whole = text.strip().replace(",", "").removesuffix(".0")
        counts.append(int(whole) if whole.isdecimal() else 0)
        if not whole.isdecimal():
            problems.append(Problem(f"{file.name} row {row}", f"{text!r} is not a number of machines", "write as 1200"))
    return counts, problems


def _column(table: pd.DataFrame, what: str, columns: Mapping[str, str], file: Path) -> str | None:
    if what in columns:
        if columns[what] not in table.columns:
            told = f"there is no column {columns[what]!r}"
            raise InvalidInputError.single(f"--column {what}", told, columns_of(table), file.name)
        return columns[what]
    letters = {_letters(str(name)): str(name) for name in table.columns}
    return next((letters[name] for name in COLUMNS[what] if name in letters), None)


def _unknown(
    known_as: Mapping[str, str | None], texts: Iterable[str], what: str, known: set[str], file: Path
) -> list[Problem]:
    """Names that stand for nothing in the portfolio, each at its first row."""
    problems, rows = [], list(texts)
    for text, name in known_as.items():
        if name in known:
            continue
        told = f"{what} {text!r} is not in the portfolio" if name is None else f"no {what} is named {name!r}"
        fix = did_you_mean(name or text, sorted(known)).removeprefix("; ")
        fix = f"{_of_library(text) or fix} (or state --{what} {text!r}=NAME)"
        problems.append(Problem(f"{file.name} row {rows.index(text) + 2}", told, fix))
    return problems


def _spellings(names: list[str]) -> dict[str, str]:
    """Models by the letters of their names, with and without maker and hashrate, and of the library's names for them.

    What would stand for two of them stands for none.
    """
    loose = [(_model_letters(name), name) for name in names]
    loose += [(_model_letters(row.display_name), row.name) for row in asics() if row.name in names]
    meant = Counter(letters for letters, _ in set(loose))
    return {letters: name for letters, name in loose if meant[letters] == 1} | {_letters(name): name for name in names}


def _of_library(text: str) -> str:
    """What to add to the portfolio, where the library has the model."""
    for row in asics():
        if _model_letters(text) in (_letters(row.name), _model_letters(row.display_name)):
            return (
                f"add it to asic_models as {row.name}, {row.hashrate_th_s:g} TH/s at {row.power_w:g} W "
                f"('optimizer library show {row.name}')"
            )
    return ""


def _letters(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower().replace("+", "plus"))


def _model_letters(text: str) -> str:
    """Letters of a model without its maker and its hashrate: ``Antminer S21 Pro (234T)`` is ``s21pro``."""
    plain = _HASHRATE.sub("", text.lower())
    for maker in _MAKERS:
        plain = plain.replace(maker, "")
    return _letters(plain)
