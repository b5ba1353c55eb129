/* winograd_tiles.c - the choice of tiles for a convolution, and whether Winograd's algorithm is worth it: the cheapest cover by a
 * model of the time. Large tiles multiply least; but they have more transformed weights (N x N instead of r x r), which are read
 * from far away and, on small pictures, used for few tiles each. The model was fitted to the layers of GoogLeNet (docs/PERF.md).
 * Letters: N points of the largest tile, r taps, m outputs of a tile, L lanes. */
#include "plan/winograd.h"

#include <math.h>

/* Costs in vector multiply-adds. */
static const double TRANSFORM = 8; /* of a vector of a frequency, to it or from it */
static const double WEIGHTS = 0.2; /* of a byte of weights from memory, beside products: 40 GB/s at 4 GHz, two a cycle */
static const double BATCH = 0.25;  /* of that where images share it, as those of a strip do */
static const double CALL = 24;     /* of a panel product, beside its sums */
static const double STORE = 2;     /* of a sum: from its bias to its place */

bool dp_winograd_suits(const dp_window *w) {
    return w->stride_y == 1 && w->stride_x == 1 && w->groups == 1 && w->height == w->width && w->height >= DP_WINOGRAD_TAPS_MIN
           && w->height <= DP_WINOGRAD_TAPS_MAX;
}

int dp_winograd_points(const dp_winograd_side *side) {
    int points = 0;
    for (int k = 0; k < side->run_count; k++)
        points += side->runs[k].points * side->runs[k].tiles;
    return points;
}

/* As few tiles as possible: all of the largest and a remainder, or as even as can be. */
static dp_winograd_side cover_side(int length, int points, int taps, bool even) {
    dp_winograd_side side = { 0 };
    int most = points - taps + 1, tiles = dp_pieces(length, most), rest = length % most;
    if (even) {
        int larger = length % tiles, m = length / tiles;
        if (larger)
            dp_winograd_add_run(&side, points, m + taps, larger);
        dp_winograd_add_run(&side, points, m + taps - 1, tiles - larger);
    } else {
        if (length >= most)
            dp_winograd_add_run(&side, points, points, length / most);
        if (rest)
            dp_winograd_add_run(&side, points, rest + taps - 1, 1);
    }
    return side;
}

static double products_cost(const dp_kernels *kernels, const dp_winograd_shape *shape, const dp_winograd_cover *cover) {
    int blocks = dp_blocks(shape->outputs, kernels->lanes);
    double cost = 0;
    for (int i = 0; i < cover->points; i++)
        for (int j = 0; j < cover->points; j++) {
            int tiles = cover->down.having[i] * cover->across.having[j];
            if (!tiles)
                continue;
            double calls = dp_pieces(tiles, kernels->panel_rows[cover->panel]) * dp_pieces(blocks, cover->panel);
            double products = dp_panel_cost(kernels, tiles, blocks, cover->panel);
            double weights = WEIGHTS * (shape->batch ? BATCH : 1) * blocks * kernels->lanes * (double)sizeof(float);
            cost += shape->channels * (products > weights ? products : weights) + CALL * calls + STORE * tiles * blocks;
        }
    return cost;
}

static double cover_cost(const dp_kernels *kernels, const dp_winograd_shape *shape, const dp_winograd_cover *cover) {
    int blocks = dp_blocks(shape->channels, kernels->lanes) + dp_blocks(shape->outputs, kernels->lanes);
    double vectors = (double)dp_winograd_points(&cover->down) * dp_winograd_points(&cover->across) * blocks;
    return products_cost(kernels, shape, cover) + TRANSFORM * vectors;
}

static double direct_cost(const dp_kernels *kernels, const dp_winograd_shape *shape) {
    return (double)shape->direct_depth * dp_blocks(shape->outputs, kernels->lanes) * (double)shape->height * shape->width * 1.05;
}

void dp_winograd_choose(dp_winograd_cover *cover, const dp_kernels *kernels, const dp_winograd_shape *shape) {
    double best = direct_cost(kernels, shape);
    *cover = (dp_winograd_cover){ 0 };
    for (int points = shape->taps + 1; points <= DP_WINOGRAD_POINTS; points++)
        for (int even = 0; even < 2; even++)
            for (int panel = 1; panel <= DP_PANEL_BLOCKS; panel++) {
                dp_winograd_cover tried = { .points = points, .panel = panel };
                tried.down = cover_side(shape->height, points, shape->taps, even);
                tried.across = cover_side(shape->width, points, shape->taps, even);
                double cost = kernels->panel_rows[panel] ? cover_cost(kernels, shape, &tried) : INFINITY;
                if (cost < best) {
                    best = cost;
                    *cover = tried;
                }
            }
}

const dp_winograd_run *dp_winograd_row(const dp_winograd_side *side, int taps, int y, int *top) {
    const dp_winograd_run *run = side->runs;
    for (*top = 0; y >= run->tiles; y -= run++->tiles)
        *top += run->tiles * (run->points - taps + 1);
    *top += y * (run->points - taps + 1);
    return run;
}

void dp_winograd_rows_having(int having[DP_WINOGRAD_POINTS], const dp_winograd_cover *cover, int begin, int end) {
    for (int i = 0; i < cover->points; i++) {
        int last = cover->down.having[i] < end ? cover->down.having[i] : end;
        having[i] = last > begin ? last - begin : 0;
    }
}

static void describe_side(const dp_winograd_side *side, int taps, dp_buffer *text) {
    for (int k = 0; k < side->run_count; k++)
        dp_buffer_printf(text, "%s%dx%d", k ? "+" : "", side->runs[k].tiles, side->runs[k].points - taps + 1);
}

void dp_winograd_describe(const dp_winograd_cover *cover, int taps, dp_buffer *text) {
    dp_buffer_printf(text, "winograd, %d points, tiles ", cover->points);
    describe_side(&cover->down, taps, text);
    dp_buffer_printf(text, " by ");
    describe_side(&cover->across, taps, text);
}
