/* session.h - a plan with what it needs to run: threads, arena, the layers it returns. The inside
 * of deeper_session. One thread at a time; many sessions may share a model and its packed
 * weights. */
#ifndef DP_SESSION_SESSION_H
#define DP_SESSION_SESSION_H

#include "model/model.h"
#include "plan/plan.h"

enum { DP_IMAGE_MEGABYTES = 1024 };

/* Fields are for reading. */
typedef struct dp_session {
    const deeper_allocator *allocator; /* the model's */
    const dp_model *model;             /* borrowed */
    const dp_kernels *kernels;
    dp_plan *plan;
    dp_pool *pool;
    float *arena;
    dp_buffer text; /* the plan printed */
    int max_batch, threads;
    int at_once;    /* images of a run of the plan: a batch runs in pieces */
    int *outputs;   /* nodes */
    float **places; /* of the outputs of a piece */
    int output_count;
    dp_profile *profile; /* the caller's, who may set it: runs add their times; NULL at first */
} dp_session;

typedef struct dp_session_options {
    int max_batch;       /* 0: 1 */
    int threads;         /* as dp_threads_select takes it */
    uint64_t max_memory; /* MB of activations and packed weights; 0: DP_IMAGE_MEGABYTES of
                            activations an image */
    const int *outputs;  /* nodes */
    int output_count;
    bool direct;             /* as dp_plan_options has it */
    const dp_tuning *tuning; /* likewise */
    const char *pass;        /* whose outcome `text` shows; NULL: the plan's steps */
} dp_session_options;

/* The ISA comes from dp_isa_select. packs: the model's cache; it and the model must outlive the
 * session. Errors: ARGUMENT (options, a model without parameter values), MEMORY, IO (threads),
 * those of dp_plan_create. */
deeper_status dp_session_create(dp_session **session, const dp_model *model, dp_packs *packs,
                                const dp_session_options *options, deeper_error *error);
void dp_session_free(dp_session *session);

/* The shape (n = 0) of output `index`. */
dp_shape dp_session_output(const dp_session *session, int index);

/* Runs `count` (1..max_batch) images; input and outputs as dp_plan_call has them. The caller's
 * floating-point mode is kept. */
void dp_session_run(dp_session *session, const float *input, int count, float *const *outputs);

#endif
