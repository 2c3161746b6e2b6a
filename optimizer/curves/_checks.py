"""Input checks shared by the façades: each refusal names the argument, the index, the value and what to do."""

from __future__ import annotations

import math
import operator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.errors import InvalidInputError

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]


class Range(NamedTuple):
    """Closed range of plausible values and the unit to say in a refusal."""

    low: float
    high: float
    unit: str


FRACTION: Final = Range(0.0, 1.0, "as a fraction of 1")
FEE: Final = Range(0.0, 0.95, "as a fraction of 1")
PUE: Final = Range(1.0, 5.0, "as total over IT power")
HOURS_IN_MONTH: Final = Range(0.0, 745.0, "hours")
MONTH_OF_YEAR: Final = Range(1, 12, "as January = 1 .. December = 12")
POWER_PRICE: Final = Range(-1e5, 1e6, "USD per MWh")
DRAWN: Final = Range(1e-300, 1e300, "as drawn: positive and finite")
"""Of a path that is drawn: tails go far."""
HASHPRICE: Final = Range(0.0, 1e30, "USD per PH/s per day")
"""Of any one scenario: tails go far."""
TYPICAL_HASHPRICE: Final = Range(0.5, 5e3, "USD per PH/s per day: per TH/s it is 1,000 times less, per EH/s more")
"""Of most scenarios of the first month: about 1,500 in 2016, 412 at its highest in 2021, 30 to 40 in 2026."""
BTC_PRICE: Final = Range(1e-6, 1e9, "USD per BTC")
NETWORK: Final = Range(1e-12, 1e9, "EH/s")
DIFFICULTY: Final = Range(1.0, 1e24, "as difficulty, where 1 is the easiest")
SUBSIDY: Final = Range(0.0, 50.0, "BTC per block")
FEE_PER_BLOCK: Final = Range(0.0, 1e4, "BTC per block")
EFFICIENCY: Final = Range(0.1, 1e7, "J/TH")
COUNT: Final = Range(1, 1e9, "as a count")


def floats(name: str, value: ArrayLike, plausible: Range, shape: tuple[int, ...] | None = None) -> Float64Array:
    """``value`` as contiguous float64, of ``shape`` if given, with every entry finite and plausible."""
    try:
        array = np.ascontiguousarray(value, dtype=np.float64).reshape(np.shape(value))
    except (TypeError, ValueError) as error:
        raise InvalidInputError.single(name, "is not an array of numbers", "pass numbers only") from error
    require_shape(name, array, shape)
    _require_range(name, array, plausible)
    return array


def integers(name: str, value: ArrayLike, plausible: Range, shape: tuple[int, ...] | None = None) -> Int64Array:
    """``value`` as contiguous int64, of ``shape`` if given, with every entry plausible; never rounds."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise InvalidInputError.single(name, f"has dtype {array.dtype}", "pass integers")
    require_shape(name, array, shape)
    _require_range(name, array, plausible)
    return np.ascontiguousarray(array, dtype=np.int64).reshape(array.shape)


def scalar(name: str, value: float, plausible: Range) -> float:
    """``value`` as a finite, plausible float."""
    return float(floats(name, value, plausible, ()))


def integer(name: str, value: int, plausible: Range) -> int:
    """``value`` as a plausible int; never rounds."""
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InvalidInputError.single(name, f"is {value!r}", "pass an integer") from error
    if not plausible.low <= number <= plausible.high:
        raise _refusal(name, f"is {number}", plausible)
    return number


def vector(name: str, value: ArrayLike, plausible: Range) -> Float64Array:
    """``value`` as a float64 vector of at least one entry."""
    array = floats(name, value, plausible)
    if array.ndim != 1 or not array.size:
        raise InvalidInputError.single(name, f"has shape {array.shape}", "pass one dimension with at least one entry")
    return array


def exactly_one(**given: float | ArrayLike | None) -> str:
    """Return the name of the one argument that is not ``None``."""
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise InvalidInputError.single(
            " | ".join(given), f"{len(named)} of them were given", "pass exactly one of these arguments"
        )
    return named[0]


def month_scenario(name: str, value: ArrayLike, plausible: Range) -> Float64Array:
    """``value`` as a ``[T, W]`` array with at least one month and one scenario."""
    array = floats(name, value, plausible)
    if array.ndim != 2 or not array.size:
        raise InvalidInputError.single(name, f"has shape {array.shape}", "pass [months, scenarios], neither empty")
    return array


def hashprice_paths(name: str, value: ArrayLike) -> Float64Array:
    """Hashprices ``[T, W]``; those of the first month must be, in the middle, what hashes earn, or nothing."""
    array = month_scenario(name, value, HASHPRICE)
    middle = int(np.argpartition(array[0], array.shape[1] // 2)[array.shape[1] // 2])
    typical = float(array[0, middle])
    if typical != 0.0 and not TYPICAL_HASHPRICE.low <= typical <= TYPICAL_HASHPRICE.high:
        half = ", as half of its month or more" if array.shape[1] > 1 else ""
        raise _refusal(f"{name}[0, {middle}]", f"is {typical:g}{half}", TYPICAL_HASHPRICE)
    return array


def accumulator(name: str, out: Float64Array, scenario_count: int) -> None:
    """Check that ``out`` can be added to in place: float64, contiguous, writeable, one entry per scenario."""
    if not isinstance(out, np.ndarray) or out.dtype != np.float64:
        raise InvalidInputError.single(name, "is not a float64 array", "pass numpy.zeros(scenario_count)")
    require_shape(name, out, (scenario_count,))
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise InvalidInputError.single(name, "is read-only or strided", "pass a contiguous array that may be changed")


def require_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...] | None) -> None:
    """Refuse an array whose shape is not ``shape``."""
    if shape is not None and array.shape != shape:
        raise InvalidInputError.single(name, f"has shape {array.shape}", f"pass shape {shape}")


def _require_range(name: str, array: NDArray[np.generic], plausible: Range) -> None:
    # NaN fails both comparisons, so two passes decide; the index is only looked for once something is wrong.
    if not array.size or (array.min() >= plausible.low and array.max() <= plausible.high):
        return
    bad = ~((array >= plausible.low) & (array <= plausible.high))  # type: ignore[operator]
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    value = array[index]
    place = f"{name}[{', '.join(map(str, index))}]" if index else name
    what = f"is {value}" if math.isfinite(value) else f"is not finite ({value})"
    raise _refusal(place, what, plausible)


def _refusal(place: str, what: str, plausible: Range) -> InvalidInputError:
    low, high, unit = plausible
    return InvalidInputError.single(place, what, f"pass values between {low:g} and {high:g} {unit}")
