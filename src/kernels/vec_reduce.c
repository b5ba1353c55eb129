/* vec_reduce.c - sums over many values in double precision: sums and products of each lane (batch
 * norm, bias gradients), the sum of squares of a flat array (norms). A vector of doubles holds half
 * the lanes of `vec`; both compilers turn the conversion into the instruction there is. WAYS sums
 * beside each other hide the latency of an addition; they are joined in a fixed order, so the bits
 * depend on the count alone. The product of two floats is exact in double. Contract: gradient.h. */
#include "kernels/vec_gradient.h"

enum { HALF = DP_VEC_LANES / 2, WAYS = 4 };
typedef double wide __attribute__((vector_size(HALF * sizeof(double))));
typedef float narrow __attribute__((vector_size(HALF * sizeof(float))));

DP_VEC_INLINE wide load_wide(const float *p) {
    narrow a;
    memcpy(&a, p, sizeof a);
    return __builtin_convertvector(a, wide);
}

/* Half h of the lanes. `products` NULL: b is not read; `sums` NULL: only products. */
DP_VEC_INLINE void half_sums(double *sums, double *products, const float *a, const float *b,
                             int pixels) {
    wide sum[WAYS] = { 0 };
    wide product[WAYS] = { 0 };
    int x = 0;
    for (; x + WAYS <= pixels; x += WAYS) {
        DP_VEC_UNROLL
        for (int w = 0; w < WAYS; w++) {
            wide value = load_wide(a + (ptrdiff_t)(x + w) * DP_VEC_LANES);
            sum[w] += value;
            if (products)
                product[w] += value * load_wide(b + (ptrdiff_t)(x + w) * DP_VEC_LANES);
        }
    }
    for (; x < pixels; x++) {
        wide value = load_wide(a + (ptrdiff_t)x * DP_VEC_LANES);
        sum[0] += value;
        if (products)
            product[0] += value * load_wide(b + (ptrdiff_t)x * DP_VEC_LANES);
    }
    wide total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    wide product_total = (product[0] + product[1]) + (product[2] + product[3]);
    for (int l = 0; l < HALF; l++) {
        if (sums)
            sums[l] += total[l];
        if (products)
            products[l] += product_total[l];
    }
}

void DP_VEC_NAME(sums)(double *sums, double *products, const float *a, const float *b, int pixels) {
    for (int l = 0; l < DP_VEC_LANES; l += HALF) {
        double *part = sums ? sums + l : NULL;
        if (products)
            half_sums(part, products + l, a + l, b + l, pixels);
        else
            half_sums(part, NULL, a + l, NULL, pixels);
    }
}

double DP_VEC_NAME(square_sum)(const float *values, size_t count) {
    wide sum[WAYS] = { 0 };
    size_t i = 0;
    for (; i + WAYS * HALF <= count; i += WAYS * HALF) {
        DP_VEC_UNROLL
        for (int w = 0; w < WAYS; w++) {
            wide value = load_wide(values + i + w * HALF);
            sum[w] += value * value;
        }
    }
    wide joined = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    double total = 0;
    for (int l = 0; l < HALF; l++)
        total += joined[l];
    for (; i < count; i++)
        total += (double)values[i] * (double)values[i];
    return total;
}
