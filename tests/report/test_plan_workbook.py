"""Plans as workbooks: formulas that add up to the objective, the author's own sheets kept, text that stays text."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from report_cases import contract, everything, hostile, made_plan, without_plan
from support import asic, best, fleet, offer, place, portfolio

from optimizer.audit.company import LINES
from optimizer.domain import Plan, Portfolio
from optimizer.domain.proof import TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio, portfolio_book, save_plan, save_portfolio
from optimizer.report.workbook import write_plan_workbook

SHEETS = ("summary", "contracts", "power", "sites", "fleet", "mining", "cash_flow", "years", "npv", "risk", "proof")


@pytest.fixture(scope="module")
def tiny() -> Portfolio:
    return load_portfolio("tiny")


@pytest.fixture(scope="module")
def written(tiny, tiny_plan, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.xlsx"
    write_plan_workbook(tiny_plan, tiny, path)
    return path


def calculated(*paths: Path) -> list[openpyxl.Workbook]:
    """Workbooks as LibreOffice calculates them."""
    folder = paths[0].parent
    home, out = f"-env:UserInstallation=file://{folder}/home", folder / "calculated"
    command = ["soffice", home, "--headless", "--convert-to", "xlsx", "--outdir", str(out), *map(str, paths)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [openpyxl.load_workbook(out / path.name, data_only=True) for path in paths]


def verdicts(book: openpyxl.Workbook) -> dict[str, tuple[str, float | None]]:
    """Results and differences of the checks on the summary."""
    rows = [[cell.value for cell in row] for row in book["plan.summary"].iter_rows()]
    first = next(number for number, row in enumerate(rows) if row[0] == "check") + 1
    found = {}
    for row in rows[first:]:
        if row[0] is None:
            break
        found[row[0]] = (row[1], row[2])
    return found


def table(page, head_row: int) -> list[dict[str, object]]:
    heads = [cell.value for cell in page[head_row]]
    rows = []
    for row in page.iter_rows(min_row=head_row + 1):
        if row[0].value is None:
            break
        rows.append({head: cell.value for head, cell in zip(heads, row, strict=True)})
    return rows


def rich() -> tuple[Portfolio, Plan]:
    """An enterprise value with CVaR, debt and tax."""
    case = portfolio(
        14,
        discount_per_year_frac=0.1,
        asic_models=[asic()],
        fleets=[fleet()],
        offers=[offer(term_months=12, sites=[place(capex_usd_per_critical_mw=6e5)])],
        finance={
            "opening_cash_usd": 4e6,
            "objective": "enterprise_value",
            "multiples": {"year": 2027, "hosting_multiple": 10.0, "mining_multiple": 5.0},
            "project_debt": {"loan_to_cost_frac": 0.5, "interest_per_year_frac": 0.08, "amortization_months": 10},
            "tax": {"rate_frac": 0.21},
        },
        risk={"scenario_count": 4, "tail_probability": 0.5, "cvar_weight_frac": 0.3},
    )
    return case, best(case)


def test_there_is_a_sheet_for_everything_and_the_summary_is_first(written):
    book = openpyxl.load_workbook(written)
    assert book.sheetnames[: len(SHEETS)] == [f"plan.{name}" for name in SHEETS]
    assert book.active.title == "plan.summary"


def test_the_cells_hold_the_figures_of_the_plan(written, tiny, tiny_plan):
    book = openpyxl.load_workbook(written)
    rows = table(book["plan.cash_flow"], 4)
    assert len(rows) == len(tiny_plan.cash_flow)
    for shown, row in zip(rows, tiny_plan.cash_flow, strict=True):
        assert shown["month"].date() == row.month
        stated = {name: usd for name, usd in row.model_dump().items() if name != "month"}
        assert {name: shown.get(name, 0.0) for name in stated} == pytest.approx(stated, rel=1e-15)
    # The NPV from the cells alone: months discounted at the rate of their line, and what comes after.
    worth = 0.0
    for item in table(book["plan.npv"], 3)[:-1]:
        lines = [name for name in LINES[item["line"]] if name in rows[0]]
        factors = [(1.0 + item["discount_per_year_frac"]) ** (-number / 12) for number in range(1, len(rows) + 1)]
        worth += sum(factor * row[name] for factor, row in zip(factors, rows, strict=True) for name in lines)
        worth += item["after_horizon_usd"]
    assert round(worth - tiny_plan.termination.objective_usd, 2) == 0.0


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_formulas_tie_to_the_objective_to_the_cent_until_a_number_is_changed(tmp_path):
    case, answer = rich()
    assert answer.enterprise is not None
    assert answer.cvar is not None
    assert sum(row.tax_usd for row in answer.tax) > 0.0
    assert max(row.debt_usd for row in answer.cash_flow) > 1e6
    path, other = tmp_path / "plan.xlsx", tmp_path / "changed.xlsx"
    write_plan_workbook(answer, case, path)
    book = openpyxl.load_workbook(path)
    book["plan.cash_flow"].cell(5, 2).value += 0.02
    book.save(other)
    book["plan.cash_flow"].cell(5, 2).value = "no number"
    book.save(tmp_path / "broken.xlsx")
    true, changed, broken = (verdicts(item) for item in calculated(path, other, tmp_path / "broken.xlsx"))
    assert broken["net cash is the sum of its lines, every month"][0] not in ("ties", "DIFFERS")  # an error
    assert broken["Everything below"][0] == "DIFFERS"
    assert len(true) == 8
    assert set(true.values()) == {("ties", None), ("ties", 0)}
    assert changed["Everything below"][0] == "DIFFERS"
    assert changed["net cash is the sum of its lines, every month"] == ("DIFFERS", pytest.approx(0.02))
    assert changed["earnings of a year are those of its months"] == ("DIFFERS", pytest.approx(0.02))
    assert changed["discounted cash and what comes after make the NPV of every line"][0] == "DIFFERS"
    assert changed["uses make the import limit, every site and month"] == ("ties", 0)


def test_the_authors_workbook_comes_back_with_what_is_new(tiny, tiny_plan, tmp_path):
    source, out = tmp_path / "portfolio.xlsx", tmp_path / "plan.xlsx"
    save_portfolio(tiny, source)
    book = openpyxl.load_workbook(source)
    notes = book.create_sheet("_notes")
    notes["A1"] = "=1+1"
    book["sites"]["A4"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFFF00")
    book.save(source)
    more = tiny.model_copy(update={"risk": tiny.risk.model_copy(update={"scenario_count": 33})})
    write_plan_workbook(tiny_plan, more, out, source)
    write_plan_workbook(tiny_plan, more, out, out)  # once more: what shows the plan before is taken out
    book = openpyxl.load_workbook(out)
    assert sum(title.startswith("plan.") for title in book.sheetnames) == len(SHEETS)
    assert book["_notes"]["A1"].value == "=1+1"
    assert book["sites"]["A4"].fill.fgColor.rgb == "00FFFF00"
    assert portfolio_book(more, out)["offers"]["A2"].comment.width == 360
    assert load_portfolio(out) == more


def test_no_plan_is_a_summary_that_says_so(tiny, tmp_path):
    write_plan_workbook(without_plan(TerminationReason.INFEASIBLE), tiny, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    assert [title for title in book.sheetnames if title.startswith("plan.")] == ["plan.summary", "plan.proof"]
    assert "No plan is possible" in book["plan.summary"]["A1"].value
    assert load_portfolio(tmp_path / "plan.xlsx") == tiny


def test_text_of_a_plan_is_never_a_formula(tiny, tmp_path):
    attack = "=HYPERLINK(1)"
    write_plan_workbook(hostile(attack), tiny, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row if cell.value is not None]
    assert sum(cell.value == attack for cell in cells) > 5
    assert not [cell for cell in cells if cell.data_type == "f" and attack[1:] in cell.value]
    assert "Audit failed" in book["plan.summary"]["A2"].value


def test_decisions_beside_contracts_are_told_in_words(tiny, tmp_path):
    write_plan_workbook(everything(), tiny, tmp_path / "plan.xlsx")
    page = openpyxl.load_workbook(tmp_path / "plan.xlsx")["plan.contracts"]
    assert [row["offer"] for row in table(page, 4)] == ["offer-0", "offer-1"]
    told = [row["what"] for row in table(page, 9)]
    assert "Open Site 1 in 2027-01" in told
    assert "Build H1 at Site 0 from 2027-01" in told
    assert len(told) == 6
    write_plan_workbook(made_plan(), tiny, tmp_path / "none.xlsx")
    page = openpyxl.load_workbook(tmp_path / "none.xlsx")["plan.contracts"]
    assert page["A3"].value == "Sign nothing and mine on."


def test_a_plan_that_does_not_tell_what_comes_after_the_horizon_says_so(tiny, tmp_path):
    write_plan_workbook(made_plan(contract(0)), tiny, tmp_path / "plan.xlsx")
    page = openpyxl.load_workbook(tmp_path / "plan.xlsx")["plan.npv"]
    assert "plan again" in page["A3"].value
    assert page["A4"].value is None


def test_months_are_dates_and_heads_tell_what_they_mean(written):
    page = openpyxl.load_workbook(written)["plan.contracts"]
    heads = {cell.value: cell for cell in page[4]}
    assert heads["owner_capex_usd"].comment.text == "Capex that the owner pays."
    assert isinstance(page.cell(5, heads["sign_month"].column).value, dt.datetime)
    assert page.cell(5, heads["sign_month"].column).number_format == "yyyy-mm"


def test_json_is_not_written_under_the_name_of_a_workbook(tiny_plan, tmp_path):
    with pytest.raises(InvalidInputError, match=r"write_plan_workbook"):
        save_plan(tiny_plan, tmp_path / "plan.xlsx")
