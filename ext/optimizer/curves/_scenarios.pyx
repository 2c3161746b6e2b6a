"""Counter-based scenarios: Philox4x32-10, AS241 normals, monthly log-deviations, default months, hashprice paths.

Every random number is a function of (seed, scenario, month, stream, block) alone: a scenario does not know its batch.
"""

from libc.math cimport exp, fabs, floor, log, pow, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

import numpy as np

from optimizer.curves._hashing cimport hashprice

cdef enum:
    FACTOR_COUNT = 5
    PAIRS = 3  # pairs of uniforms that give five normals
    SLICE = 256  # scenarios stepped through the months together
    NEVER = 2147483647

# Purpose of a draw, in the upper half of the block word.
cdef enum:
    DRAW_FACTORS = 0 << 16
    DRAW_DEFAULTS = 1 << 16

# AS241, PPND16: numerators and denominators of the three ranges, constant term first.
cdef double[8] CENTRE_NUMERATOR = [
    3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
    4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3,
]
cdef double[8] CENTRE_DENOMINATOR = [
    1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
    2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3,
]
cdef double[8] MIDDLE_NUMERATOR = [
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
]
cdef double[8] MIDDLE_DENOMINATOR = [
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
]
cdef double[8] TAIL_NUMERATOR = [
    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
]
cdef double[8] TAIL_DENOMINATOR = [
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
]


cdef inline void philox(uint32_t *counter, uint32_t key_low, uint32_t key_high) noexcept nogil:
    """Ten rounds of Philox4x32 on a counter of four words, in place."""
    cdef uint64_t left, right
    cdef int _
    for _ in range(10):
        left = <uint64_t> 0xD2511F53U * counter[0]
        right = <uint64_t> 0xCD9E8D57U * counter[2]
        counter[0] = <uint32_t> (right >> 32) ^ counter[1] ^ key_low
        counter[1] = <uint32_t> right
        counter[2] = <uint32_t> (left >> 32) ^ counter[3] ^ key_high
        counter[3] = <uint32_t> left
        key_low += 0x9E3779B9U
        key_high += 0xBB67AE85U


cdef inline double centred(uint32_t high, uint32_t low) noexcept nogil:
    """The upper 52 bits of two words as ``(k + 1/2) / 2**52``, which is exact and within (0, 1)."""
    cdef uint64_t bits = ((<uint64_t> high << 32) | low) >> 12
    return (<double> bits + 0.5) * (1.0 / 4503599627370496.0)


cdef inline UniformPair uniforms(
    uint64_t seed, uint32_t scenario, uint32_t month, uint32_t stream, uint32_t block
) noexcept nogil:
    cdef uint32_t[4] word
    cdef UniformPair pair
    word[0], word[1], word[2], word[3] = scenario, month, stream, block
    philox(&word[0], <uint32_t> seed, <uint32_t> (seed >> 32))
    pair.first = centred(word[0], word[1])
    pair.second = centred(word[2], word[3])
    return pair


cdef inline double ratio(const double *numerator, const double *denominator, double r) noexcept nogil:
    cdef double above = numerator[7], under = denominator[7]
    cdef int i
    for i in range(6, -1, -1):
        above = above * r + numerator[i]
        under = under * r + denominator[i]
    return above / under


cdef inline double quantile(double uniform) noexcept nogil:
    """Standard normal deviate of a probability within (0, 1), to about 1e-16 relative."""
    cdef double q = uniform - 0.5, r, deviate
    if fabs(q) <= 0.425:
        return q * ratio(CENTRE_NUMERATOR, CENTRE_DENOMINATOR, 0.180625 - q * q)
    r = sqrt(-log(uniform if q < 0.0 else 1.0 - uniform))
    if r <= 5.0:
        deviate = ratio(MIDDLE_NUMERATOR, MIDDLE_DENOMINATOR, r - 1.6)
    else:
        deviate = ratio(TAIL_NUMERATOR, TAIL_DENOMINATOR, r - 5.0)
    return -deviate if q < 0.0 else deviate


cdef inline void draw_shocks(uint64_t seed, uint32_t scenario, uint32_t month, double *shock) noexcept nogil:
    """Independent standard normals of one scenario and month, ``2 * PAIRS`` of them."""
    cdef UniformPair pair
    cdef int i
    for i in range(PAIRS):
        pair = uniforms(seed, scenario, month, 0, DRAW_FACTORS + i)
        shock[2 * i] = quantile(pair.first)
        shock[2 * i + 1] = quantile(pair.second)


cdef void step_slice(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t first,
    Py_ssize_t count,
    const double[::1] decay,
    const double[::1] step_deviation,
    const double[:, ::1] half_variance,
    const double[:, ::1] lower,
    double[:, :, ::1] out,
) noexcept nogil:
    """Fill all months of a slice of scenarios."""
    cdef double[FACTOR_COUNT][SLICE] deviation
    cdef double[2 * PAIRS] shock
    cdef double correlated
    cdef Py_ssize_t t, w, f, g
    for f in range(FACTOR_COUNT):
        for w in range(count):
            deviation[f][w] = 0.0
    for t in range(out.shape[1]):
        for w in range(count):
            draw_shocks(seed, first_scenario + <uint32_t> (first + w), <uint32_t> t, shock)
            for f in range(FACTOR_COUNT):
                correlated = 0.0
                for g in range(f + 1):
                    correlated += lower[f, g] * shock[g]
                deviation[f][w] = decay[f] * deviation[f][w] + step_deviation[f] * correlated
                out[f, t, first + w] = exp(deviation[f][w] - half_variance[f, t])


def philox4x32(counter, key):
    """The four output words of one counter (four words) and key (two words)."""
    cdef uint32_t[4] word
    cdef uint32_t low = key[0], high = key[1]
    word[0], word[1], word[2], word[3] = counter
    with nogil:
        philox(&word[0], low, high)
    return word[0], word[1], word[2], word[3]


def normal_quantile(const double[::1] uniform):
    """Standard normal deviates of probabilities ``[N]`` within (0, 1)."""
    deviates = np.empty(uniform.shape[0])
    cdef double[::1] out = deviates
    cdef Py_ssize_t i
    with nogil:
        for i in range(uniform.shape[0]):
            out[i] = quantile(uniform[i])
    return deviates


def factor_multipliers(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t scenario_count,
    const double[::1] decay,
    const double[::1] step_deviation,
    const double[:, ::1] half_variance,
    const double[:, ::1] lower,
):
    """``[5, T, W]`` from monthly decay and step ``[5]``, half the variance ``[5, T]``, Cholesky factor ``[5, 5]``."""
    multipliers = np.empty((FACTOR_COUNT, half_variance.shape[1], scenario_count))
    cdef double[:, :, ::1] out = multipliers
    cdef Py_ssize_t s, first
    with nogil:
        for s in range((scenario_count + SLICE - 1) // SLICE):
            first = s * SLICE
            step_slice(
                seed, first_scenario, first, min(<Py_ssize_t> SLICE, scenario_count - first),
                decay, step_deviation, half_variance, lower, out,
            )
    return multipliers


def default_months(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t scenario_count,
    const double[::1] log_survival_per_month,
    const int64_t[::1] stream,
):
    """``[K, W]`` int32: the whole months that survival takes to fall to a uniform; NEVER where it does not fall."""
    months = np.full((stream.shape[0], scenario_count), NEVER, dtype=np.int32)
    cdef int32_t[:, ::1] out = months
    cdef double month
    cdef Py_ssize_t k, w
    with nogil:
        for k in range(stream.shape[0]):
            if log_survival_per_month[k] == 0.0:
                continue
            for w in range(scenario_count):
                month = uniforms(
                    seed, first_scenario + <uint32_t> w, 0, <uint32_t> stream[k], DRAW_DEFAULTS
                ).first
                month = floor(log(month) / log_survival_per_month[k])
                if month < NEVER:
                    out[k, w] = <int32_t> month
    return months


def hashprice_paths(
    const double[::1] base_btc_usd,
    const double[::1] base_network_eh_s,
    const double[::1] reward_btc,
    const double[:, ::1] btc_multiplier,
    const double[:, ::1] network_multiplier,
    double elasticity,
    Py_ssize_t lag_months,
):
    """``[T, W]`` USD per PH/s per day; the network follows the price ``lag_months`` later."""
    paths = np.empty((btc_multiplier.shape[0], btc_multiplier.shape[1]))
    cdef double[:, ::1] out = paths
    cdef double network
    cdef Py_ssize_t t, w
    with nogil:
        for t in range(out.shape[0]):
            for w in range(out.shape[1]):
                network = base_network_eh_s[t] * network_multiplier[t, w]
                if t >= lag_months:
                    network *= pow(btc_multiplier[t - lag_months, w], elasticity)
                out[t, w] = hashprice(base_btc_usd[t] * btc_multiplier[t, w], network, reward_btc[t])
    return paths
