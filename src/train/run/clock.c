/* clock.c - speed, and what follows from it: time left, epochs that fit. The only place where a run
 * looks at the clock to decide. */
#include "base/arithmetic.h"
#include "train/core/news.h"
#include "train/run/trainer_state.h"

#include <math.h>

enum { WARM_STEPS = 2, MOST_EPOCHS = 10000 };
static const double FIT_SECONDS = 30,
                    FIT_SHARE =
                        0.2; /* of speed to be known before the epochs are fitted: the less */
static const double FORWARD_SHARE =
    0.4; /* of a validation picture in the time of a training picture, until one was measured */

uint64_t dp_step_images(const dp_trainer *t) {
    return (uint64_t)t->options.batch * (uint64_t)t->options.accumulate;
}

uint64_t dp_epoch_images(const dp_trainer *t) {
    return t->progress.epoch_images ? t->progress.epoch_images : t->images;
}

uint64_t dp_epoch_steps(const dp_trainer *t) {
    return dp_ceil_div64(dp_epoch_images(t), dp_step_images(t));
}

double dp_seconds_so_far(dp_trainer *t) {
    double now = dp_now();
    t->progress.seconds += now - t->began;
    t->began = now;
    return t->progress.seconds;
}

void dp_measure_begin(dp_trainer *t) {
    t->measured_since = dp_now();
    t->measured_images = 0;
}

void dp_measure_speed(dp_trainer *t, uint64_t step, uint64_t images) {
    t->measured |= step > WARM_STEPS;
    t->measured_images += images;
    if (!t->measured || step > WARM_STEPS)
        t->image_seconds = (dp_now() - t->measured_since) / (double)t->measured_images;
    if (step == WARM_STEPS)
        dp_measure_begin(t);
}

static double validation_estimate(const dp_trainer *t) {
    double pictures = (double)t->pictures.val.dataset->image_count;
    return t->validation_seconds > 0 ? t->validation_seconds
                                     : FORWARD_SHARE * t->image_seconds * pictures;
}

static double epoch_estimate(const dp_trainer *t) {
    return t->image_seconds * (double)dp_epoch_images(t) + validation_estimate(t);
}

/* Ends the first epoch early: a whole number of steps, one more at least. */
static void shorten_epoch(dp_trainer *t, double left) {
    dp_progress *p = &t->progress;
    uint64_t steps =
        (uint64_t)(fmax(0, left - validation_estimate(t)) / t->image_seconds) / dp_step_images(t);
    uint64_t end = p->position + (steps ? steps : 1) * dp_step_images(t);
    p->epochs = 1;
    p->epoch_images = end < t->images ? end : 0;
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "no epoch fits into %g minutes; one of %llu pictures does",
            t->options.minutes, (unsigned long long)dp_epoch_images(t));
}

bool dp_fit_pending(const dp_trainer *t) {
    return t->options.minutes > 0 && !t->progress.fitted;
}

void dp_fit_epochs(dp_trainer *t, bool epoch_ends) {
    dp_progress *p = &t->progress;
    if (!dp_fit_pending(t) || (!t->measured && !epoch_ends))
        return;
    double seconds = dp_seconds_so_far(t), left = t->options.minutes * 60 - seconds;
    if (seconds < fmin(FIT_SECONDS, FIT_SHARE * t->options.minutes * 60) && !epoch_ends)
        return;
    double done = p->epoch + (double)p->position / (double)t->images;
    double epoch = t->measured ? epoch_estimate(t) : seconds / done;
    p->fitted = true;
    if (done + left / epoch < 1 && !epoch_ends) {
        shorten_epoch(t, left);
        return;
    }
    p->epochs = (int)fmin(MOST_EPOCHS, fmax(floor(done + left / epoch), p->epoch + 1));
    dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%d epoch%s into %g minutes", p->epochs,
            p->epochs == 1 ? " fits" : "s fit", t->options.minutes);
}

void dp_seconds_left(const dp_trainer *t, bool validated, double *epoch, double *run) {
    const dp_progress *p = &t->progress;
    *epoch = t->image_seconds * (double)(dp_epoch_images(t) - p->position)
             + (validated ? 0 : validation_estimate(t));
    *run = dp_fit_pending(t) ? fmax(0, t->options.minutes * 60 - (p->seconds + dp_now() - t->began))
                             : *epoch + epoch_estimate(t) * (p->epochs - p->epoch - 1);
}
