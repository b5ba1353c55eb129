/* fuzz_save.c - any network in JSON, written as a file and opened again. First byte: which format;
 * the rest: the network, as fuzz_graph_json takes it. Checked: a file that was written opens, with
 * the values of the model; one that was not leaves nothing behind and says why. Values are of a
 * formula; memory is bounded as a caller could bound it.
 *
 * covers: src/formats/caffe/caffe_layers.c src/formats/caffe/caffemodel_write.c
 *   src/formats/caffe/protobuf_text.c src/formats/onnx/onnx_layout.c
 *   src/formats/onnx/onnx_write.c src/formats/numpy/npz_write.c src/formats/numpy/zip_write.c
 *   src/formats/safetensors/safetensors_write.c src/formats/safetensors/model_file_write.c
 * src/formats/save.c */
#include "base/files.h"
#include "formats/formats.h"
#include "graph/match.h"
#include "helpers/fuzz.h"
#include "helpers/scratch.h"
#include "model/graph_json.h"
#include "model/labels.h"
#include "model/model.h"
#include "model/recipes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FLOATS = 1 << 18 };

static size_t floats_of(const dp_graph *graph) {
    size_t floats = 0;
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].parameter >= 0)
            floats += dp_shape_floats(graph->nodes[i].shape);
    return floats;
}

/* The model of the network with values, and with labels and a rule where they fit; NULL: none that
 * files are opened as (of square pictures), or not small enough. */
static dp_model *make(const char *json, const deeper_allocator *allocator) {
    dp_graph *graph = NULL;
    dp_model *model = NULL;
    if (dp_graph_from_json(&graph, json, "input", allocator, NULL) != DEEPER_OK)
        return NULL;
    if (floats_of(graph) > MAX_FLOATS) {
        dp_graph_free(graph);
        return NULL;
    }
    if (dp_model_from_graph(&model, graph, NULL) != DEEPER_OK)
        return NULL;
    dp_shape input = dp_model_input(model);
    if (input.h != input.w || (input.c != 1 && input.c != 3)
        || dp_model_allocate(model, NULL) != DEEPER_OK) {
        dp_model_free(model);
        return NULL;
    }
    for (size_t i = 0; i < floats_of(graph); i++)
        model->arena[i] = (float)(i % 251) / 8 - 3;
    if (model->classes == 2)
        fuzz_demand(dp_labels_from_text(&model->labels, "a A\nb B", 7, "input", allocator, NULL)
                    == DEEPER_OK);
    model->has_preprocess =
        dp_recipe_read(&model->preprocess, "inception", input, "input", NULL) == DEEPER_OK;
    return model;
}

static dp_graph_span whole(const dp_graph *graph) {
    dp_graph_span span = { graph, 0, dp_graph_find(graph, "prob") };
    while (graph->nodes[span.input].op != DP_OP_INPUT)
        span.input++;
    return span;
}

/* The values of all parameters that the answer depends on. A network with more than those, and one
 * that preprocesses itself, comes out of ONNX as another. */
static void compare(const dp_model *again, const dp_model *model, bool may_differ) {
    dp_graph_span a = whole(again->graph), b = whole(model->graph);
    int *pairs = malloc((size_t)again->graph->count * sizeof *pairs);
    bool same = false;
    fuzz_demand(again->classes == model->classes && again->labels.count == model->labels.count);
    fuzz_demand(again->has_preprocess == model->has_preprocess);
    fuzz_demand(pairs && dp_graph_match(&a, &b, pairs, &same, NULL) == DEEPER_OK
                && (same || may_differ));
    for (int i = 0; i < again->graph->count && same; i++) {
        const dp_node *node = &again->graph->nodes[i];
        if (node->parameter >= 0 && pairs[i] >= 0)
            fuzz_demand(memcmp(again->values[node->parameter],
                               model->values[model->graph->nodes[pairs[i]].parameter],
                               dp_shape_floats(node->shape) * sizeof(float))
                        == 0);
    }
    free(pairs);
}

static size_t files_in(const char *path) {
    dp_listing listing;
    fuzz_demand(dp_listing_read(&listing, path, NULL, NULL) == DEEPER_OK);
    size_t count = listing.count;
    dp_listing_free(&listing, NULL);
    return count;
}

static void save(const dp_model *model, const char *ending, bool inside,
                 const deeper_allocator *allocator) {
    const char *folder = test_scratch();
    char path[64], beside[64];
    deeper_error error = { 0 };
    bool left_out = false;
    dp_model *again = NULL;
    const dp_save_options options = { .with_preprocessing = inside && model->has_preprocess,
                                      .heads_left_out = &left_out };
    snprintf(path, sizeof path, "%s/m%s", folder, ending);
    snprintf(beside, sizeof beside, "%s/m.prototxt", folder);
    deeper_status status = dp_model_save(model, path, &options, &error);
    fuzz_demand(status == error.status);
    if (status != DEEPER_OK) {
        fuzz_demand(status == DEEPER_ERROR_MEMORY
                    || strncmp(error.message, folder, strlen(folder)) == 0);
        fuzz_demand(files_in(folder) == 0);
        return;
    }
    status = dp_model_open(&again, path, allocator, &error);
    fuzz_demand(status == DEEPER_OK || status == DEEPER_ERROR_MEMORY);
    if (again)
        compare(again, model, strcmp(ending, ".onnx") == 0);
    dp_model_free(again);
    unlink(path);
    unlink(beside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t limit = 16 << 20;
    const deeper_allocator bounded = fuzz_bounded(&limit);
    const char *about, *ending = NULL;
    if (size == 0)
        return 0;
    size_t count = 0;
    while (dp_model_ending(count, &about))
        count++;
    ending = dp_model_ending(data[0] % count, &about);
    char *text = calloc(size, 1); /* the bytes after the first, and a zero */
    fuzz_demand(text != NULL);
    memcpy(text, data + 1, size - 1);
    dp_model *model = make(text, &bounded);
    free(text);
    if (model)
        save(model, ending, data[0] & 64 && strcmp(ending, ".onnx") == 0, &bounded);
    dp_model_free(model);
    return 0;
}
