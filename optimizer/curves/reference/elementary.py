"""exp and log as the kernels compute them, operation by operation: NumPy rounds each one, so the bits must agree."""

from __future__ import annotations

import math

import numpy as np

from optimizer.curves._checks import Float64Array

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LOG_ODD = (6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01, 1.479819860511658591e-01)
LOG_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)


def exponential(x: Float64Array) -> Float64Array:
    """Exponential by its Taylor polynomial of degree 13 within half a power of 2; held beyond 708."""
    x = np.clip(x, -708.0, 708.0)
    power = np.rint(x * 1.44269504088896338700)
    r = (x - power * LN2_HIGH) - power * LN2_LOW
    term = [1.0 / math.factorial(degree) for degree in range(2, 14)]
    low, middle, high = ((term[k] + r * term[k + 1]) + (r * r) * (term[k + 2] + r * term[k + 3]) for k in (0, 4, 8))
    r4 = (r * r) * (r * r)
    tail = low + r4 * (middle + r4 * high)
    return np.asarray(np.ldexp(1.0 + (r + r * r * tail), power.astype(np.int64)))


def logarithm(x: Float64Array) -> Float64Array:
    """Logarithm by the polynomials of FreeBSD's e_log.c, of positive normal numbers."""
    fraction, power = np.frexp(x)
    low = fraction < np.sqrt(0.5)
    power = np.where(low, power - 1, power).astype(np.float64)
    f = np.where(low, 2.0 * fraction, fraction) - 1.0
    s = f / (2.0 + f)
    half, w = 0.5 * f * f, (s * s) * (s * s)
    odd, even = (s * s) * _polynomial(LOG_ODD, w), w * _polynomial(LOG_EVEN, w)
    return np.asarray(power * LN2_HIGH - ((half - (s * (half + (odd + even)) + power * LN2_LOW)) - f))


def _polynomial(coefficients: tuple[float, ...], w: Float64Array) -> Float64Array:
    value = np.full_like(w, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = coefficient + w * value
    return value
