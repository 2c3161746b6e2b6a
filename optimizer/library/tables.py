"""Typed, cached access to the tables of the reference library (long: one class a table, one field a column).

Every row carries ``source`` and ``confidence``; ``data/README.md`` says what the values of ``confidence`` mean.
An empty cell is ``None`` for a number, a date or a count, and ``""`` for a word. The columns of a file are the fields
of its class, in their order: a file with other columns does not load.

>>> asic("s21-xp").efficiency_j_per_th
13.5
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

from optimizer.errors import NotFoundError
from optimizer.library.rows import load_rows


@dataclass(frozen=True, slots=True)
class AsicRow:
    """One ASIC model at its nameplate."""

    name: str
    """Stable id, as ``s21-xp``."""
    display_name: str
    manufacturer: str
    cooling: str
    """``air``, ``hydro``, ``immersion`` or ``unknown``."""
    hashrate_th_s: float
    power_w: float
    efficiency_j_per_th: float
    release_month: datetime.date
    """First of the month; the middle of the period where ``release_precision`` is coarser than a month."""
    release_precision: str
    price_usd: float | None
    price_usd_per_th: float | None
    price_date: datetime.date | None
    price_basis: str
    """``dated-index``, ``retail-listing``, ``undated-listing``, ``weak-quote`` or empty."""
    confidence: str
    unsourced_fields: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class AsicModeRow:
    """One operating point of an ASIC model. A machine runs the modes of one firmware and one variant only."""

    asic: str
    mode: str
    """Unique within the ASIC model."""
    variant: str
    """The board, where the model was built with several."""
    firmware: str
    cooling: str
    frequency_mhz: float | None
    voltage_v: float | None
    hashrate_th_s: float
    power_w: float
    efficiency_j_per_th: float
    confidence: str
    """``measured``, ``vendor`` (stated, optimistic), ``reconstructed`` (fitted between measured points) or ``fit``
    (another machine's measured curve, scaled: see :func:`optimizer.library.operating_modes.operating_modes`)."""
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class AsicPowerFitRow:
    """One point of the measured efficiency curve of a machine, for machines of which no such curve is known."""

    name: str
    hashrate_frac: float
    """Of the rated hashrate."""
    power_frac: float
    """Of the rated power."""
    confidence: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class GpuRow:
    """One GPU model; compute is dense, without sparsity."""

    name: str
    display_name: str
    family: str
    form_factor: str
    tdp_w: float
    memory_gb: float
    memory_tb_per_s: float | None
    bf16_dense_tflops: float | None
    fp8_dense_tflops: float | None
    fp4_dense_tflops: float | None
    server: str
    server_rated_kw: float | None
    rated_kw_per_gpu: float | None
    """Server rating over the GPUs in it."""
    measured_kw_per_gpu: float | None
    """Highest node draw measured over the GPUs in it."""
    facility_kw_per_gpu: float | None
    """Critical IT power of a whole site over its GPUs."""
    cooling: str
    price_usd_per_gpu: float | None
    price_date: datetime.date | None
    rental_usd_per_gpu_hour: float | None
    rental_date: datetime.date | None
    confidence: str
    unsourced_fields: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class DealRow:
    """One public HPC or AI contract of a miner, or a named absence of one."""

    name: str
    deal_id: str
    company: str
    tenant: str
    site: str
    country: str
    announced: datetime.date
    announced_precision: str
    signed: bool
    """False where conditions were open or no tenant was found."""
    kind: str
    """``colocation``, ``gpu-cloud`` or ``none``."""
    lease_type: str
    part_of: str
    """The row that already contains this one; empty for a row to be counted."""
    comparable: bool
    """True where ``price_usd_per_kw_month`` is a colocation rent that may enter an average."""
    stated_mw: float | None
    mw_basis: str
    """What ``stated_mw`` is: ``critical``, ``gross``, ``unclear`` or ``unknown``."""
    critical_mw: float | None
    """``stated_mw`` where its basis is critical."""
    gross_mw: float | None
    gross_to_critical: float | None
    term_months: int | None
    contract_value_usd: float | None
    """Over the first term, without options."""
    price_usd_per_kw_month: float | None
    """Contract value over the stated MW and the term: an average that contains any escalator."""
    price_year1_at_3pct_usd_per_kw_month: float | None
    """First-year price if the average contains an escalator of 3 % a year; an assumption for most rows."""
    escalator_per_year: float | None
    """Stated escalator; ``None`` where not known."""
    capex_low_usd_per_critical_mw: float | None
    capex_high_usd_per_critical_mw: float | None
    capex_payer: str
    noi_margin_low_frac: float | None
    noi_margin_high_frac: float | None
    credit_support: str
    """``none``, ``backstop``, ``tenant-credit`` or ``investment-grade-tenant``."""
    backstop_usd: float | None
    months_to_first_mw: int | None
    """From the announcement to the first MW; a target unless ``delivery_status`` says otherwise."""
    months_to_full: int | None
    delivery_status: str
    """``actual``, ``partly-actual`` or ``planned``."""
    renewal_options: int | None
    renewal_term_months: int | None
    prepayment_frac: float | None
    confidence: str
    unsourced_fields: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class TariffRow:
    """One price of power that somebody paid, published or assumed; the middle of the range and its ends."""

    name: str
    display_name: str
    country: str
    """ISO 3166 code; empty for the world."""
    date: datetime.date
    date_precision: str
    price_usd_per_mwh: float
    price_low_usd_per_mwh: float
    price_high_usd_per_mwh: float
    kind: str
    """``all-in``, ``all-in-net`` (of credits), ``contract``, ``tariff``, ``wholesale``, ``hosting``, ``assumption``."""
    confidence: str
    unsourced_fields: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class GpuRentalRow:
    """One published price of an hour of a GPU."""

    name: str
    family: str
    """``family`` of the GPU rows, or ``legacy``."""
    date: datetime.date
    date_precision: str
    price_usd_per_gpu_hour: float
    price_low_usd_per_gpu_hour: float
    price_high_usd_per_gpu_hour: float
    bound: str
    """``point``, ``range`` (the price is its middle) or ``at-least``."""
    basis: str
    confidence: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One debt instrument of a miner or a GPU cloud."""

    name: str
    issuer: str
    date: datetime.date
    date_precision: str
    instrument: str
    amount_usd: float | None
    coupon_per_year: float | None
    sofr_spread_per_year: float | None
    rate_basis: str
    """``coupon``, ``spread``, ``effective``, ``at-most`` or ``not-retrieved``."""
    issue_price_frac: float | None
    tenor_years: float | None
    maturity_year: int | None
    rating: str
    grade: str
    """``investment-grade``, ``high-yield``, ``unrated`` or ``unknown``."""
    fully_amortising: bool
    convertible: bool
    confidence: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One address behind the short source names of the other tables."""

    topic: str
    label: str
    url: str


class _Named(Protocol):
    """A row with an id."""

    @property
    def name(self) -> str: ...


_NamedRow = TypeVar("_NamedRow", bound=_Named)


def _find(kind: str, name: str, rows: Iterable[_NamedRow]) -> _NamedRow:
    """Pick the row of that name."""
    known = {row.name: row for row in rows}
    if name not in known:
        raise NotFoundError(kind, name, known)
    return known[name]


@cache
def asics() -> tuple[AsicRow, ...]:
    """All ASIC models."""
    return load_rows(AsicRow, "asics.csv")


@cache
def _all_modes() -> tuple[AsicModeRow, ...]:
    return load_rows(AsicModeRow, "asic_modes.csv")


@cache
def asic_power_fit() -> tuple[AsicPowerFitRow, ...]:
    """Efficiency curve by rising hashrate, in steps of 5 % of the rated hashrate up to 95 %."""
    return load_rows(AsicPowerFitRow, "asic_power_fit.csv")


@cache
def gpus() -> tuple[GpuRow, ...]:
    """All GPU models."""
    return load_rows(GpuRow, "gpus.csv")


@cache
def deals() -> tuple[DealRow, ...]:
    """All public deals; beware of ``part_of`` and ``signed`` before adding up."""
    return load_rows(DealRow, "deals.csv")


@cache
def tariffs() -> tuple[TariffRow, ...]:
    """All power prices."""
    return load_rows(TariffRow, "tariffs.csv")


@cache
def gpu_rentals() -> tuple[GpuRentalRow, ...]:
    """All rental prices."""
    return load_rows(GpuRentalRow, "gpu_rental.csv")


@cache
def debts() -> tuple[DebtRow, ...]:
    """All debt instruments."""
    return load_rows(DebtRow, "debt.csv")


@cache
def sources() -> tuple[SourceRow, ...]:
    """Addresses of the sources."""
    return load_rows(SourceRow, "sources.csv")


def asic(name: str) -> AsicRow:
    """One ASIC model."""
    return _find("ASIC model", name, asics())


def gpu(name: str) -> GpuRow:
    """One GPU model."""
    return _find("GPU model", name, gpus())


def deal(name: str) -> DealRow:
    """One public deal."""
    return _find("deal", name, deals())


def tariff(name: str) -> TariffRow:
    """One power price."""
    return _find("tariff", name, tariffs())


def debt(name: str) -> DebtRow:
    """One debt instrument."""
    return _find("debt instrument", name, debts())


def asic_modes(name: str, firmware: str | None = None, variant: str | None = None) -> tuple[AsicModeRow, ...]:
    """Operating modes of an ASIC model by rising power; empty where none is known."""
    asic(name)
    chosen = (
        mode
        for mode in _all_modes()
        if mode.asic == name and firmware in (None, mode.firmware) and variant in (None, mode.variant)
    )
    return tuple(sorted(chosen, key=lambda mode: (mode.power_w, mode.mode)))


def nameplate_mode(name: str) -> AsicModeRow:
    """State the nameplate of an ASIC model as an operating mode."""
    row = asic(name)
    return AsicModeRow(
        asic=row.name,
        mode="nameplate",
        variant="",
        firmware="stock",
        cooling=row.cooling,
        frequency_mhz=None,
        voltage_v=None,
        hashrate_th_s=row.hashrate_th_s,
        power_w=row.power_w,
        efficiency_j_per_th=row.efficiency_j_per_th,
        confidence="vendor",
        source=row.source,
        note=row.note,
    )
