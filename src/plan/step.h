/* step.h - what a plan consists of: storages placed in the arena, views into them, steps that work
 * on views. Internal to plan/. Letters as in graph.h and kernels.h: L lanes. */
#ifndef DP_PLAN_STEP_H
#define DP_PLAN_STEP_H

#include "base/arithmetic.h"
#include "kernels/gradient.h"
#include "plan/plan.h"

#include <math.h>

/* A piece of the arena: `image` floats for each image of the batch, then `fixed` floats whatever
 * the batch. Live from phase `first` to phase `last`. The halo is the margin of pixels around the
 * picture; it is zeroed in phase `first`. */
typedef struct dp_storage {
    size_t image, fixed;
    int first, last; /* phases; first > last: not used yet */
    int written;     /* last phase of a writer so far, 0 none */
    size_t offset;   /* floats from the start of the arena */
    dp_pads halo;
    int pixel;                 /* floats per pixel: L, or 1 if planar */
    int planes, height, width; /* channel blocks (planar: channels) and picture, without halo: what
                                  halo zeroing walks */
} dp_storage;

/* A tensor of `shape` inside a storage. offset: floats from the start of an image to pixel (0, 0)
 * of the first channel block. Parameters and batch sums (shape.n > 0) lie flat in canonical order,
 * a sum in a fixed storage, a parameter at `values`. */
typedef struct dp_view {
    int storage; /* -1: none */
    const float *values;
    bool planar;
    ptrdiff_t offset, block_stride, row_stride; /* block: of channel blocks (planar: channels) */
    dp_shape shape;
} dp_view;

typedef struct dp_step dp_step;

/* What a worker's scratch holds from an earlier task of the run: strip `strip` of `step`, or
 * nothing. */
typedef struct dp_held {
    const dp_step *step;
    int strip;
} dp_held;

/* One call of dp_plan_run. */
typedef struct dp_run {
    const dp_plan *plan;
    float *arena;
    const dp_plan_call *call;
    dp_held *held; /* one per worker */
} dp_run;

/* What the steps of one kind share. run does task `task` of the step; it writes nothing that
 * another task writes. */
typedef struct dp_step_kind {
    const char *name;
    void (*run)(const dp_run *run, const dp_step *step, int task, int worker);
    void (*describe)(const dp_step *step,
                     dp_buffer *text); /* appends the algorithm and its parameters; may be NULL */
    void (*release)(dp_plan *plan, dp_step *step); /* frees what the step owns; may be NULL */
} dp_step_kind;

typedef struct dp_conv_weights dp_conv_weights;

/* The gradient of a bias that a weight gradient's step computes along, while it passes over the
 * same values (steps/batch.c). */
typedef struct dp_bias_step {
    bool taken;
    int sums;    /* storage: a double per channel */
    dp_view out; /* a batch sum */
} dp_bias_step;

/* What a step computes along with its own result, beside what its weights have taken in. A kernel
 * that ends in max(low, sum) takes `low` itself; dp_finish_pixels does the rest. Steps that
 * use either take theirs from dp_epilogue_of: zeros would clip at 0. */
typedef struct dp_epilogue {
    float low, high; /* bounds of a ReLU or clip; -INFINITY, INFINITY: none */
    bool masked;     /* by the gradient of a ReLU: `out` is kept where `mask` is > 0, else 0 */
    dp_view mask;
    dp_bias_step bias;
} dp_epilogue;

struct dp_step {
    const dp_step_kind *kind;
    const char *name; /* of the node it computes; lives with the graph */
    int phase;
    int tasks; /* of one image, or of the whole batch if `whole_batch` */
    bool whole_batch;
    uint64_t work;          /* estimate that orders the steps of a phase: the longest begin first */
    uint64_t multiply_adds; /* of its convolutions and linear layers, done directly, of one image:
                               what it is measured by */
    dp_chosen chosen;
    dp_view in, in2, in3, out;
    dp_epilogue epilogue;
    union {
        void *own; /* what the kind alone knows, and releases: a type of its file */
        const dp_conv_weights *weights; /* to pack */
        struct {
            dp_window window;
            dp_pooling_kernel *kernel;                            /* forward */
            void (*gradient)(const dp_pooling_gradient *pooling); /* backward */
            dp_view base; /* what a gradient is added to; without channels: nothing */
        } pool;
        dp_lrn lrn;
        dp_pads pads; /* of a pad */
        dp_normalize normalize;
        dp_stride stride; /* of a dilation */
        struct {
            const float *packed; /* scale, then shift, each CB x L floats; in the packs */
            float epsilon;
            dp_view scale, mean, variance, sums; /* training */
        } norm;
        struct {
            int index; /* of the call's inputs or outputs */
            dp_shape shape;
        } io;
        struct {
            int input;  /* of the call, or -1: step->in */
            int margin; /* pixels above and before the picture */
        } phases;
        dp_dropout dropout;
        float smoothing, value; /* of a loss; of a fill */
    } as;
};

enum { DP_TASKS_MAX = 65535 }; /* of a loop: the pool counts to it */

struct dp_plan {
    const deeper_allocator *allocator;
    const dp_graph *graph;
    const dp_kernels *kernels;
    const dp_gradient_kernels *gradient_kernels;
    int max_batch, threads;
    bool training, direct;
    dp_precision precision;
    dp_storage *storages;
    int storage_count;
    size_t storage_capacity;
    dp_step *steps;
    int step_count;
    size_t step_capacity;
    int scratch; /* storage with a piece of scratch_floats for each worker, in all phases */
    size_t scratch_floats; /* the most that a step wants */
    size_t arena_floats, packed_bytes;
};

/* profile.c: shares the wall time of a loop over the steps first..end-1 among them. */
void dp_profile_loop(dp_profile *profile, int first, int end, double seconds);

/* Pixel (0, 0), first block, of a view in one image of a run. */
static inline float *dp_view_at(const dp_run *run, const dp_view *view, int image) {
    const dp_storage *storage = &run->plan->storages[view->storage];
    return run->arena + storage->offset + (size_t)image * storage->image + view->offset;
}

/* Pixel (0, y) of one of its blocks (planar: channels). */
static inline float *dp_row_at(const dp_run *run, const dp_view *view, int image, int block,
                               int y) {
    return dp_view_at(run, view, image) + block * view->block_stride + y * view->row_stride;
}

/* Room for the worker's step under way, DP_ALIGNMENT aligned: the same for all steps, so that it
 * stays in the caches. */
static inline float *dp_worker_scratch(const dp_run *run, int worker) {
    const dp_plan *plan = run->plan;
    return run->arena + plan->storages[plan->scratch].offset
           + (size_t)worker * plan->scratch_floats;
}

/* Whether a step masks by its own in2, which its kernel has at hand. */
static inline bool dp_masks_by_input(const dp_step *step) {
    const dp_view *x = &step->in2, *mask = &step->epilogue.mask;
    return step->epilogue.masked && mask->storage == x->storage && mask->offset == x->offset
           && mask->shape.c == x->shape.c;
}

/* Applies a step's mask or upper bound to pixels x..x+pixels-1 of row y of one channel block, which
 * the step has just written. */
static inline void dp_finish_pixels(const dp_run *run, const dp_step *step, int image, int block,
                                    int y, int x, int pixels) {
    const dp_epilogue *epilogue = &step->epilogue;
    if (!epilogue->masked && epilogue->high == INFINITY)
        return;
    const dp_view *view = &step->out, *mask = &epilogue->mask;
    ptrdiff_t pixel = (ptrdiff_t)x * run->plan->kernels->lanes;
    float *out = dp_row_at(run, view, image, block, y) + pixel;
    if (epilogue->masked)
        run->plan->gradient_kernels->relu(out, out, dp_row_at(run, mask, image, block, y) + pixel,
                                          pixels);
    else
        run->plan->kernels->clamp(out, out, pixels, -INFINITY, epilogue->high);
}

static inline void dp_finish_rows(const dp_run *run, const dp_step *step, int image, int block,
                                  int begin, int end) {
    for (int y = begin; y < end; y++)
        dp_finish_pixels(run, step, image, block, y, 0, step->out.shape.w);
}

/* The values of a parameter or batch sum. */
static inline const float *dp_fixed_at(const dp_run *run, const dp_view *view) {
    return view->values ? view->values
                        : run->arena + run->plan->storages[view->storage].offset + view->offset;
}

/* Channel blocks of `channels` channels. */
static inline int dp_blocks(int channels, int lanes) {
    return dp_ceil_div(channels, lanes);
}

/* Tasks are numbered 0..tasks-1 within an image; a step that splits `items` gives part `part` of
 * `parts` the range [begin, end). */
static inline void dp_share(int items, int parts, int part, int *begin, int *end) {
    *begin = (int)((int64_t)items * part / parts);
    *end = (int)((int64_t)items * (part + 1) / parts);
}

/* What a task has of a step that shares out channel blocks: blocks begin..end-1 of one image, or of
 * all images where the step takes the whole batch. */
typedef struct dp_task_blocks {
    int image, begin, end;
} dp_task_blocks;
static inline dp_task_blocks dp_blocks_of_task(const dp_run *run, const dp_step *step, int channels,
                                               int task) {
    dp_task_blocks own = { .image = task / step->tasks };
    dp_share(dp_blocks(channels, run->plan->kernels->lanes), step->tasks, task % step->tasks,
             &own.begin, &own.end);
    return own;
}

#endif
