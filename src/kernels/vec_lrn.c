/* vec_lrn.c - local response normalisation across channels. A pixel's neighbouring channels lie in one line once its blocks are put
 * one after another, so the squares of some pixels go to scratch lines with a block of zeros at both ends, and a window's sum is
 * unaligned loads from there. Several pixels a pass, so that a line has left the store buffer by the time it is read at other
 * offsets. k > 0 is expected: where the sum of squares is zero, lanes past C among them, k alone keeps the power finite. Contract:
 * dp_normalise in kernels.h. */
#include "kernels/vec_lrn.h"
#include "kernels/vec_families.h"

enum { PIXELS = 16 }; /* a pass: 14 KB of scratch at 192 channels */

size_t DP_VEC_NAME(lrn_scratch)(int blocks) {
    return PIXELS * lrn_line_floats(blocks);
}

DP_VEC_INLINE void pass(const dp_normalise *n, int first, int count, const bool three_quarters) {
    const size_t line = lrn_line_floats(n->blocks);
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
            vec sum = lrn_window_sum(n->scratch + (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES, n->size / 2);
            vec s = vec_fma(scale, sum, k);
            vec power = three_quarters ? lrn_power_three_quarters(s) : lrn_power_any(s, -n->beta);
            vec_store(n->out + b * n->out_block + pixel, vec_mul(vec_load(n->in + b * n->in_block + pixel), power));
        }
}

void DP_VEC_NAME(lrn)(const dp_normalise *n) {
    lrn_clear_ends(n->scratch, PIXELS, n->blocks);
    for (int first = 0; first < n->pixels; first += PIXELS) {
        int count = n->pixels - first < PIXELS ? n->pixels - first : PIXELS;
        if (n->beta == 0.75f)
            pass(n, first, count, true);
        else
            pass(n, first, count, false);
    }
}
