/* probe_stage.h - the linear probe of a run: what fine-tuning begins with and never ends below, and
 * all of a run with `probe`. */
#ifndef DP_TRAIN_PROBE_STAGE_H
#define DP_TRAIN_PROBE_STAGE_H

#include "train/run/trainer_state.h"

/* Whether the run has a probe that is not done yet. */
bool dp_probe_wanted(const dp_trainer *trainer);

/* Makes the features of the pictures, fits the probe, puts it into the last layer of the network
 * and of the optimiser's state, and notes in validation and progress what it gave. Errors: ARGUMENT
 * (a network whose last layer is not linear), FORMAT (no picture could be read), NUMBER, STOPPED,
 * those of sessions and batches. */
deeper_status dp_probe_stage(dp_trainer *trainer, deeper_error *error);

#endif
