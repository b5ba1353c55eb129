/* model.c - models made, given memory, labels and preprocessing, freed. Reading and writing files
 * is formats/'s. */
#include "model/model.h"

#include "base/files.h"
#include "model/labels.h"
#include "model/preprocess_json.h"
#include "model/recipes.h"
#include "nets/nets.h"

#include <math.h>
#include <string.h>

enum { MAX_LABEL_FILE = 16 << 20 }; /* bytes; the 1000 classes of ILSVRC take 32 KB */

/* The ends of the network, once its graph is whole. */
static void find_ends(dp_model *model) {
    model->input = -1;
    for (int i = model->graph->count - 1; i >= 0; i--)
        if (model->graph->nodes[i].op == DP_OP_INPUT)
            model->input = i;
    model->prob = dp_graph_find(model->graph, "prob");
}

deeper_status dp_model_create(dp_model **model, const char *spec, int classes, int image_size,
                              const deeper_allocator *allocator, deeper_error *error) {
    *model = NULL;
    if (strcspn(spec, ":") == strlen(DP_MODEL_GRAPH)
        && strncmp(spec, DP_MODEL_GRAPH, strlen(DP_MODEL_GRAPH)) == 0)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "a network that was imported as a graph runs as it is; no other is made of "
                       "it, to train or to change");
    dp_model *created = dp_alloc(allocator, 1, sizeof *created);
    if (!created)
        return dp_fail_memory(error, "a model");
    created->allocator = allocator;
    created->classes = classes;
    created->format = "none";
    deeper_status status = dp_graph_create(&created->graph, allocator, error);
    if (status == DEEPER_OK)
        status = dp_net_build(created->graph, spec, (dp_net_size){ classes, image_size },
                              &created->architecture, &created->options, error);
    if (status != DEEPER_OK) {
        dp_model_free(created);
        return status;
    }
    find_ends(created);
    *model = created;
    return DEEPER_OK;
}

deeper_status dp_model_from_graph(dp_model **model, dp_graph *graph, deeper_error *error) {
    const deeper_allocator *allocator = graph->allocator;
    *model = NULL;
    dp_model *created = dp_alloc(allocator, 1, sizeof *created);
    if (!created) {
        dp_graph_free(graph);
        return dp_fail_memory(error, "a model");
    }
    created->allocator = allocator;
    created->graph = graph;
    created->format = "none";
    created->architecture = dp_strdup(allocator, DP_MODEL_GRAPH);
    created->options = dp_strdup(allocator, "");
    find_ends(created);
    const dp_node *prob = created->prob >= 0 ? &graph->nodes[created->prob] : NULL;
    deeper_status status = DEEPER_OK;
    if (!created->architecture || !created->options)
        status = dp_fail_memory(error, "a model");
    else if (!prob || prob->input_count == 0 || prob->shape.h != 1 || prob->shape.w != 1)
        status = dp_fail(error, DEEPER_ERROR_MISMATCH,
                         "a network that does not end in one probability a class");
    else
        created->classes = prob->shape.c;
    if (status != DEEPER_OK) {
        dp_model_free(created);
        return status;
    }
    *model = created;
    return DEEPER_OK;
}

void dp_model_free(dp_model *model) {
    if (!model)
        return;
    const deeper_allocator *allocator = model->allocator;
    dp_graph_free(model->graph);
    dp_free(allocator, model->values);
    dp_free(allocator, model->arena);
    dp_free(allocator, model->file);
    dp_map_close(&model->map);
    dp_free(allocator, model->architecture);
    dp_free(allocator, model->options);
    dp_labels_free(&model->labels, allocator);
    dp_free(allocator, model->source);
    dp_free(allocator, model->training);
    dp_free(allocator, model);
}

const dp_node *dp_model_parameter(const dp_model *model, int parameter) {
    for (int i = 0; i < model->graph->count; i++)
        if (model->graph->nodes[i].parameter == parameter)
            return &model->graph->nodes[i];
    return NULL;
}

dp_shape dp_model_input(const dp_model *model) {
    return model->input >= 0 ? model->graph->nodes[model->input].shape : (dp_shape){ 0 };
}

deeper_status dp_model_check(const dp_model *model, const char *name, deeper_error *error) {
    if (model->input < 0 || model->prob < 0)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: a network without %s", name,
                       model->input < 0 ? "an input" : "a layer \"prob\" of class probabilities");
    dp_shape input = dp_model_input(model);
    size_t outputs = dp_shape_floats(model->graph->nodes[model->prob].shape);
    if (model->classes < 1 || outputs != (size_t)model->classes)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: says %d classes, but its layer \"prob\" has %zu outputs", name,
                       model->classes, outputs);
    const dp_preprocess *preprocess = &model->preprocess;
    if (model->has_preprocess
        && (preprocess->size != input.h || preprocess->size != input.w
            || preprocess->channels != input.c))
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: its preprocessing gives %dx%dx%d, but its input is %dx%dx%d", name,
                       preprocess->channels, preprocess->size, preprocess->size, input.c, input.h,
                       input.w);
    return DEEPER_OK;
}

deeper_status dp_model_check_values(const dp_model *model, const char *name, deeper_error *error) {
    for (int i = 0; model->values && i < model->graph->count; i++) {
        const dp_node *node = &model->graph->nodes[i];
        const float *values = node->parameter < 0 ? NULL : model->values[node->parameter];
        for (size_t k = 0, count = values ? dp_shape_floats(node->shape) : 0; k < count; k++)
            if (!isfinite(values[k]))
                return dp_fail(error, DEEPER_ERROR_FORMAT,
                               "%s: value %zu of %s is %s, not a finite number; the weights are of "
                               "no use, fetch or train them again",
                               name, k, node->name, isnan(values[k]) ? "nan" : "infinite");
    }
    return DEEPER_OK;
}

dp_cost dp_model_cost(const dp_model *model, bool with_heads) {
    const dp_graph *graph = model->graph;
    dp_cost sum = { 0 };
    for (int i = 0; i < graph->count; i++) {
        dp_cost cost = dp_node_cost(graph, i);
        if (graph->nodes[i].op == DP_OP_PARAMETER
            || (!with_heads && graph->nodes[i].head != DP_HEAD_MAIN))
            continue;
        sum.parameters += cost.parameters;
        sum.multiply_adds += cost.multiply_adds;
        sum.output_bytes += cost.output_bytes;
    }
    return sum;
}

dp_label dp_model_label(const dp_model *model, size_t index) {
    return index < model->labels.count ? model->labels.items[index] : (dp_label){ "", "" };
}

bool dp_model_has_heads(const dp_model *model) {
    for (int i = 0; i < model->graph->count; i++)
        if (model->graph->nodes[i].head != DP_HEAD_MAIN)
            return true;
    return false;
}

deeper_status dp_model_allocate(dp_model *model, deeper_error *error) {
    const dp_graph *graph = model->graph;
    size_t floats = 0;
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].parameter >= 0
            && __builtin_add_overflow(floats, dp_shape_floats(graph->nodes[i].shape), &floats))
            return dp_fail(error, DEEPER_ERROR_LIMIT,
                           "%s: its parameters are more than memory can hold", model->architecture);
    const float **values = dp_alloc(model->allocator, (size_t)graph->parameters, sizeof *values);
    float *arena = dp_alloc_raw(model->allocator, floats, sizeof *arena);
    if (!values || !arena) {
        dp_free(model->allocator, values);
        dp_free(model->allocator, arena);
        return dp_fail_memory(error, "the parameters of a model");
    }
    model->arena = arena;
    model->values = values;
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].parameter < 0)
            continue;
        values[graph->nodes[i].parameter] = arena;
        arena += dp_shape_floats(graph->nodes[i].shape);
    }
    return DEEPER_OK;
}

deeper_status dp_model_at(dp_model *copy, const dp_model *model, const float *arena,
                          deeper_error *error) {
    *copy = *model;
    copy->file = NULL;
    copy->map = (dp_map){ 0 };
    copy->arena = NULL;
    copy->values =
        dp_alloc(model->allocator, (size_t)model->graph->parameters, sizeof *copy->values);
    if (!copy->values)
        return dp_fail_memory(error, "the places of a model's parameters");
    for (int p = 0; p < model->graph->parameters; p++)
        copy->values[p] = arena + (model->values[p] - model->arena);
    return DEEPER_OK;
}

/* Of classes "not p" and p, which one probability p stands for, p alone. */
static deeper_status take_single(dp_model *model, deeper_error *error) {
    dp_graph *graph = model->graph;
    const dp_node *both = &graph->nodes[model->prob];
    if (both->op != DP_OP_CONCAT || both->input_count != 2)
        return DEEPER_OK;
    const dp_node *rest = &graph->nodes[both->inputs[0]];
    int single = both->inputs[1];
    if (rest->op != DP_OP_AFFINE || rest->inputs[0] != single || rest->shape.c != 1)
        return DEEPER_OK;
    dp_graph_rename(graph, model->prob, "prob of both");
    dp_graph_rename(graph, single, "prob");
    model->prob = single;
    model->classes = 1;
    return dp_graph_status(graph, error);
}

deeper_status dp_model_read_labels(dp_model *model, const char *path, deeper_error *error) {
    void *text = NULL;
    size_t size = 0;
    DP_TRY(dp_file_read(&text, &size, path, MAX_LABEL_FILE, model->allocator, error));
    dp_labels labels;
    deeper_status status = dp_labels_from_text(&labels, text, size, path, model->allocator, error);
    dp_free(model->allocator, text);
    if (status == DEEPER_OK && labels.count == 1 && model->classes == 2)
        status = take_single(model, error);
    if (status == DEEPER_OK && labels.count != (size_t)model->classes)
        status = dp_fail(
            error, DEEPER_ERROR_MISMATCH,
            "%s: %zu labels for a model of %d classes; one line \"ID NAME\" a class is needed",
            path, labels.count, model->classes);
    if (status != DEEPER_OK) {
        dp_labels_free(&labels, model->allocator);
        return status;
    }
    dp_labels_free(&model->labels, model->allocator);
    model->labels = labels;
    return DEEPER_OK;
}

deeper_status dp_model_read_preprocess(dp_model *model, const char *text, const char *name,
                                       deeper_error *error) {
    DP_TRY(dp_recipe_read(&model->preprocess, text, dp_model_input(model), name, error));
    model->has_preprocess = true;
    return DEEPER_OK;
}

char *dp_model_preprocess_json(const dp_model *model) {
    dp_preprocess rule = model->preprocess;
    if (!model->has_preprocess) {
        dp_shape input = dp_model_input(model);
        rule = (dp_preprocess){ .size = input.h, .channels = input.c };
    }
    return dp_preprocess_to_json(&rule, model->has_preprocess);
}
