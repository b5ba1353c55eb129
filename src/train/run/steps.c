/* steps.c - one step of a run: batches forward and backward, then an update or, when numbers broke,
 * the way back. */
#include "base/arithmetic.h"
#include "base/random.h"
#include "base/top.h"
#include "train/options/options.h"
#include "train/run/trainer_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    KEEP_STEPS = 64,      /* between good states to go back to */
    MAX_DIVERGENCES = 8,  /* one after the other */
    DROPOUT_STREAM = 0x5c /* keeps the masks apart from what else is drawn from (seed, step) */
};

static void add_results(const dp_learner *l, const dp_batch *batch, dp_sums *sums) {
    size_t classes = (size_t)l->model->classes;
    for (int n = 0; n < batch->count; n++) {
        for (int h = 0; h < l->nodes.heads; h++)
            sums->losses[h] += (double)l->losses[h][n];
        sums->top1 +=
            dp_rank(l->logits + (size_t)n * classes, classes, (size_t)batch->labels[2 * n]) == 0;
    }
    sums->images += (uint64_t)batch->count;
    sums->weight += batch->weight;
}

deeper_status dp_step_gradients(dp_trainer *t, dp_batches *batches, dp_step *s,
                                deeper_error *error) {
    dp_progress *p = &t->progress;
    *s = (dp_step){ 0 };
    for (int i = 0; i < t->options.accumulate; i++) {
        dp_batch batch;
        DP_TRY(dp_batches_next(batches, &batch, error));
        s->taken += (uint64_t)batch.taken;
        p->unreadable += (uint64_t)(batch.taken - batch.count);
        p->epoch_unreadable += (uint64_t)(batch.taken - batch.count);
        if (batch.taken == 0)
            break;
        if (batch.count == 0)
            continue;
        dp_random random =
            dp_random_at(dp_train_sampling_seed(&t->options),
                         p->step * (uint64_t)t->options.accumulate + (uint64_t)i, DROPOUT_STREAM);
        dp_learner_run(t->learner, batch.tensors, batch.labels, batch.count, s->sums.images == 0,
                       dp_random_u64(&random));
        dp_learner_track(t->learner, batch.count);
        add_results(t->learner, &batch, &s->sums);
    }
    if ((double)p->epoch_unreadable > t->options.max_unreadable * (double)t->images)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: %llu of the %zu pictures of an epoch could not be read, more than "
                       "max_unreadable allows; is the data "
                       "still there?",
                       t->options.data, (unsigned long long)p->epoch_unreadable, t->images);
    return DEEPER_OK;
}

/* Weighted sum of the heads' mean losses. */
double dp_total_loss(const dp_learner *l, const dp_sums *sums) {
    double total = 0;
    for (int h = 0; h < l->nodes.heads; h++)
        total += (double)l->head_weights[h] * sums->losses[h] / sums->weight;
    return total;
}

double dp_trainer_steps(const dp_trainer *t) {
    const dp_progress *p = &t->progress;
    return p->length.count > 0 ? (double)dp_length_steps(&p->length, p->step)
                               : (double)dp_ceil_div64(t->images, t->clock.step_images) * p->epochs;
}

double dp_trainer_warmup_steps(const dp_trainer *t) {
    double epochs = t->schedule.warmup * (double)dp_ceil_div64(t->images, t->clock.step_images);
    return t->schedule.warmup_share < 1
               ? fmin(epochs, t->schedule.warmup_share * dp_trainer_steps(t))
               : epochs;
}

/* The average of the first steps follows closely, later ones more slowly, the longer the run. */
static double average_blend(const dp_trainer *t) {
    double steps = (double)t->progress.step, total = dp_trainer_steps(t);
    if (t->options.average && strcmp(t->options.average, "polyak") == 0)
        return 1 / (1 + fmax(0, steps - dp_trainer_warmup_steps(t)));
    double horizon = fmin(1000, fmax(10, total / 20));
    return 1 - fmin(1 - 1 / horizon, (1 + steps) / (10 + steps));
}

/* Goes back to the last good state and slows down. */
static deeper_status roll_back(dp_trainer *t, const dp_step *s, deeper_error *error) {
    dp_progress *p = &t->progress;
    dp_optimiser_restore(t->optimiser);
    p->factor /= 2;
    if (++p->divergences > MAX_DIVERGENCES)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "rate: the loss is not a number even at a rate of %g; begin with a lower "
                       "rate, a longer warm-up or norm=bn",
                       s->rate);
    char message[DEEPER_MESSAGE_SIZE];
    snprintf(message, sizeof message,
             "the loss or its gradient is not a number; went back to the weights of step %llu and "
             "halved the rate to %g; a lower rate, a longer warm-up or norm=bn avoid this",
             (unsigned long long)p->kept_step, s->rate / 2);
    return dp_trainer_warn(t, message, error);
}

/* Shows a step to the watch, and tells what it says. */
static deeper_status watch(dp_trainer *t, const dp_step *s, deeper_error *error) {
    double losses[DP_HEADS] = { 0 };
    char message[DEEPER_MESSAGE_SIZE];
    for (int h = 0; h < t->learner->nodes.heads; h++)
        losses[h] = s->sums.losses[h] / s->sums.weight;
    return dp_health_look(t->health, losses, s->norm, t->learner->gradients, message)
               ? dp_trainer_warn(t, message, error)
               : DEEPER_OK;
}

/* Updates the parameters from the gradients of a step. */
static deeper_status learn(dp_trainer *t, dp_step *s, deeper_error *error) {
    dp_progress *p = &t->progress;
    double epoch = p->epoch + ((double)p->position + 0.5 * (double)s->taken) / (double)t->images;
    double done = p->length.count > 0 ? dp_length_progress(&p->length, (double)p->step + 0.5)
                                      : epoch / p->epochs;
    s->rate = p->factor * dp_schedule_rate(&t->schedule, epoch, done);
    p->rate = s->rate;
    double loss = dp_total_loss(t->learner, &s->sums);
    s->norm = dp_optimiser_norm(t->optimiser, 1 / s->sums.weight);
    if (!isfinite(loss) || !isfinite(s->norm))
        return roll_back(t, s, error);
    DP_TRY(watch(t, s, error));
    if (p->step % KEEP_STEPS == 0 && dp_optimiser_sound(t->optimiser)) {
        dp_optimiser_keep(t->optimiser);
        p->kept_step = p->step;
        p->divergences = 0;
    }
    dp_optimiser_step(t->optimiser, 1 / s->sums.weight, s->norm, s->rate, average_blend(t));
    s->learnt = true;
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

void dp_step_done(dp_trainer *t, const dp_step *s) {
    t->progress.position += s->taken;
    t->progress.images += s->sums.images;
    t->progress.step++;
}

deeper_status dp_step_run(dp_trainer *t, dp_batches *batches, dp_step *s, deeper_error *error) {
    DP_TRY(dp_step_gradients(t, batches, s, error));
    if (s->taken == 0)
        return DEEPER_OK;
    if (s->sums.images > 0)
        DP_TRY(learn(t, s, error));
    dp_step_done(t, s);
    return DEEPER_OK;
}
