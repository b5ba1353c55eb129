/* batch.c - what sums over the whole batch and what uses such sums: the gradient of biases,
 * and batch norm in training. A task owns some channel blocks and passes over all images in order,
 * summing in double: the same bits for any number of threads. Batch sums lie flat, a float a
 * channel; two rows of C for the pairs (mean, variance) and (sum of g, sum of g times the
 * normalised x). */
#include "plan/passes.h"

#include <math.h>

enum { MAX_LANES = 16 };

/* Sums over batch and pixels of one block: of a, and of a times b where b is given. */
typedef struct block_sums {
    double sums[MAX_LANES], products[MAX_LANES];
} block_sums;

static block_sums sum_block(const dp_run *run, const dp_view *a, const dp_view *b, int block) {
    block_sums sums = { { 0 }, { 0 } };
    for (int image = 0; image < run->call->count; image++)
        for (int y = 0; y < a->shape.h; y++) {
            const float *row = dp_row_at(run, a, image, block, y);
            const float *other = b ? dp_row_at(run, b, image, block, y) : NULL;
            run->plan->gradient_kernels->sums(sums.sums, b ? sums.products : NULL, row, other,
                                              a->shape.w);
        }
    return sums;
}

static float *fixed_out(const dp_run *run, const dp_step *step) {
    return run->arena + run->plan->storages[step->out.storage].offset + step->out.offset;
}

/* Channels of a block; the last one may be part empty. */
static int lane_count(int channels, int lanes, int block) {
    return dp_min(channels - block * lanes, lanes);
}

static void run_channel_sum(const dp_run *run, const dp_step *step, int task, int worker) {
    const int lanes = run->plan->kernels->lanes, channels = step->in.shape.c;
    const dp_task_blocks own = dp_blocks_of_task(run, step, channels, task);
    for (int block = own.begin; block < own.end; block++) {
        block_sums sums = sum_block(run, &step->in, NULL, block);
        for (int l = 0; l < lane_count(channels, lanes, block); l++)
            fixed_out(run, step)[block * lanes + l] = (float)sums.sums[l];
    }
}

static void run_moments(const dp_run *run, const dp_step *step, int task, int worker) {
    double count = (double)run->call->count * step->in.shape.h * step->in.shape.w;
    const int lanes = run->plan->kernels->lanes, channels = step->in.shape.c;
    const dp_task_blocks own = dp_blocks_of_task(run, step, channels, task);
    for (int block = own.begin; block < own.end; block++) {
        block_sums sums = sum_block(run, &step->in, &step->in, block);
        for (int l = 0; l < lane_count(channels, lanes, block); l++) {
            double mean = sums.sums[l] / count, variance = sums.products[l] / count - mean * mean;
            fixed_out(run, step)[block * lanes + l] = (float)mean;
            fixed_out(run, step)[channels + block * lanes + l] =
                (float)(variance > 0 ? variance : 0);
        }
    }
}

static double deviation(const dp_step *step, float variance) {
    return sqrt((double)variance + (double)step->as.norm.epsilon);
}

static bool is_there(const dp_view *view) {
    return view->values || view->storage >= 0;
}

/* in: g, in2: x, mean, variance. sum g * (x - mean) * inverse = (sum g * x - mean * sum g) *
 * inverse. */
static void run_norm_sums(const dp_run *run, const dp_step *step, int task, int worker) {
    const float *mean = dp_fixed_at(run, &step->as.norm.mean),
                *variance = dp_fixed_at(run, &step->as.norm.variance);
    const int lanes = run->plan->kernels->lanes, channels = step->in.shape.c;
    const dp_task_blocks own = dp_blocks_of_task(run, step, channels, task);
    for (int block = own.begin; block < own.end; block++) {
        block_sums sums = sum_block(run, &step->in, &step->in2, block);
        for (int l = 0; l < lane_count(channels, lanes, block); l++) {
            int c = block * lanes + l;
            double inverse = 1 / deviation(step, variance[c]);
            fixed_out(run, step)[c] = (float)sums.sums[l];
            fixed_out(run, step)[channels + c] =
                (float)((sums.products[l] - (double)mean[c] * sums.sums[l]) * inverse);
        }
    }
}

/* With n pixels in the batch, inverse = 1 / sqrt(variance + epsilon): out = scale * inverse * (g -
 * sums0 / n - (x - mean) * inverse * sums1 / n) = g * p + x * q + r. */
static void run_norm_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    const float *mean = dp_fixed_at(run, &step->as.norm.mean),
                *variance = dp_fixed_at(run, &step->as.norm.variance);
    const float *scale = dp_fixed_at(run, &step->as.norm.scale),
                *sums = dp_fixed_at(run, &step->as.norm.sums);
    const dp_view *g = &step->in, *x = &step->in2, *out = &step->out;
    double count = (double)run->call->count * g->shape.h * g->shape.w;
    const int lanes = run->plan->kernels->lanes, channels = out->shape.c;
    const dp_task_blocks own = dp_blocks_of_task(run, step, channels, task);
    for (int block = own.begin; block < own.end; block++) {
        _Alignas(DP_ALIGNMENT) float p[MAX_LANES] = { 0 }, q[MAX_LANES] = { 0 },
                                     r[MAX_LANES] = { 0 };
        for (int l = 0; l < lane_count(channels, lanes, block); l++) {
            int c = block * lanes + l;
            double inverse = 1 / deviation(step, variance[c]), factor = (double)scale[c] * inverse;
            double slope = -factor * inverse * (double)sums[channels + c] / count;
            p[l] = (float)factor;
            q[l] = (float)slope;
            r[l] = (float)(-factor * (double)sums[c] / count - slope * (double)mean[c]);
        }
        for (int image = 0; image < run->call->count; image++)
            for (int y = 0; y < out->shape.h; y++)
                run->plan->gradient_kernels->blend(
                    dp_row_at(run, out, image, block, y), dp_row_at(run, g, image, block, y),
                    dp_row_at(run, x, image, block, y), out->shape.w, p, q, r);
    }
}

/* in: x; scale, shift (in2), mean, variance. Without a shift there is no mean either: the gradient
 * of a fixed one. */
static void run_norm(const dp_run *run, const dp_step *step, int task, int worker) {
    const float *scale = dp_fixed_at(run, &step->as.norm.scale),
                *variance = dp_fixed_at(run, &step->as.norm.variance);
    const float *shift = is_there(&step->in2) ? dp_fixed_at(run, &step->in2) : NULL;
    const float *mean = shift ? dp_fixed_at(run, &step->as.norm.mean) : NULL;
    const dp_view *in = &step->in, *out = &step->out;
    const int lanes = run->plan->kernels->lanes, channels = out->shape.c;
    const dp_task_blocks own = dp_blocks_of_task(run, step, channels, task);
    for (int block = own.begin; block < own.end; block++) {
        _Alignas(DP_ALIGNMENT) float p[MAX_LANES] = { 0 }, q[MAX_LANES] = { 0 };
        for (int l = 0; l < lane_count(channels, lanes, block); l++) {
            int c = block * lanes + l;
            double factor = (double)scale[c] / deviation(step, variance[c]);
            p[l] = (float)factor;
            q[l] = shift ? (float)((double)shift[c] - (double)mean[c] * factor) : 0;
        }
        for (int image = 0; image < run->call->count; image++)
            for (int y = 0; y < out->shape.h; y++)
                run->plan->kernels->affine(dp_row_at(run, out, image, block, y),
                                           dp_row_at(run, in, image, block, y), out->shape.w, p, q,
                                           step->epilogue.low);
    }
}

static const dp_step_kind channel_sum_kind = { "channel sum", run_channel_sum, NULL, NULL };
static const dp_step_kind moments_kind = { "moments", run_moments, NULL, NULL };
static const dp_step_kind norm_kind = { "batch norm", run_norm, NULL, NULL };
static const dp_step_kind norm_sums_kind = { "norm sums", run_norm_sums, NULL, NULL };
static const dp_step_kind norm_gradient_kind = { "norm grad", run_norm_gradient, NULL, NULL };

static dp_step make(const dp_lowering *l, int node, const dp_step_kind *kind) {
    const dp_node *layer = &l->graph->nodes[node];
    dp_step step = { .kind = kind,
                     .name = layer->name,
                     .in = dp_optional_view(l, node, 0),
                     .in2 = dp_optional_view(l, node, 1),
                     .in3 = { .storage = -1 },
                     .out = l->views[dp_target(l, node)],
                     .epilogue = dp_epilogue_of(l, node),
                     .whole_batch = true };
    step.as.norm.epsilon = layer->attributes.epsilon;
    step.as.norm.scale = step.as.norm.mean = step.as.norm.variance = step.as.norm.sums =
        (dp_view){ .storage = -1 };
    step.work = dp_shape_floats(step.in.shape) * (uint64_t)l->plan->max_batch;
    step.tasks = dp_parts(l->plan, dp_blocks(step.in.shape.c, l->plan->kernels->lanes), step.work);
    return step;
}

static deeper_status emit(dp_lowering *l, const dp_step *step, deeper_error *error) {
    int reads[] = { step->in.storage,
                    step->in2.storage,
                    step->as.norm.scale.storage,
                    step->as.norm.mean.storage,
                    step->as.norm.variance.storage,
                    step->as.norm.sums.storage };
    return dp_emit(l->plan, step, reads, sizeof reads / sizeof *reads, &step->out.storage, 1,
                   error);
}

/* Mean and variance are the rows of input `index`. */
static void set_moments(const dp_lowering *l, int node, int index, dp_step *step) {
    step->as.norm.mean = step->as.norm.variance = *dp_input_view(l, node, index);
    step->as.norm.variance.offset += step->in.shape.c;
}

deeper_status dp_lower_channel_sum(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &channel_sum_kind);
    return emit(lowering, &step, error);
}

deeper_status dp_lower_moments(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &moments_kind);
    return emit(lowering, &step, error);
}

deeper_status dp_lower_batch_norm_training(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &norm_kind);
    step.as.norm.scale = *dp_input_view(lowering, node, 1);
    step.in2 = *dp_input_view(lowering, node, 2);
    if (lowering->graph->nodes[node].input_count == 4) {
        set_moments(lowering, node, 3, &step);
    } else {
        step.as.norm.mean = *dp_input_view(lowering, node, 3);
        step.as.norm.variance = *dp_input_view(lowering, node, 4);
    }
    return emit(lowering, &step, error);
}

deeper_status dp_lower_fixed_norm_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &norm_kind);
    step.in2 = (dp_view){ .storage = -1 };
    step.as.norm.scale = *dp_input_view(lowering, node, 1);
    step.as.norm.variance = *dp_input_view(lowering, node, 2);
    return emit(lowering, &step, error);
}

deeper_status dp_lower_batch_norm_sums(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &norm_sums_kind);
    set_moments(lowering, node, 2, &step);
    return emit(lowering, &step, error);
}

deeper_status dp_lower_batch_norm_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &norm_gradient_kind);
    step.as.norm.scale = *dp_input_view(lowering, node, 2);
    set_moments(lowering, node, 3, &step);
    step.as.norm.sums = *dp_input_view(lowering, node, 4);
    return emit(lowering, &step, error);
}

/* ------------------------------------------------------------------ along with weight gradients */

static double *bias_sums(const dp_run *run, const dp_step *step, int block) {
    return (double *)(run->arena + run->plan->storages[step->epilogue.bias.sums].offset)
           + (ptrdiff_t)block * run->plan->kernels->lanes;
}

void dp_bias_clear(const dp_run *run, const dp_step *step, int block) {
    for (int l = 0; step->epilogue.bias.taken && l < run->plan->kernels->lanes; l++)
        bias_sums(run, step, block)[l] = 0;
}

void dp_bias_add(const dp_run *run, const dp_step *step, int image, int block, int begin, int end) {
    const dp_view *g = &step->in2;
    for (int y = begin; step->epilogue.bias.taken && y < end; y++)
        run->plan->gradient_kernels->sums(bias_sums(run, step, block), NULL,
                                          dp_row_at(run, g, image, block, y), NULL, g->shape.w);
}

void dp_bias_write(const dp_run *run, const dp_step *step, int block) {
    const dp_bias_step *bias = &step->epilogue.bias;
    int lanes = run->plan->kernels->lanes, channels = step->in2.shape.c;
    for (int l = 0; bias->taken && l < lane_count(channels, lanes, block); l++)
        (run->arena + run->plan->storages[bias->out.storage].offset
         + bias->out.offset)[block * lanes + l] = (float)bias_sums(run, step, block)[l];
}

deeper_status dp_take_channel_sum(dp_lowering *l, int node, dp_step *step, deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    int sum = node + 1;
    while (sum < l->graph->count
           && (l->graph->nodes[sum].op != DP_OP_CHANNEL_SUM
               || l->graph->nodes[sum].inputs[0] != layer->inputs[1]))
        sum++;
    if (sum == l->graph->count || !l->needed[sum] || l->done[sum])
        return DEEPER_OK;
    size_t doubles = (size_t)dp_blocks(layer->shape.n, l->plan->kernels->lanes)
                     * (size_t)l->plan->kernels->lanes;
    DP_TRY(dp_storage_add_fixed(l->plan, doubles * (sizeof(double) / sizeof(float)),
                                &step->epilogue.bias.sums, error));
    step->epilogue.bias.out = l->views[sum];
    step->epilogue.bias.taken = l->done[sum] = true;
    return DEEPER_OK;
}
