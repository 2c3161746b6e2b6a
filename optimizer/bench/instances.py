"""A family of planning problems of any size, drawn by a seeded generator: what solvers are measured on.

``instance(sites, offers, months, seed)`` is one of them. Regions, kinds of offer, machines, market and GPU options are
those of the library's examples; what the family adds is that everything is scarce:

- *Time*: 36 months, 24 quarters, then years; contracts can be signed at the beginning of every quarter.
- *Sites*: five regions, two thirds with interconnects that grow in one or two steps; every sixth site is abroad and has
  to be opened first, every eighth may take GPU blocks. Two machine models a site, three in all, moves and purchases.
- *Offers*: three to six sites each, with capex, PUE, months of building and displaced halls of their own, and five to
  nine quarters to sign in: about thirty starts. One in eight is scalable, four in ten of the large ones phased, one in
  seven renewable. Credit and costs are those of the kinds, rents up to a fifth
  above them, so that most offers are worth signing somewhere.
- *Money and rules*: ceilings on capex by quarter, year and over all years, a floor under cash, a cap on debt, builds at
  a time by region, shares of tenants, a domestic share, exclusive and all-or-nothing pairs. They are stated as shares
  of what all offers together would take, so that they bind at every size.

Everything comes from Philox bits by additions and multiplications, rounded to a few digits: the same numbers give the
same portfolio on every machine. Signing nothing is always possible.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from optimizer.domain import Portfolio
from optimizer.domain.base import add_months
from optimizer.errors import InvalidInputError
from optimizer.io.portfolios import parse_portfolio
from optimizer.library.draw import Draw
from optimizer.library.examples import KINDS, REGIONS, START, Kind, Region, base_data, credit_terms, fleets_at, pairs
from optimizer.units import MONTHS_PER_YEAR

Data = dict[str, Any]
MONTHLY, QUARTERLY = 36, 72
"""Months that are cut into months, and those after them that are cut into quarters; the rest are years."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large an instance is."""

    sites: int
    offers: int
    months: int

    @property
    def name(self) -> str:
        """Sites, offers and months, as ``20x60x180``."""
        return f"{self.sites}x{self.offers}x{self.months}"

    @property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """Months a period, and how many of those periods.

        Raises:
            InvalidInputError: for months that cannot be cut into periods.
        """
        monthly, later = min(self.months, MONTHLY), max(self.months - MONTHLY, 0)
        quarterly = min(later, QUARTERLY)
        yearly = later - quarterly
        if quarterly % 3 or yearly % MONTHS_PER_YEAR:
            raise InvalidInputError.single("months", f"{self.months} months", "use 36, 108 or a whole number of years")
        cut = ((1, monthly), (3, quarterly // 3), (MONTHS_PER_YEAR, yearly // MONTHS_PER_YEAR))
        return tuple((length, count) for length, count in cut if count)

    @property
    def period_count(self) -> int:
        """Periods of the horizon."""
        return sum(count for _, count in self.segments)


SUITES: Final[dict[str, tuple[Size, ...]]] = {
    "quick": (Size(2, 4, 36),),
    "small": (Size(5, 15, 120), Size(20, 60, 180)),
    "medium": (Size(50, 200, 180),),
    "large": (Size(100, 500, 240),),
    "huge": (Size(1000, 5000, 240),),
}
"""Sizes by suite; ``quick`` is for smoke tests."""

HOME: Final = "US"
_OPEN_REGIONS: Final = ("US-TX-W", "US-TX-N", "US-NY", "US-PA", "CA-AB")
_ABROAD: Final = "SE-2"
_CONDITIONS: Final = {"s19-xp": 0.93, "s21": 0.97, "s21-xp": 1.0}
_GPU_OPTION: Final = "gb300-liquid"
_OFFERS_PER_TENANT: Final = 4
_TRIES_PER_PLACE: Final = 12


def instance_name(size: Size, seed: int) -> str:
    """Name of an instance, as ``20x60x180-s1``."""
    return f"{size.name}-s{seed}"


def instance(sites: int, offers: int, months: int, seed: int) -> Portfolio:
    """The instance of that size and seed, with its series loaded."""
    return parse_portfolio(instance_data(Size(sites, offers, months), seed), None, "instance")


def instance_sha256(size: Size, seed: int) -> str:
    """SHA-256 of the plain data, keys sorted: what was drawn, whatever defaults the domain has."""
    text = json.dumps(instance_data(size, seed), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def instance_data(size: Size, seed: int) -> Data:
    """The same as plain data, as it stands in a portfolio file.

    Raises:
        InvalidInputError: for months that cannot be cut into periods.
    """
    base, regions = base_data(), {region.name: region for region in REGIONS}
    models = [model for model in base["asic_models"] if model["name"] in _CONDITIONS]
    powers = {model["name"]: model["modes"][-1]["power_w"] for model in models}
    sites = [_site(_region_of(index, regions), index, size, seed) for index in range(size.sites)]
    fleets = [
        fleet
        for site in sites
        if "opening" not in site
        for fleet in fleets_at(site, powers, _CONDITIONS, Draw(seed, f"fleet {site['name']}"))
    ]
    offers = [_offer(index, size, sites, regions, seed) for index in range(size.offers)]
    series = sorted({site["power"]["hourly_series"] for site in sites if "hourly_series" in site["power"]})
    return {
        "name": instance_name(size, seed),
        "description": f"{size.sites} sites, {size.offers} offers, {size.months} months; drawn with seed {seed}.",
        "horizon": _horizon(size),
        "sites": sites,
        "asic_models": models,
        "fleets": fleets,
        "offers": offers,
        "gpu_options": _gpu_options(base, sites),
        "market": base["market"],
        "finance": _finance(base, sites, offers),
        "policy": _policy(sites, offers, seed),
        "risk": {"scenario_count": 100, "seed": seed, "tail_probability": 0.05},
        "series": [{"name": name, "library": name} for name in series],
    }


def _horizon(size: Size) -> Data:
    segments = [{"months_per_period": length, "period_count": count} for length, count in size.segments]
    return {"start_month": f"{START:%Y-%m}", "segments": segments, "sign_every_months": 3}


# --------------------------------------------------------------------------------------------------------------- sites


def _region_of(index: int, regions: dict[str, Region]) -> Region:
    """Every sixth site is abroad; the others take the open regions in turn."""
    return regions[_ABROAD if index % 6 == 3 else _OPEN_REGIONS[(index - (index + 2) // 6) % len(_OPEN_REGIONS)]]


def _site(region: Region, index: int, size: Size, seed: int) -> Data:
    name = f"{region.name}-{index + 1:0{len(str(size.sites))}}"
    draw, abroad = Draw(seed, f"site {name}"), region.name == _ABROAD
    grid_mw = draw.between((70, 200), 5)
    size_mw = grid_mw
    grid = [{"from_month": "2027-07" if abroad else f"{START:%Y-%m}", "grid_mw": grid_mw}]
    if not abroad and draw.chance(0.67):
        month = add_months(START, 9 + 6 * draw.below(4))
        for _ in range(1 + draw.below(2)):
            grid_mw += draw.between((40, 140), 10)
            grid.append({"from_month": f"{month:%Y-%m}", "grid_mw": grid_mw})
            month = add_months(month, 12 + 6 * draw.below(2))
    power = dict(region.power)
    key = "adder_usd_per_mwh" if "hourly_series" in power else "flat_usd_per_mwh"
    power[key] = power.get(key, 0) + draw.between((-4, 4), 0.5)
    site: Data = {
        "name": name,
        "country": region.country,
        "region": region.name,
        "grid_operator": region.operator,
        "grid": grid,
        "hall_mw": round(size_mw * 0.93),
        "power": power,
        "mining_pue": draw.between((1.02, 1.06), 0.01),
        "hosting_pue": region.hosting_pue,
        "mining_uptime_frac": draw.between((0.93, 0.97), 0.01),
        "mining_opex_usd_per_mw_month": draw.between((2800, 4200), 100),
        "fixed_opex_usd_per_month": round(50_000 + 1000 * size_mw),
    }
    if region.demand_response is not None:
        site["demand_response"] = region.demand_response
    if abroad:
        capex = round(draw.between((180_000, 320_000), 20_000) * size_mw)
        site["opening"] = {"earliest_month": "2027-04", "capex_usd": capex, "lead_months": 9}
    return site


def _gpu_options(base: Data, sites: Sequence[Data]) -> list[Data]:
    """One option, at every eighth site from the second on."""
    where = [site["name"] for site in sites[1::8]]
    option = next(item for item in base["gpu_options"] if item["name"] == _GPU_OPTION)
    return [{**option, "sites": where, "maximum_block_count": 3 * len(where)}] if where else []


# -------------------------------------------------------------------------------------------------------------- offers


def _offer(index: int, size: Size, sites: Sequence[Data], regions: dict[str, Region], seed: int) -> Data:
    name = f"offer-{index + 1:0{len(str(size.offers))}}"
    draw = Draw(seed, name)
    kind = draw.pick([kind for kind in KINDS for _ in range(kind.count)])
    number = 1 + draw.below(max(2, round(size.offers * kind.count / _TOTAL_COUNT / _OFFERS_PER_TENANT)))
    step = 5 if kind.critical_mw[1] > 50 else 1
    gross_up = draw.pick(kind.gross_up)
    largest_mw = max(site["grid"][-1]["grid_mw"] for site in sites)
    most = min(draw.between(kind.critical_mw, step), int(0.3 * largest_mw / gross_up))
    opens = add_months(START, 3 * draw.below(6 if size.months > MONTHLY else 2))
    closes = add_months(opens, 3 * (4 + draw.below(5)))
    tenant = Draw(seed, f"{kind.name} {number}")
    offer: Data = {
        "name": name,
        "tenant": f"{kind.name}-{number}",
        "credit": credit_terms(kind, tenant),
        "price_usd_per_kw_month": round(draw.between(kind.price, 0.5) * draw.between((1.0, 1.2), 0.01), 1),
        "term_months": draw.pick(kind.term_months),
        "sign_from_month": f"{opens:%Y-%m}",
        "sign_until_month": f"{closes:%Y-%m}",
        **kind.more,
    }
    if draw.chance(0.125):
        offer |= {"minimum_critical_mw": round(most * 0.4), "maximum_critical_mw": most}
    else:
        offer["critical_mw"] = most
    if escalator := draw.pick(kind.escalators):
        offer["escalator_per_year_frac"] = escalator
    if kind.phased and draw.chance(0.4):
        first = draw.between((0.4, 0.6), 0.1)
        later = {"share_frac": round(1.0 - first, 6), "offset_months": draw.between((3, 9), 3)}
        offer["phases"] = [{"share_frac": first, "offset_months": 0}, later]
    if kind.margin_frac is not None:
        offer["noi_margin_frac"] = draw.between(kind.margin_frac, 0.01)
    else:
        offer["landlord_opex_usd_per_kw_month"] = draw.between(kind.opex, 0.5)
    if kind.prepayment is not None:
        offer["prepayment"] = kind.prepayment
    if kind.renewal is not None and draw.chance(0.15):
        offer["renewal"] = kind.renewal
    offer["sites"] = _places(kind, most * gross_up, gross_up, sites, regions, draw)
    return offer


_TOTAL_COUNT: Final = sum(kind.count for kind in KINDS)


def _places(
    kind: Kind, reserved_mw: float, gross_up: float, sites: Sequence[Data], regions: dict[str, Region], draw: Draw
) -> list[Data]:
    """Three to six different sites that have the power for it at last."""
    capex, build = draw.between(kind.capex_musd_per_mw, 0.1), draw.between(kind.build_months, 1)
    displaced = draw.between(kind.displaced, 0.1)
    share = draw.between(kind.tenant_share, 0.05) if kind.tenant_share is not None else None
    wanted = min(3 + draw.below(4), len(sites))
    places: dict[str, Data] = {}
    for _ in range(_TRIES_PER_PLACE * wanted):
        site = draw.pick(sites)
        enough = [step["from_month"] for step in site["grid"] if step["grid_mw"] >= reserved_mw]
        if len(places) == wanted or site["name"] in places or not enough:
            continue
        region = regions[site["region"]]
        cost = round(capex * region.capex_frac + draw.between((-0.4, 0.4), 0.1), 1)
        place: Data = {
            "site": site["name"],
            "capex_usd_per_critical_mw": round(cost * 1e6),
            "build_months": max(int(build + draw.between((-2, 3), 1)), 1),
            "pue": round(region.hosting_pue + draw.between((-0.04, 0.04), 0.01), 6),
            "grid_mw_per_critical_mw": gross_up,
        }
        if share is not None:
            place["tenant_capex_share_frac"] = share
        if displaced:
            place["halls_displaced_mw_per_critical_mw"] = round(displaced + draw.between((0.0, 0.3), 0.1), 6)
        if enough[0] > site["grid"][0]["from_month"]:
            place["earliest_energize_month"] = enough[0]
        places[site["name"]] = place
    return list(places.values())


# ------------------------------------------------------------------------------------------------------ money and rules


def _largest_mw(offer: Data) -> float:
    return float(offer.get("critical_mw") or offer["maximum_critical_mw"])


def _capex_usd(offer: Data) -> float:
    """The owner's, where it is dearest."""
    costs = (
        place["capex_usd_per_critical_mw"] * (1.0 - place.get("tenant_capex_share_frac", 0.0))
        for place in offer["sites"]
    )
    return _largest_mw(offer) * float(max(costs))


def _rounded_usd(usd: float) -> int:
    """To half a per cent or so: a multiple of 5 million USD."""
    return 5_000_000 * max(round(usd / 5e6), 1)


_BUDGET_FRAC: Final = {
    2027: (0.02, 0.02, 0.03, 0.03),
    2028: (0.03, 0.04, 0.04, 0.05),
    2029: (0.12,),
    2030: (0.08,),
}
"""Ceilings by quarter, or by year, as shares of the owner's capex of all offers."""
_CUMULATIVE_FRAC: Final = 0.4


def _budgets(total_usd: float) -> list[Data]:
    budgets = []
    for year, shares in _BUDGET_FRAC.items():
        span = MONTHS_PER_YEAR // len(shares)
        for part, share in enumerate(shares):
            name = str(year) if len(shares) == 1 else f"{year}-Q{part + 1}"
            first, last = f"{year}-{span * part + 1:02}", f"{year}-{span * (part + 1):02}"
            budgets.append((name, first, last, share))
    budgets.append(("all", f"{START:%Y-%m}", "2031-12", _CUMULATIVE_FRAC))
    return [
        {"name": name, "from_month": first, "until_month": last, "maximum_capex_usd": _rounded_usd(share * total_usd)}
        for name, first, last, share in budgets
    ]


def _finance(base: Data, sites: Sequence[Data], offers: Sequence[Data]) -> Data:
    total_usd = sum(map(_capex_usd, offers))
    return {
        **base["finance"],
        "opening_cash_usd": _rounded_usd(0.035 * total_usd),
        "minimum_liquidity_usd": _rounded_usd(0.025 * total_usd),
        "capex_budgets": _budgets(total_usd),
        "project_debt": {
            **base["finance"]["project_debt"],
            "maximum_debt_usd": _rounded_usd(0.25 * total_usd),
        },
        "overhead_usd_per_month": 150_000 * len(sites) + 500_000,
    }


def _policy(sites: Sequence[Data], offers: Sequence[Data], seed: int) -> Data:
    draw = Draw(seed, "policy")
    free = draw.shuffled(offers)
    count = max(len(offers) // 12, 1)
    return {
        "exclusive_groups": [
            {"name": f"either-{i}", "offers": pair} for i, pair in enumerate(pairs(free, count, _rivals), 1)
        ],
        "all_or_nothing_groups": [
            {"name": f"both-{i}", "offers": pair}
            for i, pair in enumerate(pairs(free, count, lambda a, b: a["tenant"] == b["tenant"]), 1)
        ],
        "parallel_builds": _parallel_builds(sites, offers),
        "tenant_limits": _tenant_limits(sites, offers),
        "domestic_share": {"country": HOME, "basis": "power", "minimum_share_frac": 0.6},
    }


def _rivals(one: Data, other: Data) -> bool:
    """Offers of two tenants that want the same site."""
    wanted = {place["site"] for place in one["sites"]}
    return one["tenant"] != other["tenant"] and any(place["site"] in wanted for place in other["sites"])


def _parallel_builds(sites: Sequence[Data], offers: Sequence[Data]) -> list[Data]:
    """In every region its share of a fifth of the offers, and over all a sixth of them."""
    counts: dict[str, int] = defaultdict(int)
    for site in sites:
        counts[site["region"]] += 1
    limits: list[Data] = [
        {"region": name, "maximum_count": max(round(len(offers) * count / len(sites) / 5), 2)}
        for name, count in counts.items()
    ]
    return [*limits, {"maximum_count": max(round(len(offers) / 6), 4)}]


def _tenant_limits(sites: Sequence[Data], offers: Sequence[Data]) -> list[Data]:
    """Of every doubtful tenant with several offers, half of what it asks for."""
    there_mw = sum(site["grid"][-1]["grid_mw"] for site in sites if "opening" not in site)
    asked: dict[str, list[float]] = defaultdict(list)
    for offer in offers:
        if offer["credit"]["default_hazard_per_year_frac"] >= 0.04:
            asked[offer["tenant"]].append(_largest_mw(offer) * offer["sites"][0]["grid_mw_per_critical_mw"])
    return [
        {"tenant": tenant, "maximum_share_frac": max(round(sum(reserved) / there_mw / 2, 3), 0.001)}
        for tenant, reserved in sorted(asked.items())
        if len(reserved) > 1
    ]
