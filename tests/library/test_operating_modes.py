"""Operating modes of named machines: what they rest on, and the fit where nothing was measured."""

from __future__ import annotations

import pytest

from optimizer.curves import BEST_HASHRATE_FRAC, efficiency_modes, envelope
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.library import tables
from optimizer.library.operating_modes import operating_modes


def kept(modes):
    return [modes[k] for k in envelope([mode.hashrate_th_s for mode in modes], [mode.power_w for mode in modes])]


def test_every_preset_says_what_it_rests_on():
    """Catalogues of firmware makers are vendor-stated; only what was read off a machine is measured."""
    for model in tables.asics():
        for mode in tables.asic_modes(model.name):
            assert mode.confidence in {"measured", "vendor", "reconstructed"}
            assert (mode.firmware == "VNish") <= (mode.confidence == "vendor"), mode
            assert (mode.confidence == "measured") <= (("live" in mode.source) or ("operator" in mode.note)), mode


def test_measured_modes_come_first():
    modes = operating_modes("s19j-pro")
    assert {mode.confidence for mode in modes} == {"measured"}
    assert len(modes) == 7
    assert [mode.power_w for mode in kept(modes)] == [1714, 1994, 2297, 3126]
    assert len(operating_modes("s21")) == 1  # one point, confirmed at nameplate


def test_a_machine_without_measurements_takes_the_fit_and_says_so():
    for name in ("s21-xp", "s19k-pro", "m70s"):
        modes, rated = operating_modes(name), tables.asic(name)
        assert modes == operating_modes(name, "fit")
        assert (modes[-1].hashrate_th_s, modes[-1].power_w) == (rated.hashrate_th_s, rated.power_w)
        assert modes[-1].confidence == "vendor"
        for mode in modes[:-1]:
            assert (mode.confidence, mode.note) == ("fit", "fit of another machine, unmeasured")
            assert mode.efficiency_j_per_th == pytest.approx(mode.power_w / mode.hashrate_th_s)


def test_the_fit_table_is_the_efficiency_curve():
    points = tables.asic_power_fit()
    assert [point.hashrate_frac for point in points] == pytest.approx([0.05 * k for k in range(6, 20)])
    _, power = efficiency_modes(
        rated_hashrate_th_s=1.0, rated_power_w=1.0, hashrate_frac=[point.hashrate_frac for point in points]
    )
    assert power == pytest.approx([point.power_frac for point in points], abs=1e-6)


@pytest.mark.parametrize("name", ["s21-xp", "s23-hyd", "avalon-a16", "m60s"])
def test_every_fitted_mode_from_the_best_efficiency_on_would_run(name):
    modes = operating_modes(name, "fit")
    rated = modes[-1].hashrate_th_s
    expected = [mode.mode for mode in modes if mode.hashrate_th_s >= BEST_HASHRATE_FRAC * rated]
    assert [mode.mode for mode in kept(modes)] == expected
    assert len(expected) == 8


def test_another_basis_can_be_chosen():
    presets = operating_modes("s19j-pro", "vendor", firmware="VNish")
    assert len(presets) == 9
    assert {mode.confidence for mode in presets} == {"vendor"}
    assert operating_modes("s21", "reconstructed")[0].mode == "step-480mhz"
    assert len(operating_modes("s19", "vendor", variant="88t-board")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s19j-pro", "vendor"), "are of LuxOS, VNish, and a machine has one; pass firmware='LuxOS'"),
        (("s19", "vendor"), "are of 126t-board, 88t-board, and a machine has one"),
        (("s19k-pro", "measured"), "no measured modes of 's19k-pro' are known; pass fit or vendor"),
        (("m70s", "vendor"), "no vendor modes of 'm70s' are known; pass fit"),
        (("s21", "guessed"), "basis: is 'guessed'"),
    ],
)
def test_what_cannot_be_given_is_refused(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        operating_modes(*arguments)


def test_an_unknown_machine_is_refused():
    with pytest.raises(NotFoundError, match="s21-xp"):
        operating_modes("s21xp")
