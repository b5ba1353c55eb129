/* prepare.c - what a run needs before its first step: pictures, network, learner, optimiser; and
 * the batches of an epoch. */
#include "base/arithmetic.h"
#include "base/cpu.h"
#include "train/core/news.h"
#include "train/core/sampler.h"
#include "train/options/options.h"
#include "train/run/lists.h"
#include "train/run/trainer_state.h"

#include <string.h>
#include <time.h>

enum { LENGTH_LIMIT = 1 << 13 };
static const double SCRATCH_RATE = 0.01, TUNING_RATE = 0.002, RATE_BATCH = 32,
                    WARMUP_SHARE = 0.1; /* of a run that a length in steps may make short */

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

/* ------------------------------------------------------------------------------------------- run
 */

static void prepare_schedule(dp_trainer *t) {
    const deeper_train_options *options = &t->options;
    double usual = (t->network.fine_tuned ? TUNING_RATE : SCRATCH_RATE)
                   * (double)t->clock.step_images / RATE_BATCH;
    dp_schedule_from_name(&t->schedule.kind, options->schedule ? options->schedule : "cosine");
    t->schedule.rate = options->rate > 0 ? options->rate : usual;
    t->schedule.warmup = options->warmup_epochs;
    t->schedule.warmup_share = options->minutes > 0 || options->steps ? WARMUP_SHARE : 1;
}

/* A probe is of layers that have learnt something. */
static deeper_status check_probe(const dp_trainer *t, deeper_error *error) {
    return t->options.probe && !t->network.fine_tuned
               ? dp_fail(error, DEEPER_ERROR_ARGUMENT,
                         "probe: needs a model whose other layers have learnt: give init")
               : DEEPER_OK;
}

/* The length that the options give, if they give one in steps. */
static deeper_status take_length(dp_trainer *t, deeper_error *error) {
    const char *steps = t->options.steps;
    if (steps && t->options.minutes > 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "steps and minutes exclude each other: minutes find out how many steps fit");
    if (steps && !dp_length_parse(&t->progress.length, steps))
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "steps: '%.60s' is no length: a number of steps from 1, or those of a run by "
            "minutes as its record has them",
            steps);
    return DEEPER_OK;
}

/* Until the speed is known, a run by the clock is as long as its epochs. */
static void prepare_length(dp_trainer *t) {
    dp_progress *p = &t->progress;
    uint64_t epoch = (uint64_t)dp_ceil_div64((int64_t)t->images, (int64_t)t->clock.step_images);
    if (t->options.minutes > 0 && p->length.count == 0)
        dp_length_add(&p->length, 0, p->step + epoch * (uint64_t)p->epochs);
    if (p->length.count > 0)
        p->epochs = dp_clock_epochs(&t->clock, p);
}

deeper_status dp_trainer_say(dp_trainer *t, dp_options_said *o, deeper_error *error) {
    o->resolved = o->again = t->options;
    dp_train_options_resolve(&o->resolved);
    o->resolved.rate = t->schedule.rate;
    o->resolved.epochs = dp_train_epochs(&t->options);
    o->resolved.patience = dp_train_patience(&t->options);
    o->resolved.image_size = t->network.model->preprocess.size;
    if (t->options.minutes > 0 && t->progress.probe_images > 0)
        o->again.probe_images = (int)t->progress.probe_images;
    if (t->options.minutes > 0 && t->progress.length.count > 0) {
        dp_buffer_free(&t->decided);
        dp_buffer_init(&t->decided, t->allocator, LENGTH_LIMIT);
        dp_length_print(&t->decided, &t->progress.length);
        if (t->decided.failed)
            return dp_fail_memory(error, "the length of the run");
        o->again.minutes = 0;
        o->again.steps = t->decided.data;
    }
    o->all = (dp_record_options){ &t->options, &o->resolved, &o->again, &t->progress.extended };
    return DEEPER_OK;
}

static deeper_status begin(dp_trainer *t, deeper_error *error) {
    dp_options_said said;
    DP_TRY(dp_trainer_say(t, &said, error));
    DP_TRY(dp_folder_begin(&t->folder, &said.all, &t->pictures, t->network.model->classes, error));
    return dp_lists_split(&t->folder, &t->pictures, error);
}

deeper_status dp_trainer_prepare(dp_trainer *t, const deeper_train_options *given,
                                 deeper_error *error) {
    if (given->resume)
        DP_TRY(dp_folder_resume(&t->folder, &t->options, given, error));
    DP_TRY(dp_trainer_open_data(t, error));
    DP_TRY(check_probe(t, error));
    DP_TRY(take_length(t, error));
    prepare_schedule(t);
    DP_TRY(given->resume ? dp_folder_check_data(&t->folder, t->options.data, &t->pictures, error)
                         : begin(t, error));
    DP_TRY(dp_trainer_open_learner(t, error));
    t->progress.epochs = dp_train_epochs(&t->options);
    t->progress.factor = 1;
    t->progress.started = (double)time(NULL);
    if (given->resume)
        DP_TRY(dp_folder_load(&t->folder, &t->progress, t->optimiser, t->images, error));
    prepare_length(t);
    t->saved = dp_now();
    double guess = dp_guessing_loss(&t->pictures.train, t->class_weights, t->network.model->classes,
                                    t->options.smoothing);
    return dp_health_watch(&t->health, t->learner, guess, dp_trainer_warmup_steps(t), t->allocator,
                           error);
}
