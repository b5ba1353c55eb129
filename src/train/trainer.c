/* trainer.c - the loop of a run: prepare, then epochs of steps, each ended by a validation and what is written of it.
 * Everything that decides a bit comes from options, data and progress, never from the clock (but for `minutes`, whose one decision
 * is kept in the progress). */
#include "train/trainer.h"

#include "train/news.h"
#include "train/options.h"
#include "train/sampler.h"
#include "train/trainer_state.h"

#include <math.h>
#include <string.h>
#include <time.h>

static const double SCRATCH_RATE = 0.01, TUNING_RATE = 0.002, RATE_BATCH = 32;

/* ------------------------------------------------------------------------------------------------------------- prepare */

static void close(dp_trainer *t) {
    dp_free(t->allocator, t->order);
    dp_free(t->allocator, t->class_weights);
    dp_health_free(t->health);
    dp_optimiser_free(t->optimiser);
    dp_learner_free(t->learner);
    dp_network_free(&t->network);
    dp_pictures_close(&t->pictures);
    dp_progress_free(&t->progress, t->allocator);
    json_decref(t->record);
}

static deeper_status prepare_data(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = &t->options;
    DP_TRY(dp_pictures_open(&t->pictures, options, t->allocator, error));
    t->images = t->pictures.train.dataset->image_count;
    DP_TRY(dp_network_create(&t->network, options, &t->pictures, t->allocator, error));
    DP_TRY(dp_pictures_match(&t->pictures, t->network.model, error));
    if (t->pictures.empty_classes > 0)
        dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%s: %zu classes without pictures are left out", options->data,
                t->pictures.empty_classes);
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d classes, %zu pictures to train on, %zu to validate on", t->network.model->classes,
            t->images, t->pictures.val.dataset->image_count);
    t->order = dp_alloc(t->allocator, t->images, sizeof *t->order);
    bool weighs = options->class_weights && strcmp(options->class_weights, "auto") == 0;
    t->class_weights = weighs ? dp_alloc(t->allocator, (size_t)t->network.model->classes, sizeof(float)) : NULL;
    if (!t->order || (weighs && !t->class_weights))
        return dp_fail_memory(error, "the order of the pictures");
    if (weighs)
        dp_pictures_weights(&t->pictures, t->class_weights);
    return DEEPER_OK;
}

static deeper_status prepare_learner(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = &t->options;
    const dp_learner_options learner = { .aux_weight = (float)options->aux_weight,
                                         .smoothing = (float)options->smoothing,
                                         .frozen = t->network.frozen,
                                         .max_batch = options->batch,
                                         .threads = options->threads,
                                         .adds = options->accumulate > 1 };
    DP_TRY(dp_learner_create(&t->learner, t->network.model, &learner, t->allocator, error));
    t->readers = options->readers ? options->readers : t->learner->threads;
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d threads of %s, %.0f MB of activations for a batch of %d", t->learner->threads,
            dp_isa_name(t->learner->isa), (double)dp_plan_arena_bytes(t->learner->plan) / 1e6, options->batch);
    const dp_optimiser_options optimiser = { .kernels = dp_gradient_kernels_for(t->learner->isa),
                                             .pool = t->learner->pool,
                                             .value = t->network.model->arena,
                                             .gradient = t->learner->gradients,
                                             .floats = t->learner->floats,
                                             .segments = t->network.segments,
                                             .segment_count = t->network.segment_count,
                                             .averaged = !options->average || strcmp(options->average, "none") != 0,
                                             .momentum = (float)options->momentum,
                                             .decay = (float)options->decay,
                                             .clip = options->clip };
    return dp_optimiser_create(&t->optimiser, &optimiser, t->allocator, error);
}

static void prepare_schedule(dp_trainer *t) {
    const deeper_train_options *options = &t->options;
    double batch = (double)options->batch * options->accumulate;
    double usual = (t->network.fine_tuned ? TUNING_RATE : SCRATCH_RATE) * batch / RATE_BATCH;
    dp_schedule_from_name(&t->schedule.kind, options->schedule ? options->schedule : "cosine");
    t->schedule.rate = options->rate > 0 ? options->rate : usual;
    t->schedule.warmup = options->warmup_epochs;
}

static deeper_status prepare(dp_trainer *t, const deeper_train_options *given, deeper_error *error) {
    if (given->resume)
        DP_TRY(dp_folder_resume(t, given, error));
    DP_TRY(dp_train_options_check(&t->options, error));
    DP_TRY(dp_augment_parse(&t->augment, t->options.augment, error));
    DP_TRY(prepare_data(t, error));
    DP_TRY(given->resume ? dp_folder_check_data(t, error) : dp_folder_begin(t, error));
    DP_TRY(prepare_learner(t, error));
    prepare_schedule(t);
    DP_TRY(dp_watch_create(t, error));
    t->progress.epochs = t->options.epochs;
    t->progress.factor = 1;
    t->progress.started = (double)time(NULL);
    if (given->resume)
        DP_TRY(dp_folder_load(t, error));
    t->began = t->saved = dp_now();
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------------------------------- events */

const char *dp_head_name(dp_head head) {
    static const char *const names[] = { [DP_HEAD_MAIN] = "main", [DP_HEAD_AUX1] = "aux1", [DP_HEAD_AUX2] = "aux2" };
    return names[head];
}

/* What step and epoch events have in common. */
static deeper_train_event begin_event(const dp_trainer *t, deeper_train_event_kind kind, const dp_sums *sums, double rate) {
    const dp_progress *p = &t->progress;
    deeper_train_event event = {
        .kind = kind,
        .epoch = p->epoch + 1,
        .epochs = p->epochs,
        .step = (p->position + dp_step_images(t) - 1) / dp_step_images(t),
        .epoch_steps = dp_epoch_steps(t),
        .rate = rate,
        .images_per_second = t->image_seconds > 0 ? 1 / t->image_seconds : 0,
        .heads = t->learner->nodes.heads,
        .loss = dp_total_loss(t->learner, sums),
        .top1 = (double)sums->top1 / (double)sums->images,
        .unreadable = p->unreadable,
    };
    for (int h = 0; h < event.heads; h++) {
        event.head_names[h] = dp_head_name(t->learner->nodes.head[h]);
        event.losses[h] = sums->losses[h] / sums->weight;
    }
    dp_seconds_left(t, kind == DEEPER_TRAIN_EPOCH, &event.seconds_left_epoch, &event.seconds_left);
    return event;
}

static void tell_step(const dp_trainer *t, const dp_step *s) {
    if (!t->calls || !t->calls->event)
        return;
    deeper_train_event event = begin_event(t, DEEPER_TRAIN_STEP, &s->sums, s->rate);
    event.gradient_norm = s->norm;
    t->calls->event(t->calls->context, &event);
}

static void tell_epoch(const dp_trainer *t, const dp_report_epoch *epoch) {
    if (!t->calls || !t->calls->event)
        return;
    deeper_train_event event = begin_event(t, DEEPER_TRAIN_EPOCH, &t->progress.sums, epoch->rate);
    event.gradient_norm = epoch->gradient_norm;
    event.val_top1 = epoch->val_top1;
    event.val_top5 = epoch->val_top5;
    event.best = epoch->best;
    memcpy(event.val_losses, epoch->val_losses, sizeof event.val_losses);
    t->calls->event(t->calls->context, &event);
}

/* --------------------------------------------------------------------------------------------------------------- epoch */

/* What the host wants after a step: nothing, a checkpoint, or a checkpoint and the end. */
static deeper_status ask_host(dp_trainer *t, deeper_error *error) {
    int wish = t->calls && t->calls->control ? t->calls->control(t->calls->context) : 0;
    if (wish != 0 || dp_now() - t->saved >= t->options.checkpoint_minutes * 60) {
        DP_TRY(dp_folder_save(t, error));
        if (wish != 0)
            dp_tell(t->calls, DEEPER_TRAIN_NOTE, "checkpoint written at step %llu", (unsigned long long)t->progress.step);
    }
    return wish == 2 ? dp_fail(error, DEEPER_ERROR_STOPPED, "%s: stopped; resume goes on from here", t->options.out) : DEEPER_OK;
}

static deeper_status run_steps(dp_trainer *t, dp_batches *batches, deeper_error *error) {
    dp_measure_begin(t);
    for (uint64_t done = 0; t->progress.position < dp_epoch_images(t); done++) {
        dp_step s;
        DP_TRY(dp_step_run(t, batches, &s, error));
        if (s.taken == 0)
            return DEEPER_OK;
        dp_measure_speed(t, done, s.taken);
        dp_fit_epochs(t, t->progress.position == t->images);
        if (s.learnt)
            tell_step(t, &s);
        DP_TRY(ask_host(t, error));
    }
    return DEEPER_OK;
}

/* The epoch that ends, as history has it, with what validation found. */
static dp_report_epoch describe_epoch(dp_trainer *t, const dp_validation *v) {
    const dp_progress *p = &t->progress;
    dp_report_epoch epoch = { .epoch = p->epoch + 1,
                              .seconds = dp_seconds_so_far(t),
                              .rate = p->rate,
                              .images_per_second = t->image_seconds > 0 ? 1 / t->image_seconds : 0,
                              .gradient_norm = p->sums.norm / (double)p->sums.steps,
                              .train_loss = dp_total_loss(t->learner, &p->sums),
                              .train_top1 = (double)p->sums.top1 / (double)p->sums.images,
                              .val_top1 = v->top1,
                              .val_top5 = v->top5 };
    for (int h = 0; h < t->learner->nodes.heads; h++) {
        epoch.train_losses[h] = p->sums.losses[h] / p->sums.weight;
        epoch.val_losses[h] = v->losses[h];
    }
    epoch.best = p->best_epoch == 0 || v->top1 > p->best_top1 || (v->top1 == p->best_top1 && v->losses[0] < p->best_loss);
    return epoch;
}

/* Puts a validated epoch into the history and writes what it leaves on disk; then the next epoch may begin. */
static deeper_status record_epoch(dp_trainer *t, const dp_validation *v, const dp_report_epoch *epoch, deeper_error *error) {
    dp_progress *p = &t->progress;
    if (epoch->best) {
        p->best_epoch = epoch->epoch;
        p->best_top1 = v->top1;
        p->best_top5 = v->top5;
        p->best_loss = v->losses[0];
    }
    if (!dp_progress_add(p, epoch, t->allocator))
        return dp_fail_memory(error, "the history of the run");
    DP_TRY(dp_folder_save_models(t, error));
    DP_TRY(dp_folder_save_report(t, v, error));
    tell_epoch(t, epoch);
    p->epoch++;
    p->position = 0;
    p->epoch_unreadable = 0;
    p->sums = (dp_sums){ 0 };
    return dp_folder_save(t, error);
}

static deeper_status end_epoch(dp_trainer *t, deeper_error *error) {
    dp_progress *p = &t->progress;
    dp_validation v;
    double begin = dp_now();
    if (p->sums.images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: nothing could be learnt in epoch %d: no picture was read, or every step diverged", t->options.data,
                       p->epoch + 1);
    DP_TRY(dp_validate(&v, t->network.model, dp_optimiser_result(t->optimiser), &t->pictures.val, t->options.batch,
                       t->options.threads, t->readers, t->calls, error));
    t->validation_seconds = dp_now() - begin;
    p->unreadable += v.unreadable;
    dp_report_epoch epoch = describe_epoch(t, &v);
    deeper_status status = record_epoch(t, &v, &epoch, error);
    dp_validation_free(&v);
    return status;
}

static deeper_status run_epoch(dp_trainer *t, deeper_error *error) {
    dp_batches *batches = NULL;
    dp_sampler_shuffle(t->order, t->images, t->options.seed, (uint64_t)t->progress.epoch);
    const dp_batches_options options = { .set = &t->pictures.train,
                                         .order = t->order,
                                         .begin = t->progress.position,
                                         .batch = t->options.batch,
                                         .readers = t->readers,
                                         .preprocess = &t->network.model->preprocess,
                                         .augment = &t->augment,
                                         .seed = t->options.seed,
                                         .epoch = (uint64_t)t->progress.epoch,
                                         .weights = t->class_weights,
                                         .calls = t->calls };
    DP_TRY(dp_batches_open(&batches, &options, t->allocator, error));
    uint64_t mode = dp_float_mode_enter();
    deeper_status status = run_steps(t, batches, error);
    dp_float_mode_leave(mode);
    dp_batches_close(batches);
    return status == DEEPER_OK ? end_epoch(t, error) : status;
}

static bool finished(const dp_trainer *t) {
    const dp_progress *p = &t->progress;
    return p->epoch >= p->epochs || (t->options.patience > 0 && p->epoch - p->best_epoch >= t->options.patience);
}

deeper_status dp_train(const deeper_train_options *options, const deeper_train_calls *calls, deeper_train_result *result,
                       const deeper_allocator *allocator, deeper_error *error) {
    dp_trainer t = { .allocator = allocator, .options = *options, .calls = calls };
    deeper_status status = prepare(&t, options, error);
    while (status == DEEPER_OK && !finished(&t))
        status = run_epoch(&t, error);
    const dp_progress *p = &t.progress;
    if (status == DEEPER_OK)
        *result = (deeper_train_result){ .epochs = p->epoch,
                                         .best_epoch = p->best_epoch,
                                         .steps = p->step,
                                         .images = p->images,
                                         .unreadable = p->unreadable,
                                         .best_top1 = p->best_top1,
                                         .best_top5 = p->best_top5,
                                         .best_loss = p->best_loss,
                                         .seconds = p->seconds };
    close(&t);
    return status;
}
