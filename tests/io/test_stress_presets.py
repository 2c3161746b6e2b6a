"""Stresses name overlays of the library; their effects are read with the portfolio and not written back."""

from __future__ import annotations

import pytest

from optimizer.errors import InvalidInputError
from optimizer.io import dump_portfolio, fingerprint, load_portfolio, parse_portfolio, save_portfolio
from optimizer.library.overlays import overlay


def data(*shocks):
    found = dump_portfolio(load_portfolio("tiny"))
    month = found["horizon"]["start_month"]
    found["finance"]["stresses"] = [{"name": "both", "shocks": [{"begin_month": month, **shock} for shock in shocks]}]
    return found


def test_a_crypto_winter_and_an_ai_bust_come_together(tmp_path):
    stated = data({"preset": "crypto-winter-2022"}, {"preset": "ai-bust"})
    loaded = parse_portfolio(stated, None, "stressed")
    winter, bust = loaded.finance.stresses[0].shocks
    assert winter.effects == overlay("crypto-winter-2022").effects
    assert bust.effects == overlay("ai-bust").effects
    assert dump_portfolio(loaded) == stated
    save_portfolio(loaded, tmp_path / "copy.yaml")
    assert load_portfolio(tmp_path / "copy.yaml") == loaded


def test_the_fingerprint_is_that_of_the_effects():
    named = parse_portfolio(data({"preset": "ai-bust"}), None, "named")
    effects = [effect.model_dump(mode="json") for effect in overlay("ai-bust").effects]
    assert fingerprint(parse_portfolio(data({"effects": effects}), None, "stated")) == fingerprint(named)
    effects[0]["points"][0]["multiplier"] = 0.9
    assert fingerprint(parse_portfolio(data({"effects": effects}), None, "stated")) != fingerprint(named)


def test_an_unknown_preset_is_told_by_its_path():
    with pytest.raises(InvalidInputError, match=r"finance.stresses\[0\].shocks\[1\].preset.*ai-bust"):
        parse_portfolio(data({"preset": "ai-bust"}, {"preset": "ai-burst"}), None, "stressed")


def test_effects_beside_another_preset_are_refused():
    effects = [{"factor": "btc_price", "points": [{"month_offset": 0, "multiplier": 0.5}]}]
    with pytest.raises(InvalidInputError, match="drop one of the two"):
        parse_portfolio(data({"preset": "ai-bust", "effects": effects}), None, "stressed")
