/* evaluate.h - a model over a labelled data set. */
#ifndef DP_EVAL_EVALUATE_H
#define DP_EVAL_EVALUATE_H

#include "data/dataset.h"
#include "eval/stream.h"

typedef struct dp_evaluation_calls {
    void (*progress)(void *context, uint64_t done, uint64_t total);        /* may be NULL */
    void (*problem)(void *context, const char *path, const char *message); /* may be NULL */
    void *context;
} dp_evaluation_calls;

/* As deeper_evaluate has it, over the last set of the classifier's crops, with `readers` threads that decode at full size. Errors:
 * MISMATCH (classes), FORMAT (no picture could be read), those of dp_classify_stream. */
deeper_status dp_evaluate(dp_classifier *classifier, const dp_dataset *dataset, deeper_combine combine, int readers,
                          const dp_evaluation_calls *calls, deeper_evaluation *result, deeper_error *error);

#endif
