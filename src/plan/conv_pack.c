/* conv_pack.c - the weights of a convolution's step in the order its panels read them, batch norms folded in. Where the parameters
 * are constant they are packed once a model and shared by its plans; in training a step packs them at the beginning of every run,
 * panels shared out among the threads. */
#include "plan/conv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float *values_of(const dp_lowering *l, int node) {
    return l->values[l->graph->nodes[node].parameter];
}

void dp_conv_read_source(const dp_lowering *l, dp_conv_source *source) {
    const dp_node *node = &l->graph->nodes[source->node];
    const dp_node *weight = &l->graph->nodes[node->inputs[1]];
    int parameter = node->inputs[1], norm = dp_target_batch_norm(l, source->node);
    source->outputs = weight->shape.n;
    if (weight->op == DP_OP_ROTATE || weight->op == DP_OP_TRANSPOSE) {
        source->order = weight->op == DP_OP_ROTATE ? DP_WEIGHTS_ROTATED : DP_WEIGHTS_TRANSPOSED;
        parameter = weight->inputs[0];
    }
    source->weights = values_of(l, parameter);
    source->bias = node->input_count == 3 ? values_of(l, node->inputs[2]) : NULL;
    if (norm < 0)
        return;
    const dp_node *it = &l->graph->nodes[norm];
    source->scale = values_of(l, it->inputs[1]);
    source->shift = values_of(l, it->inputs[2]);
    source->mean = values_of(l, it->inputs[3]);
    source->variance = values_of(l, it->inputs[4]);
    source->epsilon = it->attributes.epsilon;
}

size_t dp_conv_packed_bias(const dp_conv_step *conv, int lanes) {
    return (size_t)conv->segment_count * (size_t)conv->run * (size_t)conv->blocks * (size_t)lanes;
}

const float *dp_conv_packed(const dp_run *run, const dp_conv_step *conv) {
    return conv->packed ? conv->packed : run->arena + run->plan->storages[conv->packed_storage].offset;
}

/* (x - mean) / sqrt(variance + epsilon) * scale + shift as a factor and a shift of output channel k. */
static void fold(const dp_conv_source *source, int k, float *factor, float *shift) {
    *factor = 1.0F;
    *shift = 0.0F;
    if (!source->scale)
        return;
    double f = (double)source->scale[k] / sqrt((double)source->variance[k] + (double)source->epsilon);
    *factor = (float)f;
    *shift = (float)((double)source->shift[k] - (double)source->mean[k] * f);
}

/* Panels begin..end-1 of zeroed memory. The folded factors, one an output channel, are worked out in the place of the biases. */
static void pack_panels(float *packed, const dp_conv_step *conv, int lanes, int begin, int end) {
    float *bias = packed + dp_conv_packed_bias(conv, lanes);
    for (int i = 0; i < conv->source_count; i++) {
        const dp_conv_source *source = &conv->sources[i];
        dp_packing packing = { .weights = source->weights,
                               .scale = source->scale ? bias + source->first_output : NULL,
                               .order = source->order,
                               .outputs = source->outputs,
                               .channels = conv->channels,
                               .height = conv->height,
                               .width = conv->width,
                               .groups = conv->groups,
                               .lanes = lanes,
                               .first_output = source->first_output,
                               .planar = conv->planar,
                               .blocks_of = conv->panels,
                               .panels = conv->panel_count };
        dp_pack_panels(packed, &packing, begin, end);
    }
}

static void write_factors(float *bias, const dp_conv_step *conv) {
    for (int i = 0; i < conv->source_count; i++)
        for (int k = 0; k < conv->sources[i].outputs; k++) {
            float shift;
            fold(&conv->sources[i], k, &bias[conv->sources[i].first_output + k], &shift);
        }
}

static void write_biases(float *bias, const dp_conv_step *conv) {
    for (int i = 0; i < conv->source_count; i++)
        for (int k = 0; k < conv->sources[i].outputs; k++) {
            float factor, shift;
            fold(&conv->sources[i], k, &factor, &shift);
            bias[conv->sources[i].first_output + k] = (conv->sources[i].bias ? conv->sources[i].bias[k] : 0.0F) * factor + shift;
        }
}

/* ---------------------------------------------------------------- once */

typedef struct pack_context {
    const dp_conv_step *conv;
    int lanes;
} pack_context;

static void fill_pack(float *packed, const void *context) {
    const pack_context *it = context;
    float *bias = packed + dp_conv_packed_bias(it->conv, it->lanes);
    write_factors(bias, it->conv);
    pack_panels(packed, it->conv, it->lanes, 0, it->conv->panel_count);
    write_biases(bias, it->conv);
}

/* The key names all that the packed bytes depend on besides the values. */
static deeper_status pack_once(dp_lowering *l, dp_conv_step *conv, size_t floats, deeper_error *error) {
    int lanes = l->plan->kernels->lanes;
    char key[256];
    int used = snprintf(key, sizeof key, "panel L%d %s b%d", lanes, conv->planar ? "planar" : "blocked", conv->panels[0]);
    for (int i = 0; i < conv->source_count; i++)
        used += snprintf(key + used, sizeof key - (size_t)used, " %d%s", conv->sources[i].node, conv->sources[i].scale ? "n" : "");
    pack_context context = { conv, lanes };
    return dp_packs_get(l->packs, key, floats, fill_pack, &context, &conv->packed, error);
}

/* ---------------------------------------------------------------- in every run */

static void run_pack(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_conv_step *conv = step->as.conv;
    int lanes = run->plan->kernels->lanes, begin, end;
    float *packed = run->arena + run->plan->storages[conv->packed_storage].offset;
    dp_share(conv->panel_count, step->tasks, task, &begin, &end);
    dp_packing places = { .channels = conv->channels,
                          .height = conv->height,
                          .width = conv->width,
                          .lanes = lanes,
                          .planar = conv->planar,
                          .blocks_of = conv->panels,
                          .panels = conv->panel_count };
    size_t from = dp_packed_offset(&places, begin), to = dp_packed_offset(&places, end);
    memset(packed + from, 0, (to - from) * sizeof *packed);
    pack_panels(packed, conv, lanes, begin, end);
    if (task == 0) {
        float *bias = packed + dp_conv_packed_bias(conv, lanes);
        memset(bias, 0, (size_t)(conv->blocks * lanes) * sizeof *bias);
        write_biases(bias, conv);
    }
}

static const dp_step_kind pack_kind = { "pack", run_pack, NULL, NULL };

static deeper_status pack_in_runs(dp_lowering *l, dp_conv_step *conv, size_t floats, deeper_error *error) {
    DP_TRY(dp_storage_add_fixed(l->plan, floats, &conv->packed_storage, error));
    dp_step step = { .kind = &pack_kind,
                     .name = l->graph->nodes[conv->sources[0].node].name,
                     .whole_batch = true,
                     .in = { .storage = -1 },
                     .out = { .storage = conv->packed_storage },
                     .work = floats,
                     .as.conv = conv };
    step.tasks = dp_parts(l->plan, conv->panel_count, step.work);
    return dp_emit(l->plan, &step, NULL, 0, &conv->packed_storage, 1, error);
}

deeper_status dp_conv_pack(dp_lowering *lowering, dp_conv_step *conv, deeper_error *error) {
    size_t depth = (size_t)conv->segment_count * (size_t)conv->run, floats;
    if (!dp_size_mul(depth + 1, (size_t)conv->blocks * (size_t)lowering->plan->kernels->lanes, &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: too large to pack", lowering->graph->nodes[conv->sources[0].node].name);
    lowering->plan->packed_bytes += floats * sizeof(float);
    return lowering->plan->training ? pack_in_runs(lowering, conv, floats, error) : pack_once(lowering, conv, floats, error);
}
