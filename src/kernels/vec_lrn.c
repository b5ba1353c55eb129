/* vec_lrn.c - local response normalisation across channels. A pixel's neighbouring channels lie in
 * one line once its blocks are put one after another, so the squares of some pixels go to scratch
 * lines with a block of zeros at both ends, and a window's sum is unaligned loads from there.
 * Several pixels a pass, so that a line has left the store buffer by the time it is read at other
 * offsets. k > 0 is expected: where the sum of squares is zero, lanes past C among them, k alone
 * keeps the power finite. Contract: dp_normalise in kernels.h. */
#include "kernels/vec_lrn.h"
#include "kernels/vec_families.h"

enum {
    PIXELS = 16,                 /* a pass: 14 KB of scratch at 192 channels */
    GROUP = DP_VEC_REGISTERS / 4 /* pixels side by side */
};

size_t DP_VEC_NAME(lrn_scratch)(int blocks) {
    return PIXELS * lrn_line_floats(blocks);
}

/* `count` neighbouring pixels of one block; `place`: where the first stands in its scratch line. */
DP_VEC_INLINE void pixels(const dp_normalise *n, const float *place, ptrdiff_t line,
                          const float *in, float *out, const int count, const int half,
                          const bool three_quarters) {
    vec s[GROUP], power[GROUP];
    DP_VEC_UNROLL
    for (int i = 0; i < count; i++)
        s[i] = vec_fma(vec_set(n->alpha / (float)n->size), lrn_window_sum(place + i * line, half),
                       vec_set(n->k));
    if (three_quarters)
        lrn_power_three_quarters(power, s, count);
    DP_VEC_UNROLL
    for (int i = 0; i < count; i++) {
        vec x = vec_load(in + i * DP_VEC_LANES);
        vec_store(out + i * DP_VEC_LANES,
                  vec_mul(x, three_quarters ? power[i] : lrn_power_any(s[i], -n->beta)));
    }
}

DP_VEC_INLINE void pass(const dp_normalise *n, int first, int count, const int half,
                        const bool three_quarters) {
    const ptrdiff_t line = (ptrdiff_t)lrn_line_floats(n->blocks);
    for (int b = 0; b < n->blocks; b++)
        for (int i = 0; i < count; i++) {
            vec x =
                vec_load(n->in + b * n->in_block_stride + (ptrdiff_t)(first + i) * DP_VEC_LANES);
            vec_store(n->scratch + i * line + (ptrdiff_t)(b + 1) * DP_VEC_LANES, vec_mul(x, x));
        }
    for (int b = 0; b < n->blocks; b++) {
        const float *place = n->scratch + (ptrdiff_t)(b + 1) * DP_VEC_LANES;
        const float *in = n->in + b * n->in_block_stride + (ptrdiff_t)first * DP_VEC_LANES;
        float *out = n->out + b * n->out_block_stride + (ptrdiff_t)first * DP_VEC_LANES;
        int i = 0;
        for (; i + GROUP <= count; i += GROUP)
            pixels(n, place + i * line, line, in + i * DP_VEC_LANES, out + i * DP_VEC_LANES, GROUP,
                   half, three_quarters);
        for (; i < count; i++)
            pixels(n, place + i * line, line, in + i * DP_VEC_LANES, out + i * DP_VEC_LANES, 1,
                   half, three_quarters);
    }
}

void DP_VEC_NAME(lrn)(const dp_normalise *n) {
    lrn_clear_ends(n->scratch, PIXELS, n->blocks);
    for (int first = 0; first < n->pixels; first += PIXELS) {
        int count = n->pixels - first < PIXELS ? n->pixels - first : PIXELS;
        if (n->beta == 0.75f && n->size == 5)
            pass(n, first, count, 2, true);
        else if (n->beta == 0.75f)
            pass(n, first, count, n->size / 2, true);
        else
            pass(n, first, count, n->size / 2, false);
    }
}
