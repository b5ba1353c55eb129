/* place.c - the second pass: a view for every value. Values get a storage of their own, except the parts of a concatenation, which
 * become channel slices of its storage where every part begins on a block of channels. A value that one padded convolution alone
 * reads gets that convolution's halo; all others stay dense. */
#include "plan/lower.h"

enum { FLOATS_ALIGNMENT = DP_ALIGNMENT / (int)sizeof(float), PLANAR_CHANNELS = 4 };

deeper_status dp_storage_add_fixed(dp_plan *plan, size_t floats, int *storage, deeper_error *error) {
    void *storages = plan->storages;
    bool room =
        dp_reserve(plan->allocator, &storages, &plan->storage_capacity, (size_t)plan->storage_count + 1, sizeof *plan->storages);
    plan->storages = storages;
    if (!room)
        return dp_fail_memory(error, "the table of storages");
    plan->storages[plan->storage_count] = (dp_storage){ .fixed = floats, .first = 1, .last = 0 };
    *storage = plan->storage_count++;
    return DEEPER_OK;
}

deeper_status dp_storage_add(dp_plan *plan, dp_shape shape, const dp_window *halo, bool planar, dp_view *view,
                             deeper_error *error) {
    int pixel = planar ? 1 : plan->kernels->lanes;
    int planes = planar ? shape.c : dp_blocks(shape.c, plan->kernels->lanes);
    dp_storage made = { .first = 1, .last = 0, .pixel = pixel, .planes = planes, .height = shape.h, .width = shape.w };
    if (halo) {
        made.halo_top = halo->pad_top;
        made.halo_left = halo->pad_left;
        made.halo_bottom = halo->pad_bottom;
        made.halo_right = halo->pad_right;
    }
    size_t row, block, image;
    if (!dp_size_mul((size_t)(shape.w + made.halo_left + made.halo_right), (size_t)pixel, &row)
        || !dp_size_mul(row, (size_t)(shape.h + made.halo_top + made.halo_bottom), &block)
        || !dp_size_mul(block, (size_t)planes, &image) || image > PTRDIFF_MAX / sizeof(float) / 2)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "an activation of %dx%dx%d does not fit into memory", shape.c, shape.h, shape.w);
    made.image = (image + FLOATS_ALIGNMENT - 1) / FLOATS_ALIGNMENT * FLOATS_ALIGNMENT;

    int storage = -1;
    DP_TRY(dp_storage_add_fixed(plan, 0, &storage, error));
    plan->storages[storage] = made;
    *view = (dp_view){ .storage = storage, .planar = planar, .block = (ptrdiff_t)block, .row = (ptrdiff_t)row, .shape = shape };
    view->offset = made.halo_top * view->row + (ptrdiff_t)made.halo_left * pixel;
    return DEEPER_OK;
}

const dp_view *dp_input_view(const dp_lowering *lowering, int node, int index) {
    return &lowering->views[lowering->root[lowering->graph->nodes[node].inputs[index]]];
}

/* Whether the node has a value in the arena. */
static bool has_value(const dp_lowering *l, int i) {
    return l->needed[i] && l->root[i] == i && l->absorber[i] < 0 && l->graph->nodes[i].op != DP_OP_PARAMETER;
}

static const dp_window *only_reader_window(const dp_lowering *l, int root) {
    int reader = l->reader[root];
    bool private = l->readers[root] == 1 && reader >= 0 && l->graph->nodes[reader].op == DP_OP_CONV;
    return private ? &l->graph->nodes[reader].attributes.window : NULL;
}

static deeper_status place_new(dp_lowering *l, int node, deeper_error *error) {
    const dp_node *it = &l->graph->nodes[node];
    const dp_window *window = only_reader_window(l, node);
    /* Pictures of few channels would fill a block with zeros: their one convolution reads them as planes. */
    bool planar = it->op == DP_OP_INPUT && it->shape.c <= PLANAR_CHANNELS && window;
    return dp_storage_add(l->plan, it->shape, window, planar, &l->views[node], error);
}

/* Every part must begin on a block boundary, have no view yet (a value may be a part twice) and be written by a step of this kind
 * of layout. */
static bool sliceable(const dp_lowering *l, const dp_node *concat) {
    int begin = 0;
    for (int i = 0; i < concat->input_count; i++) {
        int part = l->root[concat->inputs[i]];
        if (begin % l->plan->kernels->lanes || l->views[part].storage >= 0)
            return false;
        for (int j = 0; j < i; j++)
            if (l->root[concat->inputs[j]] == part)
                return false;
        begin += l->graph->nodes[concat->inputs[i]].shape.c;
    }
    return true;
}

static void place_parts(dp_lowering *l, int node) {
    const dp_node *concat = &l->graph->nodes[node];
    if (!sliceable(l, concat))
        return;
    int begin = 0;
    for (int i = 0; i < concat->input_count; i++) {
        int part = l->root[concat->inputs[i]];
        dp_view *view = &l->views[part];
        *view = l->views[node];
        view->shape = l->graph->nodes[part].shape;
        view->offset += begin / l->plan->kernels->lanes * view->block;
        begin += view->shape.c;
    }
}

/* From the last node to the first, so that a concatenation has its place before its parts. */
deeper_status dp_place(dp_lowering *lowering, deeper_error *error) {
    for (int i = 0; i < lowering->graph->count; i++)
        lowering->views[i].storage = -1;
    for (int i = lowering->graph->count - 1; i >= 0; i--) {
        if (!has_value(lowering, i))
            continue;
        if (lowering->views[i].storage < 0)
            DP_TRY(place_new(lowering, i, error));
        if (lowering->graph->nodes[i].op == DP_OP_CONCAT)
            place_parts(lowering, i);
    }
    return DEEPER_OK;
}
