/* model.c - deeper_model: opened, made, given values, saved, and what it says about itself. */
#include "api/handles.h"
#include "eval/layers.h"
#include "formats/formats.h"
#include "graph/attributes.h"
#include "model/preprocess_json.h"
#include "model/recipes.h"
#include "nets/nets.h"
#include "train/core/init.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------- open and close */

void deeper_model_close(deeper_model *model) {
    if (!model)
        return;
    dp_packs_free(model->packs);
    free(model->preprocess);
    dp_free(model->owner.allocator, model->layers);
    dp_model_free(model->model);
    dp_handle_free(model);
}

static deeper_status list_layers(deeper_model *model, deeper_error *error) {
    const dp_graph *graph = model->model->graph;
    model->layers =
        dp_alloc_raw(model->owner.allocator, (size_t)graph->count, sizeof *model->layers);
    if (!model->layers)
        return dp_fail_memory(error, "the list of layers");
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].op != DP_OP_PARAMETER)
            model->layers[model->layer_count++] = i;
    return DEEPER_OK;
}

/* The rest of a handle whose model is there. name: of the file or architecture, for messages. */
static deeper_status complete(deeper_model *model, const char *name,
                              const deeper_model_options *options, deeper_error *error) {
    DP_TRY(dp_model_check(model->model, name, error));
    if (options->labels)
        DP_TRY(dp_model_read_labels(model->model, options->labels, error));
    if (options->preprocess)
        DP_TRY(dp_model_read_preprocess(model->model, options->preprocess, name, error));
    if (model->model->has_preprocess) {
        dp_preprocess_describe(&model->model->preprocess, model->preprocessing,
                               sizeof model->preprocessing);
        if (!(model->preprocess = dp_preprocess_to_json(&model->model->preprocess, true)))
            return dp_fail_memory(error, "the preprocessing as text");
    }
    DP_TRY(list_layers(model, error));
    return dp_packs_create(&model->packs, model->owner.allocator, error);
}

/* A handle with the options' allocator. */
static deeper_status begin(deeper_model **model, deeper_model_options *options,
                           const deeper_model_options *given, deeper_error *error) {
    void *handle = NULL;
    *options = DEEPER_MODEL_OPTIONS_INIT;
    DP_TRY(dp_options_read(options, sizeof *options, given, "deeper_model_options", error));
    DP_TRY(dp_handle_create(&handle, sizeof **model, options->allocator, error));
    *model = handle;
    return DEEPER_OK;
}

/* Hands a handle out if all went well, frees it if not. */
static deeper_status finish(deeper_model **model, deeper_model *created, deeper_status status) {
    if (status == DEEPER_OK)
        *model = created;
    else
        deeper_model_close(created);
    return status;
}

deeper_status deeper_model_open(deeper_model **model, const char *path,
                                const deeper_model_options *options, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    *model = NULL;
    DP_TRY(dp_need(path, "path", error));
    deeper_model *created = NULL;
    deeper_model_options taken;
    DP_TRY(begin(&created, &taken, options, error));
    const dp_open_options how = { .answer = taken.answer, .mapped = taken.mapped != 0 };
    deeper_status status =
        dp_model_open_as(&created->model, path, &how, created->owner.allocator, error);
    if (status == DEEPER_OK && taken.check_values)
        status = dp_model_check_values(created->model, path, error);
    if (status == DEEPER_OK)
        status = complete(created, path, &taken, error);
    return finish(model, created, status);
}

deeper_status deeper_model_create(deeper_model **model, const char *architecture, int classes,
                                  int image_size, const deeper_model_options *options,
                                  deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    *model = NULL;
    DP_TRY(dp_need(architecture, "architecture", error));
    deeper_model *created = NULL;
    deeper_model_options taken;
    DP_TRY(begin(&created, &taken, options, error));
    deeper_status status = dp_model_create(&created->model, architecture, classes, image_size,
                                           created->owner.allocator, error);
    if (status == DEEPER_OK)
        status = complete(created, architecture, &taken, error);
    return finish(model, created, status);
}

deeper_status deeper_model_save(const deeper_model *model, const char *path, deeper_error *error) {
    DP_ENTRY;
    return deeper_model_export(model, path, NULL, error);
}

deeper_status deeper_model_export(const deeper_model *model, const char *path,
                                  const deeper_export_options *options, deeper_error *error) {
    DP_ENTRY;
    deeper_export_options taken = DEEPER_EXPORT_OPTIONS_INIT;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(path, "path", error));
    if (!model->model->values)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: the model has no parameter values to save; initialize it",
                       model->model->architecture);
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_export_options", error));
    bool left_out = false;
    const dp_save_options inner = { .with_preprocessing = taken.with_preprocessing != 0,
                                    .heads_left_out = &left_out };
    DP_TRY(dp_model_save(model->model, path, &inner, error));
    if (taken.heads_left_out)
        *taken.heads_left_out = left_out;
    return DEEPER_OK;
}

const char *deeper_model_ending(size_t index, const char **description) {
    const char *unused;
    return dp_model_ending(index, description ? description : &unused);
}

/* ------------------------------------------------------------------------------- initial values */

deeper_status deeper_model_initialize(deeper_model *model, uint64_t seed, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    dp_model *inner = model->model;
    if (strcmp(inner->format, "none") != 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: the model's values come from a file; make a model by its architecture",
                       inner->architecture);
    if (atomic_load(&model->sessions) > 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: the model has sessions, which use its values; free them first",
                       inner->architecture);
    dp_packs *packs = NULL; /* of the old values: replaced */
    DP_TRY(dp_packs_create(&packs, model->owner.allocator, error));
    deeper_status status = inner->arena ? DEEPER_OK : dp_model_allocate(inner, error);
    if (status != DEEPER_OK) {
        dp_packs_free(packs);
        return status;
    }
    dp_packs_free(model->packs);
    model->packs = packs;
    dp_initialize(inner, NULL, DP_INIT_XAVIER, seed);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------ questions */

const char *deeper_model_text(const deeper_model *model, const char *key) {
    if (!model || !key)
        return NULL;
    int features = dp_layers_features(model->model->graph);
    const dp_recipe *recipe =
        model->model->has_preprocess ? dp_recipe_of(&model->model->preprocess) : NULL;
    const struct {
        const char *key, *text;
    } texts[] = {
        { "architecture", model->model->architecture },
        { "options", model->model->options },
        { "preprocessing", model->preprocessing[0] ? model->preprocessing : NULL },
        { "preprocess", model->preprocess },
        { "recipe", recipe ? recipe->name : NULL },
        { "features", features >= 0 ? model->model->graph->nodes[features].name : NULL },
        { "source", model->model->source },
        { "format", model->model->format },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0)
            return texts[i].text;
    return NULL;
}

size_t deeper_model_classes(const deeper_model *model) {
    return model ? (size_t)model->model->classes : 0;
}

const char *deeper_model_class_id(const deeper_model *model, size_t index) {
    return model ? dp_model_label(model->model, index).id : "";
}

const char *deeper_model_class_name(const deeper_model *model, size_t index) {
    return model ? dp_model_label(model->model, index).name : "";
}

int deeper_model_image_size(const deeper_model *model) {
    return model ? dp_model_input(model->model).h : 0;
}

int deeper_model_channels(const deeper_model *model) {
    return model ? dp_model_input(model->model).c : 0;
}

const char *deeper_model_input_name(const deeper_model *model) {
    return model ? model->model->graph->nodes[model->model->input].name : NULL;
}

size_t deeper_model_layers(const deeper_model *model) {
    return model ? model->layer_count : 0;
}

deeper_status deeper_model_layer(const deeper_model *model, size_t index, deeper_layer *layer,
                                 size_t size, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need_result(layer, size, "layer", error));
    if (index >= model->layer_count)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "layer %zu: the model has %zu, from 0", index,
                       model->layer_count);
    const dp_graph *graph = model->model->graph;
    const dp_node *node = &graph->nodes[model->layers[index]];
    dp_cost cost = dp_node_cost(graph, model->layers[index]);
    deeper_layer filled = {
        .name = node->name,
        .operation = dp_op_name(node->op),
        .channels = node->shape.c,
        .height = node->shape.h,
        .width = node->shape.w,
        .auxiliary = node->head != DP_HEAD_MAIN,
        .parameters = cost.parameters,
        .multiply_adds = cost.multiply_adds,
        .output_bytes = cost.output_bytes,
    };
    const dp_attribute *window = dp_attribute_find(node->op, "window"),
                       *stride = dp_attribute_find(node->op, "stride");
    if (window && stride) { /* what slides over a picture */
        filled.window_height = (int)dp_attribute_get(window, &node->attributes, 0);
        filled.window_width = (int)dp_attribute_get(window, &node->attributes, 1);
        filled.stride_height = (int)dp_attribute_get(stride, &node->attributes, 0);
        filled.stride_width = (int)dp_attribute_get(stride, &node->attributes, 1);
    }
    dp_result_give(layer, size, &filled, sizeof filled);
    return DEEPER_OK;
}

/* The layer that is node `node`; they are in order. */
static size_t layer_of(const deeper_model *model, int node) {
    size_t low = 0, high = model->layer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (model->layers[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t deeper_model_layer_inputs(const deeper_model *model, size_t index, size_t *inputs,
                                 size_t capacity) {
    if (!model || index >= model->layer_count)
        return 0;
    const dp_graph *graph = model->model->graph;
    const dp_node *node = &graph->nodes[model->layers[index]];
    size_t count = 0;
    for (int i = 0; i < node->input_count; i++) {
        if (graph->nodes[node->inputs[i]].op == DP_OP_PARAMETER)
            continue;
        if (inputs && count < capacity)
            inputs[count] = layer_of(model, node->inputs[i]);
        count++;
    }
    return count;
}

uint64_t deeper_model_parameters(const deeper_model *model, int with_auxiliary_heads) {
    return model ? dp_model_cost(model->model, with_auxiliary_heads != 0).parameters : 0;
}

uint64_t deeper_model_multiply_adds(const deeper_model *model, int with_auxiliary_heads) {
    return model ? dp_model_cost(model->model, with_auxiliary_heads != 0).multiply_adds : 0;
}

const char *deeper_architecture(size_t index, const char **description) {
    const char *unused;
    return dp_net_name(index, description ? description : &unused);
}

const char *deeper_architecture_option(size_t architecture, size_t index, const char **choices,
                                       double range[2]) {
    const char *unused;
    double numbers[2];
    return dp_net_option_at(architecture, index, choices ? choices : &unused,
                            range ? range : numbers);
}

const char *deeper_preprocessing(size_t index, const char **description) {
    const dp_recipe *recipe = dp_recipe_at(index);
    if (!recipe)
        return NULL;
    if (description)
        *description = recipe->about;
    return recipe->name;
}
