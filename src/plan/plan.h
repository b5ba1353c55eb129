/* plan.h - compiles a graph for a batch size, an instruction set and a set of outputs; the result
 * is an array of steps in phases, and one arena in which liveness has placed every tensor. Running
 * walks the steps: no allocation, no decision, no lock but the pool's.
 *
 * How: keep what the outputs need; fold batch norm and fuse ReLU into the convolution before; join
 * sibling 1x1 convolutions of one input into one product; let the parts of a concatenation write
 * into its channel slices; give the private inputs of padded convolutions a halo; lower each node
 * to a step; number phases (steps of a phase do not depend on each other and run as one loop);
 * place buffers. What changes a bit is chosen from shape, ISA and tuning alone, never from threads
 * or batch. */
#ifndef DP_PLAN_PLAN_H
#define DP_PLAN_PLAN_H

#include "base/threads.h"
#include "graph/graph.h"
#include "kernels/kernels.h"
#include "plan/tuning.h"

typedef struct dp_plan dp_plan;

/* Packed weights, shared by all plans of one model: made on first use, kept until the cache is
 * freed. Thread-safe. */
typedef struct dp_packs dp_packs;
deeper_status dp_packs_create(dp_packs **packs, const deeper_allocator *allocator,
                              deeper_error *error);
void dp_packs_free(dp_packs *packs);

enum { DP_BATCH_MAX = 4096 };

/* OK, or ARGUMENT: outside 1..DP_BATCH_MAX. */
deeper_status dp_check_batch(int images, deeper_error *error);

/* What values are computed in: which algorithms the planner may choose from. */
typedef enum dp_precision { DP_FP32, DP_PRECISION_COUNT } dp_precision;

typedef struct dp_plan_options {
    const dp_kernels *kernels;
    int max_batch;      /* 1..DP_BATCH_MAX */
    int threads;        /* divides the work; changes no result */
    const int *outputs; /* nodes */
    int output_count;   /* >= 1 */
    bool training; /* parameters change between runs: they are packed in every run; dropout drops */
    bool direct;   /* convolutions by the direct product alone: slower, a third of the packed
                      weights */
    const dp_tuning *tuning; /* how convolutions are computed where it says; NULL: nowhere. Not
                                kept; not for training */
    dp_precision precision;
    const char *pass; /* a pass of the planner whose outcome is appended to `text`; NULL: none */
    dp_buffer *text;
} dp_plan_options;

/* What a step chose between the direct product and Winograd's algorithm; key.channels 0:
 * nothing. */
typedef struct dp_chosen {
    dp_tuning_key key;
    dp_tuning_choice choice;
    bool tuned; /* as the tuning said */
} dp_chosen;

/* The names of the passes in their order, with bars between. */
const char *dp_plan_passes(void);

/* values[p]: the values of parameter p; read now (packed) and not kept, except in training, where
 * they are read in every run. packs may be NULL in training. The graph, the packs and the kernels
 * must outlive the plan. */
deeper_status dp_plan_create(dp_plan **plan, const dp_graph *graph, const float *const *values,
                             dp_packs *packs, const dp_plan_options *options,
                             const deeper_allocator *allocator, deeper_error *error);
void dp_plan_free(dp_plan *plan);

size_t dp_plan_arena_bytes(
    const dp_plan *plan); /* peak of activations and workspace, what dp_plan_run needs */
size_t dp_plan_packed_bytes(const dp_plan *plan); /* packed weights that the plan reads */

/* Where runs of a plan leave their times: those of a step are what its tasks took on all threads,
 * as its part of the wall time of the loop that it shares with the other steps of its phase. */
typedef struct dp_profile {
    const dp_plan *plan;
    double *seconds; /* a step: added up over runs since dp_profile_clear; all steps together are
                        the wall time of the runs */
    double *waiting; /* a step: of that, the time for which threads stood idle because no task was
                        left */
    double *busy;    /* [step][worker] of the loop under way */
} dp_profile;

/* For a plan, which must outlive it. Errors: MEMORY. */
deeper_status dp_profile_create(dp_profile **profile, const dp_plan *plan, deeper_error *error);
void dp_profile_free(dp_profile *profile);
void dp_profile_clear(dp_profile *profile);
void dp_profile_copy(dp_profile *to, const dp_profile *from); /* of one plan */

/* What step `step` of a plan is. The texts live as long as the plan and its graph. */
typedef struct dp_plan_step {
    const char *name, *kind;
    int phase;
    uint64_t multiply_adds; /* of the convolutions and linear layers that it computes, done
                               directly, of one image */
    dp_chosen chosen;
} dp_plan_step;
int dp_plan_steps(const dp_plan *plan);
dp_plan_step dp_plan_step_at(const dp_plan *plan, int step);

/* Appends how a step computes: algorithm and its parameters, in a few words; may be nothing. */
void dp_plan_describe_step(const dp_plan *plan, int step, dp_buffer *text);

typedef struct dp_plan_call {
    int count;                  /* images, 1..max_batch */
    const float *const *inputs; /* inputs[i]: count x the shape of the graph's i-th INPUT, NCHW;
                                   NULL where no output needs it */
    float *const
        *outputs;  /* outputs[i]: receives count x the shape of output i, NCHW; a batch sum once */
    uint64_t seed; /* of the dropout masks: training must give each run its own */
    dp_profile *profile; /* of this plan: the run adds its times; NULL: it takes none */
} dp_plan_call;

/* arena: dp_plan_arena_bytes, aligned to DP_ALIGNMENT, used by one run at a time. pool: at least
 * the plan's threads. The caller's thread must be in the floating-point mode of a run
 * (dp_float_mode_enter). */
void dp_plan_run(const dp_plan *plan, dp_pool *pool, float *arena, const dp_plan_call *call);

/* The plan as text: a line a step with phase, algorithm, tile, shapes and arena offsets, then the
 * totals. */
void dp_plan_print(const dp_plan *plan, dp_buffer *text);

#endif
