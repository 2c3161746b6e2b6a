/* Random words of a slice of scenarios, Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), and uniforms from them. */
#ifndef OPTIMIZER_CURVES_DRAWS_H
#define OPTIMIZER_CURVES_DRAWS_H

#include <stdint.h>

#include "_elementary.h"

#define SLICE 256 /* scenarios stepped through the months together; a multiple of the eight of uniforms_avx2 */
#define PHILOX_LEFT 0xD2511F53U
#define PHILOX_RIGHT 0xCD9E8D57U
#define PHILOX_KEY_LOW 0x9E3779B9U
#define PHILOX_KEY_HIGH 0xBB67AE85U

/* Ten rounds of Philox4x32 on a counter of four words, in place. */
static inline void philox(uint32_t *counter, uint32_t key_low, uint32_t key_high) {
    for (int round = 0; round < 10; round++) {
        const uint64_t left = (uint64_t)PHILOX_LEFT * counter[0], right = (uint64_t)PHILOX_RIGHT * counter[2];
        counter[0] = (uint32_t)(right >> 32) ^ counter[1] ^ key_low;
        counter[1] = (uint32_t)right;
        counter[2] = (uint32_t)(left >> 32) ^ counter[3] ^ key_high;
        counter[3] = (uint32_t)left;
        key_low += PHILOX_KEY_LOW;
        key_high += PHILOX_KEY_HIGH;
    }
}

/* The upper 52 bits of two words as (k + 1/2) / 2**52, which is exact and within (0, 1): 1 + k / 2**52 is put together
   from its bits, and 1 - 1/2**53 taken off. */
static inline double centred(uint32_t high, uint32_t low) {
    return from_bits(ONE_BITS | (((uint64_t)high << 32 | low) >> 12)) - (1.0 - 0x1p-53);
}

/* What is drawn, and from where: the words of the counter but the scenario, and the key. */
typedef struct {
    uint64_t seed;
    uint32_t month, stream, block;
} Draw;

/* Two uniforms of each of count scenarios. */
static inline void uniforms_plain(Draw draw, uint32_t first_scenario, int count, double *u, double *v) {
    for (int i = 0; i < count; i++) {
        uint32_t word[4] = {first_scenario + (uint32_t)i, draw.month, draw.stream, draw.block};
        philox(word, (uint32_t)draw.seed, (uint32_t)(draw.seed >> 32));
        u[i] = centred(word[0], word[1]);
        v[i] = centred(word[2], word[3]);
    }
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(OPTIMIZER_NO_CLONES)
#include <immintrin.h>
#define PHILOX_AVX2 1

__attribute__((target("avx2"))) static inline __m256d centred_lanes(__m256i high, __m256i low) {
    const __m256i lower = _mm256_and_si256(low, _mm256_set1_epi64x(0xFFFFFFFF));
    const __m256i word = _mm256_or_si256(_mm256_slli_epi64(high, 32), lower);
    const __m256i bits = _mm256_or_si256(_mm256_srli_epi64(word, 12), _mm256_set1_epi64x(ONE_BITS));
    return _mm256_sub_pd(_mm256_castsi256_pd(bits), _mm256_set1_pd(1.0 - 0x1p-53));
}

/* As uniforms_plain, eight scenarios at a time (and so up to seven more than count): compilers do not find the widening
   product. A word is the lower half of a lane; what the upper half holds is never read. */
__attribute__((target("avx2"))) static void uniforms_avx2(
    Draw draw, uint32_t first_scenario, int count, double *u, double *v
) {
    const __m256i times_left = _mm256_set1_epi64x(PHILOX_LEFT), times_right = _mm256_set1_epi64x(PHILOX_RIGHT);
    __m256i key_low[10], key_high[10];
    for (int round = 0; round < 10; round++) {
        key_low[round] = _mm256_set1_epi64x((uint32_t)draw.seed + (uint32_t)round * PHILOX_KEY_LOW);
        key_high[round] = _mm256_set1_epi64x((uint32_t)(draw.seed >> 32) + (uint32_t)round * PHILOX_KEY_HIGH);
    }
    for (int i = 0; i < count; i += 8) {
        __m256i a[2], b[2], c[2], d[2];
        for (int half = 0; half < 2; half++) {
            const uint32_t w = first_scenario + (uint32_t)(i + 4 * half);
            a[half] = _mm256_set_epi64x(w + 3U, w + 2U, w + 1U, w);
            b[half] = _mm256_set1_epi64x(draw.month);
            c[half] = _mm256_set1_epi64x(draw.stream);
            d[half] = _mm256_set1_epi64x(draw.block);
        }
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            for (int half = 0; half < 2; half++) {
                const __m256i left = _mm256_mul_epu32(a[half], times_left);
                const __m256i right = _mm256_mul_epu32(c[half], times_right);
                a[half] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(right, 32), b[half]), key_low[round]);
                b[half] = right;
                c[half] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(left, 32), d[half]), key_high[round]);
                d[half] = left;
            }
        }
        for (int half = 0; half < 2; half++) {
            _mm256_storeu_pd(u + i + 4 * half, centred_lanes(a[half], b[half]));
            _mm256_storeu_pd(v + i + 4 * half, centred_lanes(c[half], d[half]));
        }
    }
}
#endif

/* Two uniforms of each of count <= SLICE scenarios, into arrays of SLICE. */
static inline void draw_uniforms(Draw draw, uint32_t first_scenario, int count, double *u, double *v) {
#ifdef PHILOX_AVX2
    if (__builtin_cpu_supports("avx2")) {
        uniforms_avx2(draw, first_scenario, count, u, v);
        return;
    }
#endif
    uniforms_plain(draw, first_scenario, count, u, v);
}

#endif
