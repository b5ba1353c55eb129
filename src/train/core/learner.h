/* learner.h - the training graph of a model, planned, with the memory of its results: one batch in,
 * losses and gradients out. What it does not do: changing the parameters (optimiser.h), choosing
 * pictures (batches.h). */
#ifndef DP_TRAIN_LEARNER_H
#define DP_TRAIN_LEARNER_H

#include "base/threads.h"
#include "graph/training.h"
#include "model/model.h"
#include "plan/plan.h"

typedef struct dp_learner_options {
    float aux_weight, smoothing;
    const bool *frozen; /* as dp_training_options has it */
    int max_batch, threads;
    bool adds;   /* gradients of several batches are added up */
    bool direct; /* as dp_plan_options has it */
} dp_learner_options;

/* Fields are for reading. */
typedef struct dp_learner {
    const deeper_allocator *allocator;
    dp_model *model; /* borrowed; has an arena, whose running statistics dp_learner_run changes */
    dp_graph *training;
    dp_training_nodes nodes; /* heads reordered: main first */
    float head_weights[DP_HEADS];
    dp_plan *plan;
    dp_pool *pool;
    float *arena;
    size_t floats;    /* of the model's arena */
    float *gradients; /* of the summed loss, placed as the values are in the model's arena; 0 for
                         what does not learn */
    float *fresh;     /* of the last batch where gradients are added up, else NULL */
    float *results;   /* the block that holds the following */
    float *losses[DP_HEADS], *logits, **moments;
    int *outputs;   /* nodes */
    float **places; /* where each goes */
    int output_count;
    dp_isa isa;
    int threads;
    dp_profile *profile; /* the caller's, who may set it: runs add their times; NULL at first */
} dp_learner;

/* "main", "aux1", "aux2". Static. */
const char *dp_head_name(dp_head head);

/* Errors: those of dp_graph_training and dp_plan_create, MEMORY, IO (threads), ARGUMENT (threads,
 * DEEPER_ISA). */
deeper_status dp_learner_create(dp_learner **learner, dp_model *model,
                                const dp_learner_options *options,
                                const deeper_allocator *allocator, deeper_error *error);
void dp_learner_free(dp_learner *learner);

/* Runs `count` pictures (tensors as the network takes them; labels: class and weight of each) with
 * dropout masks from `seed`. Afterwards losses[h][n] are the heads' losses times the weights of the
 * images, logits the main head's scores, and gradients those of the sum over images and heads,
 * added to what was there unless `first`. The caller is in the floating-point mode of a run. */
void dp_learner_run(dp_learner *learner, const float *tensors, const float *labels, int count,
                    bool first, uint64_t seed);

/* The running statistics of the batch norms move a tenth of the way to those of the last run of
 * `count` pictures, the variance as the unbiased one (PyTorch's rule). */
void dp_learner_track(dp_learner *learner, int count);

#endif
