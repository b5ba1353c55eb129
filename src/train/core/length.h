/* length.h - how long a run is, in steps, as it was decided on the way. A run by the clock is
 * planned anew as it goes; what was decided at which step is its length, so that the same length
 * given to another run leads to the same bits. Pure arithmetic, no clock here. */
#ifndef DP_TRAIN_LENGTH_H
#define DP_TRAIN_LENGTH_H

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

enum { DP_LENGTH_STAGES = 128 };

/* From step `from` on (before it is taken) the run is to have `steps` in all, >= from. */
typedef struct dp_stage {
    uint64_t from, steps;
} dp_stage;

/* The first stage begins at 0, each other one later than that before it. No stages: the run's
 * length is in epochs. */
typedef struct dp_length {
    int count;
    dp_stage stages[DP_LENGTH_STAGES];
} dp_length;

/* The stage after all others; one that begins where the last one does takes its place. False: that
 * is no length, or there are too many stages. */
bool dp_length_add(dp_length *length, uint64_t from, uint64_t steps);

/* "900", or "900,40:1010,300:980": 900 steps, from step 40 on 1010 ... False: no length. */
bool dp_length_parse(dp_length *length, const char *text);
void dp_length_print(dp_buffer *buffer, const dp_length *length);

/* Steps of the run, as planned when `step` of them were done. */
uint64_t dp_length_steps(const dp_length *length, uint64_t step);

/* How far the run is at `step` (fractions are moments inside a step), 0..1: what a stage has before
 * it is divided evenly over its steps. It never falls and jumps nowhere. */
double dp_length_progress(const dp_length *length, double step);

#endif
