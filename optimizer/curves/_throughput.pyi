import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def gpu_sums(
    rental: _Floats,
    power_price: _Floats,
    rented_gpu_hours: _Floats,
    full_power_mwh: _Floats,
    throughput_frac: _Floats,
    power_frac: _Floats,
) -> _Floats: ...
def add_gpu_margin(
    rental: _Floats,
    power_price: _Floats,
    rented_gpu_hours: _Floats,
    full_power_mwh: _Floats,
    throughput_frac: _Floats,
    power_frac: _Floats,
    weight: _Floats,
    out: _Floats,
) -> None: ...
