/* clock.h - how long things take, and what follows: time left, epochs that fit. The only place
 * where a run looks at the clock to decide. */
#ifndef DP_TRAIN_CLOCK_H
#define DP_TRAIN_CLOCK_H

#include "train/record/progress.h"

typedef struct dp_clock {
    uint64_t images;           /* to train on */
    uint64_t val_images;       /* to validate on */
    uint64_t step_images;      /* of a whole step */
    double minutes;            /* of the run; 0: no limit */
    double began;              /* dp_now() when progress.seconds was last brought up to date */
    double measured_since;     /* speed: since when, */
    uint64_t measured_images;  /* how many pictures, */
    double image_seconds;      /* and seconds of one in training; 0: not known yet */
    bool measured;             /* image_seconds is of steps after the first ones */
    double validation_seconds; /* of the last one; 0: none yet */
} dp_clock;

/* Pictures and steps that an epoch takes. */
uint64_t dp_epoch_images(const dp_clock *clock, const dp_progress *progress);
uint64_t dp_epoch_steps(const dp_clock *clock, const dp_progress *progress);

/* Brings progress.seconds up to date and returns it. */
double dp_seconds_so_far(dp_clock *clock, dp_progress *progress);

/* Brings image_seconds up to date: at the beginning of an epoch's part, then after each of its
 * steps (from 0), which took `images`. The first steps count only until later ones were measured:
 * they wait for the first pictures and touch memory for the first time. */
void dp_measure_begin(dp_clock *clock);
void dp_measure_speed(dp_clock *clock, uint64_t step, uint64_t images);

/* With `minutes`, once: as many epochs as fit, when the speed is known well enough or the first
 * epoch ends. Where not even one fits, the run has one that ends early. Tells it in a NOTE. */
void dp_fit_epochs(dp_clock *clock, dp_progress *progress, bool epoch_ends,
                   const deeper_train_calls *calls);

/* Whether it has yet to find out. */
bool dp_fit_pending(const dp_clock *clock, const dp_progress *progress);

/* Seconds left in this epoch with its validation (unless `validated`), and in the run: of its
 * minutes while the fit is pending. */
void dp_seconds_left(const dp_clock *clock, const dp_progress *progress, bool validated,
                     double *epoch, double *run);

#endif
