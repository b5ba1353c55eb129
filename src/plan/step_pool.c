/* step_pool.c - max, average and global average pools: a channel block a call, blocks and images shared out among threads. */
#include "plan/lower.h"

#include <math.h>

static void run_pool(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_window *w = step->as.pool.window ? step->as.pool.window : &step->as.pool.whole;
    const dp_view *in = &step->in, *out = &step->out;
    int blocks = dp_blocks(in->shape.c, run->plan->kernels->lanes), begin, end;
    int image = task / step->tasks;
    dp_share(blocks, step->tasks, task % step->tasks, &begin, &end);
    dp_pooling pooling = { .in_row = in->row,
                           .in_height = in->shape.h,
                           .in_width = in->shape.w,
                           .out_row = out->row,
                           .out_width = out->shape.w,
                           .row_begin = 0,
                           .row_end = out->shape.h,
                           .height = w->height,
                           .width = w->width,
                           .stride_y = w->stride_y,
                           .stride_x = w->stride_x,
                           .pad_top = w->pad_top,
                           .pad_left = w->pad_left,
                           .pad_bottom = w->pad_bottom,
                           .pad_right = w->pad_right,
                           .count_padding = w->count_padding };
    for (int block = begin; block < end; block++) {
        pooling.in = dp_view_at(run, in, image) + block * in->block;
        pooling.out = dp_view_at(run, out, image) + block * out->block;
        step->as.pool.kernel(&pooling);
    }
}

static void describe_pool(const dp_step *step, dp_buffer *text) {
    const dp_window *w = step->as.pool.window ? step->as.pool.window : &step->as.pool.whole;
    dp_buffer_printf(text, "%dx%d/%d%s", w->height, w->width, w->stride_y, w->ceil ? ", rounded up" : "");
}

static const dp_step_kind max_kind = { "max pool", run_pool, describe_pool, NULL };
static const dp_step_kind average_kind = { "average pool", run_pool, describe_pool, NULL };

static deeper_status lower(dp_lowering *l, int node, const dp_window *window, deeper_error *error) {
    const dp_node *it = &l->graph->nodes[node];
    bool max = it->op == DP_OP_MAX_POOL;
    dp_step step = { .kind = max ? &max_kind : &average_kind,
                     .name = it->name,
                     .in = *dp_input_view(l, node, 0),
                     .out = l->views[node],
                     .low = -INFINITY };
    step.as.pool.window = window;
    step.as.pool.kernel = max ? l->plan->kernels->max_pool : l->plan->kernels->average_pool;
    if (!window)
        step.as.pool.whole = (dp_window){ .height = step.in.shape.h, .width = step.in.shape.w, .stride_y = 1, .stride_x = 1 };
    const dp_window *w = window ? window : &step.as.pool.whole;
    step.work = (uint64_t)dp_shape_floats(it->shape) * (uint64_t)w->height * (uint64_t)w->width;
    step.tasks = dp_parts(l->plan, dp_blocks(it->shape.c, l->plan->kernels->lanes), step.work);
    return dp_emit_unary(l->plan, &step, error);
}

deeper_status dp_lower_pool(dp_lowering *lowering, int node, deeper_error *error) {
    return lower(lowering, node, &lowering->graph->nodes[node].attributes.window, error);
}

deeper_status dp_lower_global_average(dp_lowering *lowering, int node, deeper_error *error) {
    return lower(lowering, node, NULL, error);
}
