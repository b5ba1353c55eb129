/* init.c - first values, a parameter at a time, by the layer that reads it. */
#include "train/core/init.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    float gain;       /* variance of a weight times fan_in; 0: a deviation of 0.01 */
    bool uniform;     /* else normal */
    bool tamed;       /* classifiers have a deviation of 0.01 */
    float layer_bias; /* of layers that are no classifiers */
} ways[] = {
    [DP_INIT_HE] = { "he", 2, false, true, 0 },
    [DP_INIT_XAVIER] = { "xavier", 1, true, false, 0 },
    [DP_INIT_BVLC] = { "bvlc", 1, true, false, 0.2F },
    [DP_INIT_GAUSSIAN] = { "gaussian", 0, false, true, 0 },
};

bool dp_init_from_name(dp_init *init, const char *name) {
    for (int i = 0; i < (int)(sizeof ways / sizeof *ways); i++)
        if (strcmp(ways[i].name, name) == 0) {
            *init = (dp_init)i;
            return true;
        }
    return false;
}

/* The layer that makes a softmax's scores: before it may stand what has no parameters, such as the
 * average of Network in Network. */
static int scores_of(const dp_graph *graph, int softmax) {
    int node = graph->nodes[softmax].inputs[0];
    while (graph->nodes[node].input_count == 1)
        node = graph->nodes[node].inputs[0];
    return node;
}

static bool read_by_softmax(const dp_graph *graph, int layer) {
    for (int i = layer + 1; i < graph->count; i++)
        if (graph->nodes[i].op == DP_OP_SOFTMAX && scores_of(graph, i) == layer)
            return true;
    return false;
}

void dp_find_classifiers(const dp_graph *graph, bool *classifiers) {
    memset(classifiers, 0, (size_t)graph->parameters * sizeof *classifiers);
    for (int i = 0; i < graph->count; i++) {
        const dp_node *layer = &graph->nodes[i];
        for (int place = 1; place < layer->input_count && read_by_softmax(graph, i); place++)
            if (graph->nodes[layer->inputs[place]].parameter >= 0)
                classifiers[graph->nodes[layer->inputs[place]].parameter] = true;
    }
}

static void set_all(float *values, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static void set_weights(float *values, const dp_node *node, dp_init init, bool classifier,
                        uint64_t seed) {
    dp_random random = dp_random_at(seed, (uint64_t)node->parameter, 0);
    size_t count = dp_shape_floats(node->shape), fan_in = count / (size_t)node->shape.n;
    if (ways[init].uniform) {
        float bound = sqrtf(3 * ways[init].gain / (float)fan_in);
        for (size_t i = 0; i < count; i++)
            values[i] = bound * (2 * dp_random_unit(&random) - 1);
        return;
    }
    bool small = ways[init].gain == 0 || (classifier && ways[init].tamed);
    float deviation = small ? 0.01F : sqrtf(ways[init].gain / (float)fan_in);
    for (size_t i = 0; i < count; i++)
        values[i] = deviation * dp_random_normal(&random);
}

/* Sets the parameter that is input `place` of `reader`. */
static void set_parameter(float *values, const dp_node *node, const dp_node *reader, int place,
                          dp_init init, bool classifier, uint64_t seed) {
    static const float batch_norm[] = { 0, 1, 0, 0,
                                        1 }; /* by place: x, scale, shift, mean, variance */
    if (reader->op == DP_OP_BATCH_NORM)
        set_all(values, dp_shape_floats(node->shape), batch_norm[place]);
    else if (place == 1)
        set_weights(values, node, init, classifier, seed);
    else
        set_all(values, dp_shape_floats(node->shape), classifier ? 0 : ways[init].layer_bias);
}

void dp_initialize(dp_model *model, const bool *which, dp_init init, uint64_t seed) {
    const dp_graph *graph = model->graph;
    for (int i = 0; i < graph->count; i++) {
        bool classifier = read_by_softmax(graph, i);
        for (int place = 0; place < graph->nodes[i].input_count; place++) {
            const dp_node *node = &graph->nodes[graph->nodes[i].inputs[place]];
            if (node->op != DP_OP_PARAMETER || (which && !which[node->parameter]))
                continue;
            float *values = model->arena + (model->values[node->parameter] - model->arena);
            set_parameter(values, node, &graph->nodes[i], place, init, classifier, seed);
        }
    }
}
