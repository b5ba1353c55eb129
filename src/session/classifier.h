/* classifier.h - from prepared pictures to what a network says of each of their crops.
 * What it does not do: reading pictures (eval/stream.h), making one answer of the crops'
 * (eval/combine.h). */
#ifndef DP_SESSION_CLASSIFIER_H
#define DP_SESSION_CLASSIFIER_H

#include "image/crops.h"
#include "session/session.h"

/* A session with room for the answers of `images` pictures. Fields are for reading. */
typedef struct dp_classifier {
    dp_session *session;   /* borrowed */
    int first, last;       /* the sets of crops (image/crops.h) */
    size_t images;         /* pictures at a time: as many as max_batch has room for, at least 1 */
    size_t crops;          /* of all the sets */
    size_t picture_floats; /* of a prepared picture: room for the views of any picture */
    size_t classes;
    float *softmaxes; /* images x crops x classes: the answers */
    float *views;     /* 2 x DP_VIEWS_MAX x classes: of the views of a picture, then of their mirror
                         images */
    float *mirrors;   /* max_batch inputs */
    float *picture;   /* room for a prepared one, of dp_classifier_picture; NULL until then */
    float **outputs;  /* where the session puts its outputs, max_batch images each */
    int softmax;      /* which of them are the probabilities */
} dp_classifier;

/* Sets `first` to `last`. Errors: ARGUMENT (a session that does not return `softmax`, the node of
 * the probabilities), those of dp_need_preprocess, MEMORY. */
deeper_status dp_classifier_create(dp_classifier **classifier, dp_session *session, int softmax,
                                   int first, int last, deeper_error *error);
void dp_classifier_free(dp_classifier *classifier);

/* Prepares a picture: tensor (picture_floats) = its views, in the order of its list of crops. May
 * run on any thread. Errors: those of dp_crops_list and dp_crops_views. */
deeper_status dp_classifier_prepare(const dp_classifier *classifier, const dp_image *image,
                                    float *tensor, const deeper_allocator *allocator,
                                    deeper_error *error);

/* Fills the softmaxes of `images` (1..classifier->images) prepared pictures. Picture i lies at
 * tensors + i * stride and was sizes[i] = {width, height} large. Each view, and each mirror image
 * of one, is computed once; one crop of several pictures, or the crops of one, go through the
 * network together, as many as max_batch allows. */
void dp_classifier_run(dp_classifier *classifier, const float *tensors, size_t stride,
                       const int (*sizes)[2], size_t images);

/* Whether the softmaxes of picture `image` of the last run are numbers. Error: NUMBER, when weights
 * of the model are none or sums have overflowed; such an answer is none. */
deeper_status dp_classifier_check(const dp_classifier *classifier, size_t image,
                                  deeper_error *error);

/* Prepares one picture and fills its softmaxes. Errors: those of dp_classifier_prepare and
 * dp_classifier_check, MEMORY. */
deeper_status dp_classifier_picture(dp_classifier *classifier, const dp_image *image,
                                    deeper_error *error);

#endif
