/* record.h - what a run or an ensemble writes of itself to its folder at the beginning, and finds
 * there when it is resumed; and what a model file says of the training that it comes from. What it
 * does not do: say what else lies in the folder (folder.c, ensemble.c). */
#ifndef DP_TRAIN_RECORD_H
#define DP_TRAIN_RECORD_H

#include "train/core/length.h"
#include "train/record/fields.h"

/* What run.json has beside the options. Of an ensemble: the version, all else 0. */
typedef struct dp_run_facts {
    const char *version; /* of the program that began the run */
    const char *data;    /* fingerprint of the pictures */
    int classes;
    uint64_t train_images, val_images;
} dp_run_facts;

/* The options of a run. */
typedef struct dp_record_options {
    const deeper_train_options *given; /* what a resumed run goes by */
    const deeper_train_options
        *resolved;                     /* with what the run chose for itself; NULL: nothing yet */
    const deeper_train_options *again; /* those that lead to the same bits, */
    const dp_length *extended;         /* and then so many epochs more; NULL: none */
} dp_record_options;

/* Appends the command to do it again. */
void dp_record_command(dp_buffer *command, const dp_record_options *options);

/* No times: the same run gives the same file. */
typedef struct dp_trained {
    const char *data; /* fingerprint of the pictures */
    uint64_t train_images, val_images;
    int epoch, epochs;
    uint64_t seed;
    double val_top1, val_top5, val_loss;
} dp_trained;

/* Writes the facts and the options that are recorded, with the command to do it again, atomically.
 * Errors: ARGUMENT (a text that is not UTF-8), IO. */
deeper_status dp_record_write(const char *path, const dp_run_facts *facts,
                              const dp_record_options *options, const deeper_allocator *allocator,
                              deeper_error *error);

/* Reads a record: the facts of a run (NULL: of an ensemble, which has none) and the options, over
 * `options`. Texts of both live with *record, which is freed by dp_object_free. Errors: IO,
 * FORMAT. */
deeper_status dp_record_read(dp_object **record, dp_run_facts *facts, deeper_train_options *options,
                             const char *path, const deeper_allocator *allocator,
                             deeper_error *error);

/* Where data lies may be given anew: takes that from what was given to a resumed run. */
void dp_record_move(deeper_train_options *options, const deeper_train_options *given);

/* As a text for the model file (malloc'ed; free() it; NULL: out of memory). */
char *dp_trained_text(const dp_trained *trained);

#endif
