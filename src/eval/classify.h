/* classify.h - from the crops of pictures to the probabilities of their classes, and the same for a stream of pictures.
 * The mean over crops is of the softmax, as in the paper (section 7). */
#ifndef DP_EVAL_CLASSIFY_H
#define DP_EVAL_CLASSIFY_H

#include "data/dataset.h"
#include "eval/session.h"

/* A session with room for the crops of `images` pictures. Fields are for reading, but the tensors, which the caller fills. */
typedef struct dp_classifier {
    dp_session *session; /* borrowed */
    int crops;
    size_t images;       /* as many as max_batch has room for, at least 1 */
    size_t image_floats; /* crops x C x H x W */
    size_t classes;
    float *tensors;       /* images x image_floats */
    float *probabilities; /* images x classes */
    float **outputs;      /* where the session puts its outputs, max_batch images each */
    int softmax;          /* which of them are the probabilities */
} dp_classifier;

/* MISMATCH if the model does not say how a picture becomes its input. */
deeper_status dp_need_preprocess(const dp_model *model, deeper_error *error);

/* Errors: ARGUMENT (crops not 1 or 10, a session that does not return `softmax`, the node of the probabilities), those of
 * dp_need_preprocess, MEMORY. */
deeper_status dp_classifier_create(dp_classifier **classifier, dp_session *session, int softmax, int crops, deeper_error *error);
void dp_classifier_free(dp_classifier *classifier);

/* Computes `images` (1..classifier->images) pictures, whose crops lie in tensors, in as few runs as max_batch allows:
 *     probabilities[i][c] = (sum over crops k, in their order, of softmax[i * crops + k][c]) / crops */
void dp_classifier_run(dp_classifier *classifier, size_t images);

typedef struct dp_stream {
    deeper_source source;      /* of paths; not used where there is a data set */
    const dp_dataset *dataset; /* or NULL: its pictures in order, with ... */
    const size_t *labels;      /* ... the label of each of its classes */
    int readers;
    bool exact; /* JPEGs are decoded at full size even where a smaller decode would do: the numbers of other programs */
    int (*sink)(void *context, const deeper_result *result);
    void *context;
} dp_stream;

/* Classifies every picture, in order; deeper_classify_stream has the contract. As many as are decoded, up to
 * classifier->images, are computed together, without waiting for more. Errors: STOPPED (by the sink), MEMORY, IO. */
deeper_status dp_classify_stream(dp_classifier *classifier, const dp_stream *stream, deeper_error *error);

#endif
