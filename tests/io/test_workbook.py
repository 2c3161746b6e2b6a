"""Workbooks: lossless round trips, errors that name sheet and cell, formulas that are not run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from optimizer.errors import InvalidInputError
from optimizer.io import dump_portfolio, fingerprint, load_portfolio, save_portfolio
from optimizer.io.workbook.layout import LONGEST_TITLE, sheets
from optimizer.library.portfolios import example_names

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
from random_portfolios import random_portfolio


@pytest.mark.parametrize("name", example_names())
def test_an_example_comes_back_as_it_was(name, tmp_path):
    original = load_portfolio(name)
    save_portfolio(original, tmp_path / "copy.xlsx")
    again = load_portfolio(tmp_path / "copy.xlsx")
    assert again == original
    assert dump_portfolio(again) == dump_portfolio(original)
    assert fingerprint(again) == fingerprint(original)


@pytest.mark.parametrize("seed", range(8))
def test_a_random_portfolio_comes_back_to_the_last_digit(seed, tmp_path):
    original = random_portfolio(seed, machines=seed % 2 == 0, ruled=True)
    save_portfolio(original, tmp_path / "copy.xlsx")
    assert load_portfolio(tmp_path / "copy.xlsx") == original


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "tiny.xlsx"
    save_portfolio(load_portfolio("tiny"), path)
    return path


def problems(tiny, tmp_path, change) -> list[str]:
    book = openpyxl.load_workbook(tiny)
    change(book)
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(InvalidInputError) as caught:
        load_portfolio(tmp_path / "bad.xlsx")
    return [str(item) for item in caught.value.problems]


def cell_of(page, head, row=4):
    (column,) = [cell.column for cell in page[2] if cell.value == head]
    return page.cell(row, column)


def put(sheet, head, value, row=4):
    def change(book):
        cell_of(book[sheet], head, row).value = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("offers", "price_usd_per_kw_month", 150_000), ["offers!L4 (offers[0].price_usd", "150 USD/kW-month"]),
        (put("sites", "hall_mw", "95 MW"), ["sites!E4", "'95 MW' is not a number"]),
        (put("sites", "hall_mw", "=40+2"), ["sites!E4", "formula, which is not run", "values"]),
        (put("sites", "hall_mw", None), ["sites!E4", "is missing"]),
        (put("fleets", "site", "Pekos"), ["fleets!B4", "did you mean 'Pecos'"]),
        (put("sites.grid", "of", "Pekos"), ["sites.grid!A4", "'Pekos'", "did you mean 'Pecos'"]),
        (put("points", "of", "market.network"), ["points!A4", "no such path", "did you mean 'market.network_eh_s'"]),
        (put("sites", "hall_mw", "hal_mw", row=2), ["sites!E2", "unknown field 'hal_mw'", "did you mean 'hall_mw'"]),
        (lambda book: book.create_sheet("offrs"), ["offrs", "did you mean 'offers'", "_offrs"]),
        (lambda book: book.__delitem__("horizon"), ["horizon", "is missing"]),
        (lambda book: book["market"].__setitem__("A3", "btc"), ["market!A3", "unknown field 'btc'"]),
    ],
)  # fmt: skip
def test_each_mistake_names_sheet_and_cell_and_fix(change, expected, tiny, tmp_path):
    found = problems(tiny, tmp_path, change)
    assert [item for item in found if all(words in item for words in expected)], found


def test_blank_and_nonsense_files_say_how_to_begin(tmp_path):
    openpyxl.Workbook().save(tmp_path / "blank.xlsx")
    (tmp_path / "text.xlsx").write_text("name: tiny\n")
    for name, words in (("blank", "no sheet of a portfolio"), ("text", "no .xlsx file"), ("absent", "No such file")):
        with pytest.raises(InvalidInputError, match=f"{words}.*optimizer template"):
            load_portfolio(tmp_path / f"{name}.xlsx")


def test_constants_as_libreoffice_writes_them_are_no_formulas(tiny, tmp_path):
    book = openpyxl.load_workbook(tiny)
    cell_of(book["asic_models"], "purchasable").value = "=FALSE()"
    book.save(tmp_path / "copy.xlsx")
    assert load_portfolio(tmp_path / "copy.xlsx").asic_models[0].purchasable is False


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_what_libreoffice_saves_is_the_same_portfolio(tmp_path):
    save_portfolio(load_portfolio("us-miner"), tmp_path / "portfolio.xlsx")
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = ["soffice", home, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "saved")]
    subprocess.run([*command, str(tmp_path / "portfolio.xlsx")], check=True, capture_output=True, timeout=120)
    assert load_portfolio(tmp_path / "saved" / "portfolio.xlsx") == load_portfolio("us-miner")


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    original = load_portfolio("tiny").model_copy(update={"description": "=1+1"})
    save_portfolio(original, tmp_path / "copy.xlsx")
    assert load_portfolio(tmp_path / "copy.xlsx").description == "=1+1"


def test_sheets_have_names_of_their_own_that_programs_take():
    titles = [sheet.title for sheet in sheets()]
    assert len(titles) == len({title.lower() for title in titles})
    assert all(len(title) <= LONGEST_TITLE for title in titles)


def test_units_ranges_and_choices_come_from_the_domain(tiny):
    page = openpyxl.load_workbook(tiny)["offers"]
    price = cell_of(page, "price_usd_per_kw_month", 2)
    assert cell_of(page, "price_usd_per_kw_month", 3).value == "USD/kW-month"
    assert "150,000 USD/MW-month is 150" in price.comment.text
    rules = {str(rule.sqref).partition(":")[0]: rule for rule in page.data_validations.dataValidation}
    assert float(rules[f"{price.column_letter}4"].formula2) == 2_000.0
    assert rules[f"{cell_of(page, 'power_payer').column_letter}4"].formula1 == '"tenant,landlord"'
