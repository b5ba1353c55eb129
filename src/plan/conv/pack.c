/* pack.c - the weights of a convolution's step in the order its panels read them, batch norms
 * folded in. Where the parameters are constant they are packed once per model and shared by its
 * plans; in training a step packs them at the beginning of every run, panels shared out among the
 * threads. */
#include "plan/conv/conv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float *values_of(const dp_lowering *l, int node) {
    return l->values[l->graph->nodes[node].parameter];
}

void dp_conv_read_source(const dp_lowering *l, dp_conv_source *source) {
    const dp_node *node = &l->graph->nodes[source->node];
    const dp_node *weight = &l->graph->nodes[node->inputs[1]];
    int parameter = node->inputs[1], norm = dp_target_affine(l, source->node);
    source->outputs = weight->shape.n;
    source->channels = l->graph->nodes[node->inputs[0]].shape.c;
    if (weight->op == DP_OP_ROTATE || weight->op == DP_OP_TRANSPOSE) {
        source->order = weight->op == DP_OP_ROTATE ? DP_WEIGHTS_ROTATED : DP_WEIGHTS_TRANSPOSED;
        parameter = weight->inputs[source->part];
    }
    if (weight->input_count > 1)
        source->channels = l->graph->nodes[parameter].shape.n;
    source->weights = values_of(l, parameter);
    source->bias = node->input_count == 3 ? values_of(l, node->inputs[2]) : NULL;
    if (norm < 0)
        return;
    const dp_node *affine = &l->graph->nodes[norm];
    source->scale = values_of(l, affine->inputs[1]);
    source->shift = values_of(l, affine->inputs[2]);
    if (affine->op == DP_OP_AFFINE)
        return;
    source->mean = values_of(l, affine->inputs[3]);
    source->variance = values_of(l, affine->inputs[4]);
    source->epsilon = affine->attributes.epsilon;
}

static const float *packed_at(const dp_run *run, const dp_conv_weights *w) {
    return w->packed ? w->packed : run->arena + run->plan->storages[w->packed_storage].offset;
}

const float *dp_conv_packed(const dp_run *run, const dp_conv_weights *weights, int block) {
    return packed_at(run, weights)
           + (size_t)block * weights->depth * (size_t)run->plan->kernels->lanes;
}

/* The biases begin where the block after the last would. */
const float *dp_conv_packed_bias(const dp_run *run, const dp_conv_weights *weights, int block) {
    return dp_conv_packed(run, weights, weights->blocks)
           + (size_t)block * (size_t)run->plan->kernels->lanes;
}

deeper_status dp_conv_make_panels(dp_plan *plan, dp_conv_weights *weights, int max_blocks,
                                  deeper_error *error) {
    weights->panel_count = dp_ceil_div(weights->blocks, max_blocks);
    weights->panels =
        dp_alloc(plan->allocator, (size_t)weights->panel_count, sizeof *weights->panels);
    if (!weights->panels)
        return dp_fail_memory(error, "the panels of a convolution");
    for (int p = 0; p < weights->panel_count; p++) {
        int begin, end;
        dp_share(weights->blocks, weights->panel_count, weights->panel_count - 1 - p, &begin, &end);
        weights->panels[p] = end - begin;
    }
    return DEEPER_OK;
}

/* (x - mean) / sqrt(variance + epsilon) * scale + shift, or x * scale + shift, as a factor and a
 * shift of output channel k. */
static void fold(const dp_conv_source *source, int k, float *factor, float *shift) {
    *factor = 1.0F;
    *shift = 0.0F;
    if (!source->scale)
        return;
    double f = (double)source->scale[k], mean = source->mean ? (double)source->mean[k] : 0;
    if (source->variance)
        f /= sqrt((double)source->variance[k] + (double)source->epsilon);
    *factor = (float)f;
    *shift = (float)((double)source->shift[k] - mean * f);
}

/* How a source is packed; source NULL: what all sources have in common. */
static dp_packing describe(const dp_conv_weights *w, const dp_kernels *kernels,
                           const dp_conv_source *source) {
    dp_packing packing = { .channels = w->channels,
                           .height = w->height,
                           .width = w->width,
                           .groups = w->groups,
                           .lanes = kernels->lanes,
                           .planar = w->planar,
                           .band = w->band,
                           .first_of = w->first_of,
                           .points = w->points,
                           .taps = w->taps,
                           .phases = w->phases,
                           .shift = w->shift,
                           .transform = kernels->winograd_weights,
                           .block_row = kernels->block_row,
                           .blocks_of = w->panels,
                           .panels = w->panel_count };
    if (source) {
        packing.weights = source->weights;
        packing.order = source->order;
        packing.outputs = source->outputs;
        packing.first_output = source->first_output;
        packing.source_channels = source->channels;
        packing.first_channel = source->first_channel;
    }
    return packing;
}

/* Panels begin..end-1 of zeroed memory. The folded factors, one an output channel, are worked out
 * in the place of the biases. */
static void pack_panels(float *packed, const dp_conv_weights *w, const dp_kernels *kernels,
                        int begin, int end) {
    const float *factors = packed + (size_t)w->blocks * w->depth * (size_t)kernels->lanes;
    for (int i = 0; i < w->source_count; i++) {
        dp_packing packing = describe(w, kernels, &w->sources[i]);
        packing.scale = w->sources[i].scale ? factors + w->sources[i].first_output : NULL;
        dp_pack_panels(packed, &packing, begin, end);
    }
}

static void write_factors(float *factors, const dp_conv_weights *w) {
    for (int i = 0; i < w->source_count; i++)
        for (int k = 0; k < w->sources[i].outputs; k++) {
            float shift;
            fold(&w->sources[i], k, &factors[w->sources[i].first_output + k], &shift);
        }
}

static void write_biases(float *bias, const dp_conv_weights *w) {
    for (int i = 0; i < w->source_count; i++)
        for (int k = 0; k < w->sources[i].outputs; k++) {
            const dp_conv_source *source = &w->sources[i];
            float factor, shift;
            fold(source, k, &factor, &shift);
            bias[source->first_output + k] =
                (source->bias ? source->bias[k] : 0.0F) * factor + shift;
        }
}

/* ----------------------------------------------------------------------------------------- once */

typedef struct pack_context {
    const dp_conv_weights *weights;
    const dp_kernels *kernels;
} pack_context;

static void fill_pack(float *packed, const void *context) {
    const pack_context *pack = context;
    float *bias =
        packed
        + (size_t)pack->weights->blocks * pack->weights->depth * (size_t)pack->kernels->lanes;
    write_factors(bias, pack->weights);
    pack_panels(packed, pack->weights, pack->kernels, 0, pack->weights->panel_count);
    write_biases(bias, pack->weights);
}

/* The key names all that the packed bytes depend on besides the values. */
static deeper_status pack_once(dp_lowering *l, dp_conv_weights *w, size_t floats,
                               deeper_error *error) {
    char key[256];
    int used = snprintf(key, sizeof key, "panel L%d %s b%d n%d", l->plan->kernels->lanes,
                        w->planar ? "planar" : "blocked", w->panels[0], w->points);
    for (int i = 0; i < w->source_count; i++)
        used += snprintf(key + used, sizeof key - (size_t)used, " %d%s", w->sources[i].node,
                         w->sources[i].scale ? "n" : "");
    pack_context context = { w, l->plan->kernels };
    return dp_packs_get(l->packs, key, floats, fill_pack, &context, &w->packed, error);
}

/* --------------------------------------------------------------------------------- in every run */

static void run_pack(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_conv_weights *w = step->as.weights;
    const dp_kernels *kernels = run->plan->kernels;
    int begin, end;
    float *packed = run->arena + run->plan->storages[w->packed_storage].offset;
    dp_share(w->panel_count, step->tasks, task, &begin, &end);
    dp_packing places = describe(w, kernels, NULL);
    size_t from = dp_packed_offset(&places, begin), to = dp_packed_offset(&places, end);
    memset(packed + from, 0, (to - from) * sizeof *packed);
    pack_panels(packed, w, kernels, begin, end);
    if (task == 0) {
        float *bias = packed + (size_t)w->blocks * w->depth * (size_t)kernels->lanes;
        memset(bias, 0, (size_t)(w->blocks * kernels->lanes) * sizeof *bias);
        write_biases(bias, w);
    }
}

static const dp_step_kind pack_kind = { "pack", run_pack, NULL, NULL };

static deeper_status pack_in_runs(dp_lowering *l, dp_conv_weights *w, size_t floats,
                                  deeper_error *error) {
    DP_TRY(dp_storage_add_fixed(l->plan, floats, &w->packed_storage, error));
    dp_step step = { .kind = &pack_kind,
                     .name = l->graph->nodes[w->sources[0].node].name,
                     .whole_batch = true,
                     .in = { .storage = -1 },
                     .out = { .storage = w->packed_storage },
                     .work = floats,
                     .as.weights = w };
    step.tasks = dp_parts(l->plan, w->panel_count, step.work);
    return dp_emit(l->plan, &step, NULL, 0, &w->packed_storage, 1, error);
}

deeper_status dp_conv_pack(dp_lowering *lowering, dp_conv_weights *weights, deeper_error *error) {
    const dp_kernels *kernels = lowering->plan->kernels;
    dp_packing places = describe(weights, kernels, NULL);
    size_t floats, blocks = (size_t)weights->blocks * (size_t)kernels->lanes;
    weights->packed_storage = -1;
    weights->depth = dp_packed_depth(&places);
    if (!dp_size_mul(weights->depth + 1, blocks, &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: too large to pack",
                       lowering->graph->nodes[weights->sources[0].node].name);
    lowering->plan->packed_bytes += floats * sizeof(float);
    return lowering->plan->training ? pack_in_runs(lowering, weights, floats, error)
                                    : pack_once(lowering, weights, floats, error);
}
