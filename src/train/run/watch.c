/* watch.c - what the watch over a run is given: the entropy of its labels, the layers whose biases
 * tell of dead units. */
#include "train/run/trainer_state.h"

#include <math.h>

double dp_guessing_loss(const dp_trainer *t) {
    const dp_dataset *data = t->pictures.train.dataset;
    double sum = 0, entropy = 0, classes = t->network.model->classes,
           smoothing = t->options.smoothing, seen = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < data->class_count; c++) {
            float weight = t->class_weights ? t->class_weights[t->pictures.train.outputs[c]] : 1;
            double share = (double)data->classes[c].images * (double)weight;
            if (pass == 0) {
                sum += share;
                continue;
            }
            double p = (1 - smoothing) * share / sum + smoothing / classes;
            entropy -= p > 0 ? p * log(p) : 0;
            seen++;
        }
    double rest = smoothing / classes; /* of each output without a class in the data */
    return rest > 0 ? entropy - (classes - seen) * rest * log(rest) : entropy;
}

/* The layers that a ReLU reads, with biases (their own or a batch norm's) that learn. */
static size_t list_layers(const dp_trainer *t, dp_health_layer *layers) {
    const dp_graph *graph = t->network.model->graph;
    size_t count = 0;
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].op != DP_OP_RELU)
            continue;
        const dp_node *layer = &graph->nodes[graph->nodes[i].inputs[0]];
        int parameter = layer->input_count > 2 ? graph->nodes[layer->inputs[2]].parameter : -1;
        if (parameter >= 0 && t->learner->nodes.gradients[parameter] >= 0)
            layers[count++] = (dp_health_layer){
                .name = layer->name,
                .begin = (size_t)(t->network.model->values[parameter] - t->network.model->arena),
                .count = dp_shape_floats(graph->nodes[layer->inputs[2]].shape),
            };
    }
    return count;
}

deeper_status dp_watch_create(dp_trainer *t, deeper_error *error) {
    dp_health_options options = { .heads = t->learner->nodes.heads,
                                  .guess = dp_guessing_loss(t),
                                  .warmup = t->schedule.warmup * (double)dp_epoch_steps(t) };
    for (int h = 0; h < options.heads; h++)
        options.head_names[h] = dp_head_name(t->learner->nodes.head[h]);
    dp_health_layer *layers =
        dp_alloc(t->allocator, (size_t)t->network.model->graph->count, sizeof *layers);
    if (!layers)
        return dp_fail_memory(error, "the watch over the run");
    options.layers = layers;
    options.layer_count = list_layers(t, layers);
    deeper_status status = dp_health_create(&t->health, &options, t->allocator, error);
    dp_free(t->allocator, layers);
    return status;
}
