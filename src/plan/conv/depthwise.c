/* depthwise.c - convolutions with a group per channel, each of one output: a window of weights per
 * lane. Their gradients with respect to their input are such convolutions too. Depthwise
 * convolutions with several outputs per channel, and those over planar pictures, are products like
 * others (direct.c).
 *
 * A task has some channel blocks, or some rows of all where there are more rows: a block's input
 * stays in the caches. Weights are packed like those of a planar convolution that reads one
 * channel: a vector per place of the window. Letters: L lanes. */
#include "plan/conv/conv.h"

typedef struct depthwise_step {
    dp_conv_weights weights;
    dp_window window;
} depthwise_step;

static void run_depthwise(const dp_run *run, const dp_step *step, int task, int worker) {
    const depthwise_step *conv = step->as.own;
    const dp_view *in = &step->in, *out = &step->out;
    const int image = task / step->tasks, part = task % step->tasks;
    dp_depthwise depthwise = { .in_row_stride = in->row_stride,
                               .out_row_stride = out->row_stride,
                               .out_width = out->shape.w,
                               .row_end = out->shape.h,
                               .height = conv->window.height,
                               .width = conv->window.width,
                               .stride_y = conv->window.stride_y,
                               .stride_x = conv->window.stride_x,
                               .low = step->epilogue.low };
    int begin = 0, end = conv->weights.blocks;
    if (out->shape.h > conv->weights.blocks)
        dp_share(out->shape.h, step->tasks, part, &depthwise.row_begin, &depthwise.row_end);
    else
        dp_share(conv->weights.blocks, step->tasks, part, &begin, &end);
    for (int block = begin; block < end; block++) {
        depthwise.in = dp_view_at(run, in, image) + block * in->block_stride;
        depthwise.out = dp_view_at(run, out, image) + block * out->block_stride;
        depthwise.weights = dp_conv_packed(run, &conv->weights, block);
        depthwise.bias = dp_conv_packed_bias(run, &conv->weights, block);
        run->plan->kernels->depthwise(&depthwise);
        dp_finish_rows(run, step, image, block, depthwise.row_begin, depthwise.row_end);
    }
}

static void describe_depthwise(const dp_step *step, dp_buffer *text) {
    const depthwise_step *conv = step->as.own;
    const dp_window *w = &conv->window;
    dp_buffer_printf(text, "%dx%d/%d", w->height, w->width, w->stride_y);
    dp_describe_epilogue(step, text);
}

static void release_depthwise(dp_plan *plan, dp_step *step) {
    depthwise_step *conv = step->as.own;
    dp_free(plan->allocator, conv->weights.panels);
    dp_free(plan->allocator, conv);
}

static const dp_step_kind depthwise_kind = { "depthwise", run_depthwise, describe_depthwise,
                                             release_depthwise };
static const dp_step_kind gradient_kind = { "depthw. grad", run_depthwise, describe_depthwise,
                                            release_depthwise };

static bool suits(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    if (layer->op != DP_OP_CONV || dp_reads_planes(lowering, node))
        return false;
    const dp_window *w = &layer->attributes.window;
    choice->product = (dp_product_shape){ layer->shape.c, layer->shape.h, layer->shape.w,
                                          (double)w->height * w->width };
    return w->groups > 1 && w->groups == layer->shape.c
           && w->groups == lowering->graph->nodes[layer->inputs[0]].shape.c;
}

static deeper_status build(dp_lowering *l, int node, dp_step *step, deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    depthwise_step *conv = step->as.own;
    dp_conv_weights *weights = &conv->weights;
    const int lanes = l->plan->kernels->lanes;
    const dp_window *window = &layer->attributes.window;
    *weights = (dp_conv_weights){ .sources = { { .node = node } },
                                  .source_count = 1,
                                  .channels = 1,
                                  .height = window->height,
                                  .width = window->width,
                                  .groups = 1,
                                  .planar = true,
                                  .blocks = dp_blocks(layer->shape.c, lanes) };
    dp_conv_read_source(l, &weights->sources[0]);
    weights->sources[0].channels = 1;
    DP_TRY(dp_conv_make_panels(l->plan, weights, 1, error));
    DP_TRY(dp_conv_pack(l, weights, error));
    DP_TRY(dp_conv_input(l, node, &step->in, error));
    step->in.offset -= window->pads.top * step->in.row_stride
                       + (ptrdiff_t)window->pads.left * lanes; /* to the first window */
    conv->window = *window;
    step->kind = weights->sources[0].order == DP_WEIGHTS_PLAIN ? &depthwise_kind : &gradient_kind;
    step->name = layer->name;
    step->out = l->views[dp_target(l, node)];
    step->epilogue = dp_epilogue_of(l, node);
    step->multiply_adds = dp_node_cost(l->graph, node).multiply_adds;
    step->work = step->multiply_adds;
    step->tasks = dp_parts(l->plan, dp_max(layer->shape.h, weights->blocks), step->work);
    return dp_emit(l->plan, step, (int[]){ step->in.storage, weights->packed_storage }, 2,
                   &step->out.storage, 1, error);
}

static deeper_status lower(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = { .as.own = dp_alloc(lowering->plan->allocator, 1, sizeof(depthwise_step)) };
    if (!step.as.own)
        return dp_fail_memory(error, "a convolution's step");
    deeper_status status = build(lowering, node, &step, error);
    if (status != DEEPER_OK)
        release_depthwise(lowering->plan, &step);
    return status;
}

const dp_algorithm dp_algorithm_depthwise = { "depthwise", DP_FP32, suits, dp_cost_direct, lower };
