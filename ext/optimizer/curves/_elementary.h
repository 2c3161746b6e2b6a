/* exp and log from additions, multiplications and one division: no branch, no table and no call, so that loops over
   them become vector instructions and their bits do not depend on the C library. Both are within 1 ulp. */
#ifndef OPTIMIZER_CURVES_ELEMENTARY_H
#define OPTIMIZER_CURVES_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

#define ONE_BITS UINT64_C(0x3FF0000000000000)
#define LN2_HIGH 6.93147180369123816490e-01 /* 33 bits, so that a multiple by an exponent is exact */
#define LN2_LOW 1.90821492927058770002e-10
#define EXP_LIMIT 708.0 /* exp(-708) is the last multiple of 1 that is a normal number */

static inline double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* value if it holds, else other: masks where the compiler would see a branch. */
static inline double choose(int holds, double value, double other) {
    const uint64_t mask = -(uint64_t)holds;
    return from_bits((to_bits(value) & mask) | (to_bits(other) & ~mask));
}

/* exp(x) for |x| <= 708, and the value at that limit beyond it.
   x = k ln 2 + r with |r| <= ln(2)/2, where the Taylor polynomial of degree 13 leaves 4e-18; then a shift by k. */
static inline double exp_point(double x) {
    const double round = 0x1.8p52; /* adding it leaves the nearest integer in the lowest bits */
    x = choose(x < -EXP_LIMIT, -EXP_LIMIT, x);
    x = choose(x > EXP_LIMIT, EXP_LIMIT, x);
    const double shifted = x * 1.44269504088896338700 + round, k = shifted - round;
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    /* Terms two by two (Estrin): shorter chains than Horner's, so that more of them run at once. */
    const double r2 = r * r, r4 = r2 * r2;
    const double low = (0.5 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    const double middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    const double high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
                        + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
    const double tail = low + r4 * (middle + r4 * high);
    return (1.0 + (r + r2 * tail)) * from_bits((to_bits(shifted) << 52) + ONE_BITS);
}

/* log(x) of a positive normal number; the method and coefficients of FreeBSD's e_log.c (Sun Microsystems 1993):
   x = 2**k (1 + f) with 1 + f in sqrt(1/2)..sqrt(2), and with s = f / (2 + f)
   log(1 + f) = f - f**2/2 + s (f**2/2 + R(s**2)). */
static inline double log_point(double x) {
    const uint64_t sqrt_half = UINT64_C(0x3FE6A09E667F3BCD);
    const uint64_t bits = to_bits(x) + (ONE_BITS - sqrt_half);
    const double k = from_bits((bits >> 52) | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023.0);
    const double f = from_bits((bits & UINT64_C(0x000FFFFFFFFFFFFF)) + sqrt_half) - 1.0;
    const double s = f / (2.0 + f), z = s * s, w = z * z, half = 0.5 * f * f;
    const double odd = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
                     + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    return k * LN2_HIGH - ((half - (s * (half + (odd + even)) + k * LN2_LOW)) - f);
}

#endif
