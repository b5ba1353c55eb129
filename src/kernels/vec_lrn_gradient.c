/* vec_lrn_gradient.c - the gradient of local response normalisation. As in vec_lrn.c the channels
 * of some pixels stand in scratch lines (vec_lrn.h), so that a window's sum is unaligned loads;
 * here two lines per pixel, the squares and the terms gradient * x * s^(-beta - 1) that the second
 * window adds up. The result's first part waits in `out` for the second, so out may be the
 * gradient, but not x. Contract: dp_normalise_gradient in gradient.h. */
#include "kernels/vec_gradient.h"
#include "kernels/vec_lrn.h"
#include "kernels/vec_mask.h"

enum { PIXELS = 8 }; /* a pass: 14 KB of scratch at 192 channels */

size_t DP_VEC_NAME(lrn_gradient_scratch)(int blocks) {
    return 2 * PIXELS * lrn_line_floats(blocks);
}

DP_VEC_INLINE void pass(const dp_normalise_gradient *g, int first, int count,
                        const bool three_quarters) {
    const dp_normalise *n = &g->forward;
    const size_t line = lrn_line_floats(n->blocks);
    float *squares = n->scratch;
    float *terms = n->scratch + PIXELS * line;
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            vec x =
                vec_load(n->in + b * n->in_block_stride + (ptrdiff_t)(first + i) * DP_VEC_LANES);
            vec_store(squares + (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES, vec_mul(x, x));
        }
    const vec scale = vec_set(n->alpha / (float)n->size);
    const vec k = vec_set(n->k);
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            const ptrdiff_t pixel = (ptrdiff_t)(first + i) * DP_VEC_LANES;
            const size_t place = (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES;
            vec s = vec_fma(scale, lrn_window_sum(squares + place, n->size / 2), k);
            vec power;
            if (three_quarters)
                lrn_power_three_quarters(&power, &s, 1);
            else
                power = lrn_power_any(s, -n->beta);
            vec part = vec_mul(vec_load(g->gradient + b * g->gradient_block_stride + pixel), power);
            vec_store(terms + place,
                      vec_mul(vec_div(part, s), vec_load(n->in + b * n->in_block_stride + pixel)));
            vec_store(n->out + b * n->out_block_stride + pixel, part);
        }
    const vec factor = vec_set(-2 * n->alpha * n->beta / (float)n->size);
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            const ptrdiff_t pixel = (ptrdiff_t)(first + i) * DP_VEC_LANES;
            vec sum = lrn_window_sum(terms + (size_t)i * line + (size_t)(b + 1) * DP_VEC_LANES,
                                     n->size / 2);
            vec x = vec_load(n->in + b * n->in_block_stride + pixel);
            float *out = n->out + b * n->out_block_stride + pixel;
            vec whole = vec_fma(vec_mul(factor, x), sum, vec_load(out));
            vec_store(out, g->relu ? vec_keep(vec_greater(x, vec_set(0)), whole) : whole);
        }
}

void DP_VEC_NAME(lrn_gradient)(const dp_normalise_gradient *g) {
    const dp_normalise *n = &g->forward;
    lrn_clear_ends(n->scratch, 2 * PIXELS, n->blocks);
    for (int first = 0; first < n->pixels; first += PIXELS) {
        int count = n->pixels - first < PIXELS ? n->pixels - first : PIXELS;
        if (n->beta == 0.75f)
            pass(g, first, count, true);
        else
            pass(g, first, count, false);
    }
}
