/* trainer.c - the loop of a run: prepare, then epochs of steps, each ended by a validation and what
 * is written of it. Everything that decides a bit comes from options, data and progress, never from
 * the clock; what a run by the clock decides becomes a stage of its length (core/length.h). */
#include "train/run/trainer.h"

#include "base/float_mode.h"

#include "base/arithmetic.h"
#include "train/core/news.h"
#include "train/options/options.h"
#include "train/run/probe_stage.h"
#include "train/run/summary.h"
#include "train/run/trainer_state.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- events */

deeper_train_event dp_trainer_event(const dp_trainer *t, deeper_train_event_kind kind,
                                    const dp_sums *sums, double rate) {
    const dp_progress *p = &t->progress;
    deeper_train_event event = {
        .kind = kind,
        .epoch = p->epoch + 1,
        .epochs = kind == DEEPER_TRAIN_STEP && dp_clock_pending(&t->clock, p) ? 0 : p->epochs,
        .step = dp_ceil_div64(p->position, t->clock.step_images),
        .epoch_steps = dp_epoch_steps(&t->clock, p),
        .rate = rate,
        .images_per_second = t->clock.image_seconds > 0 ? 1 / t->clock.image_seconds : 0,
        .heads = t->learner->nodes.heads,
        .loss = dp_total_loss(t->learner, sums),
        .top1 = (double)sums->top1 / (double)sums->images,
        .unreadable = p->unreadable,
    };
    for (int h = 0; h < event.heads; h++) {
        event.head_names[h] = dp_head_name(t->learner->nodes.head[h]);
        event.losses[h] = sums->losses[h] / sums->weight;
    }
    dp_seconds_left(&t->clock, p, kind == DEEPER_TRAIN_EPOCH, &event.seconds_left_epoch,
                    &event.seconds_left);
    return event;
}

static void tell_step(const dp_trainer *t, const dp_step *s) {
    if (!t->calls || !t->calls->event)
        return;
    deeper_train_event event = dp_trainer_event(t, DEEPER_TRAIN_STEP, &s->sums, s->rate);
    event.gradient_norm = s->norm;
    t->calls->event(t->calls->context, &event);
}

static void tell_epoch(const dp_trainer *t, const dp_report_epoch *epoch) {
    if (!t->calls || !t->calls->event)
        return;
    deeper_train_event event =
        dp_trainer_event(t, DEEPER_TRAIN_EPOCH, &t->progress.sums, epoch->rate);
    event.gradient_norm = epoch->gradient_norm;
    event.val_top1 = epoch->val_top1;
    event.val_top5 = epoch->val_top5;
    event.best = epoch->best;
    memcpy(event.val_losses, epoch->val_losses, sizeof event.val_losses);
    t->calls->event(t->calls->context, &event);
}

deeper_status dp_trainer_warn(dp_trainer *t, const char *message, deeper_error *error) {
    int epoch = t->progress.epoch + 1;
    dp_tell(t->calls, DEEPER_TRAIN_WARNING, "epoch %d: %s", epoch, message);
    return dp_progress_warn(&t->progress, epoch, message, t->allocator)
               ? DEEPER_OK
               : dp_fail_memory(error, "the warnings of the run");
}

/* ---------------------------------------------------------------------------------------- epoch */

static deeper_status save(dp_trainer *t, deeper_error *error) {
    dp_seconds_so_far(&t->clock, &t->progress);
    DP_TRY(dp_folder_save(&t->folder, &t->progress, t->optimiser, t->options.keep, error));
    t->saved = dp_now();
    return DEEPER_OK;
}

/* What the host wants after a step: nothing, a checkpoint, or a checkpoint and the end. */
static deeper_status ask_host(dp_trainer *t, deeper_error *error) {
    deeper_control wish =
        t->calls && t->calls->control ? t->calls->control(t->calls->context) : DEEPER_GO_ON;
    if (wish != DEEPER_GO_ON || dp_now() - t->saved >= t->options.checkpoint_minutes * 60) {
        DP_TRY(save(t, error));
        if (wish != DEEPER_GO_ON)
            dp_tell(t->calls, DEEPER_TRAIN_NOTE, "checkpoint written at step %llu",
                    (unsigned long long)t->progress.step);
    }
    return wish == DEEPER_STOP ? dp_fail(error, DEEPER_ERROR_STOPPED,
                                         "%s: stopped; resume goes on from here", t->options.out)
                               : DEEPER_OK;
}

static deeper_status run_steps(dp_trainer *t, dp_batches *batches, deeper_error *error) {
    dp_measure_begin(&t->clock);
    for (uint64_t done = 0; t->progress.position < dp_epoch_images(&t->clock, &t->progress);
         done++) {
        dp_step s;
        DP_TRY(dp_step_run(t, batches, &s, error));
        if (s.taken == 0)
            return DEEPER_OK;
        dp_measure_speed(&t->clock, done, s.taken);
        dp_clock_plan(&t->clock, &t->progress, t->calls);
        if (t->progress.length.count > 0)
            t->progress.epochs = dp_clock_epochs(&t->clock, &t->progress);
        if (s.learnt)
            tell_step(t, &s);
        DP_TRY(ask_host(t, error));
    }
    return DEEPER_OK;
}

static deeper_status validate(const dp_trainer *t, dp_validation *v, float *arena,
                              deeper_error *error) {
    return dp_validate(v, t->network.model, arena, &t->pictures.val, t->options.batch,
                       t->options.threads, t->readers, t->calls, error);
}

/* The epoch that ends, as history has it, with what validation found. */
static dp_report_epoch describe_epoch(dp_trainer *t, const dp_validation *v) {
    const dp_progress *p = &t->progress;
    dp_report_epoch epoch = { .epoch = p->epoch + 1,
                              .seconds = dp_seconds_so_far(&t->clock, &t->progress),
                              .rate = p->rate,
                              .images_per_second =
                                  t->clock.image_seconds > 0 ? 1 / t->clock.image_seconds : 0,
                              .gradient_norm = p->sums.norm / (double)p->sums.steps,
                              .train_loss = dp_total_loss(t->learner, &p->sums),
                              .train_top1 = (double)p->sums.top1 / (double)p->sums.images,
                              .val_top1 = v->top1,
                              .val_top5 = v->top5 };
    for (int h = 0; h < t->learner->nodes.heads; h++) {
        epoch.train_losses[h] = p->sums.losses[h] / p->sums.weight;
        epoch.val_losses[h] = v->losses[h];
    }
    bool none = p->best_epoch == 0 && p->probe_images == 0;
    epoch.best = isfinite(v->losses[0])
                 && (none || v->top1 > p->best_top1
                     || (v->top1 == p->best_top1 && v->losses[0] < p->best_loss));
    return epoch;
}

/* The validation of the best epoch, of a run that goes on: by the model that it saved. */
static deeper_status measure_best(dp_trainer *t, deeper_error *error) {
    float *arena = dp_alloc_raw(t->allocator, t->learner->floats, sizeof *arena);
    deeper_status status = arena ? dp_folder_load_best(&t->folder, &t->network, arena, error)
                                 : dp_fail_memory(error, "the model of the best epoch");
    if (status == DEEPER_OK)
        status = validate(t, &t->validation, arena, error);
    dp_free(t->allocator, arena);
    return status;
}

/* What an epoch, or the probe, leaves on disk. */
static deeper_status write_results(dp_trainer *t, const dp_report_epoch *epoch,
                                   deeper_error *error) {
    DP_TRY(dp_folder_save_models(&t->folder, &t->network, &t->pictures, t->optimiser, epoch,
                                 t->progress.epochs, t->options.seed, error));
    if (t->validation.images == 0)
        DP_TRY(measure_best(t, error));
    dp_options_said said;
    DP_TRY(dp_trainer_say(t, &said, error));
    if (t->options.minutes > 0 || t->progress.extended.count > 0)
        DP_TRY(dp_folder_record(&t->folder, &said.all, &t->pictures, t->network.model->classes,
                                error));
    const dp_run_view view = { .options = &said.all,
                               .readers = t->readers,
                               .pictures = &t->pictures,
                               .network = &t->network,
                               .learner = t->learner,
                               .progress = &t->progress,
                               .validation = &t->validation };
    return dp_summary_write(&t->folder, &view, error);
}

/* The stage before the first epoch. */
static deeper_status run_probe(dp_trainer *t, deeper_error *error) {
    DP_TRY(dp_probe_stage(t, error));
    const dp_progress *p = &t->progress;
    const dp_report_epoch probe = { .val_losses = { p->best_loss },
                                    .val_top1 = p->best_top1,
                                    .val_top5 = p->best_top5,
                                    .best = true };
    DP_TRY(write_results(t, &probe, error));
    return save(t, error);
}

/* Told once, of a run however often it was resumed. */
static deeper_status watch_overfitting(dp_trainer *t, deeper_error *error) {
    static const char WORD[] = "overfits";
    const dp_progress *p = &t->progress;
    char message[DEEPER_MESSAGE_SIZE];
    for (size_t i = 0; i < p->warning_count; i++)
        if (strncmp(p->warnings[i].text, WORD, sizeof WORD - 1) == 0)
            return DEEPER_OK;
    return dp_health_overfits(p->history, p->history_count, WORD, message)
               ? dp_trainer_warn(t, message, error)
               : DEEPER_OK;
}

/* Puts a validated epoch into the history and writes what it leaves on disk; then the next epoch
 * may begin. */
static deeper_status record_epoch(dp_trainer *t, const dp_report_epoch *epoch,
                                  deeper_error *error) {
    dp_progress *p = &t->progress;
    if (epoch->best) {
        p->best_epoch = epoch->epoch;
        p->best_top1 = epoch->val_top1;
        p->best_top5 = epoch->val_top5;
        p->best_loss = epoch->val_losses[0];
    }
    if (!dp_progress_add(p, epoch, t->allocator))
        return dp_fail_memory(error, "the history of the run");
    DP_TRY(watch_overfitting(t, error));
    DP_TRY(write_results(t, epoch, error));
    tell_epoch(t, epoch);
    p->epoch++;
    p->position = 0;
    p->epoch_unreadable = 0;
    p->sums = (dp_sums){ 0 };
    return save(t, error);
}

static deeper_status end_epoch(dp_trainer *t, deeper_error *error) {
    dp_progress *p = &t->progress;
    dp_validation v;
    double begin = dp_now();
    if (p->sums.images == 0)
        return dp_fail(
            error, DEEPER_ERROR_FORMAT,
            "%s: nothing could be learnt in epoch %d: no picture was read, or every step diverged",
            t->options.data, p->epoch + 1);
    DP_TRY(validate(t, &v, dp_optimiser_result(t->optimiser), error));
    p->unreadable += v.unreadable;
    dp_report_epoch epoch = describe_epoch(t, &v);
    if (epoch.best || (p->best_epoch == 0 && p->probe_images == 0)) {
        dp_validation_free(&t->validation);
        t->validation = v;
    } else {
        dp_validation_free(&v);
    }
    if (!isfinite(epoch.val_losses[0]))
        DP_TRY(dp_trainer_warn(t,
                               "the run diverges: answers of the network to validation pictures "
                               "are not numbers; a lower rate, a longer warm-up or norm=bn avoid "
                               "this",
                               error));
    DP_TRY(record_epoch(t, &epoch, error));
    t->clock.validation_seconds = dp_now() - begin;
    return DEEPER_OK;
}

static deeper_status run_epoch(dp_trainer *t, deeper_error *error) {
    dp_batches *batches = NULL;
    DP_TRY(dp_trainer_open_batches(t, &batches, error));
    uint64_t mode = dp_float_mode_enter();
    deeper_status status = run_steps(t, batches, error);
    dp_float_mode_leave(mode);
    dp_batches_close(batches);
    return status == DEEPER_OK ? end_epoch(t, error) : status;
}

static bool finished(const dp_trainer *t) {
    const dp_progress *p = &t->progress;
    int patience = dp_train_patience(&t->options), since = p->best_epoch;
    if (p->extended.count > 0) /* patience begins anew */
        since = (int)fmax(since, (double)p->extended.stages[p->extended.count - 1].from);
    bool long_enough = p->length.count > 0 ? p->position == 0 && p->step > 0
                                                 && p->step >= dp_length_steps(&p->length, p->step)
                                           : p->epoch >= p->epochs;
    return long_enough || t->options.probe || (patience > 0 && p->epoch - since >= patience);
}

/* More epochs for a run that has ended. */
static deeper_status extend(dp_trainer *t, int epochs, deeper_error *error) {
    dp_progress *p = &t->progress;
    const dp_length *e = &p->extended;
    if (epochs == p->epochs && e->count > 0)
        return DEEPER_OK; /* which goes on already */
    if (p->length.count > 0 || t->options.probe)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "epochs: %s has no length in epochs; begin a new run from its model",
                       t->options.out);
    if (!finished(t))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "epochs: %s has not ended yet; go on to its end without epochs, then give "
                       "it more",
                       t->options.out);
    if (epochs <= p->epoch)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "epochs: %s has had %d already",
                       t->options.out, p->epoch);
    if ((e->count == 0 && !dp_length_add(&p->extended, 0, (uint64_t)p->epochs))
        || !dp_length_add(&p->extended, (uint64_t)p->epoch, (uint64_t)epochs))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "epochs: %s was extended too often",
                       t->options.out);
    p->epochs = epochs;
    return save(t, error);
}

/* Of a run that goes on: models that were damaged or lost. What the state gives again is written
 * again; a best one that it does not is lost, and a later epoch takes its place. */
static deeper_status mend_models(dp_trainer *t, deeper_error *error) {
    dp_progress *p = &t->progress;
    deeper_error why = { 0 };
    if (p->history_count == 0)
        return DEEPER_OK;
    dp_report_epoch last = p->history[p->history_count - 1];
    bool last_lost = !dp_folder_has_model(&t->folder, false, &why),
         best_lost = p->best_epoch > 0 && !dp_folder_has_model(&t->folder, true, &why);
    if (p->position == 0 && (last_lost || best_lost)) {
        last.best = last.best && best_lost;
        best_lost = best_lost && !last.best;
        DP_TRY(dp_folder_save_models(&t->folder, &t->network, &t->pictures, t->optimiser, &last,
                                     p->epochs, t->options.seed, error));
    }
    if (!best_lost)
        return DEEPER_OK;
    if (finished(t))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%.300s: the run has ended, so that no epoch can take its place; "
                       "last.safetensors has the last one's",
                       why.message);
    dp_tell(t->calls, DEEPER_TRAIN_WARNING,
            "%.300s: the best model is lost, that of a later epoch takes its place", why.message);
    p->best_epoch = p->epoch;
    p->best_top1 = -1;
    p->best_loss = DBL_MAX;
    return DEEPER_OK;
}

deeper_status dp_train(const deeper_train_options *options, const deeper_train_calls *calls,
                       deeper_train_result *result, const deeper_allocator *allocator,
                       deeper_error *error) {
    dp_trainer t = {
        .allocator = allocator,
        .options = *options,
        .calls = calls,
        .clock = { .began = dp_now() }, /* all that a run by the clock does is in its time */
        .folder = { .allocator = allocator, .calls = calls, .path = options->out, .held = -1 },
    };
    deeper_status status = dp_trainer_prepare(&t, options, error);
    if (status == DEEPER_OK && options->resume && options->epochs > 0
        && options->epochs != t.options.epochs)
        status = extend(&t, options->epochs, error);
    if (status == DEEPER_OK && dp_probe_wanted(&t))
        status = run_probe(&t, error);
    if (status == DEEPER_OK && options->resume)
        status = mend_models(&t, error);
    while (status == DEEPER_OK && !finished(&t))
        status = run_epoch(&t, error);
    const dp_progress *p = &t.progress;
    if (status == DEEPER_OK && p->best_epoch == 0 && p->probe_images == 0)
        status = dp_fail(error, DEEPER_ERROR_NUMBER,
                         "rate: the run diverged: after none of its %d epochs were the network's "
                         "answers numbers; begin with a lower rate, a longer warm-up or norm=bn",
                         p->epoch);
    if (status == DEEPER_OK || status == DEEPER_ERROR_STOPPED)
        *result = (deeper_train_result){ .epochs = p->epoch,
                                         .best_epoch = p->best_epoch,
                                         .steps = p->step,
                                         .images = p->images,
                                         .unreadable = dp_pictures_unreadable(&t.pictures),
                                         .best_top1 = p->best_top1,
                                         .best_top5 = p->best_top5,
                                         .best_loss = p->best_loss,
                                         .seconds = p->seconds,
                                         .probe_images = p->probe_images,
                                         .probe_top1 = p->probe_top1,
                                         .validation_images = t.pictures.val.dataset->image_count };
    else if (p->step == 0)
        dp_folder_abandon(&t.folder);
    dp_trainer_close(&t);
    return status;
}
