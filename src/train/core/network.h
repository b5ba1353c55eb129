/* network.h - the model that a run trains: made from an architecture or from an existing model,
 * with what of it stays and how fast the rest learns. */
#ifndef DP_TRAIN_NETWORK_H
#define DP_TRAIN_NETWORK_H

#include "train/core/optimiser.h"
#include "train/core/pictures.h"

typedef struct dp_network {
    const deeper_allocator *allocator;
    dp_model *model; /* with an arena, labels and preprocessing */
    bool fine_tuned;
    bool new_head;        /* fine-tuned, for other classes than before */
    bool *frozen;         /* one per parameter */
    dp_segment *segments; /* of what is not frozen, for the optimiser */
    size_t segment_count;
} dp_network;

/* From scratch: options->architecture, with its auxiliary heads unless it says "aux=0", values by
 * options->initial and the preprocessing of deeper's own models (short side resized to 8/7 of the
 * picture, RGB less the means of ILSVRC-2012, divided by 58). Fine-tuning: the architecture,
 * preprocessing and values of the model file options->init, at another image_size if asked. If its
 * labels are just the classes of the pictures, its outputs and labels are kept, and
 * pictures->train.outputs follow them; else its classifiers are new, and learn ten times as fast
 * unless options->rates says otherwise. Errors: those of opening and building models; ARGUMENT
 * (both or neither of architecture and init; freeze or rates that no parameter begins with; nothing
 * left to learn), MEMORY. */
deeper_status dp_network_create(dp_network *network, const deeper_train_options *options,
                                dp_pictures *pictures, const deeper_allocator *allocator,
                                deeper_error *error);
void dp_network_free(dp_network *network);

#endif
