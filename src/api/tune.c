/* tune.c - deeper_tune and its files: what eval/tune.h measured joined with what a file already has. */
#include "eval/tune.h"
#include "api/bench.h"
#include "api/handles.h"
#include "base/files.h"
#include "formats/tuning.h"

#include <errno.h>
#include <unistd.h>

enum { TEXT_LIMIT = 4096 };

deeper_status deeper_tuning_check(const char *path, deeper_error *error) {
    dp_tuning tuning = { 0 };
    DP_TRY(dp_need(path, "path", error));
    deeper_status status = dp_tuning_read(&tuning, path, NULL, error);
    dp_tuning_free(&tuning);
    return status;
}

/* Before anything is measured: whether the file can be written, and what it has. One of another machine or version, or a damaged
 * one, counts as none. */
static deeper_status open_file(dp_tuning *tuning, const char *path, const deeper_allocator *allocator, deeper_error *error) {
    dp_writer *writer = NULL;
    DP_TRY(dp_writer_open(&writer, path, allocator, error));
    dp_writer_discard(writer);
    if (access(path, F_OK) && errno == ENOENT)
        return DEEPER_OK;
    deeper_status status = dp_tuning_read(tuning, path, allocator, error);
    if (status != DEEPER_ERROR_MISMATCH && status != DEEPER_ERROR_FORMAT && status != DEEPER_ERROR_LIMIT)
        return status;
    dp_tuning_free(tuning);
    return DEEPER_OK;
}

static deeper_status measure(dp_tuned_network *network, const deeper_model *model, const deeper_tune_options *options,
                             deeper_error *error) {
    const dp_model *inner = model->model;
    const int batch = options->batch ? options->batch : 1;
    DP_TRY(dp_check_batch(batch, error));
    const size_t floats = dp_shape_floats(dp_model_input(inner));
    float *input = dp_alloc_raw(model->owner.allocator, (size_t)batch, floats * sizeof *input);
    if (!input)
        return dp_fail_memory(error, "the input of the runs; a smaller batch needs less");
    dp_time_input(input, floats * (size_t)batch);
    const dp_tune_options mine = { .max_batch = batch,
                                   .threads = options->threads,
                                   .input = input,
                                   .outputs = &model->prob,
                                   .output_count = 1,
                                   .progress = options->progress,
                                   .context = options->context };
    deeper_status status = dp_tune(network, inner, &mine, error);
    dp_free(model->owner.allocator, input);
    return status;
}

static deeper_status keep(dp_tuning *tuning, const dp_tuned_network *network, const char *path, deeper_error *error) {
    for (int i = 0; i < network->layer_count; i++)
        DP_TRY(dp_tuning_put(tuning, &(dp_tuned){ network->layers[i].key, network->layers[i].best }, error));
    return network->layer_count ? dp_tuning_write(tuning, path, error) : DEEPER_OK;
}

static deeper_status tell(const dp_tuned_layer *it, void (*layer)(void *context, const deeper_tuned_layer *layer), void *context,
                          const deeper_allocator *allocator, deeper_error *error) {
    dp_buffer model, best;
    dp_buffer_init(&model, allocator, TEXT_LIMIT);
    dp_buffer_init(&best, allocator, TEXT_LIMIT);
    dp_tuning_describe(&it->key, &it->model, &model);
    dp_tuning_describe(&it->key, &it->best, &best);
    bool failed = model.failed || best.failed;
    if (!failed)
        layer(context, &(deeper_tuned_layer){ .layer = it->name,
                                              .layers = it->layers,
                                              .channels = it->key.channels,
                                              .outputs = it->key.outputs,
                                              .height = it->key.height,
                                              .width = it->key.width,
                                              .window = it->key.taps,
                                              .model = model.data,
                                              .tuned = best.data,
                                              .changed = !dp_tuning_same_choice(&it->model, &it->best),
                                              .model_ms = it->model_seconds * 1e3,
                                              .tuned_ms = it->best_seconds * 1e3 });
    dp_buffer_free(&model);
    dp_buffer_free(&best);
    return failed ? dp_fail_memory(error, "the names of the choices") : DEEPER_OK;
}

deeper_status deeper_tune(const deeper_model *model, const char *path, const deeper_tune_options *options,
                          void (*layer)(void *context, const deeper_tuned_layer *layer), void *context,
                          deeper_tuning_result *result, deeper_error *error) {
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(path, "path", error));
    deeper_tune_options mine = DEEPER_TUNE_OPTIONS_INIT;
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_tune_options", error));
    const deeper_allocator *allocator = model->owner.allocator;
    dp_tuning tuning = { .allocator = allocator };
    dp_tuned_network network = { .allocator = allocator };
    deeper_status status = open_file(&tuning, path, allocator, error);
    if (status == DEEPER_OK)
        status = measure(&network, model, &mine, error);
    if (status == DEEPER_OK)
        status = keep(&tuning, &network, path, error);
    for (int i = 0; status == DEEPER_OK && layer && i < network.layer_count; i++)
        status = tell(&network.layers[i], layer, context, allocator, error);
    if (status == DEEPER_OK && result)
        *result = (deeper_tuning_result){ .kinds = network.layer_count,
                                          .changed = network.changed,
                                          .slower = network.slower,
                                          .model_ms = network.model_seconds[0] * 1e3,
                                          .tuned_ms = network.best_seconds[0] * 1e3,
                                          .model_one_ms = network.model_seconds[network.ways - 1] * 1e3,
                                          .tuned_one_ms = network.best_seconds[network.ways - 1] * 1e3,
                                          .threads = network.threads,
                                          .isa = dp_isa_name(network.isa) };
    dp_tuned_network_free(&network);
    dp_tuning_free(&tuning);
    return status;
}
