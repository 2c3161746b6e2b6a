import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Counts = NDArray[np.int32]

def add_sums(
    price: _Floats,
    bucket_start: _Counts,
    layout: _Ints,
    span: _Floats,
    calendar_month: _Ints,
    slope: _Floats,
    adder: _Floats,
    hashprice: _Floats,
    level: _Floats,
    btc_usd: _Floats,
    sums: _Floats,
    months: _Ints,
    first_month: int,
    last_month: int,
) -> None: ...
def add_ordered(
    price: _Floats,
    bucket_start: _Counts,
    layout: _Ints,
    span: _Floats,
    calendar_month: _Ints,
    slope: _Floats,
    adder: _Floats,
    scenario: _Floats,
    scenario_bucket_start: _Counts,
    scenario_layout: _Ints,
    scenario_span: _Floats,
    btc_from: _Floats,
    shared_level: _Floats,
    sums: _Floats,
    months: _Ints,
    first_month: int,
    last_month: int,
) -> None: ...
def fill_order(
    ascending: _Ints,
    by_level: _Floats,
    hashprice: _Floats,
    level: _Floats,
    btc_usd: _Floats,
    entry: _Floats,
    btc_from: _Floats,
) -> None: ...
def add_margin(
    price: _Floats,
    bucket_start: _Counts,
    layout: _Ints,
    span: _Floats,
    calendar_month: _Ints,
    slope: _Floats,
    adder: _Floats,
    hashprice: _Floats,
    level: _Floats,
    coefficient: _Floats,
    out: _Floats,
    first_scenario: int,
    last_scenario: int,
) -> None: ...
