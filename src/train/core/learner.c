/* learner.c - making the plan of a training graph, and running it. */
#include "train/core/learner.h"

#include <string.h>

const char *dp_head_name(dp_head head) {
    static const char *const names[] = {
        [DP_HEAD_MAIN] = "main", [DP_HEAD_AUX1] = "aux1", [DP_HEAD_AUX2] = "aux2"
    };
    return names[head];
}

static const float TRACKING = 0.1F; /* share of a batch in the running statistics */

void dp_learner_free(dp_learner *l) {
    if (!l)
        return;
    const deeper_allocator *allocator = l->allocator;
    dp_pool_free(l->pool);
    dp_plan_free(l->plan);
    dp_training_nodes_free(&l->nodes, allocator);
    dp_graph_free(l->training);
    dp_free(allocator, l->arena);
    dp_free(allocator, l->gradients);
    dp_free(allocator, l->fresh);
    dp_free(allocator, l->results);
    dp_free(allocator, l->moments);
    dp_free(allocator, l->outputs);
    dp_free(allocator, l->places);
    dp_free(allocator, l);
}

static size_t offset_of(const dp_learner *l, int parameter) {
    return (size_t)(l->model->values[parameter] - l->model->arena);
}

static int channels_of(const dp_learner *l, int batch_norm) {
    return l->training->nodes[l->nodes.moments[batch_norm]].shape.c;
}

static void add_output(dp_learner *l, int node, float *place) {
    l->outputs[l->output_count] = node;
    l->places[l->output_count++] = place;
}

/* Main first, as reports have the heads; a network has its main softmax last. */
static void order_heads(dp_training_nodes *nodes) {
    for (int h = nodes->heads - 1; h > 0; h--) {
        if (nodes->head[h] != DP_HEAD_MAIN)
            continue;
        int loss = nodes->loss[h];
        for (int i = h; i > 0; i--) {
            nodes->head[i] = nodes->head[i - 1];
            nodes->loss[i] = nodes->loss[i - 1];
        }
        nodes->head[0] = DP_HEAD_MAIN;
        nodes->loss[0] = loss;
        return;
    }
}

/* Floats of losses, logits and moments together; false: too many. */
static bool count_results(const dp_learner *l, size_t max_batch, size_t *floats) {
    size_t classes = dp_shape_floats(l->training->nodes[l->nodes.logits].shape);
    if (!dp_size_mul(max_batch, classes + (size_t)l->nodes.heads, floats))
        return false;
    for (int b = 0; b < l->nodes.batch_norms; b++)
        *floats += dp_shape_floats(l->training->nodes[l->nodes.moments[b]].shape);
    return true;
}

/* Hands out the block of results and lists all outputs of the plan. */
static void place_results(dp_learner *l, size_t max_batch) {
    float *next = l->results;
    for (int h = 0; h < l->nodes.heads; h++, next += max_batch)
        add_output(l, l->nodes.loss[h], l->losses[h] = next);
    add_output(l, l->nodes.logits, l->logits = next);
    next += max_batch * dp_shape_floats(l->training->nodes[l->nodes.logits].shape);
    for (int b = 0; b < l->nodes.batch_norms; b++) {
        add_output(l, l->nodes.moments[b], l->moments[b] = next);
        next += dp_shape_floats(l->training->nodes[l->nodes.moments[b]].shape);
    }
    float *gradients = l->fresh ? l->fresh : l->gradients;
    for (int p = 0; p < l->model->graph->parameters; p++)
        if (l->nodes.gradients[p] >= 0)
            add_output(l, l->nodes.gradients[p], gradients + offset_of(l, p));
}

static deeper_status take_memory(dp_learner *l, const dp_learner_options *options,
                                 deeper_error *error) {
    const dp_graph *graph = l->model->graph;
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].parameter >= 0)
            l->floats += dp_shape_floats(graph->nodes[i].shape);
    size_t results = 0, outputs = (size_t)(DP_HEADS + 1 + l->nodes.batch_norms + graph->parameters);
    if (!count_results(l, (size_t)options->max_batch, &results))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "batch: %d images are more than memory can hold",
                       options->max_batch);
    l->gradients = dp_alloc(l->allocator, l->floats, sizeof(float));
    l->fresh = options->adds ? dp_alloc(l->allocator, l->floats, sizeof(float)) : NULL;
    l->results = dp_alloc_raw(l->allocator, results, sizeof(float));
    l->moments = dp_alloc(l->allocator, (size_t)l->nodes.batch_norms, sizeof *l->moments);
    l->outputs = dp_alloc_raw(l->allocator, outputs, sizeof *l->outputs);
    l->places = dp_alloc_raw(l->allocator, outputs, sizeof *l->places);
    if (!l->gradients || (options->adds && !l->fresh) || !l->results || !l->moments || !l->outputs
        || !l->places)
        return dp_fail_memory(error, "gradients");
    return DEEPER_OK;
}

static deeper_status fill(dp_learner *l, const dp_learner_options *options, deeper_error *error) {
    const dp_training_options training = { .head_weights = { 1, options->aux_weight,
                                                             options->aux_weight },
                                           .smoothing = options->smoothing,
                                           .frozen = options->frozen };
    DP_TRY(dp_isa_select(&l->isa, error));
    DP_TRY(dp_threads_select(&l->threads, options->threads, error));
    DP_TRY(dp_graph_training(&l->training, &l->nodes, l->model->graph, &training, error));
    order_heads(&l->nodes);
    DP_TRY(take_memory(l, options, error));
    for (int h = 0; h < l->nodes.heads; h++)
        l->head_weights[h] = training.head_weights[l->nodes.head[h]];
    place_results(l, (size_t)options->max_batch);
    const dp_plan_options plan = { .kernels = dp_kernels_for(l->isa),
                                   .max_batch = options->max_batch,
                                   .threads = l->threads,
                                   .outputs = l->outputs,
                                   .output_count = l->output_count,
                                   .training = true,
                                   .direct = options->direct };
    DP_TRY(
        dp_plan_create(&l->plan, l->training, l->model->values, NULL, &plan, l->allocator, error));
    l->arena = dp_alloc_raw(l->allocator, dp_plan_arena_bytes(l->plan), 1);
    if (!l->arena)
        return dp_fail(error, DEEPER_ERROR_MEMORY,
                       "out of memory for the activations of a batch, %zu bytes; a smaller batch "
                       "with accumulate needs less",
                       dp_plan_arena_bytes(l->plan));
    return dp_pool_create(&l->pool, l->allocator, l->threads, error);
}

deeper_status dp_learner_create(dp_learner **learner, dp_model *model,
                                const dp_learner_options *options,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_learner *l = dp_alloc(allocator, 1, sizeof *l);
    if (!l)
        return dp_fail_memory(error, "the training network");
    l->allocator = allocator;
    l->model = model;
    deeper_status status = fill(l, options, error);
    if (status != DEEPER_OK) {
        dp_learner_free(l);
        return status;
    }
    *learner = l;
    return DEEPER_OK;
}

void dp_learner_run(dp_learner *l, const float *tensors, const float *labels, int count, bool first,
                    uint64_t seed) {
    const float *inputs[] = { tensors, labels };
    dp_plan_run(l->plan, l->pool, l->arena,
                &(dp_plan_call){ .count = count,
                                 .inputs = inputs,
                                 .outputs = l->places,
                                 .seed = seed,
                                 .profile = l->profile });
    if (l->fresh)
        for (size_t i = 0; i < l->floats; i++)
            l->gradients[i] = (first ? 0 : l->gradients[i]) + l->fresh[i];
}

void dp_learner_track(dp_learner *l, int count) {
    for (int b = 0; b < l->nodes.batch_norms; b++) {
        const dp_node *moments = &l->training->nodes[l->nodes.moments[b]];
        dp_shape x = l->training->nodes[moments->inputs[0]].shape;
        float values = (float)count * (float)(x.h * x.w),
              unbiased = values > 1 ? values / (values - 1) : 1;
        int channels = channels_of(l, b);
        float *mean = l->model->arena + offset_of(l, l->nodes.running_mean[b]);
        float *variance = l->model->arena + offset_of(l, l->nodes.running_mean[b] + 1);
        for (int c = 0; c < channels; c++) {
            mean[c] += TRACKING * (l->moments[b][c] - mean[c]);
            variance[c] += TRACKING * (l->moments[b][channels + c] * unbiased - variance[c]);
        }
    }
}
