/* One step of a cap curve over a slice of scenarios: the sums where it pays. In vectors of two doubles, which GCC and
   Clang have on every processor: left to itself the compiler makes a branch of it that is mispredicted. */
#ifndef OPTIMIZER_CURVES_STEPS_H
#define OPTIMIZER_CURVES_STEPS_H

#include <stdint.h>
#include <string.h>

#define SLICE 256
#define PAIRS 4 /* running sums side by side: scenario w goes to sum w modulo 8 */

typedef double Pair __attribute__((vector_size(16)));
typedef int64_t PairBits __attribute__((vector_size(16)));

struct StepSum {
    double rental, power_price;
    int64_t scenarios;
};

static inline double sum_pairs(const Pair *pairs) {
    const Pair sum = (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]);
    return sum[0] + sum[1];
}

/* Over the scenarios with rental * breakeven > power price. */
static inline struct StepSum sum_step(double breakeven, const double *rental, const double *power_price) {
    Pair rentals[PAIRS] = {{0}}, prices[PAIRS] = {{0}};
    PairBits scenarios = {0};
    for (int w = 0; w < SLICE; w += 2 * PAIRS) {
        for (int i = 0; i < PAIRS; i++) {
            Pair earned, paid;
            memcpy(&earned, rental + w + 2 * i, sizeof(earned));
            memcpy(&paid, power_price + w + 2 * i, sizeof(paid));
            const PairBits pays = earned * breakeven > paid; /* all bits set, or none */
            rentals[i] += (Pair)((PairBits)earned & pays);
            prices[i] += (Pair)((PairBits)paid & pays);
            scenarios -= pays;
        }
    }
    const struct StepSum sum = {sum_pairs(rentals), sum_pairs(prices), scenarios[0] + scenarios[1]};
    return sum;
}

#endif
