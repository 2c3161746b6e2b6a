"""Operating modes of a named machine, by how well they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal, get_args

from optimizer.errors import InvalidInputError
from optimizer.library.tables import AsicModeRow, asic_modes, asic_power_fit, nameplate_mode

Basis = Literal["measured", "vendor", "reconstructed", "fit"]
"""What operating modes rest on, the best first; ``vendor`` presets are on the optimistic side."""

_FIT_NOTE: Final = "fit of another machine, unmeasured"


def operating_modes(
    name: str, basis: Basis | None = None, *, firmware: str | None = None, variant: str | None = None
) -> tuple[AsicModeRow, ...]:
    """Operating modes of an ASIC model by rising power, all of one basis; each says which in ``confidence``.

    ``basis=None`` gives the measured points where there are any, else the fit. The fit is the nameplate and the points
    of ``asic_power_fit.csv`` scaled to it, each noted as a fit of another machine. Modes that cost more power per hash
    than a higher one are among them; :func:`optimizer.curves.envelope` says which would run. ``firmware`` and
    ``variant`` narrow the table's modes and do not apply to the fit.

    Raises:
        NotFoundError: for an unknown ASIC model.
        InvalidInputError: for an unknown basis, one that the model has no modes of, and modes of several firmwares or
            board variants, as a machine runs one of each.

    >>> [mode.power_w for mode in operating_modes("s19j-pro")]
    [997.0, 1244.0, 1466.0, 1714.0, 1994.0, 2297.0, 3126.0]
    >>> operating_modes("s21-xp")[-2].note
    'fit of another machine, unmeasured'
    """
    if basis not in (None, *get_args(Basis)):
        raise InvalidInputError.single("basis", f"is {basis!r}", f"pass one of {', '.join(get_args(Basis))}")
    known = asic_modes(name, firmware, variant)
    if basis == "fit" or (basis is None and not any(mode.confidence == "measured" for mode in known)):
        return _fitted(name)
    modes = tuple(mode for mode in known if mode.confidence == (basis or "measured"))
    if not modes:
        have = sorted({mode.confidence for mode in known} | {"fit"})
        raise InvalidInputError.single("basis", f"no {basis} modes of {name!r} are known", f"pass {' or '.join(have)}")
    _require_one("firmware", name, modes, lambda mode: mode.firmware)
    _require_one("variant", name, modes, lambda mode: mode.variant)
    return modes


def _fitted(name: str) -> tuple[AsicModeRow, ...]:
    rated = nameplate_mode(name)
    below = tuple(
        replace(
            rated,
            mode=point.name,
            hashrate_th_s=rated.hashrate_th_s * point.hashrate_frac,
            power_w=rated.power_w * point.power_frac,
            efficiency_j_per_th=rated.efficiency_j_per_th * point.power_frac / point.hashrate_frac,
            confidence="fit",
            source=point.source,
            note=_FIT_NOTE,
        )
        for point in asic_power_fit()
    )
    return (*below, rated)


def _require_one(what: str, name: str, modes: tuple[AsicModeRow, ...], of: Callable[[AsicModeRow], str]) -> None:
    values = sorted({of(mode) for mode in modes})
    if len(values) > 1:
        told = f"the modes of {name!r} are of {', '.join(values)}, and a machine has one"
        raise InvalidInputError.single(what, told, f"pass {what}={values[0]!r}, for example")
