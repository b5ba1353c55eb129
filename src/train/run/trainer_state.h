/* trainer_state.h - the parts of a run under way, shared by the files that make up the trainer:
 * prepare.c (what is there before the first step), trainer.c (the loop), steps.c (what is done with
 * one batch), find_rate.c (a loop of another kind), watch.c (what the watch looks at), clock.c (how
 * long things take), folder.c and summary.c (what stays on disk). Private to src/train. */
#ifndef DP_TRAIN_TRAINER_STATE_H
#define DP_TRAIN_TRAINER_STATE_H

#include "train/core/batches.h"
#include "train/core/learner.h"
#include "train/core/network.h"
#include "train/core/optimiser.h"
#include "train/core/schedule.h"
#include "train/record/progress.h"
#include "train/record/record.h"
#include "train/run/health.h"
#include "train/run/validate.h"

typedef struct dp_trainer {
    const deeper_allocator *allocator;
    deeper_train_options options; /* as given, or as the run that goes on was started with */
    dp_object *record;            /* run.json of a run that goes on; texts of options live in it */
    dp_run_facts facts;           /* of run.json, likewise */
    int held;                     /* descriptor of run.json, locked; -1: none */
    const deeper_train_calls *calls;
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
    dp_progress progress;
    int readers;
    double began;              /* dp_now() when progress.seconds was last brought up to date */
    double saved;              /* when the last checkpoint was written */
    double measured_since;     /* speed: since when, */
    uint64_t measured_images;  /* how many pictures, */
    double image_seconds;      /* and seconds of one in training; 0: not known yet */
    bool measured;             /* image_seconds is of steps after the first ones */
    double validation_seconds; /* of the last one; 0: none yet */
} dp_trainer;

/* -------------------------------------------------------------------------------------- prepare */

/* Checks the options, opens the pictures and makes the network: pictures, network, images, augment,
 * order, class_weights. Errors: those of options, data sets and networks. */
deeper_status dp_trainer_open_data(dp_trainer *trainer, deeper_error *error);

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

/* ---------------------------------------------------------------------------------------- clock */

uint64_t dp_step_images(const dp_trainer *trainer);  /* pictures of a whole step */
uint64_t dp_epoch_images(const dp_trainer *trainer); /* that an epoch takes */
uint64_t dp_epoch_steps(const dp_trainer *trainer);

/* Brings progress.seconds up to date and returns it. */
double dp_seconds_so_far(dp_trainer *trainer);

/* Brings image_seconds up to date: at the beginning of an epoch's part, then after each of its
 * steps (from 0), which took `images`. The first steps count only until later ones were measured:
 * they wait for the first pictures and touch memory for the first time. */
void dp_measure_begin(dp_trainer *trainer);
void dp_measure_speed(dp_trainer *trainer, uint64_t step, uint64_t images);

/* With `minutes`, once: as many epochs as fit, when the speed is known well enough or the first
 * epoch ends. Where not even one fits, the run has one that ends early. */
void dp_fit_epochs(dp_trainer *trainer, bool epoch_ends);

/* Whether it has yet to find out. */
bool dp_fit_pending(const dp_trainer *trainer);

/* Seconds left in this epoch with its validation (unless `validated`), and in the run: of its
 * minutes while the fit is pending. */
void dp_seconds_left(const dp_trainer *trainer, bool validated, double *epoch, double *run);

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

/* Weighted sum of the heads' mean losses. */
double dp_total_loss(const dp_learner *learner, const dp_sums *sums);

/* A head's loss of one who answers every picture with the frequencies of the classes: the entropy
 * of the (weighted, smoothed) labels. */
double dp_guessing_loss(const dp_trainer *trainer);

/* Makes the watch; learner, schedule and class_weights are there. Errors: MEMORY. */
deeper_status dp_watch_create(dp_trainer *trainer, deeper_error *error);

/* --------------------------------------------------------------------------------------- folder */

/* Makes the run's folder, which must be new or empty, and writes run.json. Errors: ARGUMENT, IO. */
deeper_status dp_folder_begin(dp_trainer *trainer, deeper_error *error);

/* The options of the run in the folder, from run.json; what changes no result, and where data lies,
 * may be given anew. */
deeper_status dp_folder_resume(dp_trainer *trainer, const deeper_train_options *given,
                               deeper_error *error);

/* MISMATCH unless the pictures are those that run.json tells of. */
deeper_status dp_folder_check_data(const dp_trainer *trainer, deeper_error *error);

/* Writes the state as a checkpoint; takes it from the newest sound one, if there is any. */
deeper_status dp_folder_save(dp_trainer *trainer, deeper_error *error);
deeper_status dp_folder_load(dp_trainer *trainer, deeper_error *error);

/* Writes last.safetensors, and model.safetensors if the last epoch of the history was the best. */
deeper_status dp_folder_save_models(const dp_trainer *trainer, deeper_error *error);

/* Writes log.csv, report.html and the TensorBoard events. */
deeper_status dp_folder_save_report(const dp_trainer *trainer, const dp_validation *validation,
                                    deeper_error *error);

/* PATH of `name` in the folder; NULL: out of memory. */
char *dp_folder_path(const dp_trainer *trainer, const char *name);

/* The heads' names, main first. */
const char *dp_head_name(dp_head head);

#endif
