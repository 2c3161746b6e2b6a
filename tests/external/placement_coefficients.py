"""Coefficients of the placement case, from its plain numbers and ``docs/explanation/economics.md`` alone.

Money is in million USD, machines in thousands; months count from the start of the horizon.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from placement_case import MONTH_COUNT, YEAR_OF_HOURS

START_YEAR = 2027
T = MONTH_COUNT
LAST = T + 240
"""Months looked at; every contract and renewal has ended by then."""


def index_of(month: str) -> int:
    """Months from the start of the horizon."""
    year, number = month.split("-")
    return (int(year) - START_YEAR) * 12 + int(number) - 1


def hours_in(month: int) -> float:
    return 24.0 * calendar.monthrange(START_YEAR + month // 12, month % 12 + 1)[1]


def path(terms: dict[str, float] | float, month: int) -> float:
    """Value of a growing path."""
    if isinstance(terms, float):
        return terms
    return terms["value"] * (1.0 + terms["growth_per_year_frac"]) ** (month / 12.0)


def discount(case: dict[str, Any], line: str, month: int) -> float:
    return (1.0 + case["finance"]["discount"][f"{line}_per_year_frac"]) ** (-(month + 1) / 12.0)


# ------------------------------------------------------------------------------------------------------- market


def hashprice_usd_per_ph_hour(market: dict[str, Any], month: int) -> float:
    """Blocks of the month, one by one, over the hashes of the network."""
    first = market["block_height_at_start"] + sum(hours_in(earlier) for earlier in range(month)) * 6
    heights = np.arange(first, first + hours_in(month) * 6)
    subsidy_btc = (50.0 / 2.0 ** (heights // 210_000)).sum() / hours_in(month)
    network_ph_s = path(market["network_eh_s"], month) * 1000.0
    return subsidy_btc / (1.0 - market["fee_share_frac"]) / network_ph_s * path(market["btc_usd"], month)


def energy_prices_usd_per_mwh(case: dict[str, Any], site: dict[str, Any], month: int) -> np.ndarray:
    """Price of every hour of the calendar month, adders included."""
    power = site["power"]
    escalation = (1.0 + power.get("escalation_per_year_frac", 0.0)) ** (month / 12.0)
    if "hourly_series" in power:
        first_hour = dt.datetime(2025, 1, 1)
        when = [(first_hour + dt.timedelta(hours=hour)).month for hour in range(len(YEAR_OF_HOURS))]
        hourly = np.array(YEAR_OF_HOURS)[np.array(when) == month % 12 + 1] * path(case["market"]["power_level"], month)
    else:
        hourly = np.array([power["flat_usd_per_mwh"]])
    return (hourly + power.get("adder_usd_per_mwh", 0.0)) * escalation


@dataclass(frozen=True)
class FleetClass:
    """Machines of one model and condition."""

    model: dict[str, Any]
    condition: float

    @property
    def name(self) -> str:
        return f"{self.model['name']} {self.condition:g}"

    @property
    def purchasable(self) -> bool:
        return self.model["purchasable"] and self.condition == 1.0

    def new_musd_per_thousand(self, month: int) -> float:
        return path(self.model["price_usd_per_th"], month) * self.model["modes"][-1]["hashrate_th_s"] / 1e3

    def resale_musd_per_thousand(self, month: int) -> float:
        return self.model["resale_frac"] * self.new_musd_per_thousand(month) * self.condition

    def thousands_at(self, case: dict[str, Any], site: str) -> float:
        """Machines that stand there at the start."""
        same = [
            fleet["count"] / 1e3
            for fleet in case["fleets"]
            if (fleet["site"], fleet["asic_model"], fleet.get("condition_frac", 1.0))
            == (site, self.model["name"], self.condition)
        ]
        return sum(same)


def mining_musd_per_thousand(case: dict[str, Any], site: dict[str, Any], fleet_class: FleetClass, month: int) -> list:
    """Worth of a month of a thousand machines for each ceiling mode."""
    prices = energy_prices_usd_per_mwh(case, site, month)
    kept = fleet_class.condition * (1.0 - case["market"]["pool_fee_frac"])
    usd_per_th_hour = hashprice_usd_per_ph_hour(case["market"], month) / 1000.0 * kept
    best_usd, worth = np.zeros(len(prices)), []
    for mode in fleet_class.model["modes"]:
        meter_mw = mode["power_w"] / 1e6 * site["mining_pue"]
        best_usd = np.maximum(best_usd, mode["hashrate_th_s"] * usd_per_th_hour - meter_mw * prices)
        usd = site["mining_uptime_frac"] * hours_in(month) * best_usd.mean()
        response, credit = site.get("demand_response"), site.get("transmission_credit")
        if response is not None and month < index_of(response["until_month"]):
            usd += meter_mw * response["usd_per_mw_month"]
        if credit is not None:
            usd += meter_mw * credit["usd_per_kw_year"] * 1000.0 / 12.0
        worth.append((usd - meter_mw * site["mining_opex_usd_per_mw_month"]) / 1e3)
    return worth


# ---------------------------------------------------------------------------------------------------- contracts


@dataclass(frozen=True)
class Start:
    """One offer at one site in one month, and what each of its critical MW does."""

    offer: str
    site: str
    sign: int
    least_mw: float
    most_mw: float
    npv_musd: float
    cash_musd: np.ndarray
    capex_musd: np.ndarray
    grid_mw: np.ndarray
    halls_mw: np.ndarray


def starts_of(case: dict[str, Any]) -> list[Start]:
    sites = {site["name"]: site for site in case["sites"]}
    return [
        start_of(case, offer, place, sites[place["site"]], sign)
        for offer in case["offers"]
        for place in offer["sites"]
        for sign in range(index_of(offer["sign_from_month"]), min(index_of(offer["sign_until_month"]), T - 1) + 1)
        if permitted(offer, place, sites[place["site"]], energized(place, sign))
    ]


def energized(place: dict[str, Any], sign: int) -> int:
    return max(sign + place["build_months"], index_of(place.get("earliest_energize_month", "2027-01")))


def permitted(offer: dict[str, Any], place: dict[str, Any], site: dict[str, Any], energize: int) -> bool:
    in_lease = "lease_end_month" not in site or energize + offer["term_months"] <= index_of(site["lease_end_month"])
    return energize < T and in_lease and energize <= index_of(offer.get("energize_by_month", "2999-01"))


def start_of(case: dict, offer: dict, place: dict, site: dict, sign: int) -> Start:
    energize, months = energized(place, sign), np.arange(LAST)
    capex, grid, halls = np.zeros(LAST), np.zeros(LAST), np.zeros(LAST)
    noi = np.zeros(LAST)
    for phase in offer.get("phases", [{"share_frac": 1.0, "offset_months": 0}]):
        live, share = energize + phase["offset_months"], phase["share_frac"]
        build = place["build_months"]
        owner_usd = share * place["capex_usd_per_critical_mw"] * (1.0 - place.get("tenant_capex_share_frac", 0.0))
        capex[live - build : live] += owner_usd / build / 1e6
        halls[live - build :] += share * place["halls_displaced_mw_per_critical_mw"]
        for month, weight, rent_frac in live_months(offer, site, energize):
            if month >= live:
                noi[month] += share * noi_musd_per_mw(case, offer, site, energize, month, weight, rent_frac)
                grid[month] += share * place["grid_mw_per_critical_mw"]
    cash = noi - capex + prepayment_musd(offer, sign, energize)
    factors = np.array([discount(case, "hosting", month) for month in months])
    counted = np.where(months < T, 1.0, case["finance"]["terminal"]["contract_tail_frac"])
    return Start(
        offer=offer["name"],
        site=site["name"],
        sign=sign,
        least_mw=offer.get("critical_mw") or offer["minimum_critical_mw"],
        most_mw=offer.get("critical_mw") or offer["maximum_critical_mw"],
        npv_musd=float(factors @ (counted * (cash + capex) - capex)),
        cash_musd=cash[:T],
        capex_musd=capex[:T],
        grid_mw=grid[:T],
        halls_mw=halls[:T],
    )


def live_months(offer: dict[str, Any], site: dict[str, Any], energize: int) -> list[tuple[int, float, float]]:
    """Months of the term and of the renewals before the lease ends, with their probability and share of the rent."""
    end = energize + offer["term_months"]
    live = [(month, 1.0, 1.0) for month in range(energize, end)]
    renewal = offer.get("renewal", {"option_count": 0})
    for count in range(1, renewal["option_count"] + 1):
        begin, end = end, end + renewal["term_months"]
        if "lease_end_month" in site and end > index_of(site["lease_end_month"]):
            break
        live += [(month, renewal["probability_frac"] ** count, renewal["rent_frac"]) for month in range(begin, end)]
    return live


def noi_musd_per_mw(
    case: dict, offer: dict, site: dict, energize: int, month: int, weight: float, rent_frac: float
) -> float:
    """Rent less opex and energy of a live critical MW."""
    steps = (1.0 + offer.get("escalator_per_year_frac", 0.0)) ** ((month - energize) // 12)
    rent = offer["price_usd_per_kw_month"] * 1000.0 * steps
    if "noi_margin_frac" in offer:
        opex = (1.0 - offer["noi_margin_frac"]) * rent
    else:
        opex = offer["landlord_opex_usd_per_kw_month"] * 1000.0 * steps
    if offer.get("power_payer") == "landlord":
        pue = site["hosting_pue_by_month"][month % 12] if "hosting_pue_by_month" in site else site["hosting_pue"]
        opex += pue * hours_in(month) * energy_prices_usd_per_mwh(case, site, month).mean()
    return weight * (rent * rent_frac - opex) / 1e6


def prepayment_musd(offer: dict[str, Any], sign: int, energize: int) -> np.ndarray:
    cash = np.zeros(LAST)
    if "prepayment" in offer:
        paid = offer["prepayment"]["rent_months"] * offer["price_usd_per_kw_month"] * 1000.0 / 1e6
        credit_months = offer["prepayment"]["credit_months"]
        full = energize + max(phase["offset_months"] for phase in offer["phases"])
        cash[sign] += paid
        cash[full : min(full + credit_months, energize + offer["term_months"])] -= paid / credit_months
    return cash


# ------------------------------------------------------------------------------------------------------ company


def classes_of(case: dict[str, Any]) -> list[FleetClass]:
    """What stands somewhere at the start, and what can be bought."""
    stated = {(fleet["asic_model"], fleet.get("condition_frac", 1.0)) for fleet in case["fleets"]}
    stated |= {(model["name"], 1.0) for model in case["asic_models"] if model["purchasable"]}
    models = {model["name"]: model for model in case["asic_models"]}
    return [FleetClass(models[name], condition) for name, condition in sorted(stated)]


def grid_mw(site: dict[str, Any], month: int) -> float:
    """Import limit in a month."""
    return [step["grid_mw"] for step in site["grid"] if index_of(step["from_month"]) <= month][-1]


def fixed_usd(case: dict[str, Any], month: int) -> float:
    """Costs of sites and of the company, whatever is decided."""
    finance = case["finance"]
    overhead = finance["overhead_usd_per_month"] * (1.0 + finance["overhead_growth_per_year_frac"]) ** (month / 12.0)
    return overhead + sum(site["fixed_opex_usd_per_month"] for site in case["sites"])
