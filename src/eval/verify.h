/* verify.h - a model's tensors against those that another program recorded, or against another
 * model's on the same inputs: how far each layer differs, in the order of computation, so that the
 * first one beyond a tolerance is where two implementations part. What it does not do: judge (the
 * caller has the tolerance), read pictures. */
#ifndef DP_EVAL_VERIFY_H
#define DP_EVAL_VERIFY_H

#include "formats/numpy/recording.h"
#include "session/session.h"

/* How far one tensor differs: the image where |value - reference| is largest relative to the
 * largest value of that image's tensor. */
typedef struct dp_difference {
    const char *
        name; /* of the layer; NULL: `other` was not compared, for no layer could be found for it */
    const char *other; /* its name in the other model or the recording */
    int node;
    dp_shape shape;
    double relative, absolute; /* infinite where a value is not a number */
    int image;
    size_t at; /* of its floats, C x H x W */
    float value, reference;
} dp_difference;

/* In order of computation; names live with the models and the recording. */
typedef struct dp_differences {
    const deeper_allocator *allocator;
    dp_difference *items;
    size_t count;
    int images;
} dp_differences;
void dp_differences_free(dp_differences *differences);

typedef struct dp_verify_options {
    const char
        *names;  /* "RECORDED=LAYER,...": what bears other names in the recording; NULL: none */
    int threads; /* as in a session */
    int images;  /* of two models: how many inputs `fill` has */
    deeper_status (*fill)(void *context, int image, float *input, deeper_error *error);
    void (*progress)(void *context, uint64_t done, uint64_t total); /* images; may be NULL */
    void *context;
    const dp_tuning *tuning; /* as in a session */
} dp_verify_options;

/* Compares with a recording. One of its arrays is the input, N x C x H x W: named as the input
 * layer, "input", or ending in "_input". Each other is compared with the layer of its name; if
 * there is none, with the one whose name is the same but for letters' case and signs, then with
 * NAME/output, then ("logits") with what the softmax reads, then with the only layer of its shape.
 * Errors: MISMATCH (no input, one of another shape, nothing to compare, names that are not there),
 * those of dp_session_create. */
deeper_status dp_verify_recording(dp_differences *differences, const dp_model *model,
                                  dp_packs *packs, const dp_recording *recording,
                                  const dp_verify_options *options, deeper_error *error);

/* Runs both on each input. Layers are matched by name and shape; those without a namesake by
 * structure: the same operators over matched inputs from the picture on, in the same order. Errors:
 * MISMATCH (inputs of other shapes), those of dp_session_create and of fill. */
deeper_status dp_verify_models(dp_differences *differences, const dp_model *model, dp_packs *packs,
                               const dp_model *other, const dp_verify_options *options,
                               deeper_error *error);

#endif
