/* VECTOR_CLONES compiles a function twice, for AVX2 and for any x86-64, and picks one when the module is loaded.
   Without fused multiply-add (-ffp-contract=off) and without sums across lanes, both give the same bits. */
#ifndef OPTIMIZER_CURVES_CLONES_H
#define OPTIMIZER_CURVES_CLONES_H

#include <stdint.h> /* brings __GLIBC__ */

#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__) && !defined(OPTIMIZER_NO_CLONES)
#define VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
