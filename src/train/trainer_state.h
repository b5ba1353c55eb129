/* trainer_state.h - the parts of a run under way, shared by the files that make up the trainer: trainer.c (the loop), folder.c
 * (what it leaves on disk). Private to src/train. */
#ifndef DP_TRAIN_TRAINER_STATE_H
#define DP_TRAIN_TRAINER_STATE_H

#include "train/batches.h"
#include "train/learner.h"
#include "train/network.h"
#include "train/optimiser.h"
#include "train/progress.h"
#include "train/schedule.h"
#include "train/validate.h"

typedef struct dp_trainer {
    const deeper_allocator *allocator;
    const deeper_train_options *options;
    const deeper_train_calls *calls;
    dp_pictures pictures;
    dp_network network;
    dp_learner *learner;
    dp_optimiser *optimiser;
    dp_schedule schedule;
    dp_augment augment;
    float *class_weights; /* NULL: all 1 */
    size_t *order;        /* of the epoch's pictures */
    dp_progress progress;
    int readers;
    double began;          /* dp_now() when progress.seconds was last brought up to date */
    double epoch_began;    /* of the part of the epoch that this process has done: */
    uint64_t epoch_images; /* pictures since then */
    double image_seconds;  /* measured, training */
    double validation_seconds;
} dp_trainer;

/* Makes the run's folder, new or empty unless it is resumed. */
deeper_status dp_folder_open(const dp_trainer *trainer, deeper_error *error);

/* Writes last.safetensors, and model.safetensors if the last epoch of the history was the best. */
deeper_status dp_folder_save_models(const dp_trainer *trainer, deeper_error *error);

#endif
