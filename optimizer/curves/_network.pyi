import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def retarget_months(
    network_eh_s: _Floats,
    seconds_in_month: _Floats,
    difficulty_at_start: _Floats,
    height_at_start: float,
    first_scenario: int,
    last_scenario: int,
    out: _Floats,
) -> None: ...
