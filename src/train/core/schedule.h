/* schedule.h - the learning rate as a function of how far a run is. Pure arithmetic: a resumed run
 * asks for the same numbers. */
#ifndef DP_TRAIN_SCHEDULE_H
#define DP_TRAIN_SCHEDULE_H

#include <stdbool.h>

typedef enum dp_schedule_kind {
    DP_SCHEDULE_COSINE,
    DP_SCHEDULE_POLY,
    DP_SCHEDULE_STEP,
    DP_SCHEDULE_CONSTANT
} dp_schedule_kind;

/* "cosine", "poly", "step", "constant". */
bool dp_schedule_from_name(dp_schedule_kind *kind, const char *name); /* false: no such schedule */

typedef struct dp_schedule {
    dp_schedule_kind kind;
    double rate;         /* the largest */
    double warmup;       /* epochs at the beginning over which the rate grows from 0, */
    double warmup_share; /* but at most this share of the run; 1: all of it */
} dp_schedule;

/* The rate at `epoch` (fractions are moments inside an epoch), when t of the run is done, which is
 * held to 0..1:
 *     rate * min(1, max(epoch / warmup, t / warmup_share)) * f,  with
 *     cosine    f = (1 + cos(pi t)) / 2
 *     poly      f = (1 - t)^0.5, as BVLC trained GoogLeNet
 *     step      f = 0.96^floor(epoch / 8), the paper's
 *     constant  f = 1 */
double dp_schedule_rate(const dp_schedule *schedule, double epoch, double t);

#endif
