/* pointwise.c - what works one pixel at a time: a ReLU of its own, a clip, a sigmoid, a sum, a
 * product, a batch norm or other factor and term per channel that no convolution absorbed, softmax,
 * and the copy that gives a shared value a halo. */
#include "plan/passes.h"

#include <math.h>
#include <stdio.h>

/* Multiply-adds that take as long as a value that is read, worked on and written: a vector per
 * cycle or so from the second cache. */
enum { WORK_OF_A_VALUE = 16 };

static void run_clamp(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++)
            run->plan->kernels->clamp(dp_row_at(run, &step->out, own.image, block, y),
                                      dp_row_at(run, &step->in, own.image, block, y),
                                      step->out.shape.w, step->epilogue.low, step->epilogue.high);
}

static void run_add(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++) {
            run->plan->kernels->add(dp_row_at(run, &step->out, own.image, block, y),
                                    dp_row_at(run, &step->in, own.image, block, y),
                                    dp_row_at(run, &step->in2, own.image, block, y),
                                    step->out.shape.w, step->epilogue.low);
            dp_finish_rows(run, step, own.image, block, y, y + 1);
        }
}

/* in2 has a pixel for each, or one. */
static void run_multiply(const dp_run *run, const dp_step *step, int task, int worker) {
    bool each = dp_shape_equal(step->in.shape, step->in2.shape);
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++)
            run->plan->kernels->multiply(dp_row_at(run, &step->out, own.image, block, y),
                                         dp_row_at(run, &step->in, own.image, block, y),
                                         dp_row_at(run, &step->in2, own.image, block, each ? y : 0),
                                         each ? run->plan->kernels->lanes : 0, step->out.shape.w);
}

static void run_sigmoid(const dp_run *run, const dp_step *step, int task, int worker) {
    int lanes = run->plan->kernels->lanes;
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++) {
            int channels = step->out.shape.c - block * lanes;
            run->plan->kernels->sigmoid(dp_row_at(run, &step->out, own.image, block, y),
                                        dp_row_at(run, &step->in, own.image, block, y),
                                        step->out.shape.w, dp_min(channels, lanes));
        }
}

static void run_affine(const dp_run *run, const dp_step *step, int task, int worker) {
    int lanes = run->plan->kernels->lanes, blocks = dp_blocks(step->out.shape.c, lanes);
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++)
            run->plan->kernels->affine(
                dp_row_at(run, &step->out, own.image, block, y),
                dp_row_at(run, &step->in, own.image, block, y), step->out.shape.w,
                step->as.norm.packed + (ptrdiff_t)block * lanes,
                step->as.norm.packed + (ptrdiff_t)(blocks + block) * lanes, step->epilogue.low);
}

/* in: g, in2: y. */
static void run_relu_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_task_blocks own = dp_blocks_of_task(run, step, step->out.shape.c, task);
    for (int block = own.begin; block < own.end; block++)
        for (int y = 0; y < step->out.shape.h; y++)
            run->plan->gradient_kernels->relu(dp_row_at(run, &step->out, own.image, block, y),
                                              dp_row_at(run, &step->in, own.image, block, y),
                                              dp_row_at(run, &step->in2, own.image, block, y),
                                              step->out.shape.w);
}

static void run_softmax(const dp_run *run, const dp_step *step, int task, int worker) {
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    dp_share(step->out.shape.h, step->tasks, task % step->tasks, &begin, &end);
    for (int y = begin; y < end; y++)
        for (int x = 0; x < step->out.shape.w; x++)
            run->plan->kernels->softmax(
                dp_row_at(run, &step->out, image, 0, y) + (ptrdiff_t)x * lanes,
                step->out.block_stride,
                dp_row_at(run, &step->in, image, 0, y) + (ptrdiff_t)x * lanes,
                step->in.block_stride, step->out.shape.c);
}

static void describe_add(const dp_step *step, dp_buffer *text) {
    dp_buffer_printf(text, "two terms");
    dp_describe_epilogue(step, text);
}

static const dp_step_kind relu_kind = { "relu", run_clamp, NULL, NULL };
static const dp_step_kind clip_kind = { "clip", run_clamp, NULL, NULL };
static const dp_step_kind copy_kind = { "copy", run_clamp, NULL, NULL };
static const dp_step_kind add_kind = { "add", run_add, describe_add, NULL };
static const dp_step_kind multiply_kind = { "multiply", run_multiply, NULL, NULL };
static const dp_step_kind sigmoid_kind = { "sigmoid", run_sigmoid, NULL, NULL };
static const dp_step_kind relu_gradient_kind = { "relu grad", run_relu_gradient, NULL, NULL };
static const dp_step_kind norm_kind = { "batch norm", run_affine, NULL, NULL };
static const dp_step_kind affine_kind = { "affine", run_affine, NULL, NULL };
static const dp_step_kind softmax_kind = { "softmax", run_softmax, NULL, NULL };

/* A step from input 0 to the node's target, cut along channel blocks. */
static dp_step pointwise(const dp_lowering *l, int node, const dp_step_kind *kind) {
    const dp_node *layer = &l->graph->nodes[node];
    dp_step step = { .kind = kind,
                     .name = layer->name,
                     .in = *dp_input_view(l, node, 0),
                     .out = l->views[dp_target(l, node)],
                     .epilogue = dp_epilogue_of(l, node),
                     .work = dp_shape_floats(layer->shape) * WORK_OF_A_VALUE };
    step.tasks = dp_parts(l->plan, dp_blocks(layer->shape.c, l->plan->kernels->lanes), step.work);
    return step;
}

deeper_status dp_lower_relu(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = pointwise(lowering, node, &relu_kind);
    return dp_emit_unary(lowering->plan, &step, error);
}

deeper_status dp_lower_clip(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = pointwise(lowering, node, &clip_kind);
    return dp_emit_unary(lowering->plan, &step, error);
}

/* out = f(input 0, input 1). */
static deeper_status lower_binary(dp_lowering *l, int node, const dp_step_kind *kind,
                                  deeper_error *error) {
    dp_step step = pointwise(l, node, kind);
    step.in2 = *dp_input_view(l, node, 1);
    return dp_emit(l->plan, &step, (int[]){ step.in.storage, step.in2.storage }, 2,
                   &step.out.storage, 1, error);
}

deeper_status dp_lower_relu_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_binary(lowering, node, &relu_gradient_kind, error);
}

deeper_status dp_lower_add(dp_lowering *lowering, int node, deeper_error *error) {
    for (int i = 0; i < 2; i++)
        if (lowering->absorber[lowering->graph->nodes[node].inputs[i]] == node)
            return dp_lower_pool_gradient_sum(lowering, node, i, error);
    return lower_binary(lowering, node, &add_kind, error);
}

deeper_status dp_lower_multiply(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_binary(lowering, node, &multiply_kind, error);
}

deeper_status dp_lower_sigmoid(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = pointwise(lowering, node, &sigmoid_kind);
    step.work *= 2;
    return dp_emit_unary(lowering->plan, &step, error);
}

typedef struct affine_source {
    const dp_lowering *lowering;
    int node, padded; /* padded: CB x L */
} affine_source;

static void fill_affine(float *values, const void *context) {
    const affine_source *source = context;
    const dp_graph *graph = source->lowering->graph;
    const dp_node *node = &graph->nodes[source->node];
    const float *v[5] = { NULL };
    for (int i = 1; i < node->input_count; i++)
        v[i] = source->lowering->values[graph->nodes[node->inputs[i]].parameter];
    for (int c = 0; c < node->shape.c; c++) {
        double factor = (double)v[1][c], mean = v[3] ? (double)v[3][c] : 0;
        if (v[4])
            factor /= sqrt((double)v[4][c] + (double)node->attributes.epsilon);
        values[c] = (float)factor;
        values[source->padded + c] = (float)((double)v[2][c] - mean * factor);
    }
}

deeper_status dp_lower_affine(dp_lowering *lowering, int node, deeper_error *error) {
    const dp_node *layer = &lowering->graph->nodes[node];
    bool norm = layer->op == DP_OP_BATCH_NORM;
    if (lowering->plan->training)
        return norm ? dp_lower_batch_norm_training(lowering, node, error)
                    : dp_fail(error, DEEPER_ERROR_UNSUPPORTED, "%s: an affine layer in training",
                              layer->name);
    dp_step step = pointwise(lowering, node, norm ? &norm_kind : &affine_kind);
    int lanes = lowering->plan->kernels->lanes, padded = dp_blocks(step.out.shape.c, lanes) * lanes;
    char key[64];
    snprintf(key, sizeof key, "affine L%d %d", lanes, node);
    affine_source source = { lowering, node, padded };
    DP_TRY(dp_packs_get(lowering->packs, key, 2 * (size_t)padded, fill_affine, &source,
                        &step.as.norm.packed, error));
    return dp_emit_unary(lowering->plan, &step, error);
}

deeper_status dp_lower_softmax(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = pointwise(lowering, node, &softmax_kind);
    step.work *= 2;
    step.tasks = dp_parts(lowering->plan, step.out.shape.h, step.work);
    return dp_emit_unary(lowering->plan, &step, error);
}

deeper_status dp_lower_copy(dp_lowering *lowering, int node, const dp_view *in, const dp_pads *halo,
                            dp_view *out, deeper_error *error) {
    dp_step step = { .kind = &copy_kind,
                     .name = lowering->graph->nodes[node].name,
                     .in = *in,
                     .epilogue = { .low = -INFINITY, .high = INFINITY },
                     .work = dp_shape_floats(in->shape) * WORK_OF_A_VALUE };
    step.tasks =
        dp_parts(lowering->plan, dp_blocks(in->shape.c, lowering->plan->kernels->lanes), step.work);
    DP_TRY(dp_storage_add(lowering->plan, in->shape, halo, false, &step.out, error));
    *out = step.out;
    return dp_emit_unary(lowering->plan, &step, error);
}
