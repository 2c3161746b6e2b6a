import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]: ...
def normal_quantile(uniform: _Floats) -> _Floats: ...
def factor_multipliers(
    seed: int,
    first_scenario: int,
    scenario_count: int,
    decay: _Floats,
    step_deviation: _Floats,
    half_variance: _Floats,
    lower: _Floats,
) -> _Floats: ...
def default_months(
    seed: int,
    first_scenario: int,
    scenario_count: int,
    log_survival_per_month: _Floats,
    stream: NDArray[np.int64],
) -> NDArray[np.int32]: ...
def hashprice_paths(
    base_btc_usd: _Floats,
    base_network_eh_s: _Floats,
    reward_btc: _Floats,
    btc_multiplier: _Floats,
    network_multiplier: _Floats,
    elasticity: float,
    lag_months: int,
) -> _Floats: ...
