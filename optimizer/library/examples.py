"""The example portfolio ``empire``, drawn by a seeded generator (long: the tables of what is drawn are in it).

Forty sites and 150 offers like the public deals. What is drawn, and from what:

- *Regions*: 12 in 6 countries, each with its power price (a series of the library, or a flat tariff), its building
  costs and the names of its sites. A site's import limit, ramp, halls and fleet are drawn.
- *Kinds of offer*: 9, each a reading of some rows of the table of deals. An offer's tenant, size, rent, escalator,
  costs, window and places are drawn from the ranges of its kind; its places have the power for it, some only after a
  step of their ramp.
- *Rules*: exclusive pairs are two offers that want the same site, all-or-nothing pairs two offers of one tenant.

Market, machines and GPU options are those of the example ``us-miner``; the balance sheet is five times as large.
Ranges that are not in the tables of this library are unsourced estimates.

Random bits come from Philox, one stream an item, and become numbers by additions and multiplications alone: the file
is the same on every platform, and adding a site leaves the other sites as they are.

``python -m optimizer.library.examples --out DIR`` writes the committed file again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from optimizer.domain.base import add_months
from optimizer.library.draw import Draw
from optimizer.library.portfolios import example_path

EMPIRE_SEED: Final = 20_261_122
"""Seed of the committed file."""
BASE_EXAMPLE: Final = "us-miner"
"""Where market, machines and GPU options come from."""
START: Final = dt.date(2027, 1, 1)
HEADER: Final = """\
# Forty sites and 150 offers: a benchmark of the size of an industry, drawn by a seeded generator. Do not edit;
#   python -m optimizer.library.examples --out optimizer/library/data/portfolios
# writes it again. The ranges and their sources are in optimizer/library/examples.py.
"""

Data = dict[str, Any]


# ------------------------------------------------------------------------------------------------------------- regions


@dataclass(frozen=True, slots=True)
class Region:
    """What the sites of a region have in common."""

    name: str
    country: str
    operator: str
    sites: tuple[str, ...]
    power: Data
    """As in the portfolio."""
    hosting_pue: float
    capex_frac: float
    """Cost of building over that in Texas."""
    duty_frac: float = 0.0
    demand_response: Data | None = None
    ramp_chance: float = 0.3
    to_open: int = 0
    """How many of its sites, the last ones, are not open yet."""
    lease_until: str | None = None
    builds: int = 2
    """Most builds at a time."""


_ESCALATION = {"escalation_per_year_frac": 0.02}
_FOUR_PEAKS = {"usd_per_mw_month": 2000, "until_month": "2029-01"}

REGIONS: Final = (
    Region(
        "US-TX-W", "US", "ERCOT",
        ("Ward", "Reeves", "Pecos", "Dickens", "Childress", "Andrews", "Howard"),
        {"hourly_series": "ercot-west", "adder_usd_per_mwh": 12, **_ESCALATION},
        1.25, 1.0, demand_response=_FOUR_PEAKS, ramp_chance=0.5, to_open=1, builds=4,
    ),
    Region(
        "US-TX-N", "US", "ERCOT",
        ("Navarro", "Milam", "Bosque", "Hood", "Denton", "Wise"),
        {"hourly_series": "ercot-north", "adder_usd_per_mwh": 14, **_ESCALATION},
        1.25, 1.0, demand_response=_FOUR_PEAKS, builds=3,
    ),
    Region(
        "US-NY", "US", "NYISO",
        ("Niagara", "Massena", "Somerset", "Plattsburgh"),
        {"hourly_series": "nyiso-west", "adder_usd_per_mwh": 6, **_ESCALATION},
        1.2, 1.06, demand_response={"usd_per_mw_month": 3000},
    ),
    Region(
        "US-PA", "US", "PJM",
        ("Luzerne", "Venango", "Carbon", "Montour"),
        {"flat_usd_per_mwh": 44, "market_exposure_frac": 0.5, **_ESCALATION},
        1.22, 1.08,
    ),
    Region(
        "US-WA", "US", "Grant PUD",
        ("Moses Lake", "Wenatchee", "Quincy"),
        {"flat_usd_per_mwh": 32, **_ESCALATION},
        1.15, 1.1, ramp_chance=0.0, builds=1,
    ),
    Region(
        "US-GA", "US", "Southern",
        ("Sandersville", "Dalton", "Washington"),
        {"flat_usd_per_mwh": 46, **_ESCALATION},
        1.28, 0.97,
    ),
    Region(
        "CA-AB", "CA", "AESO",
        ("Medicine Hat", "Drumheller", "Grande Prairie"),
        {"hourly_series": "alberta", "adder_usd_per_mwh": 7, **_ESCALATION},
        1.18, 1.04,
    ),
    Region(
        "CA-QC", "CA", "Hydro-Quebec",
        ("Baie-Comeau", "Sherbrooke"),
        {"flat_usd_per_mwh": 41, **_ESCALATION},
        1.14, 1.03, ramp_chance=0.0, builds=1,
    ),
    Region(
        "NO-4", "NO", "Statnett",
        ("Namsos", "Tydal", "Mo i Rana"),
        {"flat_usd_per_mwh": 35, "market_exposure_frac": 0.4, **_ESCALATION},
        1.1, 0.94, to_open=1, builds=1,
    ),
    Region(
        "SE-2", "SE", "Svenska kraftnat",
        ("Sundsvall",),
        {"hourly_series": "sweden-se2", "adder_usd_per_mwh": 9, **_ESCALATION},
        1.12, 0.96, builds=1,
    ),
    Region(
        "PY", "PY", "ANDE",
        ("Villarrica", "Hernandarias"),
        {"hourly_series": "paraguay-flat", "market_exposure_frac": 0.0, **_ESCALATION},
        1.4, 0.95, duty_frac=0.1, to_open=1, lease_until="2034-01", builds=1,
    ),
    Region(
        "ET", "ET", "EEP",
        ("Gilgel Gibe", "Koysha"),
        {"flat_usd_per_mwh": 32, **_ESCALATION},
        1.35, 1.0, duty_frac=0.15, ramp_chance=0.0, to_open=1, builds=1,
    ),
)  # fmt: skip
"""Power: the series of the library and adders; Ethiopia 32 and Norway 35 from its tariffs. Other flat prices, adders
and shares are unsourced estimates."""

_CONDITIONS: Final = {"s19-xp": 0.93, "s21": 0.97, "s21-pro": 1.0, "s21-xp": 1.0}
"""Models in the fleets, and their condition; four of the six, as the size of the program goes with their number."""


def _site(region: Region, name: str, opens: bool, draw: Draw) -> Data:
    grid_mw = draw.between((30, 110), 5)
    first = "2027-07" if opens else f"{START:%Y-%m}"
    size_mw = grid_mw
    grid: list[Data] = [{"from_month": first, "grid_mw": grid_mw}]
    if not opens and draw.chance(region.ramp_chance):
        month = add_months(START, 12 + 6 * draw.below(3))
        for _ in range(1 + draw.below(2)):
            grid_mw += draw.between((40, 140), 10)
            grid.append({"from_month": f"{month:%Y-%m}", "grid_mw": grid_mw})
            month = add_months(month, 12 + 6 * draw.below(2))
    site: Data = {
        "name": name,
        "country": region.country,
        "region": region.name,
        "grid_operator": region.operator,
        "grid": grid,
        "hall_mw": round(size_mw * 0.93),
        "power": region.power,
        "mining_pue": draw.between((1.02, 1.06), 0.01),
        "hosting_pue": region.hosting_pue,
        "mining_uptime_frac": draw.between((0.93, 0.97), 0.01),
        "mining_opex_usd_per_mw_month": draw.between((2800, 4200), 100),
        "fixed_opex_usd_per_month": round(50_000 + 1000 * size_mw),
    }
    if region.demand_response is not None:
        site["demand_response"] = region.demand_response
    if region.duty_frac:
        site["import_duty_frac"] = region.duty_frac
    if region.lease_until is not None:
        site["lease_end_month"] = region.lease_until
    if opens:
        capex = round(draw.between((180_000, 320_000), 20_000) * size_mw)
        site["opening"] = {"earliest_month": "2027-04", "capex_usd": capex, "lead_months": 9}
    return site


def fleets_at(site: Data, powers_w: dict[str, float], condition_frac: dict[str, float], draw: Draw) -> list[Data]:
    """Two models that fill most of the halls."""
    fill_mw = site["hall_mw"] * draw.between((0.8, 0.96), 0.02)
    share = draw.between((0.3, 0.7), 0.05)
    models = draw.shuffled(tuple(condition_frac))[:2]
    fleets = []
    for model, part in zip(models, (share, 1.0 - share), strict=True):
        count = int(fill_mw * part * 1e6 / powers_w[model] / 100) * 100
        fleet: Data = {"asic_model": model, "site": site["name"], "count": count}
        if condition_frac[model] < 1.0:
            fleet["condition_frac"] = condition_frac[model]
        fleets.append(fleet)
    return fleets


# -------------------------------------------------------------------------------------------------------------- offers


@dataclass(frozen=True, slots=True)
class Kind:
    """The ranges that offers of a kind are drawn from."""

    name: str
    """Also the tenants' name."""
    deals: str
    """Rows of the table of deals that it reads."""
    count: int
    tenants: int
    hazard_per_year: float
    critical_mw: tuple[float, float]
    price: tuple[float, float]
    """Rent of the first year, USD/kW-month."""
    term_months: tuple[int, ...]
    capex_musd_per_mw: tuple[float, float]
    """In Texas."""
    build_months: tuple[float, float]
    margin_frac: tuple[float, float] | None
    """NOI margin; None for a landlord's opex in ``opex``."""
    opex: tuple[float, float] = (0.0, 0.0)
    """USD/kW-month, where there is no margin."""
    escalators: tuple[float, ...] = (0.025, 0.03)
    gross_up: tuple[float, ...] = (1.35, 1.43, 1.45)
    displaced: tuple[float, float] = (0.0, 0.4)
    countries: tuple[str, ...] = ("US", "CA")
    scalable: bool = False
    phased: bool = False
    tenant_share: tuple[float, float] | None = None
    backstop: tuple[float, float] | None = None
    renewal: Data | None = None
    prepayment: Data | None = None
    more: Data = field(default_factory=dict)


def _options(count: int, months: int, probability: float = 0.6) -> Data:
    return {"option_count": count, "term_months": months, "probability_frac": probability}


KINDS: Final = (
    Kind(
        "hyperscaler", "applied-digital-hyperscaler-*, hut8-beacon-point, cipher-aws-black-pearl", 30, 5, 0.001,
        (50, 180), (108, 125), (180,), (10.4, 12.1), (14, 18), None, (1.5, 3.0), phased=True, renewal=_options(3, 60),
    ),
    Kind(
        "backed-neocloud", "terawulf-fluidstack-*, cipher-fluidstack-*, hut8-fluidstack-river-bend", 30, 5, 0.04,
        (40, 170), (124, 140), (120, 180), (9.6, 10.8), (11, 14), (0.82, 0.88), phased=True,
        gross_up=(1.25, 1.43, 1.45), backstop=(0.6, 0.9), renewal=_options(2, 60),
    ),
    Kind(
        "neocloud", "galaxy-coreweave-*, applied-digital-coreweave-*, whitefiber-nscale-nc1", 25, 5, 0.05,
        (30, 130), (116, 152), (144, 180), (10.0, 12.6), (12, 15), (0.82, 0.9), gross_up=(1.43, 1.52), phased=True,
    ),
    Kind(
        "builder", "core-scientific-coreweave-590", 10, 3, 0.05,
        (30, 90), (112, 121), (144,), (10.0, 10.6), (15, 20), (0.75, 0.85), escalators=(0.0,), displaced=(0.8, 1.2),
        tenant_share=(0.65, 0.8), phased=True, renewal=_options(2, 60, 0.4),
    ),
    Kind(
        "chipmaker", "riot-amd-rockdale", 20, 4, 0.002,
        (15, 50), (86, 100), (120,), (3.6, 5.9), (5, 9), (0.78, 0.84), gross_up=(1.3, 1.35), displaced=(1.1, 1.3),
        scalable=True, renewal=_options(3, 60),
    ),
    Kind(
        "sovereign", "terawulf-core42, bitzero-oneqode-namsskogan", 12, 4, 0.01,
        (30, 80), (104, 118), (120, 180), (9.0, 10.0), (9, 13), (0.84, 0.88), gross_up=(1.25, 1.3),
        displaced=(0.2, 0.6), countries=("US", "CA", "NO", "SE"), prepayment={"rent_months": 6, "credit_months": 24},
        renewal=_options(2, 60),
    ),
    Kind(
        "lab", "none; short terms and high rents", 10, 4, 0.03,
        (15, 35), (134, 150), (84,), (6.9, 7.8), (8, 10), (0.8, 0.84), escalators=(0.02,), displaced=(0.8, 1.0),
        countries=("US", "CA", "NO", "SE"), scalable=True, prepayment={"rent_months": 6},
        renewal={**_options(1, 60, 0.5), "rent_frac": 0.9},
    ),
    Kind(
        "enterprise", "none; the landlord pays the power", 8, 4, 0.015,
        (8, 25), (172, 190), (84,), (7.8, 8.6), (9, 12), None, (20.0, 26.0), displaced=(0.6, 0.9),
        countries=("US", "CA", "NO"), renewal=_options(2, 36), more={"power_payer": "landlord"},
    ),
    Kind(
        "regional", "none; start-ups, hazard as credit default swaps imply", 5, 3, 0.1,
        (8, 24), (130, 148), (84,), (7.6, 8.4), (9, 12), (0.78, 0.82), escalators=(0.02,), displaced=(0.8, 1.0),
        countries=("US", "PY", "ET", "CA"), scalable=True, prepayment={"rent_months": 6},
    ),
)  # fmt: skip
"""Hazards: 0.1 % a year investment grade and 4 % B/BB from the reference facts, the rest unsourced estimates."""

_RECOVERY = {"hyperscaler": 0.5, "chipmaker": 0.5, "sovereign": 0.4, "enterprise": 0.4, "lab": 0.3, "regional": 0.1}
_LETTERS = "ABCDEFGH"


def _offer(kind: Kind, name: str, sites: Sequence[Data], capex_frac: dict[str, float], draw: Draw) -> Data:
    letter = _LETTERS[draw.below(kind.tenants)]
    tenant = f"{kind.name.replace('-', ' ').capitalize()} {letter}"
    places_mw = [site["grid"][-1]["grid_mw"] for site in sites if _suits(kind, site)]
    step = 5 if kind.critical_mw[1] > 50 else 1
    most = min(draw.between(kind.critical_mw, step), int(max(places_mw) / max(kind.gross_up)))
    opens = add_months(START, 3 * draw.below(6))
    closes = add_months(opens, 6 + 3 * draw.below(4))
    offer: Data = {"name": name, "tenant": tenant, "credit": credit_terms(kind, draw)}
    if kind.scalable:
        offer |= {"minimum_critical_mw": round(most * 0.4), "maximum_critical_mw": most}
    else:
        offer["critical_mw"] = most
    offer["price_usd_per_kw_month"] = draw.between(kind.price, 1)
    if escalator := draw.pick(kind.escalators):
        offer["escalator_per_year_frac"] = escalator
    offer["term_months"] = draw.pick(kind.term_months)
    if kind.phased and most >= 60:
        first = draw.between((0.4, 0.6), 0.1)
        later = {"share_frac": round(1.0 - first, 6), "offset_months": draw.between((4, 8), 1)}
        offer["phases"] = [{"share_frac": first, "offset_months": 0}, later]
    offer |= {"sign_from_month": f"{opens:%Y-%m}", "sign_until_month": f"{closes:%Y-%m}", **kind.more}
    if kind.margin_frac is not None:
        offer["noi_margin_frac"] = draw.between(kind.margin_frac, 0.01)
    else:
        offer["landlord_opex_usd_per_kw_month"] = draw.between(kind.opex, 0.5)
    if kind.prepayment is not None:
        offer["prepayment"] = kind.prepayment
    if kind.renewal is not None:
        offer["renewal"] = kind.renewal
    offer["sites"] = _places(kind, most, sites, capex_frac, draw)
    return offer


def credit_terms(kind: Kind, draw: Draw) -> Data:
    """The credit of a tenant of the kind."""
    credit: Data = {
        "default_hazard_per_year_frac": kind.hazard_per_year,
        "recovery_frac": _RECOVERY.get(kind.name, 0.2),
    }
    if kind.backstop is not None:
        credit |= {"backstop_share_frac": draw.between(kind.backstop, 0.05), "backstopper": "Hyperscaler A"}
    credit["vacancy_months"] = 12 if kind.hazard_per_year >= 0.04 else 9
    return credit


def _suits(kind: Kind, site: Data) -> bool:
    """Whether offers of the kind go there: by country, and only where the site is held for good."""
    return site["country"] in kind.countries and "lease_end_month" not in site


def _places(kind: Kind, most_mw: float, sites: Sequence[Data], capex_frac: dict[str, float], draw: Draw) -> list[Data]:
    """One to four sites of the kind's countries with the power for it, the first ones of a random order."""
    gross_up = draw.pick(kind.gross_up)
    capex, build = draw.between(kind.capex_musd_per_mw, 0.1), int(draw.between(kind.build_months, 1))
    displaced = draw.between(kind.displaced, 0.1)
    share = draw.between(kind.tenant_share, 0.05) if kind.tenant_share is not None else None
    wanted = 1 + draw.below(4)
    places: list[Data] = []
    for site in draw.shuffled(sites):
        enough = [step["from_month"] for step in site["grid"] if step["grid_mw"] >= most_mw * gross_up]
        if len(places) == wanted or not enough or not _suits(kind, site):
            continue
        cost = round(capex * capex_frac[site["region"]] + draw.between((-0.2, 0.2), 0.1), 1)
        place: Data = {"site": site["name"], "capex_usd_per_critical_mw": round(cost * 1e6)}
        if share is not None:
            place["tenant_capex_share_frac"] = share
        place |= {"build_months": build, "grid_mw_per_critical_mw": gross_up}
        if displaced:
            place["halls_displaced_mw_per_critical_mw"] = displaced
        if enough[0] > site["grid"][0]["from_month"]:
            place["earliest_energize_month"] = enough[0]
        places.append(place)
    return places


# --------------------------------------------------------------------------------------------------------------- rules


def _policy(offers: Sequence[Data], seed: int) -> Data:
    draw = Draw(seed, "policy")
    free = draw.shuffled(offers)
    exclusive = pairs(free, 6, lambda a, b: bool(_sites_of(a) & _sites_of(b)) and a["tenant"] != b["tenant"])
    together = pairs(free, 4, lambda a, b: a["tenant"] == b["tenant"])
    tenants = sorted({offer["tenant"] for offer in offers if offer["credit"]["default_hazard_per_year_frac"] >= 0.04})
    builds: list[Data] = [{"region": region.name, "maximum_count": region.builds} for region in REGIONS]
    return {
        "exclusive_groups": [{"name": f"either-{i}", "offers": pair} for i, pair in enumerate(exclusive, 1)],
        "all_or_nothing_groups": [{"name": f"both-{i}", "offers": pair} for i, pair in enumerate(together, 1)],
        "parallel_builds": [*builds, {"maximum_count": 16}],
        "tenant_limits": [{"tenant": tenant, "maximum_share_frac": 0.1} for tenant in tenants],
        "country_limits": [
            {"country": "PY", "maximum_share_frac": 0.06},
            {"country": "ET", "maximum_share_frac": 0.06},
        ],
        "domestic_share": {"country": "US", "basis": "power", "minimum_share_frac": 0.5},
        "minimum_hashrate": [{"minimum_eh_s": 60, "from_month": "2027-01", "until_month": "2028-12"}],
    }


def _sites_of(offer: Data) -> set[str]:
    return {place["site"] for place in offer["sites"]}


def pairs(free: list[Data], count: int, fit: Any) -> list[list[str]]:
    """Take pairs that fit out of ``free``, in its order."""
    pairs: list[list[str]] = []
    index = 0
    while len(pairs) < count and index < len(free):
        first = free[index]
        second = next((other for other in free[index + 1 :] if fit(first, other)), None)
        if second is None:
            index += 1
            continue
        free.remove(first)
        free.remove(second)
        pairs.append([first["name"], second["name"]])
    return pairs


def _finance(base: Data) -> Data:
    """Four or five times the balance sheet of the base example, with round budgets."""
    quarters = [
        (f"2027-Q{q + 1}", f"2027-{3 * q + 1:02}", f"2027-{3 * q + 3:02}", 800_000_000 + 200_000_000 * q)
        for q in range(4)
    ]
    years = [
        ("2028", "2028-01", "2028-12", 4_500_000_000),
        ("2029", "2029-01", "2029-12", 4_000_000_000),
        ("2030", "2030-01", "2030-12", 3_000_000_000),
    ]
    budgets = [
        {"name": name, "from_month": first, "until_month": last, "maximum_capex_usd": most}
        for name, first, last, most in [*quarters, *years]
    ]
    return {
        **base,
        "opening_cash_usd": 2_000_000_000,
        "minimum_liquidity_usd": 500_000_000,
        "capex_budgets": budgets,
        "project_debt": {**base["project_debt"], "maximum_debt_usd": 9_000_000_000},
        "overhead_usd_per_month": 16_000_000,
    }


def base_data() -> Data:
    """The example that market, machines and GPU options come from, as plain data."""
    data: Data = yaml.safe_load(example_path(BASE_EXAMPLE).read_text(encoding="utf-8"))
    return data


def empire(seed: int = EMPIRE_SEED) -> Data:
    """The portfolio as plain data."""
    base = base_data()
    models = [model for model in base["asic_models"] if model["name"] in _CONDITIONS]
    powers = {model["name"]: model["modes"][-1]["power_w"] for model in models}
    sites, fleets = [], []
    for region in REGIONS:
        for index, name in enumerate(region.sites):
            opens = index >= len(region.sites) - region.to_open
            site = _site(region, name, opens, Draw(seed, f"site {name}"))
            sites.append(site)
            if not opens:
                fleets += fleets_at(site, powers, _CONDITIONS, Draw(seed, f"fleet {name}"))
    capex_frac = {region.name: region.capex_frac for region in REGIONS}
    offers = [
        _offer(kind, name, sites, capex_frac, Draw(seed, f"offer {name}"))
        for kind in KINDS
        for name in [f"{kind.name}-{number:02}" for number in range(1, kind.count + 1)]
    ]
    series = sorted({site["power"]["hourly_series"] for site in sites if "hourly_series" in site["power"]})
    open_sites = [site["name"] for site in sites if site["country"] == "US" and "opening" not in site]
    draw = Draw(seed, "gpu options")
    return {
        "name": "empire",
        "description": f"{len(sites)} sites in 6 countries, {len(offers)} offers; drawn with seed {seed}.",
        "horizon": {
            "start_month": f"{START:%Y-%m}",
            "segments": [
                {"months_per_period": 1, "period_count": 24},
                {"months_per_period": 3, "period_count": 16},
                {"months_per_period": 12, "period_count": 4},
            ],
            "sign_every_months": 3,
        },
        "sites": sites,
        "asic_models": models,
        "fleets": fleets,
        "offers": offers,
        "gpu_options": [{**option, "sites": draw.shuffled(open_sites)[:5]} for option in base["gpu_options"]],
        "market": base["market"],
        "finance": _finance(base["finance"]),
        "policy": _policy(offers, seed),
        "risk": {"scenario_count": 1000, "tail_probability": 0.05},
        "series": [{"name": name, "library": name} for name in series],
    }


class _Dumper(yaml.SafeDumper):
    """Short mappings on one line, repeated values written out."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write repeated values out."""
        return True


def empire_text(seed: int = EMPIRE_SEED) -> str:
    """The portfolio as YAML."""
    text: str = yaml.dump(empire(seed), Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=160)
    return HEADER + text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated example portfolio into a folder."""
    parser = argparse.ArgumentParser(prog="python -m optimizer.library.examples", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the file")
    parser.add_argument("--seed", type=int, default=EMPIRE_SEED)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / "empire.yaml"
    target.write_text(empire_text(options.seed), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
