/* clock.c - speed, and what follows from it. */
#include "train/run/clock.h"

#include "base/arithmetic.h"
#include "base/cpu.h"
#include "train/core/news.h"

#include <math.h>

enum { WARM_STEPS = 2 };
static const double LOOKS = 50, /* at the length of a run, all in all */
    FIRST_SHARE = 0.25,         /* of the time after which it is planned, known speed or not */
    CHANGE = 0.02,              /* of the steps left: by less no plan changes */
    MIN_SHARE = 0.05;           /* of an epoch: fewer steps are not worth a validation */
static const double FORWARD_SHARE =
    0.4; /* of a validation picture in the time of a training picture, until one was measured */

static uint64_t steps_of(const dp_clock *c, uint64_t images) {
    return (uint64_t)dp_ceil_div64((int64_t)images, (int64_t)c->step_images);
}

static uint64_t steps_left(const dp_progress *p) {
    uint64_t steps = dp_length_steps(&p->length, p->step);
    return steps > p->step ? steps - p->step : 0;
}

uint64_t dp_epoch_images(const dp_clock *c, const dp_progress *p) {
    if (p->length.count == 0)
        return c->images;
    uint64_t steps = steps_left(p);
    return steps < steps_of(c, c->images - p->position) ? p->position + steps * c->step_images
                                                        : c->images;
}

uint64_t dp_epoch_steps(const dp_clock *c, const dp_progress *p) {
    return steps_of(c, dp_epoch_images(c, p));
}

double dp_seconds_so_far(dp_clock *c, dp_progress *p) {
    double now = dp_now();
    p->seconds += now - c->began;
    c->began = now;
    return p->seconds;
}

/* --------------------------------------------------------------------------------------- speed */

void dp_measure_begin(dp_clock *c) {
    c->measured_since = c->recent_since = dp_now();
    c->measured_images = c->recent_images = 0;
}

void dp_measure_speed(dp_clock *c, uint64_t step, uint64_t images) {
    c->measured |= step > WARM_STEPS;
    c->measured_images += images;
    c->recent_images += images;
    if (!c->measured || step > WARM_STEPS)
        c->image_seconds = (dp_now() - c->measured_since) / (double)c->measured_images;
    if (step == WARM_STEPS)
        dp_measure_begin(c);
}

/* Seconds of a training picture as the machine is just now. */
static double recent_seconds(dp_clock *c) {
    double now = dp_now();
    if (c->recent_images > 0) {
        double seconds = (now - c->recent_since) / (double)c->recent_images;
        c->recent_seconds = c->recent_seconds > 0 ? (c->recent_seconds + seconds) / 2 : seconds;
        c->recent_since = now;
        c->recent_images = 0;
    }
    return c->recent_seconds > 0 ? c->recent_seconds : c->image_seconds;
}

static double validation_estimate(const dp_clock *c) {
    return c->validation_seconds > 0 ? c->validation_seconds
                                     : FORWARD_SHARE * c->image_seconds * (double)c->val_images;
}

/* ---------------------------------------------------------------------------------------- length
 */

/* Steps that fit into `seconds`, of step_seconds each, with a validation of `validation` seconds
 * after every epoch's and after the last. */
static uint64_t steps_that_fit(const dp_clock *c, const dp_progress *p, double seconds,
                               double step_seconds, double validation) {
    double epoch = (double)steps_of(c, c->images);
    double rest = (double)steps_of(c, c->images - p->position);
    double first = rest * step_seconds + validation, whole = epoch * step_seconds + validation;
    if (seconds <= first)
        return (uint64_t)fmax(0, floor((seconds - validation) / step_seconds));
    double epochs = floor((seconds - first) / whole);
    double more = floor((seconds - first - epochs * whole - validation) / step_seconds);
    return (uint64_t)(rest + epochs * epoch + (more >= MIN_SHARE * epoch ? more : 0));
}

bool dp_clock_pending(const dp_clock *c, const dp_progress *p) {
    return c->minutes > 0 && p->planned == 0;
}

int dp_clock_epochs(const dp_clock *c, const dp_progress *p) {
    uint64_t rest = steps_of(c, c->images - p->position), left = steps_left(p);
    uint64_t more = left > rest ? left - rest : 0;
    return p->epoch + 1 + (int)dp_ceil_div64((int64_t)more, (int64_t)steps_of(c, c->images));
}

void dp_clock_plan(dp_clock *c, dp_progress *p, const deeper_train_calls *calls) {
    double limit = c->minutes * 60;
    bool first = dp_clock_pending(c, p), ends = p->position >= c->images;
    if (limit <= 0)
        return;
    double seconds = dp_seconds_so_far(c, p);
    bool due = first ? c->measured || seconds > FIRST_SHARE * limit
                     : seconds - p->planned >= limit / LOOKS;
    if (!due && !ends)
        return;
    uint64_t fit = steps_that_fit(c, p, limit - seconds, recent_seconds(c) * (double)c->step_images,
                                  validation_estimate(c));
    double planned = (double)steps_left(p), change = fabs((double)fit - planned);
    if (fit > 0 && !due)
        return; /* the epoch ends, but not the run */
    p->planned = seconds;
    if (fit > 0 && change <= CHANGE * planned)
        return;
    dp_length_add(&p->length, p->step, p->step + fit); /* LOOKS leaves room */
    if (first)
        dp_tell(calls, DEEPER_TRAIN_NOTE, "some %llu steps fit into %g minutes, %.1f epochs",
                (unsigned long long)(p->step + fit), c->minutes,
                (double)((p->step + fit) * c->step_images) / (double)c->images);
}

void dp_seconds_left(const dp_clock *c, const dp_progress *p, bool validated, double *epoch,
                     double *run) {
    double image = c->recent_seconds > 0 ? c->recent_seconds : c->image_seconds;
    double validation = validation_estimate(c), whole = image * (double)c->images + validation;
    *epoch = image * (double)(dp_epoch_images(c, p) - p->position) + (validated ? 0 : validation);
    *run = c->minutes > 0 ? fmax(0, c->minutes * 60 - (p->seconds + dp_now() - c->began))
                          : *epoch + whole * (p->epochs - p->epoch - 1);
}
