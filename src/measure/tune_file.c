/* tune_file.c - a network tuned, and what was measured joined with what a file already has. */
#include "measure/tune_file.h"

#include "base/files.h"
#include "formats/tuning.h"
#include "measure/tune.h"
#include "session/input.h"

enum { TEXT_LIMIT = 4096 };

/* Before anything is measured: whether the file can be written, and read if it is there. */
static deeper_status try_file(const char *path, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_writer *writer = NULL;
    dp_tuning tuning = { 0 };
    DP_TRY(dp_writer_open(&writer, path, allocator, error));
    dp_writer_discard(writer);
    deeper_status status = dp_tuning_read_old(&tuning, path, allocator, error);
    dp_tuning_free(&tuning);
    return status;
}

static deeper_status measure(dp_tuned_network *network, const dp_model *model,
                             const deeper_tune_options *options, deeper_error *error) {
    const int batch = options->batch ? options->batch : 1;
    DP_TRY(dp_check_batch(batch, error));
    const size_t floats = dp_shape_floats(dp_model_input(model));
    float *input = dp_alloc_raw(model->allocator, (size_t)batch, floats * sizeof *input);
    if (!input)
        return dp_fail_memory(error, "the input of the runs; a smaller batch needs less");
    dp_fixed_input(input, floats * (size_t)batch);
    const dp_tune_options tune_options = { .max_batch = batch,
                                           .threads = options->threads,
                                           .input = input,
                                           .outputs = &model->prob,
                                           .output_count = 1,
                                           .progress = options->progress,
                                           .control = options->control,
                                           .context = options->context };
    deeper_status status = dp_tune(network, model, &tune_options, error);
    dp_free(model->allocator, input);
    return status;
}

static deeper_status keep(const dp_tuned_network *network, const char *path, deeper_error *error) {
    dp_tuning tuning = { .allocator = network->allocator };
    deeper_status status = DEEPER_OK;
    for (int i = 0; status == DEEPER_OK && i < network->layer_count; i++)
        status = dp_tuning_put(
            &tuning, &(dp_tuned){ network->layers[i].key, network->layers[i].best }, error);
    if (status == DEEPER_OK && tuning.count)
        status = dp_tuning_join(&tuning, path, error);
    dp_tuning_free(&tuning);
    return status;
}

static deeper_status tell(const dp_tuned_layer *tuned,
                          void (*layer)(void *context, const deeper_tuned_layer *layer),
                          void *context, const deeper_allocator *allocator, deeper_error *error) {
    dp_buffer model, best;
    dp_buffer_init(&model, allocator, TEXT_LIMIT);
    dp_buffer_init(&best, allocator, TEXT_LIMIT);
    dp_tuning_describe(&tuned->key, &tuned->model, &model);
    dp_tuning_describe(&tuned->key, &tuned->best, &best);
    bool failed = model.failed || best.failed;
    if (!failed)
        layer(context,
              &(deeper_tuned_layer){ .layer = tuned->name,
                                     .layers = tuned->layers,
                                     .channels = tuned->key.channels,
                                     .outputs = tuned->key.outputs,
                                     .height = tuned->key.height,
                                     .width = tuned->key.width,
                                     .window = tuned->key.taps,
                                     .model = model.data,
                                     .tuned = best.data,
                                     .changed = !dp_tuning_same_choice(&tuned->model, &tuned->best),
                                     .model_ms = tuned->model_seconds * 1e3,
                                     .tuned_ms = tuned->best_seconds * 1e3 });
    dp_buffer_free(&model);
    dp_buffer_free(&best);
    return failed ? dp_fail_memory(error, "the names of the choices") : DEEPER_OK;
}

deeper_status dp_tune_file(const dp_model *model, const char *path,
                           const deeper_tune_options *options,
                           void (*layer)(void *context, const deeper_tuned_layer *layer),
                           void *context, deeper_tuning_result *result, deeper_error *error) {
    const deeper_allocator *allocator = model->allocator;
    dp_tuned_network network = { .allocator = allocator };
    deeper_status status = try_file(path, allocator, error);
    if (status == DEEPER_OK)
        status = measure(&network, model, options, error);
    if (status == DEEPER_OK)
        status = keep(&network, path, error);
    for (int i = 0; status == DEEPER_OK && layer && i < network.layer_count; i++)
        status = tell(&network.layers[i], layer, context, allocator, error);
    if (status == DEEPER_OK && result)
        *result =
            (deeper_tuning_result){ .kinds = network.layer_count,
                                    .changed = network.changed,
                                    .slower = network.slower,
                                    .model_ms = network.model_seconds[0] * 1e3,
                                    .tuned_ms = network.best_seconds[0] * 1e3,
                                    .model_one_ms = network.model_seconds[network.ways - 1] * 1e3,
                                    .tuned_one_ms = network.best_seconds[network.ways - 1] * 1e3,
                                    .threads = network.threads,
                                    .isa = dp_isa_name(network.isa) };
    dp_tuned_network_free(&network);
    return status;
}
