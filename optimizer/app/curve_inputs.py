"""What a question about curves names: machines, GPUs and power prices, looked up in a portfolio or the library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from optimizer.domain.fleet import OperatingMode
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.series import HourlyPrices, HourlySeries, SeriesFile
from optimizer.domain.site import Site
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.io.series import load_hours
from optimizer.library import tables
from optimizer.library.series import price_profiles

NAMEPLATE: Final = "nameplate"
"""Mode of a library machine that is taken unless others are asked for."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A mining machine with the modes that were chosen."""

    name: str
    modes: tuple[OperatingMode, ...]


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU model with its share of the server."""

    name: str
    power_kw_per_gpu: float | None
    """Critical IT power: the server's rating over the GPUs in it; absent where no rating is published."""


def find_machine(name: str, mode_names: Sequence[str] = (), portfolio: Portfolio | None = None) -> Machine:
    """The machine of that name: the portfolio's own, else the library's.

    Names are compared without case and punctuation, so ``S21 XP`` is ``s21-xp``. ``mode_names`` are labels of modes;
    for a library machine also firmwares, each standing for all of its modes. Without them it runs every mode of the
    portfolio, or the nameplate of the library.

    Raises:
        NotFoundError: no such machine or mode, with the nearest name.
        InvalidInputError: library modes of several firmwares or boards, which no one machine has.
    """
    slug = _slug(name)
    own = {_slug(model.name): model for model in (portfolio.asic_models if portfolio is not None else ())}
    if slug in own:
        model = own[slug]
        return Machine(model.name, _chosen(model.name, [((mode.label,), mode) for mode in model.modes], mode_names))
    rows = _by_slug(tables.asics())
    if slug not in rows:
        raise NotFoundError("ASIC model", slug, [*own, *(row.name for row in tables.asics())])
    row = rows[slug]
    known = (tables.nameplate_mode(row.name), *tables.asic_modes(row.name))
    named = [((mode.mode, mode.firmware), mode) for mode in known]
    chosen = _chosen(row.name, named, mode_names or (NAMEPLATE,))
    boards = sorted({f"{mode.firmware} {mode.variant}".strip() for mode in chosen})
    if len(boards) > 1:
        told = f"modes of {', '.join(boards)}; a machine runs one firmware on one board"
        raise InvalidInputError.single("mode", told, "name modes of one of them", "question")
    return Machine(row.display_name, tuple(map(_operating_mode, chosen)))


def find_gpu(name: str) -> Gpu:
    """The GPU model of that name; a family such as ``H100`` stands for its one model in a rated server.

    Raises:
        NotFoundError: no such model or family, with the nearest name.
        InvalidInputError: a family with several rated models.
    """
    slug, rows = _slug(name), _by_slug(tables.gpus())
    if slug in rows:
        return Gpu(rows[slug].display_name, rows[slug].rated_kw_per_gpu)
    family = [row for row in tables.gpus() if row.family == slug]
    if not family:
        known = [*rows, *(row.family for row in tables.gpus())]
        raise NotFoundError("GPU model", slug, list(dict.fromkeys(known)))
    rated = [row for row in family if row.rated_kw_per_gpu is not None] or family
    if len(rated) > 1:
        names = ", ".join(row.name for row in rated)
        raise InvalidInputError.single("gpu", f"{name} may be {names}", "name one of them", "question")
    return Gpu(rated[0].display_name, rated[0].rated_kw_per_gpu)


def find_site(portfolio: Portfolio, name: str) -> Site:
    """The site of that name, compared without case and punctuation.

    Raises:
        NotFoundError: no such site, with the nearest name.
    """
    by_slug = {_slug(site.name): site for site in portfolio.sites}
    if _slug(name) not in by_slug:
        raise NotFoundError("site", name, [site.name for site in portfolio.sites])
    return by_slug[_slug(name)]


def site_terms(portfolio: Portfolio, site_name: str) -> dict[str, Any]:
    """What a site says about mining, as fields of :class:`~optimizer.domain.curves.HashingCurveSpec`.

    Energy prices are those of the first year at a market level of 1, before escalation.

    Raises:
        NotFoundError: no such site, with the nearest name.
    """
    site = find_site(portfolio, site_name)
    if site.power.hourly_series is not None:
        energy: dict[str, Any] = {"hours": portfolio.series_by_name[site.power.hourly_series].hours}
    else:
        energy = {"flat_usd_per_mwh": site.power.flat_usd_per_mwh}
    return energy | {
        "adder_usd_per_mwh": site.power.adder_usd_per_mwh,
        "pue": site.mining_pue,
        "uptime_frac": site.mining_uptime_frac,
        "pool_fee_frac": portfolio.market.pool_fee_frac,
    }


def hourly_prices(source: str, columns: Mapping[str, str]) -> HourlyPrices:
    """Hours of a CSV or Parquet file, or of a library series by its name; ``columns`` as in ``SeriesFile``.

    Raises:
        SeriesError: the file or series cannot be used; says why.
        NotFoundError: a name that is neither a file nor a series.
    """
    path = Path(source)
    if path.suffix or path.exists():
        series = HourlySeries(name=source, file=SeriesFile(path=path.name, **columns))
    elif source in (names := [profile.name for profile in price_profiles()]):
        series = HourlySeries(name=source, library=source)
    else:
        raise NotFoundError("price file or library series", source, names)
    hours = load_hours(series, path.parent, "price_series").hours
    assert hours is not None  # a series with a file or a library name has them once loaded
    return hours


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("+", "-plus")).strip("-")


def _by_slug(rows: Iterable[Any]) -> dict[str, Any]:
    """Rows by the name on the box, and by their own."""
    rows = list(rows)
    return {_slug(row.display_name): row for row in rows} | {row.name: row for row in rows}


def _chosen(machine: str, named: Sequence[tuple[Sequence[str], Any]], wanted: Sequence[str]) -> tuple[Any, ...]:
    """Modes one of whose names is wanted, all if none is; a name ends where its remark in parentheses begins."""
    aliases = [{_slug(name.partition(" (")[0]) for name in names} for names, _ in named]
    for name in wanted:
        if not any(_slug(name) in own for own in aliases):
            known = sorted(set().union(*aliases) - {""})
            raise NotFoundError(f"mode of {machine}", name, known)
    slugs = {_slug(name) for name in wanted}
    return tuple(mode for own, (_, mode) in zip(aliases, named, strict=True) if not wanted or own & slugs)


def _operating_mode(row: tables.AsicModeRow) -> OperatingMode:
    label = f"{row.mode} ({row.confidence})"
    return OperatingMode(hashrate_th_s=row.hashrate_th_s, power_w=row.power_w, label=label)
