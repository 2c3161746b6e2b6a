import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Counts = NDArray[np.int32]

def bucket_table(
    value: _Floats, buckets_per_value: float
) -> tuple[_Counts, tuple[int, int], tuple[float, float, float, float]]: ...
def prefix_sums(value: _Floats) -> _Floats: ...
def values_below(
    entry: _Floats, bucket_start: _Counts, layout: _Ints, span: _Floats, row: int, x: _Floats
) -> _Counts: ...
