"""The example portfolios: they load, they are what their descriptions say, and ``empire`` is what its generator writes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.io import dump_portfolio, fingerprint, load_portfolio, parse_portfolio, save_portfolio
from optimizer.library import examples, tables
from optimizer.library.draw import Draw
from optimizer.library.portfolios import example_names, example_path
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

NAMES = ("tiny", "us-miner", "empire")
GENESIS_OF_EPOCH = (dt.date(2024, 4, 20), 840_000)
"""The halving of 2024, from which the block height at the start of a plan is counted on."""
BLOCKS_PER_DAY = 144
MAXIMUM_BYTES = 1_000_000


@pytest.fixture(scope="module")
def portfolios() -> dict[str, Portfolio]:
    return {name: load_portfolio(name) for name in example_names()}


@pytest.fixture(scope="module")
def us_miner(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["us-miner"]


@pytest.fixture(scope="module")
def empire(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["empire"]


def test_examples_are_listed_smallest_first() -> None:
    assert [name for name in example_names() if name in NAMES] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_names_itself_and_describes_itself(portfolios: dict[str, Portfolio], name: str) -> None:
    assert portfolios[name].name == name
    assert portfolios[name].description


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_small_and_has_no_hours(name: str) -> None:
    text = example_path(name).read_text(encoding="utf-8")
    assert len(text.encode()) < MAXIMUM_BYTES
    assert "usd_per_mwh: [" not in text
    assert "first_hour" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_series_is_used_and_loaded(portfolios: dict[str, Portfolio], name: str) -> None:
    portfolio = portfolios[name]
    used = {site.power.hourly_series for site in portfolio.sites} - {None}
    assert used == {item.name for item in portfolio.series}
    assert all(item.hours is not None for item in portfolio.series)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_dump_and_parse_lose_nothing(portfolios: dict[str, Portfolio], name: str, suffix: str, tmp_path: Path) -> None:
    portfolio = portfolios[name]
    assert parse_portfolio(dump_portfolio(portfolio), None, name) == portfolio
    save_portfolio(portfolio, tmp_path / f"copy{suffix}")
    again = load_portfolio(tmp_path / f"copy{suffix}")
    assert fingerprint(again) == fingerprint(portfolio)
    assert dump_portfolio(again) == dump_portfolio(portfolio)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_and_every_tenant_limit_is_about_something(portfolios: dict[str, Portfolio], name: str) -> None:
    portfolio = portfolios[name]
    owned = {fleet.asic_model for fleet in portfolio.fleets}
    assert {model.name for model in portfolio.asic_models if not model.purchasable} <= owned


@pytest.mark.parametrize("name", NAMES)
def test_the_fleet_fits_into_halls_and_grid(portfolios: dict[str, Portfolio], name: str) -> None:
    portfolio = portfolios[name]
    for site in portfolio.sites:
        machine_mw = _fleet_mw(portfolio, site.name)
        assert machine_mw <= site.hall_mw
        assert site.hall_mw * site.mining_pue <= site.grid[0].grid_mw


@pytest.mark.parametrize("name", NAMES)
def test_the_block_height_is_counted_from_the_halving_of_2024(portfolios: dict[str, Portfolio], name: str) -> None:
    portfolio = portfolios[name]
    date, height = GENESIS_OF_EPOCH
    expected = height + BLOCKS_PER_DAY * (portfolio.horizon.start_month - date).days
    assert portfolio.market.block_height_at_start == pytest.approx(expected, abs=30 * BLOCKS_PER_DAY)


@pytest.mark.parametrize("name", ["us-miner", "empire"])
def test_hashprice_starts_near_40_and_halves_in_april_2028(portfolios: dict[str, Portfolio], name: str) -> None:
    portfolio = portfolios[name]
    futures = Futures.of(portfolio)
    hashprice = dict(zip(portfolio.horizon.months, futures.hashprice_usd_per_ph_day.mean(axis=1), strict=True))
    assert 38.0 < hashprice[dt.date(2027, 1, 1)] < 42.0
    assert 36.0 < hashprice[dt.date(2028, 3, 1)] < hashprice[dt.date(2027, 1, 1)]
    assert 20.0 < hashprice[dt.date(2028, 6, 1)] < 25.0


# ------------------------------------------------------------------------------------------------------------- us-miner


def test_us_miner_has_the_sites_it_says(us_miner: Portfolio) -> None:
    assert len(us_miner.sites) == 8
    assert {site.country for site in us_miner.sites} == {"US", "CA", "PY", "NO", "ET"}
    assert sum(site.region == "US-TX" and site.power.hourly_series is not None for site in us_miner.sites) == 3
    assert [site.name for site in us_miner.sites if site.opening is not None] == ["Gilgel Gibe"]
    assert [site.name for site in us_miner.sites if len(site.grid) > 1] == ["Dickens"]
    open_mw = sum(site.grid[0].grid_mw for site in us_miner.sites if site.opening is None)
    assert 600.0 <= open_mw <= 900.0


def test_us_miner_has_the_machines_it_says(us_miner: Portfolio) -> None:
    assert len(us_miner.asic_models) == 6
    assert sum(model.purchasable for model in us_miner.asic_models) == 2
    assert all(2 <= len(model.modes) <= 3 for model in us_miner.asic_models)
    assert any(fleet.condition_frac < 1.0 for fleet in us_miner.fleets)
    assert 30.0 <= _fleet_eh_s(us_miner) <= 40.0


def test_us_miner_has_the_offers_it_says(us_miner: Portfolio) -> None:
    offers = us_miner.offers
    assert len(offers) == 20
    assert all(1 <= len(offer.sites) <= 4 for offer in offers)
    assert len({offer.tenant for offer in offers}) < len(offers)
    assert {0.001, 0.04} <= {offer.credit.default_hazard_per_year_frac for offer in offers}
    assert len(us_miner.gpu_options) == 2
    assert us_miner.risk.scenario_count == 1000
    for wanted in ("scalable", "prepayment", "renewal", "escalator_per_year_frac", "noi_margin_frac"):
        assert any(getattr(offer, wanted) for offer in offers), wanted
    assert any(offer.landlord_opex_usd_per_kw_month for offer in offers)
    assert any(offer.credit.backstop_share_frac for offer in offers)
    assert any(len(offer.phases) > 1 for offer in offers)
    assert any(place.tenant_capex_share_frac for offer in offers for place in offer.sites)


def test_us_miner_plans_ten_years(us_miner: Portfolio) -> None:
    horizon = us_miner.horizon
    assert [(item.months_per_period, item.period_count) for item in horizon.segments] == [(1, 36), (3, 12), (12, 4)]
    assert (horizon.month_count, horizon.sign_every_months) == (120, 3)
    assert {item.factor.value for item in us_miner.market.uncertainty} == {
        "btc_price", "network_hashrate", "power_price", "gpu_rental", "re_lease_rent",
    }  # fmt: skip


def test_us_miner_uses_every_kind_of_rule_it_says(us_miner: Portfolio) -> None:
    policy = us_miner.policy
    assert len(policy.exclusive_groups) == 1
    assert [len(group.offers) for group in policy.all_or_nothing_groups] == [2]
    assert policy.domestic_share is not None
    assert (policy.domestic_share.country, policy.domestic_share.minimum_share_frac) == ("US", 0.5)
    assert {limit.region for limit in policy.parallel_builds} == {"US-TX", "US-NY", None}
    assert policy.tenant_limits
    assert policy.minimum_hashrate[0].until_month == dt.date(2028, 12, 1)


def test_us_miner_runs_machines_as_the_library_knows_them(us_miner: Portfolio) -> None:
    """The rated mode is a nameplate or a measured point; a mode that nobody measured says so."""
    for model in us_miner.asic_models:
        known = [tables.nameplate_mode(model.name), *tables.asic_modes(model.name)]
        assert any(_same_point(model.rated, mode) for mode in known), model.name
        for mode in model.modes[:-1]:
            measured = any(_same_point(mode, row) and row.confidence == "measured" for row in known)
            assert ("(measured)" in mode.label) == measured, (model.name, mode.label)
            assert measured or "unmeasured" in mode.label, (model.name, mode.label)


def test_us_miner_comments_name_rows_that_exist() -> None:
    text = example_path("us-miner").read_text(encoding="utf-8")
    known = {row.name for rows in (tables.deals(), tables.tariffs(), tables.debts()) for row in rows}
    for line in text.splitlines():
        for table in ("deals: ", "tariffs: ", "debt: "):
            _, found, rest = line.partition(f"# as {table}" if table == "deals: " else f"# {table}")
            if found and not rest[0].isdigit():
                assert rest.replace(";", " ").replace(",", " ").split()[0] in known, line


# --------------------------------------------------------------------------------------------------------------- empire


def test_empire_is_what_its_generator_writes(tmp_path: Path) -> None:
    committed = example_path("empire").read_text(encoding="utf-8")
    assert examples.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "empire.yaml").read_text(encoding="utf-8") == committed


def test_another_seed_is_another_valid_portfolio() -> None:
    other = yaml.safe_load(examples.empire_text(seed=1))
    portfolio = parse_portfolio(other, None, "seed 1")
    assert (len(portfolio.sites), len(portfolio.offers)) == (40, 150)
    assert other["offers"] != examples.empire()["offers"]


def test_empire_has_the_counts_it_says(empire: Portfolio) -> None:
    assert len(empire.sites) == 40
    assert len({site.country for site in empire.sites}) == 6
    assert len({site.region for site in empire.sites}) == len(examples.REGIONS) == 12
    assert len(empire.offers) == sum(kind.count for kind in examples.KINDS) == 150
    assert all(1 <= len(offer.sites) <= 4 for offer in empire.offers)
    assert sum(site.opening is not None for site in empire.sites) == 4
    assert any(len(site.grid) > 1 for site in empire.sites)
    assert {item.name for item in empire.series} == {
        "ercot-west", "ercot-north", "nyiso-west", "alberta", "sweden-se2", "paraguay-flat",
    }  # fmt: skip
    assert empire.risk.scenario_count == 1000


def test_every_place_of_an_empire_offer_has_the_power_for_it(empire: Portfolio) -> None:
    for offer in empire.offers:
        for place in offer.sites:
            site = empire.site(place.site)
            month = place.earliest_energize_month or site.grid[0].from_month
            assert offer.maximum_mw * place.grid_mw_per_critical_mw <= site.grid_mw_at(month) + 1e-9, offer.name


def test_draws_of_one_item_do_not_depend_on_the_others() -> None:
    assert Draw(5, "x").uniform() == Draw(5, "x").uniform() != Draw(5, "y").uniform()
    values = {Draw(seed, "x").between((1.0, 2.0), 0.25) for seed in range(200)}
    assert values == {1, 1.25, 1.5, 1.75, 2}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_becomes_a_program(portfolios: dict[str, Portfolio], name: str) -> None:
    """Few scenarios: the program is no smaller for it, the curves are faster."""
    portfolio = portfolios[name]
    futures = Futures.of(portfolio, scenario_count=4)
    problem = PlanningProblem.of(portfolio, futures)
    matrix = assemble(problem, FORMULATION).compile()
    assert matrix.integer.sum() >= problem.starts.count > 0


def _fleet_mw(portfolio: Portfolio, site: str) -> float:
    rated = {model.name: model.rated.power_w for model in portfolio.asic_models}
    return sum(fleet.count * rated[fleet.asic_model] for fleet in portfolio.fleets if fleet.site == site) / 1e6


def _fleet_eh_s(portfolio: Portfolio) -> float:
    rated = {model.name: model.rated.hashrate_th_s for model in portfolio.asic_models}
    return sum(fleet.count * rated[fleet.asic_model] * fleet.condition_frac for fleet in portfolio.fleets) / 1e6


def _same_point(mode: Any, row: Any) -> bool:
    return (mode.hashrate_th_s, mode.power_w) == (row.hashrate_th_s, row.power_w)
