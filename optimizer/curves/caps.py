"""Throughput and power of a GPU under a power cap, from measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError

CAP_FLOOR_FRAC: Final = 0.58
"""Lowest cap that the A100 training fit covers."""
_CAP: Final = check.Range(1e-3, 1.0, "of the rated power")
_RELATIVE: Final = check.Range(1e-6, 1.5, "relative to no cap")


def cap_throughput_frac(cap_frac: ArrayLike) -> Float64Array:
    """Training throughput under a power cap, relative to no cap: ``1 - 2.06 (1 - c)**1.80``, for ``c >= 0.58``.

    Fit to A100 training of five models (Zeus and Perseus measurements, ml-energy/zeus), RMSE 1.6 % of full throughput.
    Other GPUs and inference lose less, so this is the pessimistic end. A cap below 0.58 is refused.

    >>> round(float(cap_throughput_frac(0.75)), 3)
    0.83
    """
    return (1.0 - 2.06 * (1.0 - check.floats("cap_frac", cap_frac, _honoured(CAP_FLOOR_FRAC))) ** 1.80)[()]


class CapPoint(NamedTuple):
    """What a GPU does under caps, relative to no cap; arrays of the shape of the caps asked for."""

    throughput_frac: Float64Array
    power_frac: Float64Array
    """Average draw under the cap, not the cap itself."""


@dataclass(frozen=True, slots=True, eq=False)
class CapCurve:
    """Throughput over power of a GPU by power cap, ascending, concave in power; all relative to no cap.

    :meth:`from_measurements` makes one of a raw table. The constructor refuses one that is not concave.
    """

    name: str
    cap_frac: Float64Array
    throughput_frac: Float64Array
    power_frac: Float64Array
    """Average draw under the cap, not the cap itself."""

    def __post_init__(self) -> None:
        cap, throughput, power = _cap_table(self.cap_frac, self.throughput_frac, self.power_frac)
        kept = concave_indices(power, throughput)
        if kept != list(range(cap.size)):
            at = next(i for i in range(cap.size) if i >= len(kept) or kept[i] != i)
            raise InvalidInputError.single(
                f"throughput_frac[{at}]", f"of cap curve {self.name!r} is not concave in power", "use from_measurements"
            )
        falls = np.diff(cap) <= 0.0
        if falls.any():
            at = int(np.argmax(falls)) + 1
            raise InvalidInputError.single(
                f"cap_frac[{at}]", f"of cap curve {self.name!r} is {cap[at]}, not above the one before",
                "list caps in ascending order, or use from_measurements",
            )  # fmt: skip
        for field, array in (("cap_frac", cap), ("throughput_frac", throughput), ("power_frac", power)):
            frozen = array.copy()
            frozen.flags.writeable = False
            object.__setattr__(self, field, frozen)

    @classmethod
    def from_measurements(
        cls, name: str, *, cap_frac: ArrayLike, throughput_frac: ArrayLike, power_frac: ArrayLike
    ) -> CapCurve:
        """Take the upper concave envelope of measured points in any order; points under it and dominated ones drop.

        Where a GPU draws less than its cap, noise can give a higher cap the lower draw: of two such points the one of
        more throughput stays. Leave out caps that the GPU did not honour, that is drew more than.
        """
        cap, throughput, power = _cap_table(cap_frac, throughput_frac, power_frac)
        order = np.lexsort((-throughput, power))
        kept = order[concave_indices(power[order], throughput[order])]
        lowest_above = np.minimum.accumulate(np.append(cap[kept], np.inf)[::-1])[-2::-1]
        kept = kept[cap[kept] < lowest_above]
        return cls(name, cap[kept], throughput[kept], power[kept])

    @property
    def floor_cap_frac(self) -> float:
        """Lowest cap of the curve. A GPU does not honour a cap much lower: :meth:`at` refuses it."""
        return float(self.cap_frac[0])

    def at(self, cap_frac: ArrayLike) -> CapPoint:
        """Throughput and power under any caps, linear in the cap between the points of the curve.

        A cap below :attr:`floor_cap_frac` is refused. Above its last point the curve is flat: more power gains nothing.

        >>> CAP_CURVES["a40-training"].at([0.7, 1.0]).throughput_frac.round(3)
        array([0.919, 1.   ])
        """
        cap = check.floats("cap_frac", cap_frac, _honoured(self.floor_cap_frac))
        throughput, power = (
            np.interp(cap, self.cap_frac, points) for points in (self.throughput_frac, self.power_frac)
        )
        return CapPoint(throughput, power)

    def efficient_points(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Cap, throughput and power ``[K]`` of the points that are best at some power price, where off is free.

        They are the upper concave envelope of the curve and the origin: points below the one of most throughput per
        power drop, as a GPU that pays there pays better at that one.
        """
        with_off = [np.append(0.0, points) for points in (self.power_frac, self.throughput_frac)]
        kept = np.array(concave_indices(*with_off)[1:]) - 1
        return self.cap_frac[kept], self.throughput_frac[kept], self.power_frac[kept]


def _honoured(floor_cap_frac: float) -> check.Range:
    return check.Range(floor_cap_frac, 1.0, "of the rated power; a cap under the floor is not honoured")


def _cap_table(
    cap_frac: ArrayLike, throughput_frac: ArrayLike, power_frac: ArrayLike
) -> tuple[Float64Array, Float64Array, Float64Array]:
    cap = check.vector("cap_frac", cap_frac, _CAP)
    return (
        cap,
        check.floats("throughput_frac", throughput_frac, _RELATIVE, cap.shape),
        check.floats("power_frac", power_frac, _RELATIVE, cap.shape),
    )


def concave_indices(power: Float64Array, throughput: Float64Array) -> list[int]:
    """Find the points, ascending in power, on the strictly increasing part of their upper concave envelope."""
    kept: list[int] = []
    for point in range(power.size):
        if kept and throughput[point] <= throughput[kept[-1]]:
            continue
        while len(kept) > 1:
            rise, run = throughput[kept[-1]] - throughput[kept[-2]], power[kept[-1]] - power[kept[-2]]
            if (throughput[point] - throughput[kept[-2]]) * run < rise * (power[point] - power[kept[-2]]):
                break
            kept.pop()
        if kept and power[point] <= power[kept[-1]]:
            kept.pop()
        kept.append(point)
    return kept


def _measured(name: str, rated_w: float, points: tuple[tuple[float, float, float], ...]) -> CapCurve:
    """Make a curve of (cap in W, throughput, power)."""
    cap_w, throughput, power = np.array(points).T
    return CapCurve.from_measurements(name, cap_frac=cap_w / rated_w, throughput_frac=throughput, power_frac=power)


_A100_CAPS: Final = (0.5833, 0.6667, 0.75, 0.8333, 0.9167, 1.0)
_CURVES: Final = (
    CapCurve("uncapped", np.ones(1), np.ones(1), np.ones(1)),
    # The fit, with the mean measured draw of the same five models (ml-energy/zeus, Perseus, SOSP 2024).
    CapCurve(
        "a100-training",
        np.array(_A100_CAPS),
        cap_throughput_frac(_A100_CAPS),
        np.array([0.6019, 0.6830, 0.7656, 0.8471, 0.9241, 1.0]),
    ),
    # BERT fine-tuned on SQuAD, mean over all batch sizes (ml-energy/zeus, NSDI 2023): cap W, throughput, power.
    _measured(
        "v100-training", 250.0,
        ((100, 0.5018, 0.4428), (125, 0.6527, 0.5352), (150, 0.7983, 0.6449), (175, 0.8905, 0.7481),
         (200, 0.9384, 0.8376), (225, 0.9762, 0.9313), (250, 1.0, 1.0)),
    ),
    # Without 100 W, where it drew 106 W: not honoured.
    _measured(
        "a40-training", 300.0,
        ((125, 0.3899, 0.4609), (150, 0.5868, 0.5454), (175, 0.7780, 0.6263), (200, 0.8996, 0.7068),
         (225, 0.9483, 0.7881), (250, 0.9763, 0.8691), (275, 0.9918, 0.9424), (300, 1.0, 1.0)),
    ),
    _measured(
        "rtx6000-training", 260.0,
        ((100, 0.3820, 0.4146), (125, 0.6439, 0.5084), (150, 0.7839, 0.6012), (175, 0.8658, 0.6948),
         (200, 0.9256, 0.7871), (225, 0.9637, 0.8787), (250, 0.9914, 0.9666), (260, 1.0, 1.0)),
    ),
    # vLLM, mean of two models at 1 and at 32 requests, over the best cap (Light-Heart-Labs/MMBT, community figures).
    _measured(
        "rtx-pro-6000-inference", 600.0,
        ((300, 0.8384, 0.5671), (350, 0.9282, 0.6614), (400, 0.9780, 0.7558), (450, 0.9998, 0.8499),
         (500, 0.9946, 0.9399), (550, 1.0, 0.9987), (600, 0.9933, 1.0)),
    ),
)  # fmt: skip

CAP_CURVES: Final[Mapping[str, CapCurve]] = MappingProxyType({curve.name: curve for curve in _CURVES})
"""Built-in curves. For training "a100-training" is the pessimistic end; the three others of training, older GPUs that
keep more under a cap, are the optimistic end. "rtx-pro-6000-inference" is flat down to about 65 % of the cap."""
