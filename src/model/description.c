/* description.c - the deeper.* texts of a model, made and read back. Preprocessing and labels as
 * JSON are metadata.c's and labels.c's, networks graph_json.c's. */
#include "model/description.h"

#include "base/checksum.h"
#include "base/text.h"
#include "model/graph_json.h"
#include "model/labels.h"
#include "model/preprocess_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPEC = 2048, MAX_CLASSES = 1 << 20 };

/* --------------------------------------------------------------------------------------- making */

static bool is_graph(const char *architecture) {
    return strcmp(architecture, DP_MODEL_GRAPH) == 0;
}

deeper_status dp_description_make(dp_description *d, const dp_model *model, deeper_error *error) {
    *d = (dp_description){ .allocator = model->allocator,
                           .preprocess = dp_model_preprocess_json(model),
                           .labels = model->labels.count ? dp_labels_to_json(&model->labels) : NULL,
                           .graph = is_graph(model->architecture) ? dp_graph_to_json(model->graph)
                                                                  : NULL };
    if (!d->preprocess || (model->labels.count && !d->labels)
        || (is_graph(model->architecture) && !d->graph)) {
        dp_description_free(d);
        return dp_fail_memory(error, "the description of a model file");
    }
    snprintf(d->classes, sizeof d->classes, "%d", model->classes);
    const dp_text all[DP_DESCRIPTION_TEXTS] = {
        { "deeper.version", DP_DESCRIPTION_VERSION },
        { "deeper.architecture", model->architecture },
        { "deeper.options", model->options },
        { "deeper.classes", d->classes },
        { "deeper.preprocess", d->preprocess },
        { "deeper.labels", d->labels },
        { "deeper.source", model->source },
        { "deeper.training", model->training },
        { "deeper.graph", d->graph },
    };
    for (size_t i = 0; i < DP_DESCRIPTION_TEXTS; i++)
        if (all[i].text)
            d->texts[d->count++] = all[i];
    return DEEPER_OK;
}

uint64_t dp_description_sum(const dp_tensor *tensors, size_t count, const dp_text *texts,
                            size_t text_count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t block = dp_block_sum(tensors[i].data, tensors[i].bytes);
        sum += dp_checksum(block, tensors[i].name, strlen(tensors[i].name));
    }
    for (size_t i = 0; i < text_count; i++) {
        if (strcmp(texts[i].key, DP_DESCRIPTION_SUM) == 0)
            continue;
        uint64_t key = dp_checksum(0, texts[i].key, strlen(texts[i].key));
        sum += dp_checksum(key, texts[i].text, strlen(texts[i].text));
    }
    return sum;
}

void dp_description_free(dp_description *description) {
    free(description->preprocess);
    free(description->labels);
    free(description->graph);
    dp_free(description->allocator, description->options);
    *description = (dp_description){ 0 };
}

deeper_status dp_description_drop_heads(dp_description *d, deeper_error *error) {
    static const char with[] = "aux=1";
    for (size_t i = 0; i < d->count; i++) {
        const char *at =
            strcmp(d->texts[i].key, "deeper.options") == 0 ? strstr(d->texts[i].text, with) : NULL;
        if (!at)
            continue;
        size_t place = (size_t)(at - d->texts[i].text) + sizeof with - 2;
        size_t size = strlen(d->texts[i].text) + 1;
        d->options = dp_alloc_raw(d->allocator, size, 1);
        if (!d->options)
            return dp_fail_memory(error, "the description of a model file");
        memcpy(d->options, d->texts[i].text, size);
        d->options[place] = '0';
        d->texts[i].text = d->options;
    }
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- reading */

/* What the texts say of the network, checked, before it is built. */
typedef struct description {
    char spec[MAX_SPEC]; /* "googlenet:norm=lrn,..." */
    const char *graph;   /* NULL: a network of nets/ */
    int classes;
    dp_preprocess preprocess;
    bool has_preprocess;
} description;

typedef struct pairs {
    const dp_text *texts;
    size_t count;
} pairs;

static deeper_status need_text(const char **text, const pairs *file, const char *key,
                               const char *name, deeper_error *error) {
    *text = dp_text_find(file->texts, file->count, key);
    if (*text)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s: no %s in its metadata, so it is not a model of deeper; use a file that "
                   "deeper saved",
                   name, key);
}

static deeper_status describe(description *d, const pairs *file, const char *name,
                              deeper_error *error) {
    const char *version, *architecture, *options, *classes, *preprocess;
    if (dp_text_find(file->texts, file->count, DP_CHECKPOINT_TEXT))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: a checkpoint, from which a run is resumed; the run's models are "
                       "model.safetensors and last.safetensors "
                       "in its folder",
                       name);
    DP_TRY(need_text(&version, file, "deeper.version", name, error));
    if (strcmp(version, DP_DESCRIPTION_VERSION) != 0)
        return dp_fail(
            error, DEEPER_ERROR_UNSUPPORTED,
            "%s: model file version %.40s; this deeper reads version " DP_DESCRIPTION_VERSION, name,
            version);
    DP_TRY(need_text(&architecture, file, "deeper.architecture", name, error));
    DP_TRY(need_text(&options, file, "deeper.options", name, error));
    DP_TRY(need_text(&classes, file, "deeper.classes", name, error));
    DP_TRY(need_text(&preprocess, file, "deeper.preprocess", name, error));
    d->graph = NULL;
    if (is_graph(architecture))
        DP_TRY(need_text(&d->graph, file, "deeper.graph", name, error));
    int length = snprintf(d->spec, sizeof d->spec, "%s:%s", architecture, options);
    if (length < 0 || (size_t)length >= sizeof d->spec)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: deeper.architecture and deeper.options are longer than %d bytes", name,
                       MAX_SPEC);
    char *end;
    long number = strtol(classes, &end, 10);
    if (end == classes || *end || number < 1 || number > MAX_CLASSES)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: deeper.classes is '%.40s', not a number 1 to %d", name, classes,
                       MAX_CLASSES);
    d->classes = (int)number;
    return dp_preprocess_from_json(&d->preprocess, &d->has_preprocess, preprocess, name,
                                   "deeper.preprocess", error);
}

static deeper_status copy_text(char **copy, const dp_model *model, const pairs *file,
                               const char *key, deeper_error *error) {
    const char *text = dp_text_find(file->texts, file->count, key);
    *copy = text ? dp_strdup(model->allocator, text) : NULL;
    return text && !*copy ? dp_fail_memory(error, key) : DEEPER_OK;
}

/* The optional texts into a model that was made from the description. */
static deeper_status take_texts(dp_model *model, const pairs *file, const char *name,
                                deeper_error *error) {
    const char *source = dp_text_find(file->texts, file->count, "deeper.source"),
               *labels = dp_text_find(file->texts, file->count, "deeper.labels");
    if (source && !dp_text_clean(source, strlen(source), false))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: deeper.source is not one line", name);
    DP_TRY(copy_text(&model->source, model, file, "deeper.source", error));
    DP_TRY(copy_text(&model->training, model, file, "deeper.training", error));
    if (!labels)
        return DEEPER_OK;
    DP_TRY(dp_labels_from_json(&model->labels, labels, name, model->allocator, error));
    if (model->labels.count != (size_t)model->classes)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: deeper.labels has %zu entries for %d classes", name,
                       model->labels.count, model->classes);
    return DEEPER_OK;
}

static deeper_status complete(dp_model *model, const description *d, const pairs *file,
                              const char *name, deeper_error *error) {
    int channels = dp_model_input(model).c;
    if (d->preprocess.channels != channels)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: deeper.preprocess: channels is %d; %s takes %d", name,
                       d->preprocess.channels, model->architecture, channels);
    model->has_preprocess = d->has_preprocess;
    model->preprocess = d->preprocess;
    return take_texts(model, file, name, error);
}

/* The network of a description. */
static deeper_status create(dp_model **model, const description *d, const char *name,
                            const deeper_allocator *allocator, deeper_error *error) {
    deeper_error why = { 0 };
    if (!d->graph) {
        deeper_status status =
            dp_model_create(model, d->spec, d->classes, d->preprocess.size, allocator, &why);
        return status == DEEPER_OK
                   ? status
                   : dp_fail(error,
                             status == DEEPER_ERROR_MEMORY ? status : DEEPER_ERROR_UNSUPPORTED,
                             "%s: its network: %s", name, why.message);
    }
    dp_graph *graph;
    DP_TRY(dp_graph_from_json(&graph, d->graph, name, allocator, error));
    deeper_status status = dp_model_from_graph(model, graph, &why);
    if (status != DEEPER_OK)
        return dp_fail(error, status, "%s: deeper.graph: %s", name, why.message);
    dp_shape input = dp_model_input(*model);
    if ((*model)->classes == d->classes && input.h == d->preprocess.size
        && input.w == d->preprocess.size)
        return DEEPER_OK;
    return dp_fail(
        error, DEEPER_ERROR_FORMAT,
        "%s: deeper.graph has %d classes and pictures of %dx%d; the file says %d and %dx%d", name,
        (*model)->classes, input.w, input.h, d->classes, d->preprocess.size, d->preprocess.size);
}

deeper_status dp_model_describe(dp_model **model, const dp_text *texts, size_t count,
                                const char *name, const deeper_allocator *allocator,
                                deeper_error *error) {
    const pairs file = { texts, count };
    description d;
    *model = NULL;
    DP_TRY(describe(&d, &file, name, error));
    deeper_status status = create(model, &d, name, allocator, error);
    if (status == DEEPER_OK)
        status = complete(*model, &d, &file, name, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}
