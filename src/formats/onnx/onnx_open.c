/* onnx_open.c - from an imported ONNX graph to a model: which of our networks it is, if any, and
 * what the file says beside it. */
#include "formats/onnx/onnx.h"

#include "formats/onnx/onnx_ending.h"
#include "formats/onnx/onnx_import.h"
#include "graph/build.h"
#include "graph/match.h"
#include "model/description.h"
#include "nets/nets.h"

#include <stdio.h>
#include <string.h>

/* What is put together. */
typedef struct opening {
    dp_onnx_file file;
    dp_onnx_network network;
    int input; /* the node that stands for the picture: the INPUT, or the preprocessing layer after
                  it */
    dp_model *stated; /* what the file's texts describe, NULL: nothing */
    bool described;   /* there are such texts */
    bool inside;      /* the network begins with the preprocessing of the texts */
    int *pairs;       /* of the nodes, in the network that they were matched with */
} opening;

static deeper_status check_input(const opening *o, deeper_error *error) {
    dp_shape shape = o->network.graph->nodes[o->input].shape;
    if (shape.h != shape.w || (shape.c != 1 && shape.c != 3))
        return dp_fail(
            error, DEEPER_ERROR_UNSUPPORTED,
            "%s: its input is %d x %d x %d; deeper runs square pictures of 1 or 3 channels",
            o->file.name, shape.c, shape.h, shape.w);
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------- preprocessing */

void dp_onnx_preprocess_values(const dp_preprocess *rule, float weights[9], float biases[3]) {
    int channels = rule->channels;
    for (int c = 0; c < channels; c++) {
        for (int from = 0; from < channels; from++)
            weights[c * channels + from] =
                (rule->bgr && channels == 3 ? 2 - c : c) == from ? rule->scale[c] : 0;
        biases[c] = -rule->mean[c] * rule->scale[c];
    }
}

/* Whether node i is the layer that the preprocessing of the texts makes. */
static bool is_preprocessing(const opening *o, int i) {
    const dp_graph *graph = o->network.graph;
    const dp_node *node = &graph->nodes[i];
    const dp_preprocess *rule = &o->stated->preprocess;
    float weights[9], biases[3];
    if (node->op != DP_OP_CONV || node->inputs[0] != o->input || node->input_count != 3
        || node->attributes.window.height != 1 || node->attributes.window.width != 1
        || node->attributes.window.groups != 1
        || !dp_shape_equal(node->shape, graph->nodes[o->input].shape)
        || node->shape.c != rule->channels)
        return false;
    const dp_onnx_parameter *w = &o->network.parameters[graph->nodes[node->inputs[1]].parameter],
                            *b = &o->network.parameters[graph->nodes[node->inputs[2]].parameter];
    dp_onnx_preprocess_values(rule, weights, biases);
    size_t channels = (size_t)rule->channels;
    return w->values && b->values
           && memcmp(w->values, weights, channels * channels * sizeof *weights) == 0
           && memcmp(b->values, biases, channels * sizeof *biases) == 0;
}

/* --------------------------------------------------------------------------------- our networks */

/* Whether the file has values for all parameters of `model`: not for those that its answer does not
 * depend on. */
static bool pairs_all(const opening *o, const dp_model *model) {
    int paired = 0;
    for (int i = 0; i < o->network.graph->count; i++)
        paired += o->pairs[i] >= 0 && model->graph->nodes[o->pairs[i]].parameter >= 0;
    return paired == model->graph->parameters;
}

/* Whether the imported network is that of `model`: then o->pairs says which node is which. */
static deeper_status match(opening *o, const dp_model *model, bool *same, deeper_error *error) {
    const dp_graph *graph = model->graph;
    dp_graph_span a = { o->network.graph, o->input, o->network.output },
                  b = { graph, 0, dp_graph_find(graph, "prob") };
    while (b.input < graph->count && graph->nodes[b.input].op != DP_OP_INPUT)
        b.input++;
    *same = false;
    if (b.output < 0)
        return DEEPER_OK;
    DP_TRY(dp_graph_match(&a, &b, o->pairs, same, error));
    *same = *same && pairs_all(o, model);
    return DEEPER_OK;
}

/* The values of the imported parameters in a model whose network is the imported one (pairs NULL)
 * or was matched with it. */
static deeper_status fill(const opening *o, dp_model *model, const int *pairs,
                          deeper_error *error) {
    const dp_graph *graph = o->network.graph;
    DP_TRY(dp_model_allocate(model, error));
    for (int i = 0; i < graph->count; i++) {
        int to = pairs ? pairs[i] : i;
        if (graph->nodes[i].parameter < 0 || to < 0)
            continue;
        const dp_onnx_parameter *from = &o->network.parameters[graph->nodes[i].parameter];
        float *values =
            model->arena + (model->values[model->graph->nodes[to].parameter] - model->arena);
        size_t count = dp_shape_floats(graph->nodes[i].shape);
        if (from->values)
            memcpy(values, from->values, count * sizeof *values);
        for (size_t j = 0; j < count && !from->values; j++)
            values[j] = from->fill;
    }
    return DEEPER_OK;
}

/* A network of nets/ in its usual form that the imported one is; *model NULL: none. */
static deeper_status find_net(opening *o, dp_model **model, deeper_error *error) {
    const dp_graph *graph = o->network.graph;
    int classes = graph->nodes[o->network.output].shape.c, size = graph->nodes[o->input].shape.h;
    const char *name, *about;
    *model = NULL;
    for (size_t i = 0; (name = dp_net_name(i, &about)) != NULL; i++) {
        bool same = false;
        deeper_status status =
            dp_model_create(model, name, classes, size, o->file.allocator, error);
        if (status == DEEPER_ERROR_MEMORY)
            return status;
        if (status == DEEPER_OK)
            status = match(o, *model, &same, error);
        if (status == DEEPER_OK && same)
            return DEEPER_OK;
        dp_model_free(*model);
        *model = NULL;
        if (status == DEEPER_ERROR_MEMORY)
            return status;
    }
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- texts */

static deeper_status read_texts(opening *o, deeper_error *error) {
    const Onnx__ModelProto *proto = o->file.model;
    dp_text *texts = dp_onnx_keep(&o->file, proto->n_metadata_props, sizeof *texts);
    if (!texts)
        return dp_fail_memory(error, "the texts of a model file");
    for (size_t i = 0; i < proto->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];
        texts[i] = (dp_text){ entry->key ? entry->key : "", entry->value ? entry->value : "" };
    }
    if (!dp_text_find(texts, proto->n_metadata_props, "deeper.version"))
        return DEEPER_OK;
    DP_TRY(dp_model_describe(&o->stated, texts, proto->n_metadata_props, o->file.name,
                             o->file.allocator, error));
    o->described = true;
    o->inside = o->stated->has_preprocess
                && dp_text_find(texts, proto->n_metadata_props, DP_ONNX_PREPROCESS_TEXT);
    return DEEPER_OK;
}

/* What is known besides the network moves from one model to another of as many classes and the same
 * input. */
static void move_texts(dp_model *to, dp_model *from) {
    dp_shape a = dp_model_input(to), b = dp_model_input(from);
    if (to->classes != from->classes || !dp_shape_equal(a, b))
        return;
    to->labels = from->labels;
    to->source = from->source;
    to->training = from->training;
    to->preprocess = from->preprocess;
    to->has_preprocess = from->has_preprocess;
    from->labels = (dp_labels){ 0 };
    from->source = from->training = NULL;
}

static deeper_status set_source(const opening *o, dp_model *model, deeper_error *error) {
    const Onnx__ModelProto *proto = o->file.model;
    char source[200];
    if (model->source || o->described) /* a text that our own file leaves out is unknown */
        return DEEPER_OK;
    snprintf(source, sizeof source, "ONNX, operator set %d%s%.60s%s%.40s", o->file.opset,
             proto->producer_name ? ", from " : "",
             proto->producer_name ? proto->producer_name : "", proto->producer_version ? " " : "",
             proto->producer_version ? proto->producer_version : "");
    for (char *at = source; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F)
            *at = '?';
    model->source = dp_strdup(model->allocator, source);
    return model->source ? DEEPER_OK : dp_fail_memory(error, "the source of a model");
}

/* -------------------------------------------------------------------------------------- opening */

/* The imported graph itself as the model's. */
static deeper_status as_graph(opening *o, dp_model **model, deeper_error *error) {
    dp_graph *graph = o->network.graph;
    o->network.graph = NULL;
    deeper_status status = dp_model_from_graph(model, graph, error);
    if (status == DEEPER_OK) {
        o->network.graph = (*model)->graph; /* lent: fill reads it */
        status = fill(o, *model, NULL, error);
        o->network.graph = NULL;
    }
    if (status == DEEPER_OK && o->stated) {
        move_texts(*model, o->stated);
        dp_preprocess *rule = &(*model)->preprocess;
        for (int c = 0; o->inside && c < 3; c++) { /* the network does the rest */
            rule->mean[c] = 0;
            rule->scale[c] = 1;
            rule->bgr = false;
        }
    }
    return status;
}

/* Steps over the preprocessing layer, if the texts say that there is one and it is what they
 * say. */
static void skip_preprocessing(opening *o) {
    const dp_graph *graph = o->network.graph;
    int layer = o->inside ? dp_graph_find(graph, DP_ONNX_PREPROCESS_LAYER) : -1;
    if (layer >= 0 && is_preprocessing(o, layer))
        o->input = layer;
}

static deeper_status choose(opening *o, dp_model **model, deeper_error *error) {
    bool same = false;
    if (o->stated) {
        int input = o->input;
        skip_preprocessing(o);
        DP_TRY(match(o, o->stated, &same, error));
        if (!same)
            o->input = input;
    }
    if (same) {
        *model = o->stated;
        o->stated = NULL;
    } else {
        DP_TRY(find_net(o, model, error));
        if (*model && o->stated && !o->inside)
            move_texts(*model, o->stated);
    }
    return *model ? fill(o, *model, o->pairs, error) : as_graph(o, model, error);
}

static deeper_status open_parsed(opening *o, dp_model **model, const char *answer,
                                 deeper_error *error) {
    DP_TRY(read_texts(o, error));
    DP_TRY(dp_onnx_import(&o->network, &o->file, error));
    while (o->network.graph->nodes[o->input].op != DP_OP_INPUT)
        o->input++;
    DP_TRY(check_input(o, error));
    DP_TRY(dp_onnx_end_in_prob(&o->network, &o->file, answer, error));
    o->pairs = dp_alloc(o->file.allocator, (size_t)o->network.graph->count, sizeof *o->pairs);
    if (!o->pairs)
        return dp_fail_memory(error, "the comparison of two graphs");
    DP_TRY(choose(o, model, error));
    return set_source(o, *model, error);
}

deeper_status dp_onnx_open(dp_model **model, const void *bytes, size_t size, const char *name,
                           const char *folder, const char *answer,
                           const deeper_allocator *allocator, deeper_error *error) {
    opening o = { 0 };
    *model = NULL;
    DP_TRY(dp_onnx_parse(&o.file, bytes, size, name, folder, allocator, error));
    deeper_status status = open_parsed(&o, model, answer, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    dp_model_free(o.stated);
    dp_free(allocator, o.pairs);
    dp_onnx_network_free(&o.network, allocator);
    dp_onnx_free(&o.file);
    return status;
}
