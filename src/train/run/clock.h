/* clock.h - how long things take, and what follows: steps that fit into the time, time left. The
 * only place where a run looks at the clock to decide; what it decides becomes the run's length. */
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
    double recent_since;       /* the same since the length was last looked at, */
    uint64_t recent_images;    /* for a machine whose load changes: */
    double recent_seconds;     /* the mean of the last two and what was before; 0: not known yet */
    double validation_seconds; /* of the last one, with all that an epoch writes; 0: none yet */
} dp_clock;

/* Pictures and steps that the epoch under way takes: all, or what is left of the run's steps. */
uint64_t dp_epoch_images(const dp_clock *clock, const dp_progress *progress);
uint64_t dp_epoch_steps(const dp_clock *clock, const dp_progress *progress);

/* Brings progress.seconds up to date and returns it. */
double dp_seconds_so_far(dp_clock *clock, dp_progress *progress);

/* Brings image_seconds up to date: at the beginning of an epoch's part, then after each of its
 * steps (from 0), which took `images`. The first steps count only until later ones were measured:
 * they wait for the first pictures and touch memory for the first time. */
void dp_measure_begin(dp_clock *clock);
void dp_measure_speed(dp_clock *clock, uint64_t step, uint64_t images);

/* After a step of a run by the clock, now and then and when an epoch ends: plans anew how many
 * steps fit into what is left of the time with the validations between them. A decision that
 * differs by more than the speed varies becomes a stage of progress.length; the first one is told
 * in a NOTE. */
void dp_clock_plan(dp_clock *clock, dp_progress *progress, const deeper_train_calls *calls);

/* Whether a run by the clock has yet to find out. */
bool dp_clock_pending(const dp_clock *clock, const dp_progress *progress);

/* Epochs that a run with a length will have, the one that ends early included. */
int dp_clock_epochs(const dp_clock *clock, const dp_progress *progress);

/* Seconds left in this epoch with its validation (unless `validated`), and in the run: by the clock
 * what is left of its minutes. */
void dp_seconds_left(const dp_clock *clock, const dp_progress *progress, bool validated,
                     double *epoch, double *run);

#endif
