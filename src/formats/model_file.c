/* model_file.c - from a safetensors file to a dp_model: the deeper.* texts, then the tensors. model_file_write.c is the way back.
 * The container is safetensors.c's, preprocessing and labels as JSON are metadata.c's and labels.c's. */
#include "formats/model_file.h"

#include "formats/fill.h"
#include "formats/json.h"
#include "formats/labels.h"
#include "formats/metadata.h"
#include "formats/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPEC = 2048, MAX_CLASSES = 1 << 20 };

/* What a file says of its model, checked, before a network is built from it. Texts live with the safetensors. */
typedef struct description {
    char spec[MAX_SPEC]; /* "googlenet:norm=lrn,..." */
    int classes;
    dp_preprocess preprocess;
    bool has_preprocess;
} description;

static deeper_status need_text(const char **text, const dp_safetensors *file, const char *key, const char *name,
                               deeper_error *error) {
    *text = dp_safetensors_text(file, key);
    if (*text)
        return DEEPER_OK;
    return dp_fail_at(
        error, DEEPER_ERROR_FORMAT, 8,
        "%s: no %s in its metadata, so it is not a model of deeper; use a file that `deeper convert` or `deeper train` wrote", name,
        key);
}

static deeper_status describe(description *d, const dp_safetensors *file, const char *name, deeper_error *error) {
    const char *version, *architecture, *options, *classes, *preprocess;
    DP_TRY(need_text(&version, file, "deeper.version", name, error));
    if (strcmp(version, DP_MODEL_FILE_VERSION) != 0)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: model file version %.40s; this deeper reads version " DP_MODEL_FILE_VERSION, name, version);
    DP_TRY(need_text(&architecture, file, "deeper.architecture", name, error));
    DP_TRY(need_text(&options, file, "deeper.options", name, error));
    DP_TRY(need_text(&classes, file, "deeper.classes", name, error));
    DP_TRY(need_text(&preprocess, file, "deeper.preprocess", name, error));
    int length = snprintf(d->spec, sizeof d->spec, "%s:%s", architecture, options);
    if (length < 0 || (size_t)length >= sizeof d->spec)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: deeper.architecture and deeper.options are longer than %d bytes", name,
                       MAX_SPEC);
    char *end;
    long number = strtol(classes, &end, 10);
    if (end == classes || *end || number < 1 || number > MAX_CLASSES)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: deeper.classes is '%.40s', not a number 1 to %d", name, classes,
                       MAX_CLASSES);
    d->classes = (int)number;
    return dp_preprocess_from_json(&d->preprocess, &d->has_preprocess, preprocess, name, "deeper.preprocess", error);
}

static deeper_status copy_text(char **copy, const dp_model *model, const dp_safetensors *file, const char *key,
                               deeper_error *error) {
    const char *text = dp_safetensors_text(file, key);
    *copy = text ? dp_strdup(model->allocator, text) : NULL;
    return text && !*copy ? dp_fail_memory(error, key) : DEEPER_OK;
}

/* The optional texts into a model that was made from the description. */
static deeper_status take_texts(dp_model *model, const dp_safetensors *file, const char *name, deeper_error *error) {
    const char *source = dp_safetensors_text(file, "deeper.source"), *labels = dp_safetensors_text(file, "deeper.labels");
    if (source && !dp_text_clean(source, strlen(source), false))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: deeper.source is not one line", name);
    DP_TRY(copy_text(&model->source, model, file, "deeper.source", error));
    DP_TRY(copy_text(&model->training, model, file, "deeper.training", error));
    DP_TRY(copy_text(&model->calibration, model, file, "deeper.calibration", error));
    if (!labels)
        return DEEPER_OK;
    DP_TRY(dp_labels_from_json(&model->labels, labels, name, model->allocator, error));
    if (model->labels.count != (size_t)model->classes)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: deeper.labels has %zu entries for %d classes", name, model->labels.count,
                       model->classes);
    return DEEPER_OK;
}

static deeper_status complete(dp_model *model, const description *d, const dp_safetensors *file, const char *name,
                              deeper_error *error) {
    int channels = dp_model_input(model).c;
    if (d->preprocess.channels != channels)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: deeper.preprocess: channels is %d; %s takes %d", name,
                       d->preprocess.channels, model->architecture, channels);
    model->has_preprocess = d->has_preprocess;
    model->preprocess = d->preprocess;
    DP_TRY(take_texts(model, file, name, error));
    return dp_model_fill(model, file->tensors, file->count, true, name, error);
}

static deeper_status open_parsed(dp_model **model, const dp_safetensors *file, const char *name, deeper_error *error) {
    description d;
    DP_TRY(describe(&d, file, name, error));
    deeper_error why = { 0 };
    deeper_status status = dp_model_create(model, d.spec, d.classes, d.preprocess.size, file->allocator, &why);
    if (status != DEEPER_OK)
        return dp_fail(error, status == DEEPER_ERROR_MEMORY ? status : DEEPER_ERROR_UNSUPPORTED, "%s: its network: %s", name,
                       why.message);
    status = complete(*model, &d, file, name, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}

deeper_status dp_model_file_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_safetensors file;
    *model = NULL;
    DP_TRY(dp_safetensors_parse(&file, bytes, size, name, allocator, error));
    deeper_status status = open_parsed(model, &file, name, error);
    dp_safetensors_free(&file);
    return status;
}
