"""Machines against an explicit loop over hours, and against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import asic, market_of, month, portfolio, site

from optimizer.audit import Claims, audit, recalculate
from optimizer.audit.mining import worthwhile_modes
from optimizer.domain import Decisions, MachineDecision, ModeCount
from optimizer.domain.fleet import OperatingMode


def rows(*stated, model="M", condition_frac=1.0):
    """Machine decisions from (site, month, stock, running by mode, other counts)."""
    return Decisions(
        machines=tuple(
            MachineDecision(
                site=where,
                asic_model=model,
                condition_frac=condition_frac,
                month=month(when),
                stock_count=stock,
                running=tuple(ModeCount(mode=mode, machine_count=count) for mode, count in running.items()),
                **others,
            )
            for where, when, stock, running, others in stated
        )
    )


def column(recalculation, name):
    return np.array([getattr(row, name) for row in recalculation.cash_flow])


def test_margin_against_a_loop_over_hours():
    rng = np.random.default_rng(7)
    prices = rng.normal(45.0, 40.0, 24 * 12)  # some are negative
    calendar = np.repeat(np.arange(1, 13), 24)
    case = portfolio(
        months=2,
        sites=[site(mining_uptime_frac=0.95)],
        asic_models=[asic()],
        fleets=[{"asic_model": "M", "site": "A", "count": 30, "condition_frac": 0.9}],
        market={"btc_usd": 1e5, "network_eh_s": 1e3, "block_height_at_start": 930_000, "pool_fee_frac": 0.02},
    )
    levels, hashprices = [0.8, 1.0, 1.5], [30.0, 50.0, 45.0]
    market = market_of(
        case,
        scenario_count=3,
        bitcoin=80_000.0,
        level=levels,
        adder=4.0,
        hashprice_by_scenario=hashprices,
        prices={"A": (prices.tolist(), calendar.tolist())},
    )
    running = {0: 20.0, 2: 10.0}
    decisions = rows(("A", "2027-01", 30, running, {}), ("A", "2027-02", 30, running, {}), condition_frac=0.9)
    found = recalculate(case, market, decisions)

    modes = {0: [(100.0, 3000.0)], 2: [(100.0, 3000.0), (160.0, 5000.0)]}  # what each ceiling allows
    for t, hours in enumerate((744.0, 672.0)):
        total = np.zeros(3)
        for level, hashprice in zip(levels, hashprices, strict=True):
            for ceiling, count in running.items():
                for price in prices[calendar == t + 1]:
                    energy = price * level + 4.0
                    machine_hours = count / 24 * hours * 0.95 / 3
                    choices = [(0.0, 0.0)]
                    choices += [
                        (hashprice / 24 / 1000 * th * 0.9 * 0.98, watt / 1e6 * 1.05) for th, watt in modes[ceiling]
                    ]
                    revenue, mw = max(choices, key=lambda choice: choice[0] - choice[1] * energy)
                    total += machine_hours * np.array([revenue, mw * energy, mw])
        row = found.mining[t]
        assert column(found, "mining_margin_usd")[t] == pytest.approx(total[0] - total[1], rel=1e-12)
        assert (row.revenue_usd, row.power_usd, row.energy_mwh) == pytest.approx(tuple(total), rel=1e-12)
        assert row.mined_btc == pytest.approx(total[0] / 80_000.0, rel=1e-12)
        assert row.hashrate_eh_s == pytest.approx(0.00324)
    # 20 x 3 kW + 10 x 5 kW in the halls; a pue of 1.05 at the meter; (20 x 100 + 10 x 160) x 0.9 TH/s.
    assert found.use.running_hall_mw[0] == pytest.approx(0.11)
    assert found.use.mining_mw[0] == pytest.approx(0.1155)
    assert found.use.hashrate_eh_s[0] == pytest.approx(0.00324)
    assert found.capacity[0].idle_mw == pytest.approx(100 - 0.1155)


def test_envelope_of_modes():
    def modes(*points):
        return [OperatingMode(power_w=watt, hashrate_th_s=th) for watt, th in points]

    assert worthwhile_modes(modes((3000, 100), (3900, 110), (5000, 160))) == (0, 2)
    assert worthwhile_modes(modes((2000, 60), (3000, 120), (4000, 150))) == (
        1,
        2,
    )  # the first loses to off and the second
    assert worthwhile_modes(modes((1000, 40), (2000, 80))) == (1,)  # on the line from off
    assert worthwhile_modes(modes((1000, 50), (2000, 90), (3000, 120))) == (0, 1, 2)


def test_demand_response_and_opex_do_not_depend_on_uptime():
    case = portfolio(
        months=3,
        sites=[
            site(
                mining_uptime_frac=0.5,
                mining_opex_usd_per_mw_month=1000.0,
                demand_response={"usd_per_mw_month": 3000.0, "until_month": "2027-02"},
                transmission_credit={"usd_per_kw_year": 6.0, "until_month": "2027-03"},
            )
        ],
        asic_models=[asic()],
        fleets=[{"asic_model": "M", "site": "A", "count": 200}],
    )
    decisions = rows(*(("A", f"2027-0{i}", 200, {2: 200.0}, {}) for i in (1, 2, 3)))
    found = recalculate(case, market_of(case, hashprice=0.0), decisions)
    # 200 x 5 kW x 1.05 = 1.05 MW, and no hour in which hashing pays; 6 USD a kW and year are 500 a MW and month.
    assert column(found, "mining_margin_usd") == pytest.approx([2500 * 1.05, -500 * 1.05, -1000 * 1.05])


def trading(**finance):
    """Five months; machines leave A for B in month 1, arrive in month 3; bought for A in month 0, there in month 2."""
    case = portfolio(
        months=5,
        sites=[site("A", import_duty_frac=0.1), site("B", import_duty_frac=0.2)],
        asic_models=[
            asic(
                purchasable=True,
                delivery_lead_months=2,
                move_usd_per_machine=60.0,
                move_downtime_months=2,
                price_usd_per_th={
                    "points": [
                        {"from_month": "2027-01", "value": 10.0},
                        {"from_month": "2027-04", "value": 8.0},
                        {"from_month": "2027-05", "value": 6.0},
                    ]
                },
            )
        ],
        fleets=[{"asic_model": "M", "site": "A", "count": 100}],
        finance=finance,
    )
    decisions = rows(
        ("A", "2027-01", 100, {}, {"bought_count": 10}),
        ("A", "2027-02", 60, {}, {"moved_out_count": 40}),
        ("A", "2027-03", 70, {}, {}),
        ("A", "2027-04", 50, {}, {"sold_count": 20}),
        ("A", "2027-05", 50, {}, {}),
        ("B", "2027-04", 40, {}, {"moved_in_count": 40}),
        ("B", "2027-05", 40, {}, {}),
    )
    return case, decisions


def test_buying_selling_moving():
    case, decisions = trading(terminal={"machine_resale_frac": 0.8})
    found, report = audit(case, market_of(case), decisions, Claims())
    # A new machine has 160 TH/s: 1,600 USD at first, 1,280 in month 3, 960 in month 4; a used one fetches half.
    assert column(found, "machine_purchases_usd") == pytest.approx([-10 * 1600 * 1.1, 0, 0, 0, 0])
    assert column(found, "machine_sales_usd") == pytest.approx([0, 0, 0, 20 * 640, 0])
    # 60 USD each on leaving; on arrival B's duty of 20 % on 640 USD.
    assert column(found, "machine_moves_usd") == pytest.approx([0, -40 * 60, 0, -40 * 640 * 0.2, 0])
    # 90 machines at 480 USD at the end, four fifths counted, in the NPV but not in the cash.
    assert found.terminal_npv_usd["mining"] == pytest.approx(90 * 480 * 0.8)
    assert found.npv.mining_usd == pytest.approx(-17600 + 12800 - 2400 - 5120 + 34560)
    assert found.cash_usd[-1] == pytest.approx(1e8 - 17600 + 12800 - 2400 - 5120)
    assert found.capex_usd == pytest.approx([17600, 0, 0, 0, 0])  # duty on a move is no capex
    assert report.passed, report.failures


def test_arrivals_wait_for_the_start_of_a_period():
    # Months 0, 1, then quarters from months 2 and 5. What leaves in month 1 and takes two months is there in month 5;
    # with no downtime it is there at once.
    horizon = {
        "start_month": "2027-01",
        "segments": [{"months_per_period": 1, "period_count": 2}, {"months_per_period": 3, "period_count": 2}],
    }
    for wait, arrives in ((2, "2027-06"), (1, "2027-03"), (0, "2027-02")):
        case = portfolio(
            horizon=horizon,
            sites=[site("A"), site("B")],
            asic_models=[asic(move_downtime_months=wait)],
            fleets=[{"asic_model": "M", "site": "A", "count": 5}],
        )
        periods = ["2027-01", "2027-02", "2027-03", "2027-06"]
        decisions = rows(
            *(
                ("A", when, 5 if when < "2027-02" else 2, {}, {"moved_out_count": 3 * (when == "2027-02")})
                for when in periods
            ),
            *(
                ("B", when, 3 if when >= arrives else 0, {}, {"moved_in_count": 3 * (when == arrives)})
                for when in periods
            ),
        )
        _, report = audit(case, market_of(case), decisions, Claims())
        assert report.passed, (wait, report.failures)


def test_mining_tail_repeats_the_last_month_while_the_lease_lasts():
    case = portfolio(
        months=2,
        discount_per_year_frac=0.1,
        sites=[site("A"), site("B", lease_end_month="2027-04")],
        asic_models=[asic(price_usd_per_th=0.0)],
        fleets=[{"asic_model": "M", "site": name, "count": 10} for name in "AB"],
        finance={"terminal": {"mining_tail_months": 3}},
    )
    decisions = rows(*((name, when, 10, {2: 10.0}, {}) for name in "AB" for when in ("2027-01", "2027-02")))
    found = recalculate(case, market_of(case), decisions)
    # February: 10 x (50/24/1000 x 160 - 0.005 x 1.05 x 40) x 672; A for months 2 to 4, B for month 2.
    margin = 10 * (50 / 24 / 1000 * 160 - 0.21) * 672
    factor = 1.1 ** (-np.array([3, 4, 5]) / 12)
    assert column(found, "mining_margin_usd")[1] == pytest.approx(2 * margin)
    assert found.terminal_npv_usd["mining"] == pytest.approx(margin * (factor.sum() + factor[0]))
