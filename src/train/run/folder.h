/* folder.h - the run's folder: run.json, checkpoints, models; what deeper.h says of `out`. */
#ifndef DP_TRAIN_FOLDER_H
#define DP_TRAIN_FOLDER_H

#include "train/core/network.h"
#include "train/record/progress.h"
#include "train/record/record.h"

typedef struct dp_run_folder {
    const deeper_allocator *allocator;
    const deeper_train_calls *calls;
    const char *path;   /* options.out */
    bool fresh;         /* it was made by this run */
    int held;           /* descriptor of the folder, locked; -1: none */
    dp_object *record;  /* run.json of a run that goes on; texts of its options live in it, */
    dp_run_facts facts; /* and of these */
} dp_run_folder;

/* Whether a run began in the folder `path`: it may have been stopped before it wrote anything. */
bool dp_folder_has_run(const char *path, const deeper_allocator *allocator);

/* Makes the folder, which must be new or empty, and writes run.json. Errors: ARGUMENT, IO. */
deeper_status dp_folder_begin(dp_run_folder *folder, const dp_record_options *options,
                              const dp_pictures *pictures, int classes, deeper_error *error);

/* Removes what dp_folder_begin made, of a run that failed before its first step. */
void dp_folder_abandon(dp_run_folder *folder);

/* Writes run.json anew, and the copy of it that checkpoints/ has. Errors: ARGUMENT, IO. */
deeper_status dp_folder_record(const dp_run_folder *folder, const dp_record_options *options,
                               const dp_pictures *pictures, int classes, deeper_error *error);

/* Over `options` those of the run in the folder, from run.json; what changes no result, and where
 * data lies, may be given anew. Errors: IO, FORMAT. */
deeper_status dp_folder_resume(dp_run_folder *folder, deeper_train_options *options,
                               const deeper_train_options *given, deeper_error *error);

/* MISMATCH unless the pictures (`data`) are those that run.json tells of. */
deeper_status dp_folder_check_data(const dp_run_folder *folder, const char *data,
                                   const dp_pictures *pictures, deeper_error *error);

/* Writes the state as a checkpoint, of which the newest `keep` stay. Errors: IO, MEMORY. */
deeper_status dp_folder_save(const dp_run_folder *folder, const dp_progress *progress,
                             const dp_optimiser *optimiser, int keep, deeper_error *error);

/* Takes the state from the newest sound checkpoint, if there is any; images: to train on. Errors:
 * those of dp_checkpoint_read; MISMATCH (of another run). */
deeper_status dp_folder_load(const dp_run_folder *folder, dp_progress *progress,
                             dp_optimiser *optimiser, uint64_t images, deeper_error *error);

/* Writes last.safetensors with the optimiser's result of that epoch (0: a probe), and
 * model.safetensors if it is the best. Errors: IO, MEMORY. */
deeper_status dp_folder_save_models(const dp_run_folder *folder, const dp_network *network,
                                    const dp_pictures *pictures, const dp_optimiser *optimiser,
                                    const dp_report_epoch *epoch, int epochs, uint64_t seed,
                                    deeper_error *error);

/* The values of model.safetensors, placed in arena as those of the network's model are in its own.
 * Errors: those of opening models; MISMATCH (of another network). */
deeper_status dp_folder_load_best(const dp_run_folder *folder, const dp_network *network,
                                  float *arena, deeper_error *error);

/* Whether the best or the last model is there and sound; else *why says what is wrong. */
bool dp_folder_has_model(const dp_run_folder *folder, bool best, deeper_error *why);

/* Path of `name` in the folder; NULL: out of memory. */
char *dp_folder_path(const dp_run_folder *folder, const char *name);

void dp_folder_close(dp_run_folder *folder);

#endif
