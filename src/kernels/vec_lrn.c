/* vec_lrn.c - local response normalisation across channels. A pixel's neighbouring channels lie in one line once its blocks are put
 * one after another, so the squares of some pixels go to scratch lines with a block of zeros at both ends, and a window's sum is
 * unaligned loads from there. Several pixels a pass, so that a line has left the store buffer by the time it is read at other
 * offsets. k > 0 is expected: where the sum of squares is zero, lanes past C among them, k alone keeps the power finite. Contract:
 * dp_normalise in kernels.h. */
#include "kernels/vec_families.h"

enum { PIXELS = 16 }; /* a pass: 14 KB of scratch at 192 channels */

static size_t line_floats(int blocks) {
    return ((size_t)blocks + 2) * DP_VEC_LANES;
}

size_t DP_VEC_NAME(lrn_scratch)(int blocks) {
    return PIXELS * line_floats(blocks);
}

/* s^-3/4 = s^1/4 / s within 2.5 roundings (1.5e-7): true roots and division, so the same bits on every CPU. */
DP_VEC_INLINE vec power_three_quarters(vec s) {
    return vec_div(vec_sqrt(vec_sqrt(s)), s);
}

static vec power_any(vec s, float exponent) {
    float lanes[DP_VEC_LANES] __attribute__((aligned(sizeof(vec))));
    vec_store(lanes, s);
    for (int l = 0; l < DP_VEC_LANES; l++)
        lanes[l] = powf(lanes[l], exponent);
    return vec_load(lanes);
}

/* The sum around one vector of squares: channel c - half .. c + half of each lane's c. */
DP_VEC_INLINE vec window_sum(const float *squares, int half) {
    vec sum = vec_load_unaligned(squares - half);
    for (int d = 1 - half; d <= half; d++)
        sum = vec_add(sum, vec_load_unaligned(squares + d));
    return sum;
}

DP_VEC_INLINE void pass(const dp_normalise *n, int first, int count, const bool three_quarters) {
    const size_t line = line_floats(n->blocks);
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            vec x = vec_load(n->in + b * n->in_block + (ptrdiff_t)(first + i) * DP_VEC_LANES);
            vec_store(n->scratch + (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES, vec_mul(x, x));
        }
    const vec scale = vec_set(n->alpha / (float)n->size);
    const vec k = vec_set(n->k);
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            const ptrdiff_t pixel = (ptrdiff_t)(first + i) * DP_VEC_LANES;
            vec sum = window_sum(n->scratch + (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES, n->size / 2);
            vec s = vec_fma(scale, sum, k);
            vec power = three_quarters ? power_three_quarters(s) : power_any(s, -n->beta);
            vec_store(n->out + b * n->out_block + pixel, vec_mul(vec_load(n->in + b * n->in_block + pixel), power));
        }
}

void DP_VEC_NAME(lrn)(const dp_normalise *n) {
    const size_t line = line_floats(n->blocks);
    for (int i = 0; i < PIXELS; i++) {
        vec_store(n->scratch + (size_t)i * line, vec_set(0));
        vec_store(n->scratch + (size_t)(i + 1) * line - DP_VEC_LANES, vec_set(0));
    }
    for (int first = 0; first < n->pixels; first += PIXELS) {
        int count = n->pixels - first < PIXELS ? n->pixels - first : PIXELS;
        if (n->beta == 0.75f)
            pass(n, first, count, true);
        else
            pass(n, first, count, false);
    }
}
