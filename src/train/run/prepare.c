/* prepare.c - what a run needs before its first step: pictures, network, learner, optimiser; and
 * the batches of an epoch. */
#include "train/core/news.h"
#include "train/core/sampler.h"
#include "train/options/options.h"
#include "train/run/trainer_state.h"

#include <string.h>

void dp_trainer_close(dp_trainer *t) {
    dp_free(t->allocator, t->order);
    dp_free(t->allocator, t->class_weights);
    dp_validation_free(&t->validation);
    dp_buffer_free(&t->decided);
    dp_health_free(t->health);
    dp_optimiser_free(t->optimiser);
    dp_learner_free(t->learner);
    dp_network_free(&t->network);
    dp_pictures_close(&t->pictures);
    dp_progress_free(&t->progress, t->allocator);
    dp_folder_close(&t->folder);
}

static void tell_notes(const dp_trainer *t, const dp_dataset *dataset) {
    const char *note;
    for (size_t i = 0; (note = dp_dataset_note(dataset, i)) != NULL; i++)
        dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%s", note);
}

deeper_status dp_trainer_open_data(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = &t->options;
    DP_TRY(dp_train_options_check(options, error));
    DP_TRY(dp_augment_parse(&t->augment, options->augment, error));
    DP_TRY(dp_pictures_open(&t->pictures, options, t->allocator, error));
    t->images = t->pictures.train.dataset->image_count;
    DP_TRY(dp_network_create(&t->network, options, &t->pictures, t->allocator, error));
    DP_TRY(dp_pictures_match(&t->pictures, t->network.model, error));
    tell_notes(t, t->pictures.train.dataset);
    if (t->pictures.val.dataset->store != t->pictures.train.dataset->store)
        tell_notes(t, t->pictures.val.dataset);
    if (t->pictures.empty_classes > 0)
        dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%s: %zu classes without pictures are left out",
                options->data, t->pictures.empty_classes);
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d classes, %zu pictures to train on, %zu to validate on",
            t->network.model->classes, t->images, t->pictures.val.dataset->image_count);
    t->clock = (dp_clock){ .images = t->images,
                           .val_images = t->pictures.val.dataset->image_count,
                           .step_images = (uint64_t)options->batch * (uint64_t)options->accumulate,
                           .minutes = options->minutes,
                           .began = t->clock.began };
    t->order = dp_alloc(t->allocator, t->images, sizeof *t->order);
    bool weighs = options->class_weights && strcmp(options->class_weights, "auto") == 0;
    t->class_weights =
        weighs ? dp_alloc(t->allocator, (size_t)t->network.model->classes, sizeof(float)) : NULL;
    if (!t->order || (weighs && !t->class_weights))
        return dp_fail_memory(error, "the order of the pictures");
    if (weighs)
        dp_pictures_weights(&t->pictures, t->class_weights);
    return DEEPER_OK;
}

deeper_status dp_trainer_open_learner(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = &t->options;
    const dp_learner_options learner = { .aux_weight = (float)options->aux_weight,
                                         .smoothing = (float)options->smoothing,
                                         .frozen = t->network.frozen,
                                         .max_batch = options->batch,
                                         .threads = options->threads,
                                         .adds = options->accumulate > 1 };
    DP_TRY(dp_learner_create(&t->learner, t->network.model, &learner, t->allocator, error));
    t->readers = options->readers ? options->readers : t->learner->threads;
    dp_tell(t->calls, DEEPER_TRAIN_NOTE,
            "%d threads of %s, %.0f MB of activations for a batch of %d", t->learner->threads,
            dp_isa_name(t->learner->isa), (double)dp_plan_arena_bytes(t->learner->plan) / 1e6,
            options->batch);
    const dp_optimiser_options optimiser = { .kernels = dp_gradient_kernels_for(t->learner->isa),
                                             .pool = t->learner->pool,
                                             .value = t->network.model->arena,
                                             .gradient = t->learner->gradients,
                                             .floats = t->learner->floats,
                                             .segments = t->network.segments,
                                             .segment_count = t->network.segment_count,
                                             .averaged = !options->average
                                                         || strcmp(options->average, "none") != 0,
                                             .momentum = (float)options->momentum,
                                             .decay = (float)options->decay,
                                             .clip = options->clip };
    return dp_optimiser_create(&t->optimiser, &optimiser, t->allocator, error);
}

deeper_status dp_trainer_open_batches(const dp_trainer *t, dp_batches **batches,
                                      deeper_error *error) {
    uint64_t seed = dp_train_sampling_seed(&t->options);
    dp_sampler_shuffle(t->order, t->images, seed, (uint64_t)t->progress.epoch);
    const dp_batches_options options = { .set = &t->pictures.train,
                                         .order = t->order,
                                         .begin = t->progress.position,
                                         .batch = t->options.batch,
                                         .readers = t->readers,
                                         .preprocess = &t->network.model->preprocess,
                                         .augment = &t->augment,
                                         .seed = seed,
                                         .epoch = (uint64_t)t->progress.epoch,
                                         .weights = t->class_weights,
                                         .calls = t->calls };
    return dp_batches_open(batches, &options, t->allocator, error);
}
