import numpy as np
from numpy.typing import NDArray

def hashprice_grid(
    btc_usd: NDArray[np.float64], network_eh_s: NDArray[np.float64], reward_btc: NDArray[np.float64]
) -> NDArray[np.float64]: ...
