/* trainer.c - the loop of a run: prepare, then epochs of steps, each ended by a validation and what is written of it.
 * Everything that decides a bit comes from options, data and progress, never from the clock (but for `minutes`, whose one decision
 * is kept in the progress). */
#include "train/trainer.h"

#include "base/random.h"
#include "eval/metrics.h"
#include "train/news.h"
#include "train/sampler.h"
#include "train/trainer_state.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum {
    KEEP_STEPS = 64,      /* between good states to go back to */
    MOST_DIVERGENCES = 8, /* one after the other */
    DROPOUT_STREAM = 0x5c,
    WARM_STEPS = 2 /* not measured */
};
static const double FIT_SECONDS = 30, SCRATCH_RATE = 0.01, TUNING_RATE = 0.002, RATE_BATCH = 32;

/* ------------------------------------------------------------------------------------------------------------- prepare */

static void close(dp_trainer *t) {
    dp_free(t->allocator, t->order);
    dp_free(t->allocator, t->class_weights);
    dp_optimiser_free(t->optimiser);
    dp_learner_free(t->learner);
    dp_network_free(&t->network);
    dp_pictures_close(&t->pictures);
    dp_progress_free(&t->progress, t->allocator);
}

static deeper_status prepare_data(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = t->options;
    DP_TRY(dp_pictures_open(&t->pictures, options, t->allocator, error));
    DP_TRY(dp_network_create(&t->network, options, &t->pictures, t->allocator, error));
    DP_TRY(dp_pictures_match(&t->pictures, t->network.model, error));
    if (t->pictures.empty_classes > 0)
        dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%s: %zu classes without pictures are left out", options->data,
                t->pictures.empty_classes);
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d classes, %zu pictures to train on, %zu to validate on", t->network.model->classes,
            t->pictures.train.dataset->image_count, t->pictures.val.dataset->image_count);
    t->order = dp_alloc(t->allocator, t->pictures.train.dataset->image_count, sizeof *t->order);
    bool weighs = options->class_weights && strcmp(options->class_weights, "auto") == 0;
    t->class_weights = weighs ? dp_alloc(t->allocator, (size_t)t->network.model->classes, sizeof(float)) : NULL;
    if (!t->order || (weighs && !t->class_weights))
        return dp_fail_memory(error, "the order of the pictures");
    if (weighs)
        dp_pictures_weights(&t->pictures, t->class_weights);
    return DEEPER_OK;
}

static deeper_status prepare_learner(dp_trainer *t, deeper_error *error) {
    const deeper_train_options *options = t->options;
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
    const deeper_train_options *options = t->options;
    double batch = (double)options->batch * options->accumulate;
    double usual = (t->network.fine_tuned ? TUNING_RATE : SCRATCH_RATE) * batch / RATE_BATCH;
    dp_schedule_from_name(&t->schedule.kind, options->schedule ? options->schedule : "cosine");
    t->schedule.rate = options->rate > 0 ? options->rate : usual;
    t->schedule.warmup = options->warmup_epochs;
}

static deeper_status prepare(dp_trainer *t, deeper_error *error) {
    DP_TRY(dp_augment_parse(&t->augment, t->options->augment, error));
    DP_TRY(prepare_data(t, error));
    DP_TRY(dp_folder_open(t, error));
    DP_TRY(prepare_learner(t, error));
    prepare_schedule(t);
    t->progress.epochs = t->options->epochs;
    t->progress.factor = 1;
    t->progress.started = (double)time(NULL);
    t->began = dp_now();
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------------------------------- time */

static double seconds_so_far(dp_trainer *t) {
    double now = dp_now();
    t->progress.seconds += now - t->began;
    t->began = now;
    return t->progress.seconds;
}

static uint64_t step_images(const dp_trainer *t) {
    return (uint64_t)t->options->batch * (uint64_t)t->options->accumulate;
}

static uint64_t epoch_steps(const dp_trainer *t) {
    return (t->pictures.train.dataset->image_count + step_images(t) - 1) / step_images(t);
}

/* Brings image_seconds up to date; `images` were taken since the last call. */
static void measure_speed(dp_trainer *t, uint64_t step_of_process, uint64_t images) {
    double now = dp_now();
    if (step_of_process == WARM_STEPS) {
        t->epoch_began = now;
        t->epoch_images = 0;
    } else if (step_of_process > WARM_STEPS) {
        t->epoch_images += images;
        t->image_seconds = (now - t->epoch_began) / (double)t->epoch_images;
    }
}

/* Seconds of a validation: as measured, or by the rule that forward is a third of a training step. */
static double validation_estimate(const dp_trainer *t) {
    return t->validation_seconds > 0 ? t->validation_seconds
                                     : 0.4 * t->image_seconds * (double)t->pictures.val.dataset->image_count;
}

/* With `minutes`: once the speed is known, as many epochs as fit. */
static void fit_epochs(dp_trainer *t, bool epoch_ends) {
    dp_progress *p = &t->progress;
    if (t->options->minutes <= 0 || p->fitted || t->image_seconds <= 0)
        return;
    double seconds = seconds_so_far(t);
    if (seconds < FIT_SECONDS && !epoch_ends)
        return;
    double epoch = t->image_seconds * (double)t->pictures.train.dataset->image_count + validation_estimate(t);
    double done = p->epoch + (double)p->position / (double)t->pictures.train.dataset->image_count;
    double epochs = floor(done + (t->options->minutes * 60 - seconds) / epoch);
    p->epochs = (int)fmin(100000, fmax(epochs, p->epoch + 1));
    p->fitted = true;
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d epochs fit into %g minutes, at %.1f images/s", p->epochs, t->options->minutes,
            1 / t->image_seconds);
}

/* ---------------------------------------------------------------------------------------------------------------- step */

/* What the batches of one step gave. */
typedef struct step {
    dp_sums sums;
    uint64_t taken;
    double rate, norm;
} step;

static void add_results(const dp_learner *l, const dp_batch *batch, dp_sums *sums) {
    size_t classes = (size_t)l->model->classes;
    for (int n = 0; n < batch->count; n++) {
        for (int h = 0; h < l->nodes.heads; h++)
            sums->losses[h] += (double)l->losses[h][n];
        sums->top1 += dp_rank(l->logits + (size_t)n * classes, classes, (size_t)batch->labels[2 * n]) == 0;
    }
    sums->images += (uint64_t)batch->count;
    sums->weight += batch->weight;
}

/* Runs the batches of a step; s->taken is 0 at the end of the epoch. */
static deeper_status run_batches(dp_trainer *t, dp_batches *batches, step *s, deeper_error *error) {
    dp_progress *p = &t->progress;
    *s = (step){ 0 };
    for (int i = 0; i < t->options->accumulate; i++) {
        dp_batch batch;
        DP_TRY(dp_batches_next(batches, &batch, error));
        s->taken += (uint64_t)batch.taken;
        p->unreadable += (uint64_t)(batch.taken - batch.count);
        p->epoch_unreadable += (uint64_t)(batch.taken - batch.count);
        if (batch.taken == 0)
            break;
        if (batch.count == 0)
            continue;
        dp_random random = dp_random_at(t->options->seed, p->step * (uint64_t)t->options->accumulate + (uint64_t)i, DROPOUT_STREAM);
        dp_learner_run(t->learner, batch.tensors, batch.labels, batch.count, s->sums.images == 0, dp_random_u64(&random));
        dp_learner_track(t->learner, batch.count);
        add_results(t->learner, &batch, &s->sums);
    }
    if ((double)p->epoch_unreadable > t->options->max_unreadable * (double)t->pictures.train.dataset->image_count)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: %llu of the %zu pictures of an epoch could not be read, more than max_unreadable allows; is the data "
                       "still there?",
                       t->options->data, (unsigned long long)p->epoch_unreadable, t->pictures.train.dataset->image_count);
    return DEEPER_OK;
}

/* Weighted sum of the heads' mean losses. */
static double total_loss(const dp_learner *l, const dp_sums *sums) {
    double total = 0;
    for (int h = 0; h < l->nodes.heads; h++)
        total += (double)l->head_weights[h] * sums->losses[h] / sums->weight;
    return total;
}

/* The average of the first steps follows closely, later ones more slowly, the longer the run. */
static double average_blend(const dp_trainer *t) {
    double steps = (double)t->progress.step, total = (double)epoch_steps(t) * t->progress.epochs;
    if (t->options->average && strcmp(t->options->average, "polyak") == 0)
        return 1 / (1 + fmax(0, steps - t->options->warmup_epochs * (double)epoch_steps(t)));
    double horizon = fmin(1000, fmax(10, total / 20));
    return 1 - fmin(1 - 1 / horizon, (1 + steps) / (10 + steps));
}

/* Goes back to the last good state and slows down. */
static deeper_status roll_back(dp_trainer *t, const step *s, deeper_error *error) {
    dp_progress *p = &t->progress;
    dp_optimiser_restore(t->optimiser);
    p->factor /= 2;
    if (++p->divergences > MOST_DIVERGENCES)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "rate: the loss is not a number even at a rate of %g; begin with a lower rate, a longer warm-up or norm=bn",
                       s->rate);
    dp_tell(
        t->calls, DEEPER_TRAIN_WARNING,
        "epoch %d: the loss or its gradient is not a number; went back to the weights of step %llu and halved the rate to %g; a "
        "lower rate, a longer warm-up or norm=bn avoid this",
        p->epoch + 1, (unsigned long long)p->kept_step, s->rate / 2);
    return DEEPER_OK;
}

/* Updates the parameters from the gradients of a step. */
static deeper_status learn(dp_trainer *t, step *s, deeper_error *error) {
    dp_progress *p = &t->progress;
    double middle = ((double)p->position + 0.5 * (double)s->taken) / (double)t->pictures.train.dataset->image_count;
    t->schedule.epochs = p->epochs;
    s->rate = p->factor * dp_schedule_rate(&t->schedule, p->epoch + middle);
    double loss = total_loss(t->learner, &s->sums);
    s->norm = dp_optimiser_norm(t->optimiser, 1 / s->sums.weight);
    if (!isfinite(loss) || !isfinite(s->norm))
        return roll_back(t, s, error);
    if (p->step % KEEP_STEPS == 0) {
        dp_optimiser_keep(t->optimiser);
        p->kept_step = p->step;
        p->divergences = 0;
    }
    dp_optimiser_step(t->optimiser, 1 / s->sums.weight, s->norm, s->rate, average_blend(t));
    dp_sums *sums = &p->sums;
    sums->images += s->sums.images;
    sums->top1 += s->sums.top1;
    sums->weight += s->sums.weight;
    sums->norm += s->norm;
    sums->steps++;
    for (int h = 0; h < t->learner->nodes.heads; h++)
        sums->losses[h] += s->sums.losses[h];
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------------------------------- events */

/* What step and epoch events have in common. */
static deeper_train_event begin_event(const dp_trainer *t, deeper_train_event_kind kind, const dp_sums *sums, double rate) {
    static const char *const names[] = { [DP_HEAD_MAIN] = "main", [DP_HEAD_AUX1] = "aux1", [DP_HEAD_AUX2] = "aux2" };
    const dp_progress *p = &t->progress;
    deeper_train_event event = {
        .kind = kind,
        .epoch = p->epoch + 1,
        .epochs = p->epochs,
        .step = (p->position + step_images(t) - 1) / step_images(t),
        .epoch_steps = epoch_steps(t),
        .rate = rate,
        .images_per_second = t->image_seconds > 0 ? 1 / t->image_seconds : 0,
        .heads = t->learner->nodes.heads,
        .loss = total_loss(t->learner, sums),
        .top1 = (double)sums->top1 / (double)sums->images,
        .unreadable = p->unreadable,
    };
    for (int h = 0; h < event.heads; h++) {
        event.head_names[h] = names[t->learner->nodes.head[h]];
        event.losses[h] = sums->losses[h] / sums->weight;
    }
    double epoch = t->image_seconds * (double)t->pictures.train.dataset->image_count + validation_estimate(t);
    event.seconds_left_epoch = t->image_seconds * (double)(t->pictures.train.dataset->image_count - p->position)
                               + (kind == DEEPER_TRAIN_STEP ? validation_estimate(t) : 0);
    event.seconds_left = event.seconds_left_epoch + epoch * (p->epochs - p->epoch - 1);
    return event;
}

static void tell_step(const dp_trainer *t, const step *s) {
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

static deeper_status run_steps(dp_trainer *t, dp_batches *batches, double *rate, deeper_error *error) {
    dp_progress *p = &t->progress;
    for (uint64_t done = 0;; done++) {
        step s;
        DP_TRY(run_batches(t, batches, &s, error));
        if (s.taken == 0)
            return DEEPER_OK;
        if (s.sums.images > 0)
            DP_TRY(learn(t, &s, error));
        p->position += s.taken;
        p->images += s.sums.images;
        p->step++;
        *rate = s.rate;
        measure_speed(t, done, s.taken);
        fit_epochs(t, p->position == t->pictures.train.dataset->image_count);
        if (s.sums.images > 0)
            tell_step(t, &s);
        if (t->calls && t->calls->control && t->calls->control(t->calls->context) == 2)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "%s: stopped on request", t->options->out);
    }
}

static deeper_status end_epoch(dp_trainer *t, double rate, deeper_error *error) {
    dp_progress *p = &t->progress;
    dp_validation v;
    double begin = dp_now();
    if (p->sums.images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no picture of epoch %d could be learnt from", t->options->data,
                       p->epoch + 1);
    DP_TRY(dp_validate(&v, t->network.model, dp_optimiser_result(t->optimiser), &t->pictures.val, t->options->batch,
                       t->options->threads, t->readers, t->calls, error));
    t->validation_seconds = dp_now() - begin;
    bool best = p->best_epoch == 0 || v.top1 > p->best_top1 || (v.top1 == p->best_top1 && v.losses[0] < p->best_loss);
    dp_report_epoch epoch = { .epoch = p->epoch + 1,
                              .seconds = seconds_so_far(t),
                              .rate = rate,
                              .images_per_second = t->image_seconds > 0 ? 1 / t->image_seconds : 0,
                              .gradient_norm = p->sums.norm / (double)p->sums.steps,
                              .train_loss = total_loss(t->learner, &p->sums),
                              .train_top1 = (double)p->sums.top1 / (double)p->sums.images,
                              .val_top1 = v.top1,
                              .val_top5 = v.top5,
                              .best = best };
    for (int h = 0; h < t->learner->nodes.heads; h++) {
        epoch.train_losses[h] = p->sums.losses[h] / p->sums.weight;
        epoch.val_losses[h] = v.losses[h];
    }
    if (best) {
        p->best_epoch = p->epoch + 1;
        p->best_top1 = v.top1;
        p->best_top5 = v.top5;
        p->best_loss = v.losses[0];
    }
    p->unreadable += v.unreadable;
    dp_validation_free(&v);
    if (!dp_progress_add(p, &epoch, t->allocator))
        return dp_fail_memory(error, "the history of the run");
    DP_TRY(dp_folder_save_models(t, error));
    tell_epoch(t, &epoch);
    p->epoch++;
    p->position = 0;
    p->epoch_unreadable = 0;
    p->sums = (dp_sums){ 0 };
    return DEEPER_OK;
}

static deeper_status run_epoch(dp_trainer *t, deeper_error *error) {
    dp_batches *batches = NULL;
    double rate = 0;
    dp_sampler_shuffle(t->order, t->pictures.train.dataset->image_count, t->options->seed, (uint64_t)t->progress.epoch);
    const dp_batches_options options = { .set = &t->pictures.train,
                                         .order = t->order,
                                         .begin = t->progress.position,
                                         .batch = t->options->batch,
                                         .readers = t->readers,
                                         .preprocess = &t->network.model->preprocess,
                                         .augment = &t->augment,
                                         .seed = t->options->seed,
                                         .epoch = (uint64_t)t->progress.epoch,
                                         .weights = t->class_weights,
                                         .calls = t->calls };
    DP_TRY(dp_batches_open(&batches, &options, t->allocator, error));
    uint64_t mode = dp_float_mode_enter();
    deeper_status status = run_steps(t, batches, &rate, error);
    dp_float_mode_leave(mode);
    dp_batches_close(batches);
    return status == DEEPER_OK ? end_epoch(t, rate, error) : status;
}

static bool finished(const dp_trainer *t) {
    const dp_progress *p = &t->progress;
    return p->epoch >= p->epochs || (t->options->patience > 0 && p->epoch - p->best_epoch >= t->options->patience);
}

deeper_status dp_train(const deeper_train_options *options, const deeper_train_calls *calls, deeper_train_result *result,
                       const deeper_allocator *allocator, deeper_error *error) {
    dp_trainer t = { .allocator = allocator, .options = options, .calls = calls };
    deeper_status status = prepare(&t, error);
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
