import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

def bucket_keys(price: _Floats, centre: float, scale: float, shift: int) -> _Ints: ...
def prefix_sums(value: _Floats) -> _Floats: ...
def hours_below(
    knots: _Floats,
    share_below: _Floats,
    mean_part_below: _Floats,
    bucket_start: _Ints,
    layout: _Ints,
    key_origin: _Floats,
    calendar_month: int,
    z: _Floats,
) -> tuple[_Floats, _Floats]: ...
def margin_sums(
    knots: _Floats,
    share_below: _Floats,
    mean_part_below: _Floats,
    bucket_start: _Ints,
    layout: _Ints,
    key_origin: _Floats,
    calendar_month: _Ints,
    hashprice: _Floats,
    level: _Floats,
    slope: _Floats,
    adder: _Floats,
) -> _Floats: ...
def add_margin(
    knots: _Floats,
    share_below: _Floats,
    mean_part_below: _Floats,
    bucket_start: _Ints,
    layout: _Ints,
    key_origin: _Floats,
    calendar_month: _Ints,
    hashprice: _Floats,
    level: _Floats,
    slope: _Floats,
    adder: _Floats,
    coefficient: _Floats,
    out: _Floats,
) -> None: ...
