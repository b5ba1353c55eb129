/* passes.h - the state of planning, and the passes that share it in this order: simplify, choose,
 * place, lower, arena. Internal to plan/; gone when the
 * plan is made. */
#ifndef DP_PLAN_PASSES_H
#define DP_PLAN_PASSES_H

#include "plan/choice.h"
#include "plan/step.h"

struct dp_lowering {
    dp_plan *plan;
    const dp_graph *graph;
    const float *const *values;
    dp_packs *packs;
    const dp_tuning *tuning;
    const int *outputs;
    int output_count;

    /* One element per node. A node's value lives where its root's does. root[i] == i for nodes that
     * have a value of their own. */
    bool *needed;
    int *uses;     /* needed nodes that read it, counted once a reading, and outputs */
    int *absorber; /* the next node (batch norm, ReLU, its gradient, clip) that this node's step
                      computes along, or -1 */
    int *root;
    bool *done; /* its step exists already (siblings are lowered together) */
    dp_choice *choices;
    dp_view *views;
};

/* A pass fills more of the state. They run in this order. */
typedef deeper_status dp_pass(dp_lowering *lowering, deeper_error *error);
dp_pass dp_pass_simplify; /* needed ... root */
dp_pass dp_pass_choose;   /* choices */
dp_pass dp_pass_place;    /* a view for the value of every root */
dp_pass dp_pass_lower;    /* the steps, in the order of a run */
dp_pass dp_pass_arena;    /* offsets for all storages */

/* Appends what a pass has decided, a line per node, value, step or storage. */
typedef void dp_pass_print(const dp_lowering *lowering, dp_buffer *text);
dp_pass_print dp_print_simplify, dp_print_choose, dp_print_place, dp_print_lower, dp_print_arena;

/* -------------------------------------------------------------------------------- the operators */

/* What a step can compute along with its own result: bits of dp_plan_op. */
enum {
    DP_ALONG_AFFINE = 1, /* a factor and a term per channel, folded into the weights */
    DP_ALONG_RELU = 2,
    DP_ALONG_CLIP = 4,
    DP_ALONG_RELU_GRADIENT = 8,
    DP_ALONG_SUM = 16 /* what nothing but a sum reads is added to the sum's other term */
};

/* How a step reads its first input. */
enum {
    DP_READS_WINDOW = 1,      /* by a window: with a halo where that pads, and planes too */
    DP_READS_DENSE = 2,       /* pixels that follow each other, without a halo */
    DP_READS_POINT_DENSE = 4, /* the same where the window is 1x1 */
};

typedef enum dp_value {
    DP_VALUE_ARENA,  /* a view */
    DP_VALUE_PACKED, /* parameters, and other orders of them: only packed (conv/pack.c) */
    DP_VALUE_CALLER  /* its step writes into the caller's memory */
} dp_value;

/* What the planner needs to know of an operator: a row of operators.c. */
typedef struct dp_plan_op {
    dp_lower *lower; /* emits the step of a node and of all that it absorbs; NULL: no work, or */
    const dp_algorithm *const *algorithms; /* choose takes one of these */
    unsigned along;   /* what it is to the step before it, which may compute it along; 0: nothing */
    unsigned absorbs; /* what its own step computes along, */
    unsigned absorbs_rows; /* and what only where its result has several pixels: with one, images
                              take the place of pixels */
    unsigned reads;
    dp_value value;
    bool in_place; /* reads a pixel before it writes it: may write where its input lies */
    bool (*renames)(const dp_lowering *lowering, const dp_node *node); /* only another name of its
                                                                          input? NULL: never */
} dp_plan_op;
extern const dp_plan_op dp_plan_ops[DP_OP_COUNT];

/* ------------------------------------------------------------------------------------- simplify */

/* The last of the chain node -> absorber -> ...: the node whose value the step of `node` writes. */
int dp_target(const dp_lowering *lowering, int node);

/* The batch norm or affine that the step of `node` computes along, or -1. */
int dp_target_affine(const dp_lowering *lowering, int node);

/* What the step of `node` computes along: the bounds of the ReLU or clip that it ends in or is, the
 * mask of a ReLU's gradient that it has absorbed. */
dp_epilogue dp_epilogue_of(const dp_lowering *lowering, int node);

/* Appends that a step masks or clips what it computes. */
void dp_describe_epilogue(const dp_step *step, dp_buffer *text);

/* ---------------------------------------------------------------------------------------- place */

/* Pictures of up to DP_PLANAR_CHANNELS channels may stay planar. */
enum { DP_PLANAR_CHANNELS = 4 };

/* steps/layout.c: which of a call's inputs an INPUT node is. */
int dp_input_index(const dp_graph *graph, int node);

/* The view of the value of input `index` of a node. */
const dp_view *dp_input_view(const dp_lowering *lowering, int node, int index);

/* The same for an input that may be missing: a view without channels. */
dp_view dp_optional_view(const dp_lowering *lowering, int node, int index);

/* Whether the storage of a view has `pads` around it. */
bool dp_has_halo(const dp_plan *plan, const dp_view *view, const dp_pads *pads);

/* A new storage for a picture with a halo (NULL: none), and the view of the whole of it.
 * planar: one float per pixel. */
deeper_status dp_storage_add(dp_plan *plan, dp_shape shape, const dp_pads *halo, bool planar,
                             dp_view *view, deeper_error *error);

/* A new storage of `floats` floats for the whole batch; its number. */
deeper_status dp_storage_add_fixed(dp_plan *plan, size_t floats, int *storage, deeper_error *error);

/* Says that a step wants `floats` floats of dp_worker_scratch. */
void dp_need_scratch(dp_plan *plan, size_t floats);

/* Adds a step (copied) that reads and writes these storages; gives it the first phase after all
 * writers of what it reads. -1 among the reads is no storage (a parameter). */
deeper_status dp_emit(dp_plan *plan, const dp_step *step, const int *reads, int read_count,
                      const int *writes, int write_count, deeper_error *error);
deeper_status dp_emit_unary(dp_plan *plan, const dp_step *step,
                            deeper_error *error); /* reads step->in, writes step->out */

/* Parts that one image's `work` (multiply-adds or so) over `items` independent items is cut into
 * for the plan's threads. */
int dp_parts(const dp_plan *plan, int items, uint64_t work);

dp_lower dp_lower_input, dp_lower_pool, dp_lower_adaptive_pool, dp_lower_lrn, dp_lower_relu,
    dp_lower_clip, dp_lower_affine, dp_lower_add, dp_lower_concat, dp_lower_flatten, dp_lower_pad,
    dp_lower_reflect, dp_lower_resize, dp_lower_erf, dp_lower_normalize, dp_lower_sigmoid,
    dp_lower_multiply, dp_lower_shuffle, dp_lower_softmax;
dp_lower dp_lower_fill, dp_lower_loss, dp_lower_loss_gradient, dp_lower_dropout, dp_lower_unflatten,
    dp_lower_dilate, dp_lower_channel_sum, dp_lower_relu_gradient, dp_lower_pool_gradient,
    dp_lower_lrn_gradient, dp_lower_slice, dp_lower_moments, dp_lower_batch_norm_training,
    dp_lower_batch_norm_sums, dp_lower_batch_norm_gradient, dp_lower_fixed_norm_gradient;
deeper_status dp_lower_output(dp_lowering *lowering, int output, deeper_error *error);
deeper_status dp_lower_halos(dp_plan *plan, deeper_error *error);

/* A copy of a view into a storage of its own that has this halo. */
deeper_status dp_lower_copy(dp_lowering *lowering, int node, const dp_view *in, const dp_pads *halo,
                            dp_view *out, deeper_error *error);

/* steps/pool.c: a sum whose input `index` is the gradient of a max pool without a step of its
 * own. */
deeper_status dp_lower_pool_gradient_sum(dp_lowering *lowering, int sum, int index,
                                         deeper_error *error);

/* steps/batch.c: the step of a weight gradient takes over the sums over the channels of its
 * gradient, in2, if they are wanted and have no step yet. It then calls clear before, add for the
 * rows of every image in order, and write after, for each channel block once. */
deeper_status dp_take_channel_sum(dp_lowering *lowering, int node, dp_step *step,
                                  deeper_error *error);
void dp_bias_clear(const dp_run *run, const dp_step *step, int block);
void dp_bias_add(const dp_run *run, const dp_step *step, int image, int block, int begin, int end);
void dp_bias_write(const dp_run *run, const dp_step *step, int block);

/* packs.c: the entry `key` of `floats` floats, filled by fill(values, context) if it is new (zeroed
 * before). */
typedef void dp_pack_fill(float *values, const void *context);
deeper_status dp_packs_get(dp_packs *packs, const char *key, size_t floats, dp_pack_fill *fill,
                           const void *context, const float **values, deeper_error *error);

#endif
