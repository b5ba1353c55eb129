/* trainer_state.h - a run under way, for the files that are the trainer: prepare.c (what is there
 * before the first step), trainer.c (the loop), steps.c (what is done with one batch) and
 * find_rate.c (a loop of another kind). Clock, folder, health and summary are given what they need
 * of it, and no more. */
#ifndef DP_TRAIN_TRAINER_STATE_H
#define DP_TRAIN_TRAINER_STATE_H

#include "train/core/batches.h"
#include "train/core/learner.h"
#include "train/core/network.h"
#include "train/core/optimiser.h"
#include "train/core/schedule.h"
#include "train/run/clock.h"
#include "train/run/folder.h"
#include "train/run/health.h"
#include "train/run/validate.h"

typedef struct dp_trainer {
    const deeper_allocator *allocator;
    deeper_train_options options; /* as given, or as the run that goes on was started with */
    const deeper_train_calls *calls;
    dp_run_folder folder;
    dp_pictures pictures;
    dp_network network;
    dp_learner *learner;
    dp_optimiser *optimiser;
    dp_health *health;
    dp_schedule schedule;
    dp_augment augment;
    float *class_weights; /* NULL: all 1 */
    size_t *order;        /* of the epoch's pictures */
    size_t images;        /* to train on */
    int readers;
    dp_progress progress;
    dp_clock clock;
    double saved;             /* dp_now() of the last checkpoint */
    dp_buffer decided;        /* text of the length of a run by the clock */
    dp_validation validation; /* of the best epoch, of the last while there is none; images 0: of
                                 neither, in this process */
} dp_trainer;

/* -------------------------------------------------------------------------------------- prepare */

/* Checks the options, opens the pictures and makes the network: pictures, network, images, augment,
 * order, class_weights. Errors: those of options, data sets and networks. */
deeper_status dp_trainer_open_data(dp_trainer *trainer, deeper_error *error);

/* All that a run needs before its first step; `given` may ask to go on with one. Errors: those of
 * the parts. */
deeper_status dp_trainer_prepare(dp_trainer *trainer, const deeper_train_options *given,
                                 deeper_error *error);

/* What run.json and the report say of the options; texts live as long as the trainer's. */
typedef struct dp_options_said {
    deeper_train_options resolved, again;
    dp_record_options all;
} dp_options_said;
deeper_status dp_trainer_say(dp_trainer *trainer, dp_options_said *said, deeper_error *error);

/* Makes learner and optimiser for them. Errors: MEMORY, IO, ARGUMENT. */
deeper_status dp_trainer_open_learner(dp_trainer *trainer, deeper_error *error);

/* The training pictures of epoch progress.epoch in its order, from progress.position on. Errors:
 * those of dp_batches_open. */
deeper_status dp_trainer_open_batches(const dp_trainer *trainer, dp_batches **batches,
                                      deeper_error *error);

void dp_trainer_close(dp_trainer *trainer);

/* What step and epoch events have in common; sums: of the images that they tell of. */
deeper_train_event dp_trainer_event(const dp_trainer *trainer, deeper_train_event_kind kind,
                                    const dp_sums *sums, double rate);

/* Tells a WARNING of the epoch under way, and keeps it for the report. Errors: MEMORY. */
deeper_status dp_trainer_warn(dp_trainer *trainer, const char *message, deeper_error *error);

/* ---------------------------------------------------------------------------------------- steps */

/* What the batches of one step gave. */
typedef struct dp_step {
    dp_sums sums;
    uint64_t taken; /* pictures of the order; 0: the epoch is over */
    bool learnt;    /* the parameters were updated */
    double rate, norm;
} dp_step;

/* Runs the batches of the next step forward and backward: sums and taken of *step, and the
 * learner's gradients. Errors: MEMORY; FORMAT (too much is unreadable). */
deeper_status dp_step_gradients(dp_trainer *trainer, dp_batches *batches, dp_step *step,
                                deeper_error *error);

/* A step is done: progress goes past its pictures. */
void dp_step_done(dp_trainer *trainer, const dp_step *step);

/* Runs a step and updates the parameters, or, if their loss or gradient is not finite, goes back to
 * the last good state and halves the rate. Errors: MEMORY; FORMAT (too much is unreadable);
 * ARGUMENT (the run diverges whatever the rate). */
deeper_status dp_step_run(dp_trainer *trainer, dp_batches *batches, dp_step *step,
                          deeper_error *error);

/* Steps of the run and of its warm-up, as they are planned now. */
double dp_trainer_steps(const dp_trainer *trainer);
double dp_trainer_warmup_steps(const dp_trainer *trainer);

/* Weighted sum of the heads' mean losses. */
double dp_total_loss(const dp_learner *learner, const dp_sums *sums);

#endif
