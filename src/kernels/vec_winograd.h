/* vec_winograd.h - what Winograd's transforms of all directions share: words, and where frequencies
 * lie. Letters as in vec_winograd.c. */
#ifndef DP_KERNELS_VEC_WINOGRAD_H
#define DP_KERNELS_VEC_WINOGRAD_H

#include "kernels/vec.h"

/* X(n, m) for every tile: of 3 to 5 taps. */
#define DP_VEC_WINOGRAD_TILES(X)                                                                   \
    X(3, 1)                                                                                        \
    X(4, 2)                                                                                        \
    X(5, 3)                                                                                        \
    X(6, 4) X(7, 5) X(8, 6) X(4, 1) X(5, 2) X(6, 3) X(7, 4) X(8, 5) X(5, 1) X(6, 2) X(7, 3) X(8, 4)

/* c * a + b, the words in which the transforms below are written. */
DP_VEC_INLINE vec winograd_plus(vec b, const float c, vec a) {
    return c == 1.0F ? vec_add(b, a) : c == -1.0F ? vec_sub(b, a) : vec_fma(vec_set(c), a, b);
}

/* Pixels of output across. */
static inline int winograd_width(const dp_winograd_tiles *t) {
    int width = 0;
    for (int k = 0; k < t->across->run_count; k++)
        width += t->across->runs[k].tiles * (t->across->runs[k].points - t->taps + 1);
    return width;
}

/* Frequencies (i, 0), (i, 1) ... of tile number x of this row of tiles. */
static inline void winograd_frequencies(float **at, const dp_winograd_tiles *t, int i, int x,
                                        int points) {
    for (int j = 0; j < points; j++)
        at[j] = t->frequencies + (i * t->points + j) * t->frequency_stride
                + (ptrdiff_t)(t->before[i] * t->across->having[j] + x) * t->tile_stride;
}

#endif
