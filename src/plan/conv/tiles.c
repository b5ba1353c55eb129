/* tiles.c - the tiles of Winograd's algorithm for a convolution, and what it costs: the
 * cheapest cover by a model of the time. Large tiles multiply least; but they have
 * more transformed weights (N x N instead of r x r), which are read from far away and, on small
 * pictures, used for few tiles each. The model was fitted to the layers of GoogLeNet
 * (docs/PERF.md); where somebody has measured (tuning.h), that counts instead. Letters: N points of
 * the largest tile, r taps, m outputs of a tile, L lanes. */
#include "plan/conv/winograd.h"

#include <math.h>

/* Costs in vector multiply-adds. */
static const double TRANSFORM = 8; /* of a vector of a frequency, to it or from it */
static const double WEIGHTS =
    0.2; /* of a byte of weights from memory, beside products: 40 GB/s at 4 GHz, two per cycle */
static const double BATCH = 0.25; /* of that where images share it, as those of a strip do */
static const double CALL = 24;    /* of a panel product, beside its sums */
static const double STORE = 2;    /* of a sum: from its bias to its place */

dp_tuning_key dp_winograd_key(const dp_kernels *kernels, const dp_winograd_shape *shape) {
    return (dp_tuning_key){ kernels->isa, shape->channels, shape->outputs, shape->height,
                            shape->width, shape->taps,     shape->phases };
}

bool dp_winograd_suits(const dp_window *w) {
    return w->stride_y == 1 && w->stride_x == 1 && w->groups == 1 && w->height == w->width
           && w->height >= DP_WINOGRAD_TAPS_MIN && w->height <= DP_WINOGRAD_TAPS_MAX;
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
    int largest = points - taps + 1, tiles = dp_ceil_div(length, largest), rest = length % largest;
    if (even) {
        int larger = length % tiles, m = length / tiles;
        if (larger)
            dp_winograd_add_run(&side, points, m + taps, larger);
        dp_winograd_add_run(&side, points, m + taps - 1, tiles - larger);
    } else {
        if (length >= largest)
            dp_winograd_add_run(&side, points, points, length / largest);
        if (rest)
            dp_winograd_add_run(&side, points, rest + taps - 1, 1);
    }
    return side;
}

static double products_cost(const dp_kernels *kernels, const dp_winograd_shape *shape,
                            const dp_winograd_cover *cover) {
    int blocks = dp_blocks(shape->outputs, kernels->lanes);
    double cost = 0;
    for (int i = 0; i < cover->points; i++)
        for (int j = 0; j < cover->points; j++) {
            int tiles = cover->down.having[i] * cover->across.having[j];
            if (!tiles)
                continue;
            double calls = dp_ceil_div(tiles, kernels->panel_rows[cover->panel])
                           * dp_ceil_div(blocks, cover->panel);
            double products = dp_panel_cost(kernels, tiles, blocks, cover->panel);
            double weights = WEIGHTS * (shape->batch ? BATCH : 1) * blocks * kernels->lanes
                             * (double)sizeof(float);
            cost += shape->channels * (products > weights ? products : weights) + CALL * calls
                    + STORE * tiles * blocks;
        }
    return cost;
}

static double cover_cost(const dp_kernels *kernels, const dp_winograd_shape *shape,
                         const dp_winograd_cover *cover) {
    int blocks =
        dp_blocks(shape->channels, kernels->lanes) + dp_blocks(shape->outputs, kernels->lanes);
    double vectors =
        (double)dp_winograd_points(&cover->down) * dp_winograd_points(&cover->across) * blocks;
    return products_cost(kernels, shape, cover) + TRANSFORM * vectors;
}

static bool same_side(const dp_winograd_side *a, const dp_winograd_side *b) {
    bool same = a->run_count == b->run_count;
    for (int k = 0; same && k < a->run_count; k++)
        same = a->runs[k].points == b->runs[k].points && a->runs[k].tiles == b->runs[k].tiles;
    return same;
}

static dp_winograd_cover cover_of(const dp_tuning_key *key, int points, bool even, int panel) {
    dp_winograd_cover cover = { .points = points, .panel = panel };
    if (points) {
        cover.down = cover_side(key->height, points, key->taps, even);
        cover.across = cover_side(key->width, points, key->taps, even);
    }
    return cover;
}

int dp_winograd_candidates(dp_tuning_choice candidates[DP_TUNING_CANDIDATES],
                           const dp_tuning_key *key) {
    const dp_kernels *kernels = dp_kernels_for(key->isa);
    const int blocks = dp_blocks(key->outputs, kernels->lanes);
    int count = 0;
    candidates[count++] = (dp_tuning_choice){ .panel = 1 };
    for (int points = key->taps + 1; points <= DP_WINOGRAD_POINTS; points++)
        for (int even = 0; even < 2; even++) {
            dp_winograd_cover other = cover_of(key, points, !even, 1),
                              cover = cover_of(key, points, even, 1);
            bool twice = even && same_side(&cover.down, &other.down)
                         && same_side(&cover.across, &other.across);
            for (int panel = 1; !twice && panel <= DP_PANEL_BLOCKS; panel++)
                if (kernels->panel_rows[panel]
                    && (panel == 1 || dp_ceil_div(blocks, panel) < dp_ceil_div(blocks, panel - 1)))
                    candidates[count++] = (dp_tuning_choice){ points, even, panel };
        }
    return count;
}

double dp_cost_winograd(const dp_kernels *kernels, const dp_tuning_choice *tuned,
                        dp_choice *choice) {
    const dp_tuning_key key = dp_winograd_key(kernels, &choice->winograd);
    dp_tuning_choice candidates[DP_TUNING_CANDIDATES];
    double best = tuned && tuned->points ? 0 : INFINITY;
    if (tuned)
        choice->chosen.choice = *tuned;
    for (int i = 1, count = dp_winograd_candidates(candidates, &key); !tuned && i < count; i++) {
        const dp_winograd_cover tried =
            cover_of(&key, candidates[i].points, candidates[i].even, candidates[i].panel);
        double cost = cover_cost(kernels, &choice->winograd, &tried);
        if (cost < best) {
            best = cost;
            choice->chosen.choice = candidates[i];
        }
    }
    const dp_tuning_choice *chosen = &choice->chosen.choice;
    choice->cover = cover_of(&key, chosen->points, chosen->even, chosen->panel);
    return best;
}

const dp_winograd_run *dp_winograd_row(const dp_winograd_side *side, int taps, int y, int *top) {
    const dp_winograd_run *run = side->runs;
    for (*top = 0; y >= run->tiles; y -= run++->tiles)
        *top += run->tiles * (run->points - taps + 1);
    *top += y * (run->points - taps + 1);
    return run;
}

void dp_winograd_rows_having(int having[DP_WINOGRAD_POINTS], const dp_winograd_cover *cover,
                             int begin, int end) {
    for (int i = 0; i < cover->points; i++) {
        int last = cover->down.having[i] < end ? cover->down.having[i] : end;
        having[i] = last > begin ? last - begin : 0;
    }
}

static void describe_side(const dp_winograd_side *side, int taps, dp_buffer *text) {
    for (int k = 0; k < side->run_count; k++)
        dp_buffer_printf(text, "%s%dx%d", k ? "+" : "", side->runs[k].tiles,
                         side->runs[k].points - taps + 1);
}

void dp_tuning_describe(const dp_tuning_key *key, const dp_tuning_choice *choice, dp_buffer *text) {
    dp_winograd_cover cover = cover_of(key, choice->points, choice->even, choice->panel);
    if (!choice->points) {
        dp_buffer_printf(text, "direct");
        return;
    }
    dp_winograd_describe(&cover, key->taps, text);
    dp_buffer_printf(text, ", panels of %d", choice->panel);
}

void dp_winograd_describe(const dp_winograd_cover *cover, int taps, dp_buffer *text) {
    dp_buffer_printf(text, "winograd, %d points, tiles ", cover->points);
    describe_side(&cover->down, taps, text);
    dp_buffer_printf(text, " by ");
    describe_side(&cover->across, taps, text);
}
