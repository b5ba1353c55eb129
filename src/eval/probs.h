/* probs.h - saved answers: the softmax of every crop of every picture of a data set, by one or
 * several models, so that any set of crops, rule and ensemble is scored without computing again. A
 * journal (base/journal.h) whose header is JSON. What it does not do: scoring (eval/scores.h).
 *
 * Header: {"version", "models": [{"name", "weights"}], "classes", "crops", "labels": [[id, name]]
 * or [], "data", "fingerprint", "pictures", "shard", "shards"}; weights and fingerprint are 16
 * hexadecimal digits. Record: picture's number, class (of the first model's), 1 if it could not be
 * read (three u64, then one that is 0), then for each model its softmaxes, crops x classes floats,
 * the smaller sets of crops before the larger (image/crops.h). */
#ifndef DP_EVAL_PROBS_H
#define DP_EVAL_PROBS_H

#include "base/journal.h"
#include "model/model.h"

enum { DP_PROBS_MODELS = 64 };

/* What a file says of itself. */
typedef struct dp_probs_about {
    int models;
    const char *names[DP_PROBS_MODELS];
    uint64_t weights[DP_PROBS_MODELS]; /* checksum of the parameters' values */
    int crops;                         /* of the largest set; the smaller ones are there too */
    size_t classes;
    dp_labels labels;               /* of the first model; count 0: none */
    const char *data;               /* where the pictures were */
    uint64_t fingerprint, pictures; /* of the whole set */
    int shard, shards; /* from 1; this file holds pictures begin..end-1 of `pictures` */
} dp_probs_about;

/* The part of `pictures` that shard i of n holds: floor((i - 1) pictures / n) to floor(i pictures /
 * n) - 1. */
void dp_probs_range(const dp_probs_about *about, uint64_t *begin, uint64_t *end);

typedef struct dp_probs dp_probs;

typedef struct dp_probs_record {
    uint64_t picture, label;
    bool unreadable;
    const float *softmaxes; /* models x crops x classes; lives until the next call */
} dp_probs_record;

/* Opens a finished file. Errors: those of dp_journal_open; FORMAT (a header that does not fit,
 * records missing). */
deeper_status dp_probs_open(dp_probs **probs, const char *path, const deeper_allocator *allocator,
                            deeper_error *error);

/* A file that grows. With resume goes on with PATH.part, which must be of the same models, data,
 * crops and part of it, or opens PATH if it is finished; else begins anew. Errors: those of the
 * journal; MISMATCH, naming what differs. */
deeper_status dp_probs_create(dp_probs **probs, const char *path, const dp_probs_about *about,
                              bool resume, const deeper_allocator *allocator, deeper_error *error);
void dp_probs_close(dp_probs *probs);

/* Lives with the file. */
const dp_probs_about *dp_probs_tell(const dp_probs *probs);

/* Records that are there; record i is of picture begin + i. */
uint64_t dp_probs_count(const dp_probs *probs);
deeper_status dp_probs_read(dp_probs *probs, uint64_t index, dp_probs_record *record,
                            deeper_error *error);

/* Adds the next picture; softmaxes[model] = crops x classes, or NULL if it could not be read. After
 * the last one the file gets its name. Syncs now and then. Errors: IO. */
deeper_status dp_probs_add(dp_probs *probs, uint64_t label, const float *const *softmaxes,
                           deeper_error *error);

/* Makes what was added last. Errors: IO. */
deeper_status dp_probs_sync(dp_probs *probs, deeper_error *error);

/* Writes all the shards of one evaluation, in any order of the paths, as one file. Errors: MISMATCH
 * (of different evaluations, twice the same shard, one missing: named), ARGUMENT (no parts), those
 * of reading and writing. */
deeper_status dp_probs_merge(const char *path, const char *const *parts, size_t count,
                             const deeper_allocator *allocator, deeper_error *error);

#endif
