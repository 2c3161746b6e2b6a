"""Scenario kernels: monthly log-deviations, default months, bootstrap, hashprice paths.

The entries fill columns ``first`` to ``last`` of their arrays, so that threads can share the scenarios out.
"""

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

import numpy as np

from optimizer.curves._draws cimport (
    DRAW_BOOTSTRAP, DRAW_DEFAULTS, DRAW_FACTORS, NEVER, SLICE, draw_uniforms, lanes, philox, purpose,
)
from optimizer.curves._hashing cimport hashprice


cdef void draw_shocks(
    uint64_t seed, Py_ssize_t month, uint32_t first_scenario, int count, const int *needed, double (*shock)[SLICE]
) noexcept nogil:
    """Independent standard normals of one month, those that are needed: two rows from one block of random words."""
    cdef int f
    for f in range(0, FACTOR_COUNT, 2):
        if needed[f] or needed[f + 1]:
            draw_uniforms(purpose(seed, month, 0, DRAW_FACTORS + f // 2), first_scenario, count, shock[f], shock[f + 1])
    for f in range(FACTOR_COUNT):
        if needed[f]:
            normal_deviates(count, shock[f])


cdef void step_slice(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t first,
    int count,
    const double[::1] decay,
    const double[:, ::1] half_variance,
    const double[:, ::1] weight,
    const int64_t[::1] row,
    double[:, :, ::1] out,
) noexcept nogil:
    """Fill all months of a slice of scenarios; only the shocks that some wanted factor weighs are drawn."""
    cdef double[FACTOR_COUNT + 1][SLICE] shock
    cdef double[FACTOR_COUNT][SLICE] deviation
    cdef int[FACTOR_COUNT + 1] needed
    cdef Py_ssize_t t
    cdef int f, g
    for f in range(FACTOR_COUNT + 1):
        needed[f] = 0
        for g in range(SLICE):
            shock[f][g] = 0.0
    for f in range(FACTOR_COUNT):
        for g in range(SLICE):
            deviation[f][g] = 0.0
        for g in range(FACTOR_COUNT):
            needed[g] |= row[f] >= 0 and weight[f, g] != 0.0
    for t in range(out.shape[1]):
        draw_shocks(seed, t, first_scenario + <uint32_t> first, count, needed, shock)
        for f in range(FACTOR_COUNT):
            if row[f] >= 0:
                step_deviations(
                    count, decay[f], &weight[f, 0], shock, half_variance[f, t], deviation[f], &out[row[f], t, first]
                )


cdef void price_slice(
    const double[::1] base_btc_usd,
    const double[::1] base_network_eh_s,
    const double[::1] reward_btc,
    const double[:, ::1] btc_multiplier,
    const double[:, ::1] network_multiplier,
    double elasticity,
    Py_ssize_t lag_months,
    Py_ssize_t first,
    int count,
    double[:, ::1] out,
) noexcept nogil:
    """Hashprice of all months of a slice of scenarios; the network follows the price ``lag_months`` later."""
    cdef double[SLICE] followed
    cdef const double *btc
    cdef const double *network
    cdef double *price
    cdef Py_ssize_t t
    cdef int w
    for w in range(SLICE):
        followed[w] = 1.0
    for t in range(out.shape[0]):
        btc, network, price = &btc_multiplier[t, first], &network_multiplier[t, first], &out[t, first]
        if t >= lag_months and elasticity != 0.0:
            power_lanes(count, &btc_multiplier[t - lag_months, first], elasticity, followed)
        for w in range(count):
            price[w] = hashprice(
                base_btc_usd[t] * btc[w], base_network_eh_s[t] * network[w] * followed[w], reward_btc[t]
            )


cdef void default_slice(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t first,
    int count,
    double log_survival_per_month,
    int64_t stream,
    const double[:, ::1] hazard_multiplier,
    Py_ssize_t months,
    int32_t *out,
) noexcept nogil:
    """Default months of one tenant: the whole months of plain hazard that its life holds, less those used up."""
    cdef double[SLICE] life
    cdef double[SLICE] other
    cdef double[SLICE] lived
    cdef int32_t[SLICE] passed
    cdef double month
    cdef Py_ssize_t t
    cdef int w
    draw_uniforms(purpose(seed, 0, stream, DRAW_DEFAULTS), first_scenario + <uint32_t> first, count, life, other)
    log_lanes(count, life, other)
    for w in range(count):
        life[w], lived[w], passed[w] = other[w] / log_survival_per_month, 0.0, 0
    for t in range(months):
        for w in range(count):
            lived[w] += hazard_multiplier[t, first + w]
            passed[w] += lived[w] <= life[w]
    for w in range(count):
        if passed[w] < months:
            out[w] = passed[w]
        else:
            month = months + floor(life[w] - lived[w])
            out[w] = <int32_t> month if month < NEVER else NEVER


cdef void bootstrap_slice(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t first,
    int count,
    const double[:, ::1] log_change,
    const double[:, ::1] log_mean,
    const int64_t[::1] row,
    double new_block_frac,
    double[:, :, ::1] out,
) noexcept nogil:
    """Each scenario walks through the history, around its end, and jumps where a new block begins."""
    cdef double[SLICE] whether
    cdef double[SLICE] where
    cdef double[FACTOR_COUNT][SLICE] deviation
    cdef Py_ssize_t[SLICE] place
    cdef Py_ssize_t t, history = log_change.shape[1]
    cdef int f, w
    for t in range(out.shape[1]):
        draw_uniforms(purpose(seed, t, 0, DRAW_BOOTSTRAP), first_scenario + <uint32_t> first, count, whether, where)
        for w in range(count):
            if t == 0 or whether[w] < new_block_frac:
                place[w] = <Py_ssize_t> floor(where[w] * history)
            else:
                place[w] = place[w] + 1 if place[w] + 1 < history else 0
        for f in range(log_change.shape[0]):
            for w in range(count):
                deviation[f][w] = log_change[f, place[w]] + (deviation[f][w] if t else 0.0)
            exp_lanes(count, deviation[f], -log_mean[f, t], &out[row[f], t, first])


def philox4x32(counter, key):
    """The four output words of one counter (four words) and key (two words)."""
    cdef uint32_t[4] word
    cdef uint32_t low = key[0], high = key[1]
    word[0], word[1], word[2], word[3] = counter
    with nogil:
        philox(&word[0], low, high)
    return word[0], word[1], word[2], word[3]


def uniforms(
    uint64_t seed, uint32_t first_scenario, Py_ssize_t scenario_count, uint32_t month, uint32_t stream, uint32_t block
):
    """Two uniforms of each scenario, ``[2, W]``."""
    pairs = np.empty((2, (scenario_count + SLICE - 1) // SLICE * SLICE))  # lanes are filled in eights
    cdef double[:, ::1] out = pairs
    cdef Py_ssize_t first
    with nogil:
        first = 0
        while first < scenario_count:
            draw_uniforms(
                purpose(seed, month, stream, block), first_scenario + <uint32_t> first,
                lanes(first, scenario_count), &out[0, first], &out[1, first],
            )
            first += SLICE
    return pairs[:, :scenario_count]


def normal_quantile(const double[::1] uniform):
    """Standard normal deviates of probabilities ``[N]`` within (0, 1)."""
    deviates = np.array(uniform)
    cdef double[::1] out = deviates
    cdef Py_ssize_t first
    with nogil:
        first = 0
        while first < out.shape[0]:
            normal_deviates(lanes(first, out.shape[0]), &out[first])
            first += SLICE
    return deviates


def exponential(const double[::1] x):
    """``exp(x)`` of each entry, ``[N]``; beyond 708 the value at 708."""
    values = np.empty(x.shape[0])
    cdef double[::1] out = values
    with nogil:
        if x.shape[0]:
            exp_lanes(<int> x.shape[0], &x[0], 0.0, &out[0])
    return values


def logarithm(const double[::1] x):
    """``log(x)`` of each entry, ``[N]``, positive and normal."""
    values = np.empty(x.shape[0])
    cdef double[::1] out = values
    with nogil:
        if x.shape[0]:
            log_lanes(<int> x.shape[0], &x[0], &out[0])
    return values


def factor_multipliers(
    uint64_t seed,
    uint32_t first_scenario,
    const double[::1] decay,
    const double[:, ::1] half_variance,
    const double[:, ::1] weight,
    const int64_t[::1] row,
    double[:, :, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Fill rows of ``out[., T, W]`` from monthly decay ``[5]``, half the variance ``[5, T]``, shock weights ``[5, 5]``.

    ``row[5]`` is the row of each factor, negative for one that is not drawn.
    """
    cdef Py_ssize_t w
    with nogil:
        w = first
        while w < last:
            step_slice(seed, first_scenario, w, lanes(w, last), decay, half_variance, weight, row, out)
            w += SLICE


def default_months(
    uint64_t seed,
    uint32_t first_scenario,
    const double[::1] log_survival_per_month,
    const int64_t[::1] stream,
    const double[:, ::1] hazard_multiplier,
    int32_t[:, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Fill ``out[K, W]``: the month in which the hazard, multiplied by ``[T, W]`` or by nothing, uses up a life."""
    cdef Py_ssize_t k, w, months = 0 if hazard_multiplier is None else hazard_multiplier.shape[0]
    with nogil:
        w = first
        while w < last:
            for k in range(out.shape[0]):
                if log_survival_per_month[k] != 0.0:
                    default_slice(
                        seed, first_scenario, w, lanes(w, last), log_survival_per_month[k],
                        stream[k], hazard_multiplier, months, &out[k, w],
                    )
            w += SLICE


def hashprice_paths(
    const double[::1] base_btc_usd,
    const double[::1] base_network_eh_s,
    const double[::1] reward_btc,
    const double[:, ::1] btc_multiplier,
    const double[:, ::1] network_multiplier,
    double elasticity,
    Py_ssize_t lag_months,
    double[:, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Fill ``out[T, W]``, USD per PH/s per day."""
    cdef Py_ssize_t w
    with nogil:
        w = first
        while w < last:
            price_slice(
                base_btc_usd, base_network_eh_s, reward_btc, btc_multiplier, network_multiplier, elasticity,
                lag_months, w, lanes(w, last), out,
            )
            w += SLICE


def bootstrap_multipliers(
    uint64_t seed,
    uint32_t first_scenario,
    const double[:, ::1] log_change,
    const double[:, ::1] log_mean,
    const int64_t[::1] row,
    double new_block_frac,
    double[:, :, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Fill rows ``row[F]`` of ``out[5, T, W]`` from changes ``[F, H]`` and the logs of the means ``[F, T]``."""
    cdef Py_ssize_t w
    with nogil:
        w = first
        while w < last:
            bootstrap_slice(
                seed, first_scenario, w, lanes(w, last), log_change, log_mean, row,
                new_block_frac, out,
            )
            w += SLICE
