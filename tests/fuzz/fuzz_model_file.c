/* fuzz_model_file.c - the header of a model file, opened as a model. The input is the JSON after
 * one byte; the data that follows in a file is added here, zeros, as many as the smallest GoogLeNet
 * needs in F32 or (first byte even) in F16, so that the fuzzer spends itself on the header.
 * Checked: a model that opens has values, labels and preprocessing that come back from their JSON
 * the same, and a description that describes the same network, with its heads and without; its
 * tensors fit it.
 *
 * covers: src/formats/safetensors/model_file.c src/model/description.c src/model/preprocess_json.c
 *   src/model/fill.c */
#include "base/memory.h"
#include "formats/formats.h"
#include "helpers/fuzz.h"
#include "model/description.h"
#include "model/fill.h"
#include "model/labels.h"
#include "model/model.h"
#include "model/preprocess_json.h"

#include <stdlib.h>
#include <string.h>

/* Parameters of the network that seeds_formats.c writes. */
static size_t small_floats(void) {
    static size_t floats;
    if (floats)
        return floats;
    dp_model *model = NULL;
    fuzz_demand(
        dp_model_create(&model, "googlenet:stem=small,branch5=3x3,width=0.0625", 3, 32, NULL, NULL)
        == DEEPER_OK);
    for (int p = 0; p < model->graph->parameters; p++)
        floats += dp_shape_floats(dp_model_parameter(model, p)->shape);
    dp_model_free(model);
    return floats;
}

static void check_labels(const dp_labels *labels) {
    dp_labels again;
    char *json = dp_labels_to_json(labels);
    fuzz_demand(json && dp_labels_from_json(&again, json, "input", NULL, NULL) == DEEPER_OK
                && again.count == labels->count);
    for (size_t i = 0; i < again.count; i++)
        fuzz_demand(strcmp(again.items[i].id, labels->items[i].id) == 0
                    && strcmp(again.items[i].name, labels->items[i].name) == 0);
    dp_labels_free(&again, NULL);
    free(json);
}

static void check_preprocess(const dp_preprocess *rule, bool whole) {
    dp_preprocess again;
    bool again_whole = false;
    char *json = dp_preprocess_to_json(rule, whole);
    fuzz_demand(json
                && dp_preprocess_from_json(&again, &again_whole, json, "input", "preprocess", NULL)
                       == DEEPER_OK
                && again_whole == whole);
    fuzz_demand(again.size == rule->size && again.channels == rule->channels
                && again.bgr == rule->bgr && again.rule == rule->rule && again.side == rule->side
                && again.filter == rule->filter);
    fuzz_demand(memcmp(again.mean, rule->mean, sizeof again.mean) == 0
                && memcmp(again.scale, rule->scale, sizeof again.scale) == 0);
    free(json);
}

static void check_description(const dp_model *model) {
    dp_description description;
    dp_model *again = NULL;
    fuzz_demand(dp_description_make(&description, model, NULL) == DEEPER_OK);
    fuzz_demand(dp_model_describe(&again, description.texts, description.count, "input", NULL, NULL)
                    == DEEPER_OK
                && again->graph->parameters == model->graph->parameters
                && again->labels.count == model->labels.count);
    dp_model_free(again);
    fuzz_demand(dp_description_drop_heads(&description, NULL) == DEEPER_OK);
    fuzz_demand(dp_model_describe(&again, description.texts, description.count, "input", NULL, NULL)
                == DEEPER_OK);
    dp_model_free(again);
    dp_description_free(&description);
}

/* A model's own tensors fit it, heads and all. */
static void check_tensors(const dp_model *model) {
    dp_tensor *tensors;
    fuzz_demand(dp_model_tensors(&tensors, model, NULL) == DEEPER_OK);
    fuzz_demand(dp_heads_fit(model->graph, tensors, (size_t)model->graph->parameters));
    for (int p = 0; p < model->graph->parameters; p++)
        fuzz_demand(tensors[p].data == model->values[p]);
    dp_free(NULL, tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    size_t header = size - 1, values = small_floats() * (data[0] % 2 ? 4 : 2);
    uint8_t *file = calloc(8 + header + values, 1);
    fuzz_demand(file != NULL);
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)((uint64_t)header >> 8 * i);
    memcpy(file + 8, data + 1, header);
    dp_model *model;
    deeper_error error = { 0 };
    deeper_status status =
        dp_model_open_bytes(&model, file, 8 + header + values, "input", NULL, NULL, NULL, &error);
    fuzz_demand(error.status == status && (status == DEEPER_OK) == (model != NULL));
    if (model) {
        for (int p = 0; p < model->graph->parameters; p++)
            fuzz_demand(model->values[p][dp_shape_floats(dp_model_parameter(model, p)->shape) - 1]
                        == 0);
        if (model->labels.count)
            check_labels(&model->labels);
        check_preprocess(&model->preprocess, model->has_preprocess);
        check_description(model);
        check_tensors(model);
    }
    dp_model_free(model);
    free(file);
    return 0;
}
