/* pool.c - max, average and global average pools and their gradients: one channel block per call,
 * blocks and images shared out among threads. */
#include "plan/passes.h"

/* The pool from view `in` to view `out`, without its pointers. */
static dp_pooling describe_pooling(const dp_window *w, const dp_view *in, const dp_view *out) {
    return (dp_pooling){ .in_row_stride = in->row_stride,
                         .in_height = in->shape.h,
                         .in_width = in->shape.w,
                         .out_row_stride = out->row_stride,
                         .out_width = out->shape.w,
                         .row_begin = 0,
                         .row_end = out->shape.h,
                         .height = w->height,
                         .width = w->width,
                         .stride_y = w->stride_y,
                         .stride_x = w->stride_x,
                         .pad_top = w->pads.top,
                         .pad_left = w->pads.left,
                         .pad_bottom = w->pads.bottom,
                         .pad_right = w->pads.right,
                         .count_padding = w->count_padding };
}

static void run_pool(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *in = &step->in, *out = &step->out;
    const int image = task / step->tasks,
              blocks = dp_blocks(in->shape.c, run->plan->kernels->lanes);
    int begin = 0, end = blocks;
    dp_pooling pooling = describe_pooling(&step->as.pool.window, in, out);
    if (out->shape.h > blocks)
        dp_share(out->shape.h, step->tasks, task % step->tasks, &pooling.row_begin,
                 &pooling.row_end);
    else
        dp_share(blocks, step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++) {
        pooling.in = dp_view_at(run, in, image) + block * in->block_stride;
        pooling.out = dp_view_at(run, out, image) + block * out->block_stride;
        step->as.pool.kernel(&pooling);
    }
}

static void describe_pool(const dp_step *step, dp_buffer *text) {
    const dp_window *w = &step->as.pool.window;
    dp_buffer_printf(text, "%dx%d/%d%s%s", w->height, w->width, w->stride_y,
                     w->ceil ? ", rounded up" : "",
                     step->as.pool.base.shape.c ? ", with a sum" : "");
    dp_describe_epilogue(step, text);
}

static void run_pool_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *gradient = &step->in, *x = &step->in2, *y = &step->in3, *out = &step->out,
                  *base = &step->as.pool.base;
    int image = task / step->tasks, begin, end;
    dp_share(dp_blocks(x->shape.c, run->plan->kernels->lanes), step->tasks, task % step->tasks,
             &begin, &end);
    for (int block = begin; block < end; block++) {
        float *value = y->shape.c ? dp_view_at(run, y, image) + block * y->block_stride : NULL;
        dp_pooling_gradient pooling = {
            .forward = describe_pooling(&step->as.pool.window, x, y->shape.c ? y : gradient),
            .gradient = dp_view_at(run, gradient, image) + block * gradient->block_stride,
            .gradient_row_stride = gradient->row_stride,
            .out = dp_view_at(run, out, image) + block * out->block_stride,
            .out_row_stride = out->row_stride,
            .relu = dp_masks_by_input(step)
        };
        if (base->shape.c) {
            pooling.base = dp_view_at(run, base, image) + block * base->block_stride;
            pooling.base_row_stride = base->row_stride;
        }
        pooling.forward.in = dp_view_at(run, x, image) + block * x->block_stride;
        pooling.forward.out = value;
        step->as.pool.gradient(&pooling);
        if (!pooling.relu)
            dp_finish_rows(run, step, image, block, 0, out->shape.h);
    }
}

static const dp_step_kind max_kind = { "max pool", run_pool, describe_pool, NULL };
static const dp_step_kind average_kind = { "average pool", run_pool, describe_pool, NULL };
static const dp_step_kind max_gradient_kind = { "max pool grad", run_pool_gradient, describe_pool,
                                                NULL };
static const dp_step_kind average_gradient_kind = { "avg pool grad", run_pool_gradient,
                                                    describe_pool, NULL };

/* A global average is an average pool whose window is the picture x. */
static dp_window window_of(const dp_node *node, dp_shape x, bool global) {
    return global ? (dp_window){ .height = x.h, .width = x.w, .stride_y = 1, .stride_x = 1 }
                  : node->attributes.window;
}

static deeper_status emit(dp_lowering *l, int node, dp_step *step, const int *reads, int read_count,
                          deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    step->name = layer->name;
    step->out = l->views[dp_target(l, node)];
    step->epilogue = dp_epilogue_of(l, node);
    step->work = (uint64_t)dp_shape_floats(layer->shape) * (uint64_t)step->as.pool.window.height
                 * (uint64_t)step->as.pool.window.width;
    const int blocks = dp_blocks(layer->shape.c, l->plan->kernels->lanes);
    step->tasks = dp_parts(l->plan, step->as.pool.kernel ? dp_max(layer->shape.h, blocks) : blocks,
                           step->work);
    return dp_emit(l->plan, step, reads, read_count, &step->out.storage, 1, error);
}

deeper_status dp_lower_pool(dp_lowering *lowering, int node, deeper_error *error) {
    const dp_node *layer = &lowering->graph->nodes[node];
    bool max = layer->op == DP_OP_MAX_POOL;
    dp_step step = { .kind = max ? &max_kind : &average_kind,
                     .in = *dp_input_view(lowering, node, 0) };
    step.as.pool.window = window_of(layer, step.in.shape, layer->op == DP_OP_GLOBAL_AVERAGE);
    step.as.pool.kernel =
        max ? lowering->plan->kernels->max_pool : lowering->plan->kernels->average_pool;
    return emit(lowering, node, &step, &step.in.storage, 1, error);
}

/* The step of a gradient whose result is the value of `result`: the gradient itself, or a sum that
 * adds it to `base`. */
static deeper_status lower_gradient(dp_lowering *l, int node, int result, const dp_view *base,
                                    deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    const dp_gradient_kernels *kernels = l->plan->gradient_kernels;
    bool max = layer->op == DP_OP_MAX_POOL_GRADIENT;
    dp_step step = { .kind = max ? &max_gradient_kind : &average_gradient_kind,
                     .in = *dp_input_view(l, node, 0),
                     .in2 = *dp_input_view(l, node, 1),
                     .in3 = dp_optional_view(l, node, 2) };
    step.as.pool.window =
        window_of(layer, step.in2.shape, layer->op == DP_OP_GLOBAL_AVERAGE_GRADIENT);
    step.as.pool.gradient = max ? kernels->max_pool : kernels->average_pool;
    step.as.pool.base = *base;
    int reads[] = { step.in.storage, step.in2.storage, step.in3.storage, base->storage };
    return emit(l, result, &step, reads, 4, error);
}

deeper_status dp_lower_pool_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_gradient(lowering, node, node, &(dp_view){ .storage = -1 }, error);
}

deeper_status dp_lower_pool_gradient_sum(dp_lowering *lowering, int sum, int index,
                                         deeper_error *error) {
    const dp_node *layer = &lowering->graph->nodes[sum];
    return lower_gradient(lowering, layer->inputs[index], sum, dp_input_view(lowering, sum, !index),
                          error);
}
