/* health.c - running means and counters; see the header for the rules. */
#include "train/run/health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OVERFIT_EPOCHS = 3 };
static const double OVERFIT = 0.05;
enum { FIRST_LOOK = 200, MAX_WARMUP = 300, DEAD_STEPS = 100, FIRST_NORMS = 20 };
static const double MEMORY = 0.02, STILL = 0.02, MOVED = 0.1, JUMP = 100, DEAD_SHARE = 0.5;
static const char REMEDY[] = "a lower rate, a longer warm-up, initial=he or norm=bn help";

struct dp_health {
    const deeper_allocator *allocator;
    dp_health_options options;
    dp_health_layer *layers;
    uint8_t
        *quiet; /* steps without a gradient, one a unit, layer after layer; stays at DEAD_STEPS */
    uint64_t steps;
    double losses[DP_HEADS], norm; /* running means */
    bool still_told[DP_HEADS], jump_told, layer_told, network_told;
};

void dp_health_free(dp_health *h) {
    if (!h)
        return;
    dp_free(h->allocator, h->layers);
    dp_free(h->allocator, h->quiet);
    dp_free(h->allocator, h);
}

deeper_status dp_health_create(dp_health **health, const dp_health_options *options,
                               const deeper_allocator *allocator, deeper_error *error) {
    size_t units = 0, layers = options->layer_count;
    for (size_t i = 0; i < layers; i++)
        units += options->layers[i].count;
    dp_health *h = dp_alloc(allocator, 1, sizeof *h);
    if (!h)
        return dp_fail_memory(error, "the watch over the run");
    h->allocator = allocator;
    h->options = *options;
    h->layers = dp_alloc(allocator, layers, sizeof *h->layers);
    h->quiet = dp_alloc(allocator, units, sizeof *h->quiet);
    if (!h->layers || !h->quiet) {
        dp_health_free(h);
        return dp_fail_memory(error, "the watch over the run");
    }
    if (layers > 0)
        memcpy(h->layers, options->layers, layers * sizeof *h->layers);
    *health = h;
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- rules */

/* A mean over the last 1 / MEMORY steps or so, over all at the beginning. */
static void follow(double *mean, double value, uint64_t steps) {
    *mean += (value - *mean) * fmax(MEMORY, 1 / (double)steps);
}

static bool some_head_moved(const dp_health *h) {
    for (int i = 0; i < h->options.heads; i++)
        if (h->losses[i] < h->options.guess * (1 - MOVED))
            return true;
    return false;
}

static bool find_still_head(dp_health *h, char *message) {
    double patience = FIRST_LOOK + fmin(MAX_WARMUP, h->options.warmup);
    if (h->steps < FIRST_LOOK || ((double)h->steps < patience && !some_head_moved(h)))
        return false;
    for (int i = 0; i < h->options.heads; i++) {
        if (h->still_told[i] || h->losses[i] < h->options.guess * (1 - STILL))
            continue;
        h->still_told[i] = true;
        snprintf(message, DEEPER_MESSAGE_SIZE,
                 "head %s does not learn: after %llu steps its loss is %.3f, that of guessing is "
                 "%.3f; %s",
                 h->options.head_names[i], (unsigned long long)h->steps, h->losses[i],
                 h->options.guess, REMEDY);
        return true;
    }
    return false;
}

static bool find_jump(dp_health *h, double norm, char *message) {
    bool jumps = h->steps > FIRST_NORMS && norm > JUMP * h->norm;
    if (!jumps)
        follow(&h->norm, norm, h->steps);
    if (!jumps || h->jump_told)
        return false;
    h->jump_told = true;
    snprintf(
        message, DEEPER_MESSAGE_SIZE,
        "the gradient explodes: its norm is %.3g, before it was about %.3g; %s, and so does clip",
        norm, h->norm, REMEDY);
    return true;
}

/* Counts the quiet steps of all units: *layer is the first that has too many dead ones, NULL: none;
 * *dead of how many are in it. */
static double count_quiet(dp_health *h, const float *gradients, const dp_health_layer **layer,
                          size_t *dead) {
    uint8_t *quiet = h->quiet;
    size_t all = 0;
    *layer = NULL;
    for (size_t i = 0; i < h->options.layer_count; i++) {
        size_t count = 0;
        for (size_t k = 0; k < h->layers[i].count; k++, quiet++) {
            *quiet = gradients[h->layers[i].begin + k] != 0 ? 0
                     : *quiet < DEAD_STEPS                  ? (uint8_t)(*quiet + 1)
                                                            : DEAD_STEPS;
            count += *quiet == DEAD_STEPS;
        }
        all += count;
        if (*layer || (double)count <= DEAD_SHARE * (double)h->layers[i].count)
            continue;
        *layer = &h->layers[i];
        *dead = count;
    }
    return quiet > h->quiet ? (double)all / (double)(quiet - h->quiet) : 0;
}

static bool find_dead(dp_health *h, const float *gradients, char *message) {
    const dp_health_layer *layer;
    size_t dead = 0;
    double share = count_quiet(h, gradients, &layer, &dead);
    if (share > DEAD_SHARE && !h->network_told) {
        h->network_told = h->layer_told = true;
        snprintf(message, DEEPER_MESSAGE_SIZE,
                 "%.0f %% of all units have been dead (no gradient) for %d steps; %s", 100 * share,
                 DEAD_STEPS, REMEDY);
        return true;
    }
    if (!layer || h->layer_told)
        return false;
    h->layer_told = true;
    snprintf(message, DEEPER_MESSAGE_SIZE,
             "layer %.100s: %.0f %% of its units have been dead (no gradient) for %d steps; %s",
             layer->name, 100 * (double)dead / (double)layer->count, DEAD_STEPS, REMEDY);
    return true;
}

bool dp_health_look(dp_health *h, const double *losses, double norm, const float *gradients,
                    char message[DEEPER_MESSAGE_SIZE]) {
    h->steps++;
    for (int i = 0; i < h->options.heads; i++)
        follow(&h->losses[i], losses[i], h->steps);
    return find_dead(h, gradients, message) || find_jump(h, norm, message)
           || find_still_head(h, message);
}

bool dp_health_overfits(const dp_report_epoch *epochs, size_t count, const char *word,
                        char message[DEEPER_MESSAGE_SIZE]) {
    size_t lowest = 0;
    for (size_t i = 0; i < count; i++)
        if (epochs[i].val_losses[0] < epochs[lowest].val_losses[0]
            || isnan(epochs[lowest].val_losses[0]))
            lowest = i;
    const dp_report_epoch *best = &epochs[lowest], *last = &epochs[count - 1];
    if (count < lowest + 1 + OVERFIT_EPOCHS
        || !(last->val_losses[0] > (1 + OVERFIT) * best->val_losses[0])
        || !(last->train_loss < (1 - OVERFIT) * best->train_loss))
        return false;
    snprintf(
        message, DEEPER_MESSAGE_SIZE,
        "%s: since epoch %d the validation loss rose from %.3f to %.3f while the training loss "
        "fell; the saved model is the best epoch's; fewer epochs, more pictures or a larger "
        "decay help",
        word, best->epoch, best->val_losses[0], last->val_losses[0]);
    return true;
}

/* -------------------------------------------------------------------------------------- of a run
 */

double dp_guessing_loss(const dp_picture_set *set, const float *class_weights, int outputs,
                        double smoothing) {
    const dp_dataset *data = set->dataset;
    double sum = 0, entropy = 0, classes = outputs, seen = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < data->class_count; c++) {
            float weight = class_weights ? class_weights[set->outputs[c]] : 1;
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
static size_t list_layers(const dp_learner *learner, dp_health_layer *layers) {
    const dp_model *model = learner->model;
    const dp_graph *graph = model->graph;
    size_t count = 0;
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].op != DP_OP_RELU)
            continue;
        const dp_node *layer = &graph->nodes[graph->nodes[i].inputs[0]];
        int parameter = layer->input_count > 2 ? graph->nodes[layer->inputs[2]].parameter : -1;
        if (parameter >= 0 && learner->nodes.gradients[parameter] >= 0)
            layers[count++] = (dp_health_layer){
                .name = layer->name,
                .begin = (size_t)(model->values[parameter] - model->arena),
                .count = dp_shape_floats(graph->nodes[layer->inputs[2]].shape),
            };
    }
    return count;
}

deeper_status dp_health_watch(dp_health **health, const dp_learner *learner, double guess,
                              double warmup, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_health_options options = { .heads = learner->nodes.heads, .guess = guess, .warmup = warmup };
    for (int h = 0; h < options.heads; h++)
        options.head_names[h] = dp_head_name(learner->nodes.head[h]);
    dp_health_layer *layers =
        dp_alloc(allocator, (size_t)learner->model->graph->count, sizeof *layers);
    if (!layers)
        return dp_fail_memory(error, "the watch over the run");
    options.layers = layers;
    options.layer_count = list_layers(learner, layers);
    deeper_status status = dp_health_create(health, &options, allocator, error);
    dp_free(allocator, layers);
    return status;
}
