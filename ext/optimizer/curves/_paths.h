/* Loops over the scenarios of a slice that the compiler makes vector instructions of: normals, paths, powers. */
#ifndef OPTIMIZER_CURVES_PATHS_H
#define OPTIMIZER_CURVES_PATHS_H

#include <math.h>
#include <string.h>

#include "_clones.h"
#include "_draws.h"
#include "_elementary.h"

#define FACTOR_COUNT 5

/* ---- Normals: AS241, PPND16 (Wichura 1988), to about 1e-16 relative ---- */

/* Numerators and denominators of the three ranges, constant term first. */
static const double CENTRE[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3},
};
static const double MIDDLE[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9},
};
static const double TAIL[2][8] = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15},
};

static inline double ratio(const double range[2][8], double r) {
    double above = range[0][7], under = range[1][7];
    for (int i = 6; i >= 0; i--) {
        above = above * r + range[0][i];
        under = under * r + range[1][i];
    }
    return above / under;
}

VECTOR_CLONES static void centre_deviates(int count, const double *restrict uniform, double *restrict deviate) {
    for (int i = 0; i < count; i++) {
        const double q = uniform[i] - 0.5;
        deviate[i] = q * ratio(CENTRE, 0.180625 - q * q);
    }
}

VECTOR_CLONES static void middle_deviates(int count, const double *restrict root, double *restrict deviate) {
    for (int i = 0; i < count; i++)
        deviate[i] = ratio(MIDDLE, root[i] - 1.6);
}

VECTOR_CLONES static void negative_logs(int count, double *x) {
    for (int i = 0; i < count; i++)
        x[i] = -log_point(x[i]);
}

/* Standard normal deviates of count <= SLICE probabilities within (0, 1), in place. The 15 % beyond the central range
   are gathered first, so that no loop has a branch that is hard to foretell. */
static void normal_deviates(int count, double *uniform) {
    double deviate[SLICE], root[SLICE], outer[SLICE];
    int place[SLICE], found = 0;
    centre_deviates(count, uniform, deviate);
    for (int i = 0; i < count; i++) {
        const double p = uniform[i];
        place[found] = i;
        root[found] = choose(p < 0.5, p, 1.0 - p);
        found += fabs(p - 0.5) > 0.425;
    }
    negative_logs(found, root);
    for (int j = 0; j < found; j++)
        root[j] = sqrt(root[j]);
    middle_deviates(found, root, outer);
    for (int j = 0; j < found; j++) {
        const double size = root[j] <= 5.0 ? outer[j] : ratio(TAIL, root[j] - 5.0);
        deviate[place[j]] = copysign(size, uniform[place[j]] - 0.5);
    }
    memcpy(uniform, deviate, (size_t)count * sizeof *uniform);
}

/* One month of the log-deviations of a factor, and the multipliers exp(deviation - shift). */
VECTOR_CLONES static void step_deviations(
    int count, double decay, const double weight[FACTOR_COUNT], double shock[FACTOR_COUNT][SLICE], double shift,
    double *restrict deviation, double *restrict multiplier
) {
    for (int i = 0; i < count; i++) {
        const double moved = ((weight[0] * shock[0][i] + weight[1] * shock[1][i])
                              + (weight[2] * shock[2][i] + weight[3] * shock[3][i])) + weight[4] * shock[4][i];
        deviation[i] = decay * deviation[i] + moved;
        multiplier[i] = exp_point(deviation[i] - shift);
    }
}

/* exp(x + shift) of each entry. */
VECTOR_CLONES static void exp_lanes(int count, const double *restrict x, double shift, double *restrict out) {
    for (int i = 0; i < count; i++)
        out[i] = exp_point(x[i] + shift);
}

/* x**power of each entry, positive and normal; good to |power * log(x)| ulp. */
VECTOR_CLONES static void power_lanes(int count, const double *restrict x, double power, double *restrict out) {
    for (int i = 0; i < count; i++)
        out[i] = exp_point(power * log_point(x[i]));
}

VECTOR_CLONES static void log_lanes(int count, const double *restrict x, double *restrict out) {
    for (int i = 0; i < count; i++)
        out[i] = log_point(x[i]);
}

#endif
