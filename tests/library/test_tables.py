"""The tables against their originals and against themselves; long because each table has its own columns."""

from __future__ import annotations

import csv
import dataclasses
import statistics
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.library import tables
from optimizer.library.rows import parse_rows

REPO_ROOT = Path(__file__).resolve().parents[2]
REFERENCE = REPO_ROOT.parent / "shared" / "reference"

TABLES: dict[str, Callable[[], Sequence[Any]]] = {
    "asics.csv": tables.asics,
    "asic_modes.csv": tables._all_modes,
    "asic_power_fit.csv": tables.asic_power_fit,
    "gpus.csv": tables.gpus,
    "deals.csv": tables.deals,
    "tariffs.csv": tables.tariffs,
    "gpu_rental.csv": tables.gpu_rentals,
    "debt.csv": tables.debts,
}
MINIMUM_ROWS = {
    "asics.csv": 46,
    "asic_modes.csv": 67,
    "asic_power_fit.csv": 14,
    "gpus.csv": 10,
    "deals.csv": 28,
    "tariffs.csv": 10,
    "gpu_rental.csv": 13,
    "debt.csv": 15,
}
ROW_CONFIDENCE = {"sourced", "derived", "partly-sourced", "unsourced-estimate"}
MODE_CONFIDENCE = {"measured", "vendor", "reconstructed"}


def original(file: str) -> list[dict[str, str]]:
    path = REFERENCE / file
    if not path.is_file():
        pytest.skip(f"the original table {file} is not on this machine")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def number(text: str) -> float | None:
    return float(text) if text else None


def test_every_file_of_the_library_is_read_by_a_test() -> None:
    files = {entry.name for entry in resources.files("optimizer.library").joinpath("data").iterdir() if entry.is_file()}
    assert files - {"README.md", "sources.csv", "overlay_points.csv"} == set(TABLES)  # overlays: test_overlay_presets


@pytest.mark.parametrize("file", TABLES)
def test_counts(file: str) -> None:
    assert len(TABLES[file]()) >= MINIMUM_ROWS[file]


@pytest.mark.parametrize("file", TABLES)
def test_every_row_has_a_source_and_a_known_confidence(file: str) -> None:
    allowed = MODE_CONFIDENCE if file == "asic_modes.csv" else ROW_CONFIDENCE
    for row in TABLES[file]():
        assert row.source.strip(), row
        assert row.confidence in allowed, row


@pytest.mark.parametrize("file", TABLES)
def test_names_are_unique_slugs(file: str) -> None:
    rows = TABLES[file]()
    names = [(row.asic, row.mode) if file == "asic_modes.csv" else (row.name,) for row in rows]
    assert len(set(names)) == len(names)
    for parts in names:
        for part in parts:
            assert part == part.lower()
            assert part.replace("-", "").isalnum(), part
            assert not part.startswith("-")
            assert not part.endswith("-")


@pytest.mark.parametrize("file", TABLES)
def test_unsourced_fields_are_columns_that_hold_something_and_agree_with_the_confidence(file: str) -> None:
    for row in TABLES[file]():
        fields = getattr(row, "unsourced_fields", ())
        for field in fields:
            assert getattr(row, field) not in (None, "", ()), (row.name, field)
        if hasattr(row, "unsourced_fields"):
            assert bool(fields) == (row.confidence in {"partly-sourced", "unsourced-estimate"}), row.name


def test_unsourced_estimates_stay_marked() -> None:
    marked = {
        row.name
        for rows in TABLES.values()
        for row in rows()
        if row.confidence in {"partly-sourced", "unsourced-estimate"}
    }
    assert marked == {
        "s19a-pro",
        "s21-xp-immersion",
        "a100-sxm4-80gb",
        "a100-pcie-80gb",
        "h100-pcie",
        "h200-sxm",
        "b200-hgx",
        "b300-hgx",
        "gb300-nvl72",
        "mi300x",
        "terawulf-core42",
        "us-hosting-2026",
    }


@pytest.mark.parametrize("file", TABLES)
def test_no_machine_path_and_no_stray_space(file: str) -> None:
    text = resources.files("optimizer.library").joinpath("data", file).read_text(encoding="utf-8")
    for root in ("/tmp", "/home", "/usr", "C:\\"):
        assert root not in text
    for row in csv.reader(text.splitlines()):
        assert all(cell == cell.strip() for cell in row), row


@pytest.mark.parametrize("rows", [tables.asics, tables._all_modes], ids=["asics", "modes"])
def test_power_is_hashrate_times_efficiency(rows: Callable[[], Sequence[Any]]) -> None:
    for row in rows():
        assert row.hashrate_th_s > 0
        assert row.power_w > 0
        assert 5 <= row.efficiency_j_per_th <= 60
        assert row.power_w == pytest.approx(row.hashrate_th_s * row.efficiency_j_per_th, rel=0.02), row


def test_asic_prices_agree_with_each_other() -> None:
    both = [row for row in tables.asics() if row.price_usd is not None and row.price_usd_per_th is not None]
    assert len(both) >= 15
    for row in both:
        assert row.price_usd == pytest.approx(row.price_usd_per_th * row.hashrate_th_s, rel=0.02), row.name
    for row in tables.asics():
        assert bool(row.price_basis) == (row.price_usd_per_th is not None), row.name
        assert row.release_month.day == 1


def test_modes_belong_to_known_models_of_the_same_cooling() -> None:
    for mode in tables._all_modes():
        assert tables.asic(mode.asic).cooling == mode.cooling, mode
        assert mode.hashrate_th_s < 2.5 * tables.asic(mode.asic).hashrate_th_s, mode


def test_modes_come_sorted_and_filtered() -> None:
    live = tables.asic_modes("s19j-pro", firmware="LuxOS")
    powers = [mode.power_w for mode in live]
    assert powers == sorted(powers)
    assert {mode.firmware for mode in live} == {"LuxOS"}
    best = min((mode for mode in live if mode.confidence == "measured"), key=lambda mode: mode.efficiency_j_per_th)
    assert best.hashrate_th_s == 62.1
    assert len(tables.asic_modes("s19j-pro")) > len(live)
    assert {mode.variant for mode in tables.asic_modes("s19", variant="88t-board")} == {"88t-board"}
    assert len(tables.asic_modes("s19", variant="88t-board")) == 3
    assert tables.asic_modes("t21") == ()


def test_nameplate_mode() -> None:
    mode = tables.nameplate_mode("s21-xp")
    assert (mode.hashrate_th_s, mode.power_w, mode.efficiency_j_per_th) == (270, 3645, 13.5)


@pytest.mark.parametrize(
    ("look_up", "kind"),
    [
        (tables.asic, "ASIC model"),
        (tables.asic_modes, "ASIC model"),
        (tables.nameplate_mode, "ASIC model"),
        (tables.gpu, "GPU model"),
        (tables.deal, "deal"),
        (tables.tariff, "tariff"),
        (tables.debt, "debt instrument"),
    ],
)
def test_an_unknown_name_says_what_there_is(look_up: Callable[[str], Any], kind: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        look_up("no-such-thing")
    assert caught.value.kind == kind
    assert caught.value.name == "no-such-thing"
    assert len(caught.value.known) >= 10


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(NotFoundError, match="did you mean 's21-xp'"):
        tables.asic("s21xp")


def test_tables_are_read_once_and_rows_are_frozen() -> None:
    assert tables.asics() is tables.asics()
    with pytest.raises(dataclasses.FrozenInstanceError):
        tables.asics()[0].power_w = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["topic,label,address", "a,b,c"], "header"),
        (["topic,label,url", "a,b"], "line 2"),
        ([], "header"),
    ],
)
def test_a_malformed_table_names_the_place(lines: list[str], place: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_rows(tables.SourceRow, lines, "test table")
    assert caught.value.problems[0].path == place


def test_a_malformed_cell_names_line_and_column() -> None:
    text = resources.files("optimizer.library").joinpath("data", "asics.csv").read_text(encoding="utf-8").splitlines()
    text[2] = text[2].replace(",3250,", ",3250 W,")
    with pytest.raises(InvalidInputError) as caught:
        parse_rows(tables.AsicRow, text, "test table")
    assert caught.value.problems[0].path == "line 3.power_w"


def test_gpu_servers_draw_at_least_their_chips() -> None:
    for row in tables.gpus():
        if row.rated_kw_per_gpu is not None:
            assert row.rated_kw_per_gpu * 1e3 > row.tdp_w, row.name
        if row.measured_kw_per_gpu is not None and row.rated_kw_per_gpu is not None:
            assert row.measured_kw_per_gpu < row.rated_kw_per_gpu
    families = {row.family for row in tables.gpus()}
    assert {row.family for row in tables.gpu_rentals()} <= families | {"legacy"}


def test_deal_prices_follow_from_value_size_and_term() -> None:
    checked = 0
    for row in tables.deals():
        if row.price_usd_per_kw_month is None:
            continue
        assert row.contract_value_usd is not None
        assert row.stated_mw is not None
        assert row.term_months is not None
        price = row.contract_value_usd / (row.stated_mw * 1e3 * row.term_months)
        assert row.price_usd_per_kw_month == pytest.approx(price, abs=0.06), row.name
        years = row.term_months // 12
        growth = sum(1.03**year for year in range(years)) / years
        assert row.price_year1_at_3pct_usd_per_kw_month == pytest.approx(price / growth, abs=0.1), row.name
        checked += 1
    assert checked >= 20


def test_deal_sizes_carry_their_basis() -> None:
    for row in tables.deals():
        assert row.mw_basis in {"critical", "gross", "unclear", "unknown"}
        assert (row.critical_mw is not None) == (row.mw_basis == "critical"), row.name
        assert (row.stated_mw is None) == (row.mw_basis == "unknown"), row.name
        if row.critical_mw and row.gross_mw:
            assert row.gross_to_critical == pytest.approx(row.gross_mw / row.critical_mw, abs=0.006), row.name
        if row.part_of:
            assert tables.deal(row.part_of).part_of == ""
            assert not row.comparable
        for low, high in (
            (row.noi_margin_low_frac, row.noi_margin_high_frac),
            (row.capex_low_usd_per_critical_mw, row.capex_high_usd_per_critical_mw),
        ):
            assert (low is None) == (high is None)
            assert low is None or high is None or 0 < low <= high
        assert row.noi_margin_high_frac is None or row.noi_margin_high_frac <= 1
        assert row.months_to_full is None or row.months_to_full >= (row.months_to_first_mw or 0)


def test_the_comparable_rents_are_those_the_median_is_known_for() -> None:
    rents = [row.price_usd_per_kw_month for row in tables.deals() if row.comparable]
    assert len(rents) == 18
    assert statistics.median([rent for rent in rents if rent is not None]) == pytest.approx(151, abs=1)
    assert not any(row.comparable for row in tables.deals() if not row.signed or row.kind != "colocation")


def test_ranges_hold_their_middle() -> None:
    for row in tables.tariffs():
        middle = (row.price_low_usd_per_mwh + row.price_high_usd_per_mwh) / 2
        assert row.price_usd_per_mwh == pytest.approx(middle), row.name
    for rental in tables.gpu_rentals():
        middle = (rental.price_low_usd_per_gpu_hour + rental.price_high_usd_per_gpu_hour) / 2
        assert rental.price_usd_per_gpu_hour == pytest.approx(middle), rental.name
        assert (rental.bound == "range") == (rental.price_low_usd_per_gpu_hour < rental.price_high_usd_per_gpu_hour)


def test_debt_rates_say_what_they_are() -> None:
    for row in tables.debts():
        assert (row.rate_basis == "not-retrieved") == (row.coupon_per_year is None and row.sofr_spread_per_year is None)
        assert (row.rate_basis == "spread") == (row.coupon_per_year is None and row.sofr_spread_per_year is not None)
        for rate in (row.coupon_per_year, row.sofr_spread_per_year):
            assert rate is None or 0 <= rate < 0.2


def test_sources_are_addresses() -> None:
    assert len(tables.sources()) >= 100
    assert all(row.url.startswith("http") and " " not in row.url for row in tables.sources())
    assert len({row.url for row in tables.sources()}) == len(tables.sources())


# --- the same figures as the originals ----------------------------------------------------------------------------


def test_asics_equal_the_originals() -> None:
    rows = original("asics.csv")
    ours = [
        (row.hashrate_th_s, row.power_w, row.efficiency_j_per_th, row.price_usd, row.price_usd_per_th)
        for row in tables.asics()
        if row.confidence != "unsourced-estimate"
    ]
    theirs = [
        (
            float(row["nameplate_TH_s"]),
            float(row["nameplate_W"]),
            float(row["J_per_TH"]),
            number(row["price_usd"]),
            number(row["price_usd_per_TH"]),
        )
        for row in rows
    ]
    assert ours == theirs
    by_display = {row.display_name: row for row in tables.asics()}
    for row in rows:
        maker = row["manufacturer"].split()[-1]
        name = row["model"] if maker in {"Block"} else f"{maker} {row['model']}"
        ours_row = by_display[name]
        assert ours_row.hashrate_th_s == float(row["nameplate_TH_s"]), name
        assert ours_row.release_month.year == int(row["release_date"][:4]) or row["release_precision"] == "range", name
        if "derived" in row["note"]:
            assert ours_row.confidence == "derived", name


def test_modes_equal_the_originals() -> None:
    rows = original("asic_power_modes.csv")
    ours = [
        (m.frequency_mhz, m.voltage_v, m.hashrate_th_s, m.power_w, m.efficiency_j_per_th) for m in tables._all_modes()
    ]
    theirs = [
        (number(r["freq_MHz"]), number(r["volt_V"]), float(r["TH_s"]), float(r["W"]), float(r["J_per_TH"]))
        for r in rows
    ]
    assert ours == theirs
    for mode, row in zip(tables._all_modes(), rows, strict=True):
        assert (mode.confidence == "measured") == row["confidence"].startswith("measured"), mode
        assert (mode.confidence == "reconstructed") == (row["confidence"] == "reconstructed"), mode


def test_the_low_and_high_modes_of_the_originals_are_modes() -> None:
    points = {(mode.hashrate_th_s, mode.power_w) for mode in tables._all_modes()}
    for row in original("asics.csv"):
        for level in ("low", "high"):
            if row[f"{level}_mode_TH_s"]:
                assert (float(row[f"{level}_mode_TH_s"]), float(row[f"{level}_mode_W"])) in points, row["model"]


def test_gpus_equal_the_originals() -> None:
    ours = {row.display_name: row for row in tables.gpus()}
    rows = original("gpus.csv")
    assert len(rows) == len(ours)
    for row in rows:
        gpu = ours[row["model"]]
        assert gpu.memory_gb == float(row["mem_GB"])
        assert gpu.memory_tb_per_s == number(row["mem_TB_s"])
        assert gpu.bf16_dense_tflops == number(row["dense_BF16_TFLOPS"])
        if row["TDP_W"].isdigit():
            assert gpu.tdp_w == float(row["TDP_W"])
        if row["purchase_usd_per_GPU"].isdigit():
            assert gpu.price_usd_per_gpu == float(row["purchase_usd_per_GPU"])
        if any("unsourced" in row[column] for column in row):
            assert gpu.confidence == "partly-sourced", row["model"]


def test_deals_equal_the_originals() -> None:
    ours = {row.deal_id: row for row in tables.deals()}
    rows = original("hpc_contracts.csv")
    assert {row["deal_id"] for row in rows} == set(ours)
    for row in rows:
        deal = ours[row["deal_id"]]
        assert deal.company == row["company"].split(" (")[0].split(" 51%")[0]
        assert deal.stated_mw == number(row["critical_IT_MW"] or (row["gross_MW"] if deal.mw_basis == "gross" else ""))
        if deal.mw_basis != "gross":
            assert deal.gross_mw == number(row["gross_MW"])
        assert deal.term_months == (int(row["term_years"]) * 12 if row["term_years"] else None)
        value = number(row["TCV_usd_bn"])
        assert deal.contract_value_usd == (None if value is None else pytest.approx(value * 1e9))
        assert deal.price_usd_per_kw_month == number(row["implied_usd_per_kW_month"])
        year1 = number(row["implied_year1_usd_per_kW_month_if_3pct_escalator"])
        assert deal.price_year1_at_3pct_usd_per_kw_month == year1
        assert deal.months_to_first_mw == number(row["months_announce_to_first"])
        assert deal.months_to_full == number(row["months_announce_to_full"])
        assert deal.source == row["source"]
        assert deal.announced.year == int(row["announced"][:4])
        if any("unsourced" in text for text in row.values()):
            assert deal.unsourced_fields, row["deal_id"]


def test_tariffs_rentals_and_debt_hold_the_originals() -> None:
    tariffs = [row.price_usd_per_mwh for row in tables.tariffs()]
    for row in original("power_prices.csv"):
        ends = [float(end) for end in row["usd_per_MWh"].lstrip("~").split(" ")[0].split("-") if end]
        if ends:
            assert sum(ends) / len(ends) in tariffs, row["site"]
    rentals = [rental.price_usd_per_gpu_hour for rental in tables.gpu_rentals()]
    for row in original("gpu_rental_prices.csv"):
        if "step" not in row["usd_per_GPU_hr"]:
            ends = [float(end) for end in row["usd_per_GPU_hr"].lstrip(">").split("-")]
            assert sum(ends) / len(ends) in rentals, row
    amounts = [debt.amount_usd for debt in tables.debts()]
    for row in original("debt_notes.csv"):
        if row["amount_usd_bn"]:
            value = sum(
                float(part) for part in row["amount_usd_bn"].replace(" tap", "").replace(" each", "").split("+")
            )
            assert round(value * 1e9) in amounts, row["issuer"]
