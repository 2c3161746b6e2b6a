import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

def overlay_starts(
    seed: int,
    first_scenario: int,
    stream: _Ints,
    probability_frac: _Floats,
    first_month: _Ints,
    month_count: _Ints,
    out: NDArray[np.int32],
    first: int,
    last: int,
) -> None: ...
def apply_overlays(
    out: _Floats, start: NDArray[np.int32], profile: _Floats, bound: _Ints, first: int, last: int
) -> None: ...
