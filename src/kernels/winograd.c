/* winograd.c - the constants of Winograd's convolution: the points, the matrix of the weights, the
 * scales of mixed tiles. Worked out in double precision when a plan is made. The transforms
 * themselves (vec_winograd.c) know the points by construction. */
#include "kernels/winograd.h"

/* Finite points 1 .. 7; point 0 is infinity. */
static const double at[DP_WINOGRAD_POINTS] = { 0, 0, 1, -1, 2, -2, 0.5, -0.5 };

/* A filter's finite frequency i is its value at at[i], divided by the product of the distances to
 * the other finite points. */
void dp_winograd_matrix(float *matrix, int points, int taps) {
    for (int i = 0; i < points; i++) {
        double factor = 1;
        for (int j = 1; j < points; j++)
            factor /= i && j != i ? at[i] - at[j] : 1;
        for (int k = 0; k < taps; k++) {
            matrix[i * taps + k] = (float)(i ? factor : k == taps - 1);
            factor *= at[i];
        }
    }
}

/* A tile of n points wants frequencies that are divided by fewer distances. */
void dp_winograd_add_run(dp_winograd_side *side, int points, int run_points, int tiles) {
    dp_winograd_run *run = &side->runs[side->run_count++];
    *run = (dp_winograd_run){ .points = run_points, .tiles = tiles, .scaled = run_points < points };
    for (int i = 0; i < run_points; i++) {
        double scale = 1;
        for (int j = run_points; i && j < points; j++)
            scale *= at[i] - at[j];
        run->scale[i] = (float)scale;
        side->having[i] += tiles;
    }
    side->tiles += tiles;
}
