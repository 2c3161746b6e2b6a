"""Overlays of the library."""

from __future__ import annotations

import pytest

from optimizer.domain import Overlay
from optimizer.domain.uncertainty import Factor
from optimizer.errors import NotFoundError
from optimizer.library.overlays import overlay, overlays


def points(preset, factor):
    (effect,) = [effect for effect in preset.effects if effect.factor is factor]
    return {point.month_offset: point.multiplier for point in effect.points}


@pytest.mark.parametrize("preset", overlays(), ids=lambda item: item.name)
def test_a_preset_is_a_valid_overlay_with_a_source_or_the_word_that_it_has_none(preset):
    Overlay.model_validate(
        {
            "name": preset.name,
            "probability_frac": 0.1,
            "begin_from_month": "2027-01",
            "begin_until_month": "2030-01",
            "effects": preset.effects,
            "default_hazard": preset.default_hazard,
        }
    )
    assert preset.source
    assert preset.confidence in {"sourced", "unsourced-estimate"}
    assert preset.confidence == "sourced" or "unsourced estimate" in preset.note


def test_the_winter_takes_three_quarters_of_the_price_and_ends():
    path = points(overlay("crypto-winter-2022"), Factor.BTC_PRICE)
    assert 0.2 < min(path.values()) < 0.35
    assert path[max(path)] == 1.0


def test_the_exit_of_2021_is_regained_within_half_a_year():
    path = points(overlay("network-exit-2021"), Factor.NETWORK_HASHRATE)
    assert min(path.values()) == path[1] == 0.62
    assert path[max(path)] == 1.0
    assert max(path) <= 6


def test_the_bust_takes_rentals_as_those_of_the_h100_fell():
    bust = overlay("ai-bust")
    path = points(bust, Factor.GPU_RENTAL)
    assert path[32] == pytest.approx(1.70 / 8.0, abs=0.01)
    assert path[20] == pytest.approx(2.99 / 8.0, abs=0.01)
    assert path[37] == pytest.approx(2.35 / 8.0, abs=0.01)
    assert bust.default_hazard[0].multiplier > 1.0 == bust.default_hazard[-1].multiplier


def test_an_unknown_overlay_is_told_with_what_there_is():
    with pytest.raises(NotFoundError, match="crypto-winter-2022"):
        overlay("crypto-winter-2021")
