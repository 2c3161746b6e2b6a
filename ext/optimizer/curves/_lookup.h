/* Look-up of many numbers at once in a sorted row of values.
 *
 * The leading bits of |x - centre| + scale number a bucket: even buckets near the centre, where most values lie, and
 * ever wider ones towards the spikes. The table holds the number of values before each bucket. Most buckets hold one
 * value or none, so one comparison finishes; a search inside the bucket settles the rest. Keys never fall as x rises,
 * so the result is that of a binary search over the whole row. */
#ifndef OPTIMIZER_LOOKUP_H
#define OPTIMIZER_LOOKUP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __GNUC__
#define RARELY(condition) __builtin_expect(condition, 0)
#define INLINED static inline __attribute__((always_inline))
#else
#define RARELY(condition) (condition)
#define INLINED static inline
#endif

enum { SLICE = 256 };  /* numbers handled in one go */
enum { COLUMNS = 3 };  /* of an entry: the value, and two sums that belong to it */

/* Borrowed from the arrays of a SortedTables, which outlive the call. */
typedef struct {
    const double *entry;         /* COLUMNS numbers each, ascending in the first, which of the last is infinite */
    const int32_t *bucket_start; /* values before each bucket, then their count */
    double centre, scale;        /* origin of the keys */
    double low, high;            /* a hair below the first value, a hair above the last */
    int64_t first_key;
    int shift; /* bits dropped from a key */
} SortedTable;

INLINED int64_t leading_bits(double value, int shift)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> shift;
}

/* Non-decreasing in x; 0 at the centre. The leading bits are those of a positive number. */
INLINED int64_t bucket_key(double x, double centre, double scale, int shift)
{
    const double distance = x - centre;
    const int64_t key = (int64_t)((uint64_t)leading_bits(fabs(distance) + scale, 0) >> shift) - leading_bits(scale, shift);
    const int64_t negative = distance < 0.0 ? -1 : 0;
    return (key ^ negative) - negative;
}

/* Values before x: those below it, or with or_equal those at it too. */
INLINED int precedes(double value, double x, int or_equal)
{
    return or_equal ? value <= x : value < x;
}

/* before[i] = how many values precede x[i], for up to SLICE of them. */
INLINED void count_before(const SortedTable *table, const double *x, int count, int or_equal, int32_t *before)
{
    double inside[SLICE];
    int64_t bucket[SLICE];
    const double *value = table->entry;
    const double centre = table->centre, scale = table->scale, low = table->low, high = table->high;
    const int64_t first_key = table->first_key;
    const int shift = table->shift;
    for (int i = 0; i < count; i++) {
        double z = x[i] < low ? low : x[i];
        z = z > high ? high : z;
        inside[i] = z;
        bucket[i] = bucket_key(z, centre, scale, shift) - first_key;
    }
    for (int i = 0; i < count; i++) {
        const int32_t *start = table->bucket_start + bucket[i];
        const double z = inside[i];
        int32_t first = start[0];
        first += precedes(value[COLUMNS * first], z, or_equal);
        if (RARELY(precedes(value[COLUMNS * first], z, or_equal))) {
            int32_t last = start[1];
            first++;
            while (first < last) {
                const int32_t middle = first + (last - first) / 2;
                if (precedes(value[COLUMNS * middle], z, or_equal))
                    first = middle + 1;
                else
                    last = middle;
            }
        }
        before[i] = first;
    }
}

/* A running sum and what rounding has lost of it (Neumaier 1974). */
typedef struct {
    double total, lost;
} Compensated;

INLINED double add_compensated(Compensated *sum, double value)
{
    const double total = sum->total + value;
    if (fabs(sum->total) >= fabs(value))
        sum->lost += (sum->total - total) + value;
    else
        sum->lost += (value - total) + sum->total;
    sum->total = total;
    return total + sum->lost;
}

#endif
