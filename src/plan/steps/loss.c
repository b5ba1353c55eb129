/* loss.c - where a training graph begins to differ: the loss and its gradient, the constants
 * that weigh losses, and the masks of dropout. Few values: plain C. Labels are two floats per
 * image: the class, and the weight of the image (1; 0 leaves it out; class weights). */
#include "plan/passes.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

/* log of the sum of exp(x) over C channels, in double, with the maximum taken out so that nothing
 * overflows. */
static double log_sum_exp(const float *x, int channels) {
    float max = x[0];
    for (int c = 1; c < channels; c++)
        max = x[c] > max ? x[c] : max;
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += exp((double)(x[c] - max));
    return (double)max + log(sum);
}

/* The class of an image, kept inside 0..channels-1: a caller's mistake must not become a stray
 * read. */
static int class_of(const float *labels, int channels) {
    int class = (int)labels[0];
    return class < 0 ? 0 : class >= channels ? channels - 1 : class;
}

/* in: x (one pixel, so its channels lie one after another), in2: labels. */
static void run_loss(const dp_run *run, const dp_step *step, int task, int worker) {
    const float *x = dp_view_at(run, &step->in, task), *labels = dp_view_at(run, &step->in2, task);
    int channels = step->in.shape.c;
    double norm = log_sum_exp(x, channels), smoothing = (double)step->as.smoothing, mean = 0;
    for (int c = 0; c < channels; c++)
        mean += ((double)x[c] - norm) / channels;
    double chosen = (double)x[class_of(labels, channels)] - norm;
    dp_view_at(run, &step->out, task)[0] =
        (float)(-(double)labels[1] * ((1 - smoothing) * chosen + smoothing * mean));
}

/* in: g, in2: x, in3: labels. */
static void run_loss_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    const float *x = dp_view_at(run, &step->in2, task), *labels = dp_view_at(run, &step->in3, task);
    float *out = dp_view_at(run, &step->out, task);
    int channels = step->in2.shape.c, class = class_of(labels, channels);
    int padded = dp_blocks(channels, run->plan->kernels->lanes) * run->plan->kernels->lanes;
    double norm = log_sum_exp(x, channels), smoothing = (double)step->as.smoothing;
    double factor = (double)dp_view_at(run, &step->in, task)[0] * (double)labels[1];
    for (int c = 0; c < channels; c++) {
        double target = smoothing / channels + (c == class ? 1 - smoothing : 0);
        out[c] = (float)(factor * (exp((double)x[c] - norm) - target));
    }
    memset(out + channels, 0, (size_t)(padded - channels) * sizeof *out);
}

static void run_fill(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *out = &step->out;
    int lanes = run->plan->kernels->lanes;
    for (int c = 0; c < dp_blocks(out->shape.c, lanes) * lanes; c++)
        for (int y = 0; y < out->shape.h; y++) {
            float *row = dp_view_at(run, out, task) + c / lanes * out->block_stride
                         + y * out->row_stride + c % lanes;
            for (int x = 0; x < out->shape.w; x++)
                row[(ptrdiff_t)x * lanes] = c < out->shape.c ? step->as.value : 0.0F;
        }
}

/* The mask depends on the run's seed, the stream, the image and the element alone: forward and
 * backward draw the same. */
static void run_dropout(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *in = &step->in, *out = &step->out;
    int lanes = run->plan->kernels->lanes;
    float keep = 1.0F - step->as.dropout.rate, scale = 1.0F / keep;
    dp_random random =
        dp_random_at(run->call->seed, (uint64_t)step->as.dropout.stream, (uint64_t)task);
    for (int c = 0; c < dp_blocks(out->shape.c, lanes) * lanes; c++)
        for (int y = 0; y < out->shape.h; y++) {
            const float *from = dp_view_at(run, in, task) + c / lanes * in->block_stride
                                + y * in->row_stride + c % lanes;
            float *to = dp_view_at(run, out, task) + c / lanes * out->block_stride
                        + y * out->row_stride + c % lanes;
            for (int x = 0; x < out->shape.w; x++) {
                bool kept = c < out->shape.c && dp_random_unit(&random) < keep;
                to[(ptrdiff_t)x * lanes] = kept ? from[(ptrdiff_t)x * lanes] * scale : 0.0F;
            }
        }
}

static const dp_step_kind loss_kind = { "loss", run_loss, NULL, NULL };
static const dp_step_kind loss_gradient_kind = { "loss grad", run_loss_gradient, NULL, NULL };
static const dp_step_kind fill_kind = { "fill", run_fill, NULL, NULL };
static const dp_step_kind dropout_kind = { "dropout", run_dropout, NULL, NULL };

/* One task per image. */
static dp_step make(const dp_lowering *l, int node, const dp_step_kind *kind) {
    const dp_node *layer = &l->graph->nodes[node];
    return (dp_step){ .kind = kind,
                      .name = layer->name,
                      .in = dp_optional_view(l, node, 0),
                      .in2 = dp_optional_view(l, node, 1),
                      .in3 = dp_optional_view(l, node, 2),
                      .out = l->views[node],
                      .tasks = 1,
                      .work = dp_shape_floats(layer->shape) * 20 };
}

static deeper_status emit(dp_lowering *l, const dp_step *step, deeper_error *error) {
    int reads[] = { step->in.storage, step->in2.storage, step->in3.storage };
    return dp_emit(l->plan, step, reads, 3, &step->out.storage, 1, error);
}

deeper_status dp_lower_loss(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &loss_kind);
    step.as.smoothing = lowering->graph->nodes[node].attributes.smoothing;
    return emit(lowering, &step, error);
}

deeper_status dp_lower_loss_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &loss_gradient_kind);
    step.as.smoothing = lowering->graph->nodes[node].attributes.smoothing;
    return emit(lowering, &step, error);
}

deeper_status dp_lower_fill(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &fill_kind);
    step.as.value = lowering->graph->nodes[node].attributes.fill.value;
    return emit(lowering, &step, error);
}

deeper_status dp_lower_dropout(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = make(lowering, node, &dropout_kind);
    step.as.dropout = lowering->graph->nodes[node].attributes.dropout;
    return emit(lowering, &step, error);
}
