/* clock.c - speed, and what follows from it. */
#include "train/run/clock.h"

#include "base/arithmetic.h"
#include "base/cpu.h"
#include "train/core/news.h"

#include <math.h>

enum { WARM_STEPS = 2, MAX_EPOCHS = 10000 };
static const double FIT_SECONDS = 30,
                    FIT_SHARE =
                        0.2; /* of speed to be known before the epochs are fitted: the less */
static const double FORWARD_SHARE =
    0.4; /* of a validation picture in the time of a training picture, until one was measured */

uint64_t dp_epoch_images(const dp_clock *c, const dp_progress *p) {
    return p->epoch_images ? p->epoch_images : c->images;
}

uint64_t dp_epoch_steps(const dp_clock *c, const dp_progress *p) {
    return dp_ceil_div64(dp_epoch_images(c, p), c->step_images);
}

double dp_seconds_so_far(dp_clock *c, dp_progress *p) {
    double now = dp_now();
    p->seconds += now - c->began;
    c->began = now;
    return p->seconds;
}

void dp_measure_begin(dp_clock *c) {
    c->measured_since = dp_now();
    c->measured_images = 0;
}

void dp_measure_speed(dp_clock *c, uint64_t step, uint64_t images) {
    c->measured |= step > WARM_STEPS;
    c->measured_images += images;
    if (!c->measured || step > WARM_STEPS)
        c->image_seconds = (dp_now() - c->measured_since) / (double)c->measured_images;
    if (step == WARM_STEPS)
        dp_measure_begin(c);
}

static double validation_estimate(const dp_clock *c) {
    double pictures = (double)c->val_images;
    return c->validation_seconds > 0 ? c->validation_seconds
                                     : FORWARD_SHARE * c->image_seconds * pictures;
}

static double epoch_estimate(const dp_clock *c, const dp_progress *p) {
    return c->image_seconds * (double)dp_epoch_images(c, p) + validation_estimate(c);
}

/* Ends the first epoch early: a whole number of steps, one more at least. */
static void shorten_epoch(const dp_clock *c, dp_progress *p, double left,
                          const deeper_train_calls *calls) {
    uint64_t steps =
        (uint64_t)(fmax(0, left - validation_estimate(c)) / c->image_seconds) / c->step_images;
    uint64_t end = p->position + (steps ? steps : 1) * c->step_images;
    p->epochs = 1;
    p->epoch_images = end < c->images ? end : 0;
    dp_tell(calls, DEEPER_TRAIN_NOTE, "no epoch fits into %g minutes; one of %llu pictures does",
            c->minutes, (unsigned long long)dp_epoch_images(c, p));
}

bool dp_fit_pending(const dp_clock *c, const dp_progress *p) {
    return c->minutes > 0 && !p->fitted;
}

void dp_fit_epochs(dp_clock *c, dp_progress *p, bool epoch_ends, const deeper_train_calls *calls) {
    if (!dp_fit_pending(c, p) || (!c->measured && !epoch_ends))
        return;
    double seconds = dp_seconds_so_far(c, p), left = c->minutes * 60 - seconds;
    if (seconds < fmin(FIT_SECONDS, FIT_SHARE * c->minutes * 60) && !epoch_ends)
        return;
    double done = p->epoch + (double)p->position / (double)c->images;
    double epoch = c->measured ? epoch_estimate(c, p) : seconds / done;
    p->fitted = true;
    if (done + left / epoch < 1 && !epoch_ends) {
        shorten_epoch(c, p, left, calls);
        return;
    }
    p->epochs = (int)fmin(MAX_EPOCHS, fmax(floor(done + left / epoch), p->epoch + 1));
    dp_tell(calls, DEEPER_TRAIN_NOTE, "%d epoch%s into %g minutes", p->epochs,
            p->epochs == 1 ? " fits" : "s fit", c->minutes);
}

void dp_seconds_left(const dp_clock *c, const dp_progress *p, bool validated, double *epoch,
                     double *run) {
    *epoch = c->image_seconds * (double)(dp_epoch_images(c, p) - p->position)
             + (validated ? 0 : validation_estimate(c));
    *run = dp_fit_pending(c, p) ? fmax(0, c->minutes * 60 - (p->seconds + dp_now() - c->began))
                                : *epoch + epoch_estimate(c, p) * (p->epochs - p->epoch - 1);
}
