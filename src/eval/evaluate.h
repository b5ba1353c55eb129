/* evaluate.h - one or several models over a labelled data set, or a shard of it, with the answers
 * saved on the way. */
#ifndef DP_EVAL_EVALUATE_H
#define DP_EVAL_EVALUATE_H

#include "eval/scores.h"
#include "eval/stream.h"

typedef struct dp_evaluation {
    dp_classifier *const *classifiers; /* of the same sets of crops */
    const char *const *names;          /* of the models; NULL: their architectures */
    int count;                         /* 1..DP_PROBS_MODELS */
    const dp_dataset *dataset;
    deeper_combine combine;
    int readers;
    dp_picture_limits limits;
    int shard, shards; /* from 1 */
    const char *save;  /* a file of saved answers (eval/probs.h), for which the sets must begin
                          with the first; NULL: none */
    bool resume;       /* go on with what is there of it */
    void (*progress)(void *context, uint64_t done,
                     uint64_t total); /* after each picture; may be NULL */
    void (*problem)(void *context, const char *path, const char *message); /* may be NULL */
    deeper_control (*control)(void *context);                              /* may be NULL */
    void *context;
} dp_evaluation;

/* Decodes at full size. Errors: MISMATCH (classes of the data set or of the models, saved answers
 * of something else), FORMAT (no picture could be read), STOPPED (what was saved stays), those of
 * dp_classify_stream and of saving. */
deeper_status dp_evaluate(dp_scores **scores, const dp_evaluation *evaluation, deeper_error *error);

#endif
