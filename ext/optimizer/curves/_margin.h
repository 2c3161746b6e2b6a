/* Sums of a step of a machine over scenarios, and over hours.
 *
 * Step by step of a machine's envelope, scenario w runs in the hours priced below
 *     z[w] = slope * (hashprice[w] / level[w]) - adder * (1 / level[w]).
 * Sums go to four lanes that are added in a fixed order: the same bits with and without vector instructions. */
#ifndef OPTIMIZER_MARGIN_H
#define OPTIMIZER_MARGIN_H

#include "_clones.h"
#include "_lookup.h"

enum { LANES = 4 };

/* Sums over scenarios. */
typedef struct {
    double share;      /* share of hours running */
    double hashprice;  /* share * hashprice */
    double price;      /* level * part of the mean price in the hours running */
    double btc;        /* share * hashprice in BTC */
} Sums;

/* A month's hours. An entry is a price, the share of hours below it and their part of the mean price. */
typedef struct {
    SortedTable table;
    int64_t count;
} Hours;

/* A slice of scenarios in one month. */
typedef struct {
    const double *hashprice, *level;
    double by_level[SLICE];      /* hashprice / level */
    double inverse_level[SLICE];
    double btc[SLICE];           /* hashprice in BTC */
    int has_btc;
    int count;
} Slice;

/* A month's scenarios in order. An entry is hashprice / level (hashprice alone where all share one level), and, from this
 * scenario to the last, the sums of hashprice and of level (of 1 where all share one). */
typedef struct {
    SortedTable table;
    const double *btc_from; /* sums of hashprice in BTC, or NULL */
    int64_t count;
    double level; /* the shared level, else 1 */
} Ordered;

INLINED double in_order(const double *lane)
{
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

VECTOR_CLONES static void prepare_slice(Slice *slice, const double *hashprice, const double *level, const double *btc_usd, int count)
{
    slice->hashprice = hashprice;
    slice->level = level;
    slice->count = count;
    slice->has_btc = btc_usd != NULL;
    for (int w = 0; w < count; w++) {
        slice->inverse_level[w] = 1.0 / level[w];
        slice->by_level[w] = hashprice[w] * slice->inverse_level[w];
    }
    if (btc_usd)
        for (int w = 0; w < count; w++)
            slice->btc[w] = hashprice[w] / btc_usd[w];
}

INLINED void hours_before(const Hours *hours, const Slice *slice, double slope, double adder, int32_t *before)
{
    double z[SLICE];
    for (int w = 0; w < slice->count; w++)
        z[w] = slope * slice->by_level[w] - adder * slice->inverse_level[w];
    count_before(&hours->table, z, slice->count, 0, before);
}

/* Add the sums over a slice of scenarios. */
VECTOR_CLONES static void add_slice_sums(const Hours *hours, const Slice *slice, double slope, double adder, Sums *sums)
{
    int32_t before[SLICE];
    double share[SLICE], part[SLICE], lane[4][LANES] = {{0.0}};
    const double *hashprice = slice->hashprice, *level = slice->level, *btc = slice->btc;
    const int count = slice->count;
    hours_before(hours, slice, slope, adder, before);
    for (int w = 0; w < count; w++) {
        const double *entry = hours->table.entry + COLUMNS * before[w];
        share[w] = entry[1];
        part[w] = entry[2];
    }
    const int whole = count - count % LANES;
    for (int w = 0; w < whole; w += LANES)
        for (int k = 0; k < LANES; k++) {
            lane[0][k] += share[w + k];
            lane[1][k] += share[w + k] * hashprice[w + k];
            lane[2][k] += part[w + k] * level[w + k];
        }
    for (int w = whole; w < count; w++) {
        lane[0][w - whole] += share[w];
        lane[1][w - whole] += share[w] * hashprice[w];
        lane[2][w - whole] += part[w] * level[w];
    }
    if (slice->has_btc)
        for (int w = 0; w < count; w++)
            lane[3][w % LANES] += share[w] * btc[w];
    sums->share += in_order(lane[0]);
    sums->hashprice += in_order(lane[1]);
    sums->price += in_order(lane[2]);
    sums->btc += in_order(lane[3]);
}

/* Add coefficient * (mean over hours of what the step earns above its power) to each scenario of a slice. */
VECTOR_CLONES static void add_slice_margin(
    const Hours *hours, const Slice *slice, double slope, double adder, double coefficient, double *out)
{
    int32_t before[SLICE];
    hours_before(hours, slice, slope, adder, before);
    for (int w = 0; w < slice->count; w++) {
        const double *entry = hours->table.entry + COLUMNS * before[w];
        out[w] += coefficient * (entry[1] * (slope * slice->hashprice[w] - adder) - slice->level[w] * entry[2]);
    }
}

/* Add the sums over all scenarios of a month, hour by hour: the scenarios that run in an hour are the last of the order.
 * Needs slope > 0, and a shared level or no adder. */
VECTOR_CLONES static void add_ordered_sums(const Hours *hours, const Ordered *scenarios, double slope, double adder, Sums *sums)
{
    double lane[4][LANES] = {{0.0}};
    for (int64_t first = 0; first < hours->count; first += SLICE) {
        const double *hour = hours->table.entry + COLUMNS * first;
        const int count = hours->count - first < SLICE ? (int)(hours->count - first) : SLICE;
        int32_t before[SLICE];
        double least[SLICE];
        for (int h = 0; h < count; h++)
            least[h] = (hour[COLUMNS * h] * scenarios->level + adder) / slope;
        count_before(&scenarios->table, least, count, 1, before);
        for (int h = 0; h < count; h++) {
            const double *entry = scenarios->table.entry + COLUMNS * (int64_t)before[h];
            const double share = hour[COLUMNS * (h + 1) + 1] - hour[COLUMNS * h + 1];
            lane[0][h % LANES] += share * (double)(scenarios->count - before[h]);
            lane[1][h % LANES] += share * entry[1];
            lane[2][h % LANES] += share * hour[COLUMNS * h] * entry[2];
            if (scenarios->btc_from)
                lane[3][h % LANES] += share * scenarios->btc_from[before[h]];
        }
    }
    sums->share += in_order(lane[0]);
    sums->hashprice += in_order(lane[1]);
    sums->price += in_order(lane[2]) * scenarios->level;
    sums->btc += in_order(lane[3]);
}

#endif
