"""The network's answer to its own hashrate: difficulty by retarget, and the hashprice when one owner comes or goes.

Both say how hashprice reacts to hashrate. A retarget path follows the consensus rule in time: for up to two weeks a
fall in hashrate only slows the blocks, then difficulty follows. An own exit is the state after that: what one owner
takes off the network raises the hashprice for all who stay, less what others add because of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _network
from optimizer.curves._checks import Float64Array
from optimizer.curves.hashing import difficulty_of_hashrate
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError
from optimizer.units import SECONDS_PER_DAY

_HEIGHT: Final = check.Range(0, 1e9, "blocks")
_OWN: Final = check.Range(0.0, check.NETWORK.high, "EH/s")
_ELASTICITY: Final = check.Range(0.0, 1e6, "as d ln hashrate / d ln hashprice")
_SCENARIOS_PER_SLICE: Final = 64
_MOST_NEWTON_STEPS: Final = 100
_CONVERGED: Final = 1e-14
"""Newton's steps shrink quadratically: after one this small the error is at the last bits."""


@dataclass(frozen=True, slots=True, eq=False)
class RetargetPaths:
    """What the chain does under a given hashrate, by month and scenario, each ``[T, W]``.

    With ``difficulty`` and ``subsidy_btc`` as they are, :func:`~optimizer.curves.hashing.hashprice_btc_per_ph_day` is
    the exact mean over the month, also with retargets and a halving inside it.
    """

    difficulty: Float64Array
    """Harmonic mean over the month's time: 1 over the mean of 1 / difficulty, which is what hashes earn by."""
    difficulty_at_end: Float64Array
    """In force when the month ends."""
    blocks: Float64Array
    """Found in the month."""
    block_height: Float64Array
    """At the end of the month."""
    subsidy_btc: Float64Array
    """Mean over the month's blocks, BTC per block."""


def retarget_paths(
    *,
    network_eh_s: ArrayLike,
    days_in_month: ArrayLike,
    block_height_at_start: int,
    difficulty_at_start: float | None = None,
) -> RetargetPaths:
    """Follow difficulty, blocks and subsidy through hashrates ``[T]`` or ``[T, W]`` in EH/s, constant within a month.

    Blocks arrive as reals at ``144 * hashrate / (difficulty * 2**32 / 600)`` a day. Every 2,016 blocks the difficulty
    is multiplied by target over actual timespan, at most by 4 either way, and never falls below 1. The consensus code
    measures 2,015 of the 2,016 intervals; that 0.05 % is left out, so that a constant hashrate keeps its difficulty.

    Args:
        network_eh_s: hashrate of the whole network; ``[T]`` is one scenario.
        days_in_month: ``[T]`` integers; a "month" may be any span of 1 to 366 days.
        block_height_at_start: blocks found so far. It also says how far the epoch is, which is taken to have run at
            the first month's hashrate.
        difficulty_at_start: in force at the start; ``None`` takes the first month's equilibrium, ten minutes a block.

    Raises:
        InvalidInputError: naming argument, index and value.
    """
    network = check.floats("network_eh_s", network_eh_s, check.NETWORK)
    network = check.month_scenario("network_eh_s", network[:, None] if network.ndim == 1 else network, check.NETWORK)
    days = check.integers("days_in_month", days_in_month, check.Range(1, 366, "days"), network.shape[:1])
    height = check.integer("block_height_at_start", block_height_at_start, _HEIGHT)
    if difficulty_at_start is None:
        start = np.maximum(difficulty_of_hashrate(network[0]), check.DIFFICULTY.low)
    else:
        start = np.full(network.shape[1], check.scalar("difficulty_at_start", difficulty_at_start, check.DIFFICULTY))
    seconds = np.asarray(days * SECONDS_PER_DAY, dtype=np.float64)
    out = np.empty((5, *network.shape))

    def kernel(first: int, last: int) -> None:
        _network.retarget_months(network, seconds, start, height, first, last, out)

    in_slices(kernel, network.shape[1], _SCENARIOS_PER_SLICE)
    return RetargetPaths(*out)


def own_exit_hashprice_multiplier(
    *, own_eh_s: ArrayLike, reference_own_eh_s: ArrayLike, network_eh_s: ArrayLike, elasticity: float
) -> Float64Array:
    """Hashprice over its reference ``m``, once the network has answered an owner's hashrate. Below 1 for growth.

    The root of ``m = network / (own + others * m**elasticity)``, where ``network`` contains ``reference_own`` and the
    ``others`` are the rest of it. With no own change it is exactly 1; ``elasticity`` 0 means that the others stay as
    they are, and the larger it is, the more of what leaves they replace.

    The three hashrates are EH/s, scalars or arrays of one shape, such as ``[T]``; the result has that shape. Newton's
    method on ``ln m``: the equation is convex and rising there, so the steps fall to the root without passing it.

    >>> round(float(own_exit_hashprice_multiplier(
    ...     own_eh_s=25.0, reference_own_eh_s=50.0, network_eh_s=1000.0, elasticity=0.25)), 5)
    1.02057
    """
    network = check.floats("network_eh_s", network_eh_s, check.NETWORK)
    own = check.floats("own_eh_s", own_eh_s, _OWN, network.shape)
    reference = check.floats("reference_own_eh_s", reference_own_eh_s, _OWN, network.shape)
    _require_within("reference_own_eh_s", reference, network)
    own_frac, others_frac, change_frac = own / network, (network - reference) / network, (own - reference) / network
    if (own_frac + others_frac == 0.0).any():
        raise InvalidInputError.single("own_eh_s", "leaves a network without hashrate", "keep some of it running")
    response = np.where(others_frac > 0.0, check.scalar("elasticity", elasticity, _ELASTICITY), 0.0)
    log_multiplier = _upper_bound(own_frac, others_frac, change_frac, response)
    for _ in range(_MOST_NEWTON_STEPS):
        answered_frac = others_frac * np.exp(response * log_multiplier)
        network_frac = own_frac + answered_frac
        rise_frac = change_frac + others_frac * np.expm1(response * log_multiplier)
        # Near 1 the rise keeps the digits that the sum loses.
        log_network = np.where(network_frac > 0.5, np.log1p(np.maximum(rise_frac, -0.5)), np.log(network_frac))
        step = (log_multiplier + log_network) / (1.0 + response * answered_frac / network_frac)
        log_multiplier = log_multiplier - step
        if (np.abs(step) <= _CONVERGED).all():
            break
    return np.exp(log_multiplier)[()]


def own_exit_log_change(share_frac: ArrayLike, exit_frac: ArrayLike, elasticity: float) -> Float64Array:
    """``ln`` of :func:`own_exit_hashprice_multiplier` to first order: ``share * exit / (1 + elasticity (1 - share))``.

    ``share_frac`` is the owner's share of the network and ``exit_frac`` the part of it that stops (negative: that is
    added). Derived; the error is of the order of ``(share * exit)**2``.

    >>> round(float(own_exit_log_change(0.05, 0.5, 0.25)), 4)
    0.0202
    """
    share = check.floats("share_frac", share_frac, check.FRACTION)
    exit_ = check.floats("exit_frac", exit_frac, check.Range(-1e3, 1.0, "of the owner's hashrate"))
    return (share * exit_ / (1.0 + check.scalar("elasticity", elasticity, _ELASTICITY) * (1.0 - share)))[()]


def _upper_bound(
    own_frac: Float64Array, others_frac: Float64Array, change_frac: Float64Array, response: Float64Array
) -> Float64Array:
    """Give a ``ln m`` at or above the root: nobody answers, or the others replace all that left; 0 for growth."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        nobody_answers = -np.log(own_frac + others_frac)
        all_replaced = np.log1p(-change_frac / others_frac) / response
    return np.where(change_frac < 0.0, np.fmin(nobody_answers, all_replaced), 0.0)  # fmin passes over 0 / 0


def _require_within(name: str, own: Float64Array, network: Float64Array) -> None:
    """Refuse an own hashrate above the whole network's."""
    beyond = own > network
    if beyond.any():
        index = tuple(int(i) for i in np.argwhere(beyond)[0])
        place = f"{name}[{', '.join(map(str, index))}]" if index else name
        told = f"is {own[index]:g}, above the network's {network[index]:g} EH/s"
        raise InvalidInputError.single(place, told, "check EH/s against PH/s (1 EH/s is 1000 PH/s)")
