import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]: ...
def uniforms(seed: int, first_scenario: int, scenario_count: int, month: int, stream: int, block: int) -> _Floats: ...
def normal_quantile(uniform: _Floats) -> _Floats: ...
def exponential(x: _Floats) -> _Floats: ...
def logarithm(x: _Floats) -> _Floats: ...
def factor_multipliers(
    seed: int,
    first_scenario: int,
    decay: _Floats,
    half_variance: _Floats,
    weight: _Floats,
    row: _Ints,
    out: _Floats,
    first: int,
    last: int,
) -> None: ...
def default_months(
    seed: int,
    first_scenario: int,
    log_survival_per_month: _Floats,
    stream: _Ints,
    hazard_multiplier: _Floats | None,
    out: NDArray[np.int32],
    first: int,
    last: int,
) -> None: ...
def hashprice_paths(
    base_btc_usd: _Floats,
    base_network_eh_s: _Floats,
    reward_btc: _Floats,
    btc_multiplier: _Floats,
    network_multiplier: _Floats,
    elasticity: float,
    lag_months: int,
    out: _Floats,
    first: int,
    last: int,
) -> None: ...
def bootstrap_multipliers(
    seed: int,
    first_scenario: int,
    log_change: _Floats,
    log_mean: _Floats,
    row: _Ints,
    new_block_frac: float,
    out: _Floats,
    first: int,
    last: int,
) -> None: ...
