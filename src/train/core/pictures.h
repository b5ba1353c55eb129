/* pictures.h - what a run learns from and is measured on: the data sets opened, split, their
 * classes numbered. What it does not do: opening pictures (batches.h), the classes of an existing
 * model (network.h). */
#ifndef DP_TRAIN_PICTURES_H
#define DP_TRAIN_PICTURES_H

#include "data/dataset.h"
#include "model/model.h"

/* A data set whose classes are outputs of a network. */
typedef struct dp_picture_set {
    dp_dataset *dataset;
    size_t *outputs; /* of each of its classes */
    bool *named;     /* which of its pictures could not be read, and were named once */
    dp_picture_limits limits;
} dp_picture_set;

typedef struct dp_pictures {
    const deeper_allocator *allocator;
    dp_picture_set train, val;
    dp_labels labels;     /* of the classes that have pictures, in order */
    size_t empty_classes; /* class folders without pictures, which are left out */
    uint64_t fingerprint; /* of both sets */
} dp_pictures;

/* Opens options->data for training and for validation options->val, else the validation part that
 * options->data has of its own, else val_fraction of it, split off by seed. A folder's classes
 * without pictures get no output; numbers of a numbered set are outputs as they are. A label's id
 * is the folder's name or the number; its name that of the class, for ids of ILSVRC-2012 its name
 * for them. val.outputs are set by dp_pictures_match. Errors: those of data sets; FORMAT (fewer
 * than two classes), MEMORY. */
deeper_status dp_pictures_open(dp_pictures *pictures, const deeper_train_options *options,
                               const deeper_allocator *allocator, deeper_error *error);
void dp_pictures_close(dp_pictures *pictures);

/* Pictures of both sets that could not be read so far. */
uint64_t dp_pictures_unreadable(const dp_pictures *pictures);

/* Gives the validation pictures the outputs of the model, by id or name. Errors: MISMATCH. */
deeper_status dp_pictures_match(dp_pictures *pictures, const dp_model *model, deeper_error *error);

/* weights[classes] of the losses of a class: in inverse proportion to its training pictures, mean 1
 * over the classes. */
void dp_pictures_weights(const dp_pictures *pictures, float *weights);

#endif
