/* stream.h - pictures from a source or a data set, read ahead, and what one or several networks say
 * of them. */
#ifndef DP_EVAL_STREAM_H
#define DP_EVAL_STREAM_H

#include "data/dataset.h"
#include "session/classifier.h"

/* What became of a picture. Valid during the callback. */
typedef struct dp_answer {
    const char *path;
    size_t index;         /* in the data set; of a source 0 */
    int64_t label;        /* as the source gave it; of a data set the model's class */
    deeper_status status; /* not DEEPER_OK: it could not be read, message says why */
    const char *message;
    const float *const *softmaxes; /* [classifier]: crops x classes; NULL if it could not be read */
    size_t row; /* of one crop: where the session's outputs are, which lie at classifier->outputs[i]
                   + row * floats of it */
} dp_answer;

typedef struct dp_stream {
    dp_classifier *const
        *classifiers; /* of the same sets of crops; pictures are decoded once for all, and cropped
                         once for those with the same preprocessing */
    int classifier_count;      /* >= 1 */
    deeper_source source;      /* of paths; not used where there is a data set */
    const dp_dataset *dataset; /* or NULL: pictures begin..end-1 of it in order, with ... */
    size_t begin, end;
    const size_t *labels; /* ... the label of each of its classes */
    int readers;
    dp_picture_limits limits; /* of what they decode, all together */
    deeper_control (*sink)(void *context, const dp_answer *answer);
    void *context;
} dp_stream;

/* Classifies every picture, in order; deeper_classify_stream has the contract. Pictures are decoded
 * at full size, so that an answer hangs on nothing but the picture and its model: not on the other
 * models of an ensemble or on how many crops are asked for besides. As many as are
 * decoded, up to the classifiers' `images`, are computed together, without waiting for more. Reads
 * ahead a bounded number of bytes. Errors: STOPPED (by the sink), MEMORY, IO. */
deeper_status dp_classify_stream(const dp_stream *stream, deeper_error *error);

#endif
