/* scores.h - the table that an evaluation ends in: models and their average, by sets of crops, with
 * what each got right. A row is one model, or all of them averaged, with one set of crops; the last
 * row is the result, and what is kept of single pictures (confusion, mistakes) is its. Rows are
 * filled picture by picture, from the network or from saved answers alike. */
#ifndef DP_EVAL_SCORES_H
#define DP_EVAL_SCORES_H

#include "base/statistics.h"
#include "eval/combine.h"
#include "eval/metrics.h"
#include "eval/mistakes.h"
#include "eval/probs.h"

typedef struct dp_score_row {
    int model; /* -1: all of them */
    int set;   /* of crops */
    dp_metrics metrics;
    dp_calibration calibration;
    uint8_t *
        hits; /* of each picture from `begin`: 1 top-1, 2 top-5; 0 too where it could not be read */
} dp_score_row;

/* Fields are for reading. */
typedef struct dp_scores {
    const deeper_allocator *allocator;
    dp_probs_about about; /* its texts are copies */
    deeper_combine combine;
    int first, last; /* sets of crops */
    uint64_t begin, end, images, unreadable;
    double seconds;
    dp_score_row
        *rows; /* model after model, then the average of several; sets from few crops to many */
    int row_count;
    uint64_t *confusion; /* classes x classes, row: true class; NULL: too many */
    dp_mistakes mistakes;
    size_t **order; /* [model]: its output for class c of the first model's; NULL: the same order */
    float *answers, *one; /* models x classes; classes */
    char *texts;
} dp_scores;

/* An empty table. labels: of each model, in the order of about->names (the first is about->labels);
 * pictures of about's shard. Classes are matched by id where the models list them in different
 * orders. Errors: MISMATCH (models of different classes, the first id that is missing is named),
 * MEMORY. */
deeper_status dp_scores_create(dp_scores **scores, const dp_probs_about *about,
                               const dp_labels *const *labels, int first, int last,
                               deeper_combine combine, const deeper_allocator *allocator,
                               deeper_error *error);
void dp_scores_free(dp_scores *scores);

/* Counts a picture. softmaxes[model] begins with set `first`; label is the first model's class.
 * NULL: it could not be read. */
void dp_scores_add(dp_scores *scores, uint64_t picture, size_t label,
                   const float *const *softmaxes);

/* The row that differences are to: of the fewest crops, the single model with the fewest errors
 * (the paper's choice). */
int dp_scores_base(const dp_scores *scores);

/* All that is told of a row; its texts live with the scores. */
void dp_scores_describe(const dp_scores *scores, int row, deeper_score *score);

/* Reads saved answers of the same pictures, file by file models of one ensemble, and scores them
 * with `crops` (0: all that are there) and the sets before it. Errors: MISMATCH (other pictures,
 * part of them or classes, no such crops), those of probs.h. */
deeper_status dp_scores_open(dp_scores **scores, const char *const *files, size_t count, int crops,
                             deeper_combine combine, const deeper_allocator *allocator,
                             deeper_error *error);

#endif
