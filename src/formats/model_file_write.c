/* model_file_write.c - from a dp_model to a safetensors file with all that model_file.c wants to find in it. */
#include "formats/fill.h"
#include "formats/labels.h"
#include "formats/metadata.h"
#include "formats/model_file.h"
#include "formats/safetensors.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXTS = 9 };

/* The texts of a model that are there; returns how many. */
static size_t list_texts(dp_text texts[TEXTS], const dp_model *model, const char *classes, const char *preprocess,
                         const char *labels) {
    const dp_text all[TEXTS] = {
        { "deeper.version", DP_MODEL_FILE_VERSION },  { "deeper.architecture", model->architecture },
        { "deeper.options", model->options },         { "deeper.classes", classes },
        { "deeper.preprocess", preprocess },          { "deeper.labels", labels },
        { "deeper.source", model->source },           { "deeper.training", model->training },
        { "deeper.calibration", model->calibration },
    };
    size_t count = 0;
    for (size_t i = 0; i < TEXTS; i++)
        if (all[i].text)
            texts[count++] = all[i];
    return count;
}

static deeper_status write_file(const dp_model *model, const char *path, const char *preprocess, const char *labels,
                                deeper_error *error) {
    const dp_graph *graph = model->graph;
    dp_tensor *tensors = dp_alloc(model->allocator, (size_t)graph->parameters, sizeof *tensors);
    if (!tensors || !preprocess || (model->labels.count && !labels)) {
        dp_free(model->allocator, tensors);
        return dp_fail_memory(error, "the description of a model file");
    }
    for (int i = 0; i < graph->count; i++) {
        int parameter = graph->nodes[i].parameter;
        if (parameter < 0)
            continue;
        dp_parameter_tensor(graph, i, &tensors[parameter]);
        tensors[parameter].data = model->values[parameter];
    }
    char classes[16];
    snprintf(classes, sizeof classes, "%d", model->classes);
    dp_text texts[TEXTS];
    size_t count = list_texts(texts, model, classes, preprocess, labels);
    deeper_status status = dp_safetensors_write(path, tensors, (size_t)graph->parameters, texts, count, model->allocator, error);
    dp_free(model->allocator, tensors);
    return status;
}

deeper_status dp_model_file_write(const dp_model *model, const char *path, const dp_save_options *options, deeper_error *error) {
    char *preprocess = dp_model_preprocess_json(model);
    char *labels = model->labels.count ? dp_labels_to_json(&model->labels) : NULL;
    deeper_status status = write_file(model, path, preprocess, labels, error);
    free(preprocess);
    free(labels);
    return status;
}
