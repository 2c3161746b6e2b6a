"""The network by the rule of the protocol: difficulty, blocks and hashprice, and what an exit does to them."""

from __future__ import annotations

import calendar
from collections.abc import Sequence

import numpy as np

from optimizer.app.curves import Float64Array
from optimizer.curves import (
    difficulty_of_hashrate,
    hashprice_btc_per_ph_day,
    own_exit_hashprice_multiplier,
    retarget_paths,
)
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec, NetworkMonth, NetworkRow


def network_curve(spec: NetworkCurveSpec) -> NetworkCurve:
    """Follow a network's hashrate month by month (:func:`optimizer.curves.retarget_paths`).

    With an exit the network is followed a second time: what leaves is gone at once, the others add what
    :func:`optimizer.curves.own_exit_hashprice_multiplier` says they settle at, and difficulty follows by the rule. So
    hashprice rises to that multiplier over the first weeks, while blocks are slow.
    """
    network = np.array(spec.network_by_month)
    cases = [network]
    if spec.own_exit is not None:
        cases.append(network / _settled_multiplier(spec, network))
    difficulty = spec.difficulty_at_start
    if difficulty is None:  # both cases start where nobody has left yet
        difficulty = max(1.0, float(difficulty_of_hashrate(network[0])))
    before, *after = _followed(spec, cases, difficulty)
    rows = []
    for i, month in enumerate(spec.months):
        left = after[0][i] if after else None
        change = left.hashprice_btc_per_ph_day / before[i].hashprice_btc_per_ph_day - 1.0 if left is not None else None
        rows.append(NetworkRow(month=month, before=before[i], after=left, hashprice_change_frac=change))
    return NetworkCurve(months=tuple(rows))


def _settled_multiplier(spec: NetworkCurveSpec, network: Float64Array) -> Float64Array:
    """Hashprice over what it would be without the exit, once difficulty has followed, by month."""
    leaving = spec.own_exit
    assert leaving is not None
    multiplier = own_exit_hashprice_multiplier(
        own_eh_s=np.zeros_like(network),
        reference_own_eh_s=np.full_like(network, leaving.exit_eh_s),
        network_eh_s=network,
        elasticity=leaving.elasticity,
    )
    return np.where([month >= leaving.from_month for month in spec.months], multiplier, 1.0)


def _followed(
    spec: NetworkCurveSpec, cases: Sequence[Float64Array], difficulty_at_start: float
) -> list[list[NetworkMonth]]:
    """The months of each case."""
    network = np.stack(cases, axis=1)
    chain = retarget_paths(
        network_eh_s=network,
        days_in_month=[calendar.monthrange(month.year, month.month)[1] for month in spec.months],
        block_height_at_start=spec.block_height_at_start,
        difficulty_at_start=difficulty_at_start,
    )
    hashprice = hashprice_btc_per_ph_day(
        difficulty=chain.difficulty,
        subsidy_btc=chain.subsidy_btc,
        fee_share_frac=[spec.fee_share_frac.at(spec.start_month, month) for month in spec.months],
    )
    return [
        [
            NetworkMonth(
                network_eh_s=float(network[t, case]),
                difficulty=float(chain.difficulty[t, case]),
                blocks=float(chain.blocks[t, case]),
                block_height=float(chain.block_height[t, case]),
                subsidy_btc=float(chain.subsidy_btc[t, case]),
                hashprice_btc_per_ph_day=float(hashprice[t, case]),
            )
            for t in range(spec.month_count)
        ]
        for case in range(network.shape[1])
    ]
