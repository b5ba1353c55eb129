/* winograd.h - what the Winograd kernels of kernels.h take: tiles, and how they cover a picture.
 * The arithmetic is in vec_winograd.c, the constants in winograd.c, the choice of tiles in
 * plan/conv/tiles.c.
 *
 * A stride-1 convolution with an r x r window is computed tile by tile (Lavin & Gray 2015, after
 * Winograd and Toom-Cook): a tile of n = m + r - 1 points a side gives m outputs a side; its input
 * goes to n x n frequencies (B^T d B), where the convolution is a product with the transformed
 * weights (G g G^T) for each frequency, and the products come back as m x m outputs (A^T M A). The
 * points are infinity, 0, 1, -1, 2, -2, 1/2, -1/2, in this order; a tile of n points uses the first
 * n. Mixed tiles: weights are transformed once for the largest tile of N points. A smaller tile
 * uses their first n frequencies; what the weights' normalisation for N points lacks or has too
 * much is put right in the transform of the input (`scale`). So any side is covered exactly: 14 = 4
 * + 4 + 4 + 2 with N = 6 and r = 3. Letters: N n points, m outputs, r taps (window side), L lanes;
 * frequency (i, j) has row i, column j, number i * N + j. */
#ifndef DP_KERNELS_WINOGRAD_H
#define DP_KERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    DP_WINOGRAD_POINTS = 8,
    DP_WINOGRAD_TAPS_MIN = 3,
    DP_WINOGRAD_TAPS_MAX = 5,
    DP_WINOGRAD_RUNS = 3
};

/* Neighbouring tiles with the same number of points; scale[i] is what frequency i of the input is
 * multiplied by (scaled: not all are 1). */
typedef struct dp_winograd_run {
    int points, tiles;
    bool scaled;
    float scale[DP_WINOGRAD_POINTS];
} dp_winograd_run;

/* The tiles along one side of a picture, those of most points first. So the tiles that have
 * frequency i are the first having[i]. */
typedef struct dp_winograd_side {
    int run_count, tiles;
    dp_winograd_run runs[DP_WINOGRAD_RUNS];
    int having[DP_WINOGRAD_POINTS];
} dp_winograd_side;

/* Adds a run (of no more points than the one before; at most DP_WINOGRAD_RUNS) to a side whose
 * weights have `points` points. */
void dp_winograd_add_run(dp_winograd_side *side, int points, int run_points, int tiles);

/* G for N points and r taps: matrix[i * taps + k] is the factor of tap k in frequency i. */
void dp_winograd_matrix(float *matrix, int points, int taps);

/* One row of tiles of one channel block, in the picture and as frequencies. Tile (row of tiles y,
 * column of tiles x) is number before[i] * across->having[j] + x of frequency (i, j), where
 * before[i] counts the rows of tiles that have frequency i and come before y. Strides in floats. */
typedef struct dp_winograd_tiles {
    int points, taps;
    const dp_winograd_side *across; /* the whole width */
    const dp_winograd_run *down;    /* the run of this row of tiles */
    int before[DP_WINOGRAD_POINTS];
    float *frequencies;
    ptrdiff_t frequency_stride, tile_stride;
    float *scratch; /* N rows of the padded picture: N * (W + r - 1) * L floats, aligned */
} dp_winograd_tiles;

#endif
