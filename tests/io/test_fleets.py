"""Exports of fleet managers: columns, spellings, sums, and what is wrong with a file."""

import pytest

from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio
from optimizer.io.fleets import FleetColumns, read_fleets

TINY = load_portfolio("tiny")


def fleets(tmp_path, text, **named):
    path = tmp_path / "miners.csv"
    path.write_text(text)
    return [(item.site, item.asic_model, item.count) for item in read_fleets(path, TINY, FleetColumns(**named))]


def problems(tmp_path, text, **named):
    with pytest.raises(InvalidInputError) as caught:
        fleets(tmp_path, text, **named)
    return [(item.path, item.message, item.fix) for item in caught.value.problems]


def test_a_row_a_machine_is_summed_by_site_and_model_in_the_order_of_the_portfolio(tmp_path):
    text = "IP,Site,Model,Status\n1,moses lake,S21 Pro,online\n2,Pecos,s21-pro,offline\n3,Moses Lake,s21-pro,online\n"
    assert fleets(tmp_path, text) == [("Pecos", "s21-pro", 1), ("Moses Lake", "s21-pro", 2)]


@pytest.mark.parametrize(
    "model", ["Antminer S21 Pro", "Bitmain Antminer S21 Pro (234T)", "S21PRO 234 TH/s", "s21_pro-234Th", " S21 pro "]
)
def test_models_as_people_spell_them(tmp_path, model):
    assert fleets(tmp_path, f"Farm Name,Miner Type,Qty\nPecos,{model},7\n") == [("Pecos", "s21-pro", 7)]


@pytest.mark.parametrize("model", ["Antminer S21 Pro+", "Whatsminer M60S++", "S21"])
def test_a_plus_or_a_letter_less_is_another_model(tmp_path, model):
    assert len(problems(tmp_path, f"site,model\nPecos,{model}\n")) == 1


def test_counts_are_added_with_their_commas(tmp_path):
    text = 'Location,Hardware,Quantity\nPecos,s21-pro,"1,200"\nPecos,S21 Pro,34.0\n'
    assert fleets(tmp_path, text) == [("Pecos", "s21-pro", 1234)]


def test_a_spelling_that_could_be_two_models_is_none(tmp_path):
    path = tmp_path / "miners.csv"
    path.write_text("site,model\nPecos,M60 170T\nPecos,M60\n")
    (model,) = TINY.asic_models
    two = tuple(model.model_copy(update={"name": name}) for name in ("m60-170t", "m60-180t"))
    with pytest.raises(InvalidInputError, match="row 3: model 'M60' is not in the portfolio") as caught:
        read_fleets(path, TINY.model_copy(update={"asic_models": two}))
    assert len(caught.value.problems) == 1


def test_columns_sites_and_models_can_be_named(tmp_path):
    text = "Container,Kind\nWTX-1,old one\nPecos,s21-pro\n"
    named = {
        "columns": {"site": "Container", "model": "Kind"},
        "sites": {"WTX-1": "Pecos"},
        "models": {"old one": "s21-pro"},
    }
    assert fleets(tmp_path, text, **named) == [("Pecos", "s21-pro", 2)]


def test_everything_that_is_wrong_is_told_once_at_its_first_row(tmp_path):
    text = "site,model,count\nPecos,s21-pr,1\nPecoss,s21-pro,2\nPecos,s21-pr,many\nPecos,s21-pro,-3\n"
    found = problems(tmp_path, text)
    assert [path for path, _, _ in found] == [f"miners.csv row {row}" for row in (4, 5, 3, 2)]
    assert found[0][1] == "'many' is not a number of machines"
    assert found[2][1] == "site 'Pecoss' is not in the portfolio"
    assert found[2][2].startswith("did you mean 'Pecos'?")
    assert "did you mean 's21-pro'?" in found[3][2]


def test_a_model_of_the_library_is_told_with_its_nameplate(tmp_path):
    ((_, told, fix),) = problems(tmp_path, "site,model\nPecos,Antminer S19 XP (140T)\n")
    assert told == "model 'Antminer S19 XP (140T)' is not in the portfolio"
    assert fix.startswith("add it to asic_models as s19-xp, 140 TH/s at 3010 W")


@pytest.mark.parametrize(
    ("text", "named", "told"),
    [
        ("place,model\nPecos,s21-pro\n", {}, "no column is known to hold the site"),
        ("site,model\nPecos,s21-pro\n", {"columns": {"count": "n"}}, "there is no column 'n'"),
        ("site,model\nPecos,x\n", {"models": {"x": "s22"}}, "no model is named 's22'"),
        ("site,model\n,s21-pro\n", {}, "site '' is not in the portfolio"),
    ],
)
def test_what_cannot_be_read_has_a_fix(tmp_path, text, named, told):
    ((_, message, fix),) = problems(tmp_path, text, **named)
    assert message == told
    assert fix
