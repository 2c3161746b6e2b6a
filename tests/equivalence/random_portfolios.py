"""Random tiny portfolios in which all decisions can be tried one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from support import asic, fleet, gpu_option, offer, opening, place, portfolio, scalable, site

from optimizer.domain import Portfolio

MONTHS = 8


def month(index: int) -> str:
    """Month of an index from the start."""
    return f"{2027 + index // 12}-{index % 12 + 1:02}"


def random_portfolio(seed: int, *, machines: bool = False, ruled: bool = False) -> Portfolio:
    """Two or three sites, three or four offers, a GPU option now and then, and some of the owner's rules.

    ``ruled`` portfolios also limit technologies, and demand, freeze and count GPU orders and openings.
    Without ``machines`` all decisions are whole numbers; with them there are also machines, debt and MW to decide.
    """
    random = np.random.default_rng(seed)
    names = ["A", "B", "C"][: int(random.integers(2, 4))]
    sites = [_site(random, name, index) for index, name in enumerate(names)]
    offers = [_offer(random, f"O{i + 1}", names, machines) for i in range(int(random.integers(3, 5)))]
    parts: dict[str, Any] = {"sites": sites, "offers": offers, "policy": _policy(random, offers, sites)}
    if ruled:
        _rule_technology(random.spawn(1)[0], parts["policy"])
    if random.random() < 0.5:
        parts["gpu_options"] = [_gpus(random, names)]
        if ruled:
            _rule_orders(random.spawn(1)[0], parts["policy"], parts["gpu_options"][0], sites)
    if machines:
        model = asic(price_usd_per_th=float(random.uniform(0.0, 2.0)), resale_frac=0.5, move_usd_per_machine=5.0,
                     move_downtime_months=1, purchasable=bool(random.random() < 0.5), delivery_lead_months=1)  # fmt: skip
        parts |= {"asic_models": [model], "fleets": [fleet(int(random.integers(200, 1500)), name) for name in names]}
    return portfolio(
        MONTHS,
        sign_every_months=int(random.choice([1, 2])),
        discount_per_year_frac=0.1,
        finance=_finance(random, machines),
        market={
            "re_lease_rent_usd_per_kw_month": 60.0,
            "uncertainty": [
                {"factor": "btc_price", "volatility_per_year_frac": 0.5},
                {"factor": "gpu_rental", "volatility_per_year_frac": 0.3},
                {"factor": "re_lease_rent", "volatility_per_year_frac": 0.3},
            ],
        },
        risk={"scenario_count": 6, "seed": seed},
        **parts,
    )


def _site(random: Any, name: str, index: int) -> dict[str, Any]:
    terms = site(
        name,
        grid_mw=float(random.choice([12.0, 20.0, 30.0])),
        hall_mw=float(random.choice([4.0, 8.0])),
        country=str(random.choice(["US", "CA"])),
        region=f"R{index}",
        power={"flat_usd_per_mwh": float(random.choice([30.0, 45.0, 60.0]))},
        fixed_opex_usd_per_month=1e4,
        mining_opex_usd_per_mw_month=500.0,
    )
    if random.random() < 0.4:
        terms["grid"] = [{"from_month": "2027-01", "grid_mw": 5.0}, {"from_month": "2027-04", "grid_mw": 25.0}]
    if index and random.random() < 0.4:
        terms["opening"] = opening(float(random.uniform(0, 4e5)), int(random.integers(0, 2)))
    return terms


def _offer(random: Any, name: str, sites: list[str], machines: bool) -> dict[str, Any]:
    where = random.choice(sites, size=int(random.integers(1, 3)), replace=False)
    first = int(random.integers(0, 3))
    terms = {
        "price_usd_per_kw_month": float(random.uniform(30, 130)),
        "term_months": int(random.integers(2, 7)),
        "sign_from_month": month(first),
        # An odd month is on no grid of two: the window then reaches to the next.
        "sign_until_month": month(first + max(int(random.integers(0, 3)), first % 2)),
        "noi_margin_frac": 0.9,
        "tenant": str(random.choice(["T", "U"])),
        "credit": {"default_hazard_per_year_frac": 0.3, "recovery_frac": 0.2, "vacancy_months": 2},
        "sites": [
            place(
                str(at),
                capex_usd_per_critical_mw=float(random.uniform(0.5e5, 2e5)),
                build_months=int(random.integers(0, 4)),
                grid_mw_per_critical_mw=float(random.choice([1.0, 1.3])),
                halls_displaced_mw_per_critical_mw=float(random.choice([0.0, 0.3])),
            )
            for at in where
        ],
    }
    if random.random() < 0.3:
        terms["prepayment"] = {"rent_months": 1, "credit_months": 3}
    if random.random() < 0.3:
        terms["term_months"] = 5
        terms["phases"] = [{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 2}]
    if random.random() < 0.3:
        terms["renewal"] = {"option_count": 1, "term_months": 2, "probability_frac": 0.6, "rent_frac": 0.9}
    if machines and random.random() < 0.5:
        return scalable(name, **terms)
    return offer(name, critical_mw=float(random.choice([5.0, 8.0, 10.0])), **terms)


def _gpus(random: Any, names: list[str]) -> dict[str, Any]:
    first = int(random.integers(0, 3))
    return gpu_option(
        sites=[str(random.choice(names))],
        maximum_block_count=int(random.integers(1, 3)),
        order_from_month=month(first),
        order_until_month=month(first + 1),
        capex_usd_per_gpu=float(random.uniform(300, 2500)),
        residual_frac=0.2,
        life_months=int(random.integers(2, 7)),
        lead_months=int(random.integers(0, 2)),
        halls_displaced_mw_per_critical_mw=float(random.choice([0.0, 1.0])),
    )


def _finance(random: Any, machines: bool) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "opening_cash_usd": float(random.choice([4e5, 7e5, 3e6] if machines else [1.5e6, 3e6, 1e7])),
        "minimum_liquidity_usd": 2e5,
        "terminal": {"contract_tail_frac": 0.7, "mining_tail_months": 2},
        "overhead_usd_per_month": 1e4,
    }
    if random.random() < 0.6:
        terms["capex_budgets"] = [
            {"name": "spring", "from_month": "2027-01", "until_month": "2027-03", "maximum_capex_usd": 1.2e6},
            {"name": "all", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 2.5e6},
        ]
    if machines and random.random() < 0.8:
        terms["project_debt"] = {
            "loan_to_cost_frac": 0.6,
            "interest_per_year_frac": 0.08,
            "amortization_months": 12,
            "minimum_dscr": 1.1,
            "maximum_debt_usd": 8e5,
        }
    return terms


def _policy(random: Any, offers: list[dict[str, Any]], sites: list[dict[str, Any]]) -> dict[str, Any]:
    names = [item["name"] for item in offers]
    policy: dict[str, Any] = {}
    if random.random() < 0.4:
        policy["exclusive_groups"] = [{"name": "E", "offers": names[:2]}]
    if random.random() < 0.4:
        policy["all_or_nothing_groups"] = [{"name": "T", "offers": names[1:3]}]
    if random.random() < 0.5:
        policy["parallel_builds"] = [{"maximum_count": 1}]
    if random.random() < 0.3:
        policy["tenant_limits"] = [{"tenant": offers[0]["tenant"], "maximum_share_frac": 0.25}]
    if random.random() < 0.3:
        policy["country_limits"] = [{"country": sites[0]["country"], "maximum_share_frac": 0.4}]
    if random.random() < 0.3:
        policy["domestic_share"] = {"country": sites[0]["country"], "minimum_share_frac": 0.3}
    if random.random() < 0.2:
        policy["mandatory"] = [{"offer": names[0]}]
    if random.random() < 0.2:
        policy["forbidden"] = [{"offer": names[-1], "site": offers[-1]["sites"][0]["site"]}]
    if random.random() < 0.2:
        policy["freeze_until_month"] = "2027-02"
    if random.random() < 0.2:
        previous = [
            {"offer": names[0], "site": offers[0]["sites"][0]["site"], "sign_month": offers[0]["sign_from_month"]}
        ]
        policy["contract_changes"] = {"previous": previous, "maximum_count": 1}
    return policy


def _rule_technology(random: Any, policy: dict[str, Any]) -> None:
    if random.random() < 0.5:
        use, share = str(random.choice(["mining", "hosting", "hosting", "gpu"])), float(random.choice([0.2, 0.3, 0.5]))
        policy["technology_limits"] = [{"use": use, "maximum_share_frac": share, "from_month": "2027-03"}]


def _rule_orders(random: Any, policy: dict[str, Any], gpus: dict[str, Any], sites: list[dict[str, Any]]) -> None:
    order = {"gpu_option": "G", "site": gpus["sites"][0], "order_month": gpus["order_from_month"], "block_count": 1}
    if random.random() < 0.25:
        policy["mandatory_gpu_orders"] = [order]
    if random.random() < 0.2:
        policy["freeze_orders_until_month"] = month(int(random.integers(1, 4)))
    if random.random() < 0.5:
        changes = policy.setdefault("contract_changes", {"previous": [], "maximum_count": int(random.integers(3, 6))})
        before = [{"site": item["name"], "month": "2027-01"} for item in sites if "opening" in item]
        changes |= {"counts_orders": True, "previous_gpu_orders": [order], "previous_openings": before[:1]}
