/* features.c - see features.h. Letters: N pictures, C H W the layer's output. */
#include "eval/features.h"

#include "base/cpu.h"
#include "base/spool.h"
#include "base/text.h"
#include "formats/numpy/npz.h"

#include <math.h>
#include <string.h>

enum { NAMES_LIMIT = 1 << 30 }; /* bytes of all names */

typedef struct writing {
    const dp_features *features;
    const deeper_allocator *allocator;
    dp_spool *spools; /* one an output of the session */
    int outputs;
    dp_buffer names;  /* each ended by a zero byte */
    dp_buffer labels; /* int64_t */
    uint64_t rows, done, unreadable, total;
    deeper_error failure;
} writing;

static const dp_session *session_of(const writing *w) {
    return w->features->classifier->session;
}

/* A path that any reader of texts takes. */
static bool put_name(dp_buffer *names, const char *path) {
    size_t begin = names->size, length = strlen(path);
    if (!dp_buffer_append(names, path, length + 1))
        return false;
    if (!dp_text_clean(path, length, false))
        for (char *c = names->data + begin; *c; c++)
            if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
                *c = '?';
    return true;
}

/* Whether all that was computed of a picture is numbers; else why not. */
static deeper_status check_row(const writing *w, const dp_answer *answer, deeper_error *error) {
    const dp_classifier *classifier = w->features->classifier;
    for (int i = 0; i < w->outputs; i++) {
        size_t floats = dp_shape_floats(dp_session_output(classifier->session, i));
        const float *row = classifier->outputs[i] + answer->row * floats;
        for (size_t k = 0; k < floats; k++)
            if (!isfinite(row[k]))
                return dp_fail(error, DEEPER_ERROR_NUMBER, "value %zu of layer %d is not a number",
                               k, i + 1);
    }
    return DEEPER_OK;
}

/* Row `row` of what was computed last. */
static deeper_status put_row(writing *w, const dp_answer *answer) {
    const dp_classifier *classifier = w->features->classifier;
    for (int i = 0; i < w->outputs; i++) {
        size_t floats = dp_shape_floats(dp_session_output(classifier->session, i));
        if (w->spools[i].size > UINT32_MAX - floats * sizeof(float))
            return dp_fail(
                &w->failure, DEEPER_ERROR_LIMIT,
                "%s: not written: more than the 4 GB that an npz may have; give it fewer "
                "pictures or layers at a time",
                w->features->path);
        if (!dp_spool_put(&w->spools[i], classifier->outputs[i] + answer->row * floats,
                          floats * sizeof(float)))
            return w->failure.status = DEEPER_ERROR_IO; /* dp_spool_check says why */
    }
    if (!put_name(&w->names, answer->path)
        || (w->features->dataset
            && !dp_buffer_append(&w->labels, &answer->label, sizeof answer->label)))
        return dp_fail(&w->failure, DEEPER_ERROR_MEMORY,
                       "%s: not written: out of memory for the names of the pictures",
                       w->features->path);
    w->rows++;
    return DEEPER_OK;
}

static deeper_control take(void *context, const dp_answer *answer) {
    writing *w = context;
    const dp_features_calls *calls = &w->features->calls;
    deeper_error trouble = { 0 };
    bool answered = answer->status == DEEPER_OK;
    if (!answered || check_row(w, answer, &trouble) != DEEPER_OK) {
        w->unreadable++;
        if (calls->problem)
            calls->problem(calls->context, answer->path,
                           answered ? trouble.message : answer->message);
    } else if (put_row(w, answer) != DEEPER_OK) {
        return DEEPER_STOP;
    }
    w->done++;
    if (calls->progress)
        calls->progress(calls->context, w->done, w->total);
    return calls->control ? calls->control(calls->context) : DEEPER_GO_ON;
}

/* -------------------------------------------------------------------------------------- writing */

/* An array of `count` texts that lie one after the other. */
static deeper_status put_list(dp_npz_writer *npz, const char *name, const char *texts, size_t count,
                              const writing *w, deeper_error *error) {
    const char **list = dp_alloc(w->allocator, count, sizeof *list);
    if (!list)
        return dp_fail_memory(error, "the names in an npz file");
    for (size_t i = 0; i < count; i++) {
        list[i] = texts;
        texts += strlen(texts) + 1;
    }
    dp_npz_put_texts(npz, name, 1, list, count);
    dp_free(w->allocator, list);
    return DEEPER_OK;
}

static deeper_status put_output(dp_npz_writer *npz, const writing *w, int index,
                                deeper_error *error) {
    dp_shape shape = dp_session_output(session_of(w), index);
    const dp_spool *spool = &w->spools[index];
    const void *values;
    DP_TRY(dp_spool_map(spool, &values, w->features->path, error));
    const dp_tensor tensor = {
        .name = w->outputs == 1
                    ? "features"
                    : session_of(w)->model->graph->nodes[session_of(w)->outputs[index]].name,
        .rank = shape.h == 1 && shape.w == 1 ? 2 : 4,
        .shape = { (size_t)w->rows, (size_t)shape.c, (size_t)shape.h, (size_t)shape.w },
        .data = values,
        .bytes = spool->size,
    };
    dp_npz_put(npz, &tensor);
    dp_spool_unmap(spool, values);
    return DEEPER_OK;
}

static deeper_status put_layers(dp_npz_writer *npz, const writing *w, deeper_error *error) {
    const dp_session *session = session_of(w);
    const char **names = dp_alloc(w->allocator, (size_t)w->outputs, sizeof *names);
    if (!names)
        return dp_fail_memory(error, "the names in an npz file");
    for (int i = 0; i < w->outputs; i++)
        names[i] = session->model->graph->nodes[session->outputs[i]].name;
    dp_npz_put_texts(npz, "layers", 1, names, (size_t)w->outputs);
    dp_free(w->allocator, names);
    return DEEPER_OK;
}

static deeper_status put_labels(dp_npz_writer *npz, const writing *w, deeper_error *error) {
    const dp_dataset *dataset = w->features->dataset;
    const dp_tensor labels = { .name = "labels",
                               .dtype = DP_DTYPE_I64,
                               .rank = 1,
                               .shape = { (size_t)w->rows },
                               .data = w->labels.data,
                               .bytes = w->labels.size };
    dp_buffer names;
    dp_npz_put(npz, &labels);
    dp_buffer_init(&names, w->allocator, NAMES_LIMIT);
    for (size_t i = 0; i < dataset->class_count; i++)
        put_name(&names, dp_dataset_class(dataset, i));
    deeper_status status =
        names.failed ? dp_fail_memory(error, "the names in an npz file")
                     : put_list(npz, "classes", names.data, dataset->class_count, w, error);
    dp_buffer_free(&names);
    return status;
}

static deeper_status write_npz(const writing *w, deeper_error *error) {
    dp_npz_writer npz;
    DP_TRY(dp_npz_create(&npz, w->features->path, w->allocator, error));
    deeper_status status = put_list(&npz, "names", w->names.data, (size_t)w->rows, w, error);
    for (int i = 0; status == DEEPER_OK && i < w->outputs; i++)
        status = put_output(&npz, w, i, error);
    if (status == DEEPER_OK)
        status = put_layers(&npz, w, error);
    if (status == DEEPER_OK && w->features->dataset)
        status = put_labels(&npz, w, error);
    if (status == DEEPER_OK)
        return dp_npz_commit(&npz, error);
    dp_npz_discard(&npz);
    return status;
}

/* ---------------------------------------------------------------------------------------- whole */

static deeper_status compute(writing *w, deeper_error *error) {
    const dp_features *f = w->features;
    size_t classes = f->dataset ? f->dataset->class_count : 0;
    size_t *labels = dp_alloc(w->allocator, classes + 1, sizeof *labels);
    if (!labels)
        return dp_fail_memory(error, "the labels of a data set");
    for (size_t i = 0; i < classes; i++)
        labels[i] = i;
    const dp_stream stream = {
        .classifiers = &f->classifier,
        .classifier_count = 1,
        .source = f->source,
        .dataset = f->dataset,
        .end = f->dataset ? f->dataset->image_count : 0,
        .labels = labels,
        .readers = f->readers,
        .limits = f->limits,
        .sink = take,
        .context = w,
    };
    w->total = stream.end;
    deeper_status status = dp_classify_stream(&stream, error);
    dp_free(w->allocator, labels);
    return status;
}

static deeper_status open_spools(writing *w, deeper_error *error) {
    w->spools = dp_alloc(w->allocator, (size_t)w->outputs, sizeof *w->spools);
    if (!w->spools)
        return dp_fail_memory(error, "the files of features");
    for (int i = 0; i < w->outputs; i++)
        w->spools[i].file = -1;
    for (int i = 0; i < w->outputs; i++)
        DP_TRY(dp_spool_open(&w->spools[i], w->features->path, w->allocator, error));
    return DEEPER_OK;
}

/* A stream that was stopped by ourselves failed for our own reason. */
static deeper_status own_reason(const writing *w, deeper_error *error) {
    for (int i = 0; w->failure.status == DEEPER_ERROR_IO && i < w->outputs; i++)
        DP_TRY(dp_spool_check(&w->spools[i], w->features->path, error));
    return dp_fail(error, w->failure.status, "%s", w->failure.message);
}

deeper_status dp_features_write(const dp_features *features, deeper_features_result *result,
                                deeper_error *error) {
    const dp_session *session = features->classifier->session;
    writing w = { .features = features,
                  .allocator = session->allocator,
                  .outputs = session->output_count };
    double begin = dp_now();
    dp_buffer_init(&w.names, w.allocator, NAMES_LIMIT);
    dp_buffer_init(&w.labels, w.allocator, NAMES_LIMIT);
    deeper_status status = open_spools(&w, error);
    if (status == DEEPER_OK)
        status = compute(&w, error);
    if (status == DEEPER_ERROR_STOPPED && w.failure.status != DEEPER_OK)
        status = own_reason(&w, error);
    if (status == DEEPER_OK && w.rows == 0)
        status =
            dp_fail(error, DEEPER_ERROR_FORMAT,
                    "%s: not written: there was no picture that could be read", features->path);
    if (status == DEEPER_OK)
        status = write_npz(&w, error);
    for (int i = 0; w.spools && i < w.outputs; i++)
        dp_spool_close(&w.spools[i]);
    dp_free(w.allocator, w.spools);
    dp_buffer_free(&w.names);
    dp_buffer_free(&w.labels);
    *result = (deeper_features_result){ .images = w.rows,
                                        .unreadable = w.unreadable,
                                        .seconds = dp_now() - begin };
    return status;
}
