import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def add_gpu_sums(
    rental: _Floats,
    power_price: _Floats,
    breakeven: _Floats,
    sums: _Floats,
    counts: NDArray[np.int64],
    first_month: int,
    last_month: int,
) -> None: ...
def add_gpu_margin(
    rental: _Floats,
    power_price: _Floats,
    breakeven: _Floats,
    energy: _Floats,
    out: _Floats,
    first_scenario: int,
    last_scenario: int,
) -> None: ...
