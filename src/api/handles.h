/* handles.h - what stands behind the public handles, and the checks that every public call begins
 * with. A handle wraps one internal object and owns the copy of the allocator that the object
 * uses. */
#ifndef DP_API_HANDLES_H
#define DP_API_HANDLES_H

#include "base/float_mode.h"
#include "data/dataset.h"
#include "eval/scores.h"
#include "session/classifier.h"

#include <stdatomic.h>

/* The first line of every public call that computes, reads or writes: to its end, however it ends,
 * the thread is in the default floating-point mode, callbacks of the caller too
 * (scripts/check-style wants it). */
#define DP_ENTRY                                                                                   \
    __attribute__((cleanup(dp_float_restore))) fenv_t dp_caller;                                   \
    dp_float_save(&dp_caller)

/* First member of every handle that takes an allocator: the caller's structure need not outlive the
 * call. */
typedef struct dp_owner {
    deeper_allocator copy;
    const deeper_allocator *allocator; /* &copy, or NULL: malloc */
} dp_owner;

struct deeper_model {
    dp_owner owner;
    dp_model *model;
    dp_packs *packs; /* packed weights, shared by the sessions */
    int *layers;     /* the nodes that deeper_model_layer shows: all but parameters */
    size_t layer_count;
    char preprocessing[256]; /* as a line of text; empty: unknown */
    char *preprocess;        /* as JSON, malloc'ed; NULL: unknown */
    atomic_int sessions;     /* alive */
};

struct deeper_session {
    deeper_model *model;
    dp_session *session;
    dp_classifier
        *classifier; /* made at the first classification, made again for other sets of crops */
};

struct deeper_image {
    dp_owner owner;
    dp_image image;
};

struct deeper_scores {
    dp_owner owner;
    dp_scores *scores;
};

struct deeper_dataset {
    dp_owner owner;
    dp_dataset *dataset;
};

/* A zeroed handle of `size` bytes that begins with a dp_owner. Errors: ARGUMENT (an allocator
 * without its functions), MEMORY. */
deeper_status dp_handle_create(void **handle, size_t size, const deeper_allocator *allocator,
                               deeper_error *error);
void dp_handle_free(void *handle);

/* Fills `options` (`size` bytes, set to the defaults of its _INIT) from what the caller gave: NULL,
 * or a structure that begins with its own size: of this library's version, of an earlier one (what
 * it lacks keeps its default) or of a later one whose further members are all zero. name: of the
 * structure, in small letters. Errors: ARGUMENT (a size that no version has), UNSUPPORTED (members
 * of a later version in use). */
deeper_status dp_options_read(void *options, size_t size, const void *given, const char *name,
                              deeper_error *error);

/* A structure of the caller's that a call fills: `size` bytes of it are the caller's. ARGUMENT if
 * it is NULL or the size is none. */
deeper_status dp_need_result(const void *result, size_t size, const char *argument,
                             deeper_error *error);

/* Fills it from this library's own version (`own` bytes): what both have, and zeros past that. */
void dp_result_give(void *result, size_t size, const void *value, size_t own);

/* ARGUMENT unless it is a number of threads, or 0. */
deeper_status dp_need_readers(int readers, deeper_error *error);

/* The session's classifier for that many crops, and with `smaller` for the smaller sets before
 * them. Errors: those of dp_crops_check and dp_classifier_create. */
deeper_status dp_session_classifier(dp_classifier **classifier, deeper_session *session, int crops,
                                    bool smaller, deeper_error *error);

/* ARGUMENT unless it is a rule. */
deeper_status dp_need_combine(deeper_combine combine, deeper_error *error);

#endif
