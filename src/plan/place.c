/* place.c - the second pass: a view for every value. Values get a storage of their own, except the
 * parts of a concatenation, which become channel slices of its storage where every part begins on a
 * block of channels. A value that one padded convolution alone reads gets that convolution's halo;
 * all others stay dense. */
#include "plan/passes.h"

#include <stdio.h>

enum { FLOATS_ALIGNMENT = DP_ALIGNMENT / (int)sizeof(float) };

deeper_status dp_storage_add_fixed(dp_plan *plan, size_t floats, int *storage,
                                   deeper_error *error) {
    void *storages = plan->storages;
    bool room = dp_reserve(plan->allocator, &storages, &plan->storage_capacity,
                           (size_t)plan->storage_count + 1, sizeof *plan->storages);
    plan->storages = storages;
    if (!room)
        return dp_fail_memory(error, "the table of storages");
    plan->storages[plan->storage_count] = (dp_storage){ .fixed = floats, .first = 1, .last = 0 };
    *storage = plan->storage_count++;
    return DEEPER_OK;
}

deeper_status dp_storage_add(dp_plan *plan, dp_shape shape, const dp_pads *halo, bool planar,
                             dp_view *view, deeper_error *error) {
    int pixel = planar ? 1 : plan->kernels->lanes;
    int planes = planar ? shape.c : dp_blocks(shape.c, plan->kernels->lanes);
    dp_storage fresh = {
        .first = 1, .last = 0, .pixel = pixel, .planes = planes, .height = shape.h, .width = shape.w
    };
    if (halo)
        fresh.halo = *halo;
    size_t row, block, image;
    if (!dp_size_mul((size_t)(shape.w + fresh.halo.left + fresh.halo.right), (size_t)pixel, &row)
        || !dp_size_mul(row, (size_t)(shape.h + fresh.halo.top + fresh.halo.bottom), &block)
        || !dp_size_mul(block, (size_t)planes, &image) || image > PTRDIFF_MAX / sizeof(float) / 2)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "an activation of %dx%dx%d does not fit into memory", shape.c, shape.h,
                       shape.w);
    fresh.image = dp_round_up(image, FLOATS_ALIGNMENT);

    int storage = -1;
    DP_TRY(dp_storage_add_fixed(plan, 0, &storage, error));
    plan->storages[storage] = fresh;
    *view = (dp_view){ .storage = storage,
                       .planar = planar,
                       .block_stride = (ptrdiff_t)block,
                       .row_stride = (ptrdiff_t)row,
                       .shape = shape };
    view->offset = fresh.halo.top * view->row_stride + (ptrdiff_t)fresh.halo.left * pixel;
    return DEEPER_OK;
}

bool dp_has_halo(const dp_plan *plan, const dp_view *view, const dp_pads *pads) {
    const dp_pads *halo = &plan->storages[view->storage].halo;
    return halo->top >= pads->top && halo->left >= pads->left && halo->bottom >= pads->bottom
           && halo->right >= pads->right;
}

const dp_view *dp_input_view(const dp_lowering *lowering, int node, int index) {
    return &lowering->views[lowering->root[lowering->graph->nodes[node].inputs[index]]];
}

dp_view dp_optional_view(const dp_lowering *lowering, int node, int index) {
    bool there = index < lowering->graph->nodes[node].input_count;
    return there ? *dp_input_view(lowering, node, index) : (dp_view){ .storage = -1 };
}

/* Whether the node has a value in the arena. */
static bool has_value(const dp_lowering *l, int i) {
    const dp_node *node = &l->graph->nodes[i];
    bool of_weights = node->op == DP_OP_SLICE
                      && dp_plan_ops[l->graph->nodes[node->inputs[0]].op].value == DP_VALUE_CALLER;
    return l->needed[i] && l->root[i] == i && l->absorber[i] < 0
           && dp_plan_ops[node->op].value == DP_VALUE_ARENA && !of_weights;
}

/* What the readers of each root want of its storage. */
typedef struct wishes {
    dp_pads halo;       /* the largest of any reader */
    bool padded, dense; /* some reader pads; some reader wants no halo, or cannot take planes */
} wishes;

static void read_wish(wishes *wish, const dp_node *reader, int index) {
    const dp_window *w = &reader->attributes.window;
    const unsigned reads = dp_plan_ops[reader->op].reads;
    bool slides = index == 0 && reads & DP_READS_WINDOW;
    bool pads = slides && dp_pads_any(&w->pads);
    bool point = slides && reads & DP_READS_POINT_DENSE && w->height == 1 && w->width == 1;
    if (pads) {
        wish->padded = true;
        wish->halo.top = dp_max(wish->halo.top, w->pads.top);
        wish->halo.left = dp_max(wish->halo.left, w->pads.left);
        wish->halo.bottom = dp_max(wish->halo.bottom, w->pads.bottom);
        wish->halo.right = dp_max(wish->halo.right, w->pads.right);
    }
    wish->dense |= point || reads & DP_READS_DENSE;
}

static void read_wishes(const dp_lowering *l, wishes *of) {
    for (int i = 0; i < l->graph->count; i++)
        for (int j = 0; l->needed[i] && l->root[i] == i && j < l->graph->nodes[i].input_count; j++)
            read_wish(&of[l->root[l->graph->nodes[i].inputs[j]]], &l->graph->nodes[i], j);
}

static deeper_status place_new(dp_lowering *l, int node, const wishes *wish, deeper_error *error) {
    const bool planar = l->choices[node].planar;
    const dp_node *layer = &l->graph->nodes[node];
    if (layer->shape.n) {
        l->views[node] = (dp_view){ .shape = layer->shape };
        return dp_storage_add_fixed(l->plan, dp_shape_floats(layer->shape), &l->views[node].storage,
                                    error);
    }
    const dp_pads *halo = wish->padded && (planar || !wish->dense) ? &wish->halo : NULL;
    return dp_storage_add(l->plan, layer->shape, halo, planar, &l->views[node], error);
}

/* Whether a slice is only another view of its input: batch sums always, channels where they begin
 * on a block and end on one or with the input. */
static bool is_view(const dp_lowering *l, int node) {
    const dp_node *layer = &l->graph->nodes[node];
    const dp_slice *slice = &layer->attributes.slice;
    int lanes = l->plan->kernels->lanes, channels = l->graph->nodes[layer->inputs[0]].shape.c;
    return layer->shape.n
           || (slice->begin % lanes == 0
               && (slice->count % lanes == 0 || slice->begin + slice->count == channels));
}

/* Every part must begin on a block boundary, have no view yet (a value may be a part twice) and be
 * written by a step of this kind of layout. */
static bool sliceable(const dp_lowering *l, const dp_node *concat) {
    int begin = 0;
    for (int i = 0; i < concat->input_count; i++) {
        int part = l->root[concat->inputs[i]];
        if (begin % l->plan->kernels->lanes || l->views[part].storage >= 0
            || l->graph->nodes[part].op == DP_OP_SLICE)
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
        view->offset += begin / l->plan->kernels->lanes * view->block_stride;
        begin += view->shape.c;
    }
}

/* A step that reads a pixel before it writes it may write where its input lies, if nobody else
 * reads that: half the memory to go through. */
static void place_below(dp_lowering *l, int node) {
    const dp_node *layer = &l->graph->nodes[node];
    if (!dp_plan_ops[layer->op].in_place)
        return;
    int input = l->root[layer->inputs[0]];
    if (has_value(l, input) && l->uses[input] == 1 && input == layer->inputs[0]
        && l->views[input].storage < 0 && l->graph->nodes[input].op != DP_OP_INPUT
        && l->graph->nodes[input].op != DP_OP_SLICE)
        l->views[input] = l->views[node];
}

/* From the last node to the first, so that a concatenation has its place before its parts. */
static deeper_status place_values(dp_lowering *l, const wishes *of, deeper_error *error) {
    for (int i = l->graph->count - 1; i >= 0; i--) {
        const dp_node *node = &l->graph->nodes[i];
        if (!has_value(l, i) || (node->op == DP_OP_SLICE && is_view(l, i))
            || l->choices[i].unplaced)
            continue;
        if (l->views[i].storage < 0)
            DP_TRY(place_new(l, i, &of[i], error));
        if (node->op == DP_OP_CONCAT)
            place_parts(l, i);
        place_below(l, i);
    }
    return DEEPER_OK;
}

/* In order, for a slice may be sliced. */
static void place_slices(dp_lowering *l) {
    for (int i = 0; i < l->graph->count; i++) {
        const dp_node *node = &l->graph->nodes[i];
        if (node->op != DP_OP_SLICE || !has_value(l, i) || !is_view(l, i))
            continue;
        dp_view *view = &l->views[i];
        *view = *dp_input_view(l, i, 0);
        int begin = node->attributes.slice.begin;
        ptrdiff_t row = node->shape.n ? (ptrdiff_t)dp_shape_floats(node->shape) / node->shape.n : 0;
        view->offset +=
            node->shape.n ? begin * row : begin / l->plan->kernels->lanes * view->block_stride;
        view->shape = node->shape;
    }
}

deeper_status dp_pass_place(dp_lowering *lowering, deeper_error *error) {
    const dp_graph *graph = lowering->graph;
    wishes *of = dp_alloc(graph->allocator, (size_t)graph->count, sizeof *of);
    deeper_status status = of ? DEEPER_OK : dp_fail_memory(error, "the planner's tables");
    for (int i = 0; i < graph->count; i++) {
        lowering->views[i] = (dp_view){ .storage = -1, .shape = graph->nodes[i].shape };
        if (graph->nodes[i].op == DP_OP_PARAMETER && lowering->plan->training)
            lowering->views[i].values = lowering->values[graph->nodes[i].parameter];
    }
    if (status == DEEPER_OK) {
        read_wishes(lowering, of);
        status = place_values(lowering, of, error);
    }
    if (status == DEEPER_OK)
        place_slices(lowering);
    dp_free(graph->allocator, of);
    return status;
}

void dp_print_place(const dp_lowering *lowering, dp_buffer *text) {
    dp_buffer_printf(text, "%-28s %-13s %7s %9s  %s\n", "layer", "value", "storage", "offset",
                     "halo: top, left, bottom, right");
    for (int i = 0; i < lowering->graph->count; i++) {
        const dp_view *view = &lowering->views[i];
        if (view->storage < 0)
            continue;
        const dp_storage *s = &lowering->plan->storages[view->storage];
        char shape[48];
        snprintf(shape, sizeof shape, "%dx%dx%d", view->shape.c, view->shape.h, view->shape.w);
        dp_buffer_printf(text, "%-28s %-13s %7d %9td  %d %d %d %d%s\n",
                         lowering->graph->nodes[i].name, shape, view->storage, view->offset,
                         s->halo.top, s->halo.left, s->halo.bottom, s->halo.right,
                         view->planar ? ", planar" : "");
    }
}
