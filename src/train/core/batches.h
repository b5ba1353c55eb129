/* batches.h - pictures of a set as batches of network inputs, decoded ahead on threads of their
 * own, in any order, from any position. What it does not do: choosing the order (sampler.h). */
#ifndef DP_TRAIN_BATCHES_H
#define DP_TRAIN_BATCHES_H

#include "data/augment.h"
#include "train/core/pictures.h"

typedef struct dp_batches dp_batches;

typedef struct dp_batches_options {
    const dp_picture_set *set; /* borrowed, like all pointers here */
    const size_t *order;       /* a permutation of its pictures; NULL: as they are */
    size_t begin;              /* pictures of the order that are passed over */
    int batch;   /* pictures of the order in a batch, of which the unreadable are left out; the last
                    is short */
    int readers; /* threads, >= 1 */
    const dp_preprocess *preprocess;
    const dp_augment *augment; /* NULL: the centre crop of evaluation */
    uint64_t seed, epoch; /* with the number of a picture they decide what augmentation draws */
    const float *weights; /* of the classes; NULL: 1 */
    const deeper_train_calls *calls; /* told of every picture that could not be read, once */
} dp_batches_options;

/* Valid until the next call. */
typedef struct dp_batch {
    float *tensors;  /* count x C x H x W */
    float *labels;   /* count x (class, weight) */
    size_t *numbers; /* of the pictures in the set */
    int count;       /* pictures that were read */
    int taken;       /* pictures of the order that it stands for; 0: the end */
    double weight;   /* sum of the weights */
} dp_batch;

/* Errors: MEMORY, IO (threads). */
deeper_status dp_batches_open(dp_batches **batches, const dp_batches_options *options,
                              const deeper_allocator *allocator, deeper_error *error);
deeper_status dp_batches_next(dp_batches *batches, dp_batch *batch,
                              deeper_error *error); /* Errors: MEMORY */
void dp_batches_close(dp_batches *batches);

#endif
