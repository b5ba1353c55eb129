/* network.c - a fresh model and its first values, then its segments. */
#include "train/core/network.h"
#include "formats/formats.h"

#include "base/number.h"
#include "eval/match.h"
#include "model/labels.h"
#include "model/recipes.h"
#include "nets/nets.h"
#include "train/core/init.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 224, MAX_RATE_FACTOR = 1000000, SPEC_SIZE = 1024 };
static const float NEW_HEAD_RATE = 10;

void dp_network_free(dp_network *n) {
    dp_model_free(n->model);
    dp_free(n->allocator, n->frozen);
    dp_free(n->allocator, n->segments);
    *n = (dp_network){ 0 };
}

/* ---------------------------------------------------------------------------------------- model */

static dp_preprocess own_preprocess(int size, int channels) {
    dp_preprocess preprocess;
    dp_recipe_apply(&preprocess, dp_recipe_find("deeper"), size, channels);
    return preprocess;
}

static deeper_status copy_labels(dp_model *model, const dp_labels *labels, deeper_error *error) {
    char *text = dp_labels_to_json(labels);
    if (!text)
        return dp_fail_memory(error, "the labels of a model");
    deeper_status status =
        dp_labels_from_json(&model->labels, text, "labels", model->allocator, error);
    free(text);
    return status;
}

static deeper_status make_model(dp_network *n, const char *spec, int size, const dp_labels *labels,
                                deeper_error *error) {
    DP_TRY(dp_model_create(&n->model, spec, (int)labels->count, size, n->allocator, error));
    DP_TRY(dp_model_allocate(n->model, error));
    return copy_labels(n->model, labels, error);
}

static deeper_status from_scratch(dp_network *n, const deeper_train_options *options,
                                  const dp_pictures *pictures, deeper_error *error) {
    dp_init init = DP_INIT_HE;
    char spec[SPEC_SIZE];
    if (options->initial && !dp_init_from_name(&init, options->initial))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "initial: '%.40s' is not he, xavier, bvlc or gaussian", options->initial);
    int size = options->image_size ? options->image_size : DEFAULT_SIZE;
    DP_TRY(dp_net_spec_with(spec, sizeof spec, options->architecture, "aux", "1", error));
    DP_TRY(make_model(n, spec, size, &pictures->labels, error));
    n->model->has_preprocess = true;
    n->model->preprocess = own_preprocess(size, dp_model_input(n->model).c);
    dp_initialize(n->model, NULL, init, options->seed);
    return DEEPER_OK;
}

/* Whether the model's labels are just the classes of the pictures: train.outputs then point to
 * them. */
static bool same_classes(const dp_model *model, dp_pictures *pictures) {
    size_t count = pictures->labels.count;
    if ((size_t)model->classes != count
        || (model->labels.count == 0 && !pictures->train.dataset->numbered))
        return false;
    size_t *outputs =
        dp_alloc(pictures->allocator, pictures->train.dataset->class_count, sizeof *outputs);
    bool *taken = dp_alloc(pictures->allocator, count, sizeof *taken), same = outputs && taken;
    same = same && dp_match_classes(outputs, pictures->train.dataset, model, NULL) == DEEPER_OK;
    for (size_t c = 0; same && c < pictures->train.dataset->class_count; c++) {
        if (pictures->train.dataset->classes[c].images == 0)
            continue;
        same = !taken[outputs[c]];
        taken[outputs[c]] = true;
    }
    if (same)
        memcpy(pictures->train.outputs, outputs,
               pictures->train.dataset->class_count * sizeof *outputs);
    dp_free(pictures->allocator, outputs);
    dp_free(pictures->allocator, taken);
    return same;
}

/* The values of all parameters but the marked ones. The two networks differ in classes and picture
 * size only. */
static deeper_status copy_values(dp_model *to, const dp_model *from, const bool *fresh,
                                 deeper_error *error) {
    for (int p = 0; p < to->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(to, p), *old = dp_model_parameter(from, p);
        if (fresh && fresh[p])
            continue;
        if (!dp_shape_equal(node->shape, old->shape))
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "image_size: the layer of %s changes its shape with the size of the "
                           "pictures; use the model's own size",
                           node->name);
        memcpy(to->arena + (to->values[p] - to->arena), from->values[p],
               dp_shape_floats(node->shape) * sizeof(float));
    }
    return DEEPER_OK;
}

static deeper_status from_model(dp_network *n, const deeper_train_options *options,
                                dp_pictures *pictures, const dp_model *init, bool *fresh,
                                deeper_error *error) {
    char spec[SPEC_SIZE];
    if (!init->values)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: holds no weights to begin from",
                       options->init);
    if (!init->has_preprocess)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "preprocess: %s: does not say how a picture becomes its input; save a copy "
                       "that does",
                       options->init);
    if (snprintf(spec, sizeof spec, "%s:%s", init->architecture, init->options) >= (int)sizeof spec)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: its options are too long", options->init);
    int old = dp_model_input(init).h, size = options->image_size ? options->image_size : old;
    n->new_head = !same_classes(init, pictures);
    DP_TRY(make_model(n, spec, size,
                      n->new_head || init->labels.count == 0 ? &pictures->labels : &init->labels,
                      error));
    n->model->has_preprocess = true;
    n->model->preprocess = init->preprocess;
    n->model->preprocess.size = size;
    if (n->model->preprocess.rule != DP_RESIZE_NONE && size != old)
        n->model->preprocess.side =
            (int)lround(fmax(size, (double)n->model->preprocess.side * size / old));
    if (n->new_head)
        dp_find_classifiers(n->model->graph, fresh);
    DP_TRY(copy_values(n->model, init, fresh, error));
    dp_initialize(n->model, fresh, DP_INIT_HE, options->seed);
    return DEEPER_OK;
}

static deeper_status fine_tune(dp_network *n, const deeper_train_options *options,
                               dp_pictures *pictures, deeper_error *error) {
    dp_model *init = NULL;
    DP_TRY(dp_model_open(&init, options->init, n->allocator, error));
    deeper_status status = dp_model_check_values(init, options->init, error);
    bool *fresh = dp_alloc(n->allocator, (size_t)init->graph->parameters, sizeof *fresh);
    n->fine_tuned = true;
    if (status == DEEPER_OK)
        status = fresh ? from_model(n, options, pictures, init, fresh, error)
                       : dp_fail_memory(error, "the list of parameters");
    dp_free(n->allocator, fresh);
    dp_model_free(init);
    return status;
}

/* -------------------------------------------------------------------------------------- factors */

/* The next item of a list between commas; false at its end. */
static bool next_item(const char **list, const char **item, size_t *length) {
    while (**list == ',')
        ++*list;
    *item = *list;
    *length = strcspn(*list, ",");
    *list += *length;
    return *length > 0;
}

/* Applies `factor` (0: frozen) to the parameters whose names begin with text[length]; how many they
 * are. */
static int mark(const dp_model *model, const char *text, size_t length, float factor, bool *frozen,
                float *factors) {
    int marked = 0;
    for (int i = 0; i < model->graph->count; i++) {
        const dp_node *node = &model->graph->nodes[i];
        if (node->parameter < 0 || strncmp(node->name, text, length) != 0)
            continue;
        marked++;
        if (factor == 0)
            frozen[node->parameter] = true;
        else
            factors[node->parameter] = factor;
    }
    return marked;
}

static deeper_status fail_beginning(const char *option, const char *item, size_t length,
                                    deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: no layer's name begins with '%.*s'", option,
                   (int)(length < 64 ? length : 64), item);
}

/* A batch norm stays as a whole, if any of it does: statistics of the batch would not fit a scale
 * that stays, nor the stored ones a scale that moves. */
static void freeze_norms(dp_network *n) {
    const dp_graph *graph = n->model->graph;
    for (int i = 0; i < graph->count; i++) {
        const dp_node *node = &graph->nodes[i];
        bool any = false;
        for (int place = 1; node->op == DP_OP_BATCH_NORM && place < node->input_count; place++)
            any |= n->frozen[graph->nodes[node->inputs[place]].parameter];
        for (int place = 1; any && place < node->input_count; place++)
            n->frozen[graph->nodes[node->inputs[place]].parameter] = true;
    }
}

static deeper_status read_freeze(dp_network *n, const char *list, float *factors,
                                 deeper_error *error) {
    const char *item;
    size_t length;
    while (next_item(&list, &item, &length))
        if (mark(n->model, item, length, 0, n->frozen, factors) == 0)
            return fail_beginning("freeze", item, length, error);
    freeze_norms(n);
    return DEEPER_OK;
}

static deeper_status read_rates(dp_network *n, const char *list, float *factors,
                                deeper_error *error) {
    const char *item;
    size_t length;
    while (next_item(&list, &item, &length)) {
        size_t name = strcspn(item, "=");
        double factor = 0;
        if (name >= length || !dp_number_parse(item + name + 1, length - name - 1, &factor)
            || !(factor > 0 && factor <= MAX_RATE_FACTOR))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "rates: '%.*s' is not BEGINNING=FACTOR with a factor above 0",
                           (int)(length < 64 ? length : 64), item);
        if (mark(n->model, item, name, (float)factor, n->frozen, factors) == 0)
            return fail_beginning("rates", item, name, error);
    }
    return DEEPER_OK;
}

/* The segment of the parameter that is input `place` of `reader`: Caffe's factors. */
static dp_segment segment_of(const dp_model *model, const dp_node *reader, int place,
                             float factor) {
    const dp_node *node = &model->graph->nodes[reader->inputs[place]];
    bool norm = reader->op == DP_OP_BATCH_NORM;
    return (dp_segment){ .begin = (size_t)(model->values[node->parameter] - model->arena),
                         .count = dp_shape_floats(node->shape),
                         .learns = !norm || place < 3,
                         .rate = norm || place == 1 ? factor : 2 * factor,
                         .decay = !norm && place == 1 ? 1 : 0 };
}

static deeper_status make_segments(dp_network *n, const float *factors, deeper_error *error) {
    const dp_graph *graph = n->model->graph;
    bool learns = false;
    for (int i = 0; i < graph->count; i++)
        for (int place = 1; place < graph->nodes[i].input_count; place++) {
            int parameter = graph->nodes[graph->nodes[i].inputs[place]].parameter;
            if (parameter < 0 || n->frozen[parameter])
                continue;
            dp_segment segment = segment_of(n->model, &graph->nodes[i], place, factors[parameter]);
            if (!segment.learns)
                segment.rate = 0;
            learns |= segment.learns;
            n->segments[n->segment_count++] = segment;
        }
    return learns ? DEEPER_OK
                  : dp_fail(error, DEEPER_ERROR_ARGUMENT,
                            "freeze: every layer is frozen; nothing is left to learn");
}

static deeper_status weigh(dp_network *n, const deeper_train_options *options,
                           deeper_error *error) {
    size_t parameters = (size_t)n->model->graph->parameters;
    float *factors = dp_alloc(n->allocator, parameters, sizeof *factors);
    bool *classifiers = dp_alloc(n->allocator, parameters, sizeof *classifiers);
    n->frozen = dp_alloc(n->allocator, parameters, sizeof *n->frozen);
    n->segments = dp_alloc(n->allocator, parameters, sizeof *n->segments);
    deeper_status status = factors && classifiers && n->frozen && n->segments
                               ? DEEPER_OK
                               : dp_fail_memory(error, "the list of parameters");
    if (status == DEEPER_OK) {
        dp_find_classifiers(n->model->graph, classifiers);
        for (size_t p = 0; p < parameters; p++)
            factors[p] = n->new_head && classifiers[p] && !options->rates ? NEW_HEAD_RATE : 1;
        status = read_freeze(n, options->freeze ? options->freeze : "", factors, error);
    }
    if (status == DEEPER_OK)
        status = read_rates(n, options->rates ? options->rates : "", factors, error);
    if (status == DEEPER_OK)
        status = make_segments(n, factors, error);
    dp_free(n->allocator, factors);
    dp_free(n->allocator, classifiers);
    return status;
}

deeper_status dp_network_create(dp_network *network, const deeper_train_options *options,
                                dp_pictures *pictures, const deeper_allocator *allocator,
                                deeper_error *error) {
    *network = (dp_network){ .allocator = allocator };
    if (!options->architecture == !options->init)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "give either architecture (from scratch, \"googlenet\") or init (a model "
                       "file to fine-tune)");
    deeper_status status = options->init ? fine_tune(network, options, pictures, error)
                                         : from_scratch(network, options, pictures, error);
    if (status == DEEPER_OK)
        status = weigh(network, options, error);
    if (status != DEEPER_OK)
        dp_network_free(network);
    return status;
}
