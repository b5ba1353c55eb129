/* features.h - what layers of a network say of pictures, into an npz: embeddings for search,
 * clustering, other classifiers. Values go through nameless files beside the result, so memory
 * holds a batch and the names, whatever the number of pictures. */
#ifndef DP_EVAL_FEATURES_H
#define DP_EVAL_FEATURES_H

#include "eval/stream.h"

typedef struct dp_features_calls {
    void (*progress)(void *context, uint64_t done, uint64_t total);        /* may be NULL */
    void (*problem)(void *context, const char *path, const char *message); /* may be NULL */
    deeper_control (*control)(void *context); /* asked after each picture; may be NULL */
    void *context;
} dp_features_calls;

typedef struct dp_features {
    dp_classifier *classifier; /* of one crop, of a session whose outputs are the layers */
    deeper_source
        source; /* of paths; not used where there is a data set, whose pictures have labels */
    const dp_dataset *dataset; /* or NULL */
    const char *path;          /* of the npz */
    int readers;
    dp_picture_limits limits;
    dp_features_calls calls;
} dp_features;

/* Writes, atomically, one row a picture that could be read, in order:
 *     names       texts: the paths; bytes that are not UTF-8 as '?'
 *     features    float32, N x C of a layer of one pixel, else N x C x H x W; of several layers
 *                 instead an array under the name of each
 *     layers      texts: their names
 *     labels      int64, classes: texts; of a data set
 * Errors: FORMAT (no picture could be read), LIMIT (4 GB), STOPPED (by control), MEMORY, IO; then
 * nothing is written. */
deeper_status dp_features_write(const dp_features *features, deeper_features_result *result,
                                deeper_error *error);

#endif
