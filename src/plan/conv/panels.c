/* panels.c - how a product is cut into register tiles: a small model of what one costs. The planner
 * chooses panels (and, for Winograd, tiles) by it; no result depends on it. Letters: m rows and b
 * blocks of a register tile. */
#include "plan/conv/conv.h"

/* Two multiply-adds and two loads per cycle: the multiply-adds, at least as many as hide their
 * latency, or the loads where those are more; and a little for each load, more for weights, which
 * come from the second cache. */
static double tile_cost(int m, int b) {
    int products = dp_max(m * b, 8), loads = m + b;
    return dp_max(products, loads) + 0.05 * m + b;
}

/* Rows in pieces as even as can be, for one panel of b blocks. */
static double rows_cost(int rows, int most_rows, int b) {
    int tiles = dp_ceil_div(rows, most_rows), larger = rows % tiles, m = rows / tiles;
    return (tiles - larger) * tile_cost(m, b) + (larger ? larger * tile_cost(m + 1, b) : 0);
}

double dp_panel_cost(const dp_kernels *kernels, int rows, int blocks, int max_blocks) {
    int panels = dp_ceil_div(blocks, max_blocks), larger = blocks % panels, b = blocks / panels;
    double cost = (panels - larger) * rows_cost(rows, kernels->panel_rows[b], b);
    return larger ? cost + larger * rows_cost(rows, kernels->panel_rows[b + 1], b + 1) : cost;
}

double dp_cost_direct(const dp_kernels *kernels, const dp_tuning_choice *tuned, dp_choice *choice) {
    const dp_product_shape *shape = &choice->product;
    choice->chosen.choice = (dp_tuning_choice){ .panel = 1 };
    return shape->depth * dp_blocks(shape->outputs, kernels->lanes) * (double)shape->height
           * shape->width * 1.05;
}
