/* outer.c - weight gradients as outer products (gradient.h): dL/dw[k][c][r][s] = sum
 * over images, p, q of g[k][p][q] * x[c][p * stride + r - pad][q * stride + s - pad], written in
 * canonical order into the caller's memory.
 *
 * A unit is a group of output blocks times a group of input channels (planar input: one channel),
 * for all window offsets. A task takes its units by the chunk: the images pass in order, and while
 * some are in cache they are added into the sums of every unit of the chunk, which stay in scratch.
 * Each sum takes pixels and images in order, whatever the batch, the threads and the chunks.
 * Letters: L lanes, K C output and input channels, PQ output rows and columns, RS window, b blocks
 * of a unit, m its input channels (planar: window columns). */
#include "plan/conv/winograd.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK_FLOATS = 1 << 17, /* sums of one chunk: half of a small second cache */
    CALL_PIXELS = 1024      /* of a 1x1 window: small images are taken together up to these */
};

typedef struct outer_step {
    dp_window window;
    dp_weight_targets targets;
    int blocks, rows; /* b and m of a full unit */
    int block_groups; /* units along K */
    int row_groups;   /* units along C; planar: channels times parts of the window's columns */
    bool flat;    /* a 1x1 window over pictures whose rows follow each other: an image is one row */
    int together; /* images that one call sums */
    int chunk;    /* units */
    int scratch;  /* storage with room for the sums of a chunk per task */
    size_t unit_floats;
} outer_step;

/* One unit: blocks k0..k0+b-1, channels c0..c0+m-1 (planar: channel c0, window columns
 * s0..s0+m-1). */
typedef struct unit {
    int k0, b, c0, s0, m;
} unit;

static unit unit_at(const dp_step *step, int lanes, int index) {
    const outer_step *o = step->as.own;
    unit u = { .c0 = index % o->row_groups };
    int end;
    dp_share(dp_blocks(step->in2.shape.c, lanes), o->block_groups, index / o->row_groups, &u.k0,
             &end);
    u.b = end - u.k0;
    int whole = step->in.planar ? o->window.width : lanes, parts = dp_ceil_div(whole, o->rows);
    int group = u.c0 / parts, begin = u.c0 % parts * o->rows;
    u.m = dp_min(o->rows, whole - begin);
    u.c0 = step->in.planar ? group : group * lanes + begin;
    u.s0 = step->in.planar ? begin : 0;
    if (!step->in.planar)
        u.m = dp_min(u.m, step->in.shape.c - u.c0);
    return u;
}

/* Adds images first..first+count-1 into the sums of window offset (r, s); planar input: of columns
 * from s on. Several images are one picture of that many rows, or, where they have one pixel each,
 * one row. */
static void add_images(const dp_run *run, const dp_step *step, const unit *u, int first, int count,
                       int r, int s, float *sums) {
    const outer_step *o = step->as.own;
    const dp_view *x = &step->in, *g = &step->in2;
    const dp_window *w = &o->window;
    int lanes = run->plan->kernels->lanes, pixel = x->planar ? 1 : lanes;
    ptrdiff_t x_image = (ptrdiff_t)run->plan->storages[x->storage].image,
              g_image = (ptrdiff_t)run->plan->storages[g->storage].image;
    ptrdiff_t plane =
        x->planar ? u->c0 * x->block_stride : u->c0 / lanes * x->block_stride + u->c0 % lanes;
    dp_outer outer = { .in = dp_view_at(run, x, first) + plane + (r - w->pads.top) * x->row_stride
                             + (ptrdiff_t)(s - w->pads.left) * pixel,
                       .in_stride = 1,
                       .in_row_stride = w->stride_y * x->row_stride,
                       .in_pixel_stride = (ptrdiff_t)w->stride_x * pixel,
                       .gradient_row_stride = g->row_stride,
                       .gradient_pixel_stride = lanes,
                       .height = g->shape.h,
                       .width = g->shape.w,
                       .out = sums,
                       .add = first > 0,
                       .ahead = x->planar || r || s ? 0 : x->block_stride };
    for (int j = 0; j < u->b; j++)
        outer.gradient[j] = dp_view_at(run, g, first) + (u->k0 + j) * g->block_stride;
    if (o->flat || o->together > 1) {
        outer.in_row_stride = x_image;
        outer.gradient_row_stride = g_image;
        outer.width = g->shape.h * g->shape.w;
        outer.height = count;
    }
    if (o->together > 1 && outer.width == 1) {
        outer.in_pixel_stride = x_image;
        outer.gradient_pixel_stride = g_image;
        outer.width = count;
        outer.height = 1;
    }
    run->plan->gradient_kernels->outer[u->b][u->m](&outer);
}

/* Where the weights of output channel k begin; NULL: nobody wants them. */
static float *weights_at(const dp_run *run, const outer_step *o, int k, ptrdiff_t floats) {
    for (int i = 0; i < o->targets.count; i++) {
        const dp_weight_target *t = &o->targets.items[i];
        if (k >= t->begin && k < t->begin + t->count)
            return run->call->outputs[t->output] + (k - t->begin) * floats;
    }
    return NULL;
}

/* sums: [offset][m][b][L] to K x C x R x S, by turning [m][offset][L] (planar: a window row,
 * [m][L]), which is put together in `room`, and has as much room behind it for [L][m][offset]. */
static void write_sums(const dp_run *run, const dp_step *step, const unit *u, const float *sums,
                       float *room) {
    const outer_step *o = step->as.own;
    const dp_window *w = &o->window;
    int lanes = run->plan->kernels->lanes, outputs = step->in2.shape.c,
        rows = step->in.planar ? w->height : 1;
    int offsets = step->in.planar ? 1 : w->height * w->width;
    ptrdiff_t plane = (ptrdiff_t)step->in.shape.c * w->height * w->width,
              first = (ptrdiff_t)u->c0 * w->height * w->width + u->s0;
    for (int j = 0; j < u->b; j++) {
        int k = (u->k0 + j) * lanes, width = u->m * offsets;
        for (int r = 0; r < rows; r++) {
            for (int n = 0; n < width; n++) {
                int offset = n % offsets + r, i = n / offsets;
                memcpy(room + (ptrdiff_t)n * lanes,
                       sums + (((ptrdiff_t)offset * u->m + i) * u->b + j) * lanes,
                       (size_t)lanes * sizeof *room);
            }
            float *turned = room + (ptrdiff_t)width * lanes;
            run->plan->kernels->unblock_row(turned, width, room, lanes, width);
            for (int l = 0; l < lanes && k + l < outputs; l++) {
                float *to = weights_at(run, o, k + l, plane);
                if (to)
                    memcpy(to + first + r * w->width, turned + (ptrdiff_t)l * width,
                           (size_t)width * sizeof *to);
            }
        }
    }
}

/* The same for channels in groups, a value at a time: pairs of different groups are no weights. */
static void write_groups(const dp_run *run, const dp_step *step, const unit *u, const float *sums) {
    const outer_step *o = step->as.own;
    const dp_window *w = &o->window;
    int lanes = run->plan->kernels->lanes, outputs = step->in2.shape.c,
        columns = step->in.planar ? 1 : w->width;
    int group_outputs = outputs / w->groups, group_channels = step->in.shape.c / w->groups;
    for (int j = 0; j < u->b; j++)
        for (int l = 0; l < lanes && (u->k0 + j) * lanes + l < outputs; l++) {
            int k = (u->k0 + j) * lanes + l;
            float *weights =
                weights_at(run, o, k, (ptrdiff_t)group_channels * w->height * w->width);
            for (int i = 0; weights && i < u->m; i++) {
                int channel =
                    (step->in.planar ? u->c0 : u->c0 + i) - k / group_outputs * group_channels;
                if (channel < 0 || channel >= group_channels)
                    continue;
                for (int r = 0; r < w->height; r++)
                    for (int s = 0; s < columns; s++) {
                        int column = step->in.planar ? u->s0 + i : s;
                        weights[((ptrdiff_t)channel * w->height + r) * w->width + column] =
                            sums[(((ptrdiff_t)(r * columns + s) * u->m + i) * u->b + j) * lanes
                                 + l];
                    }
            }
        }
}

/* The bias goes with the first unit of each group of output blocks. */
static void add_bias(const dp_run *run, const dp_step *step, const unit *u, int first, int count) {
    for (int j = 0; j < u->b && u->c0 == 0 && u->s0 == 0; j++) {
        if (first == 0)
            dp_bias_clear(run, step, u->k0 + j);
        for (int image = first; image < first + count; image++)
            dp_bias_add(run, step, image, u->k0 + j, 0, step->in2.shape.h);
    }
}

static void run_outer(const dp_run *run, const dp_step *step, int task, int worker) {
    const outer_step *o = step->as.own;
    int lanes = run->plan->kernels->lanes, columns = step->in.planar ? 1 : o->window.width, begin,
        end;
    float *scratch = run->arena + run->plan->storages[o->scratch].offset
                     + (size_t)task * (size_t)o->chunk * o->unit_floats;
    dp_share(o->block_groups * o->row_groups, step->tasks, task, &begin, &end);
    for (int from = begin; from < end; from += o->chunk) {
        int to = dp_min(from + o->chunk, end);
        for (int image = 0; image < run->call->count; image += o->together)
            for (int i = from; i < to; i++) {
                unit u = unit_at(step, lanes, i);
                float *sums = scratch + (size_t)(i - from) * o->unit_floats;
                int count = dp_min(o->together, run->call->count - image);
                add_bias(run, step, &u, image, count);
                for (int r = 0; r < o->window.height; r++)
                    for (int s = 0; s < columns; s++, sums += u.m * u.b * lanes)
                        add_images(run, step, &u, image, count, r, u.s0 + s, sums);
            }
        for (int i = from; i < to; i++) {
            unit u = unit_at(step, lanes, i);
            const float *sums = scratch + (size_t)(i - from) * o->unit_floats;
            for (int j = 0; j < u.b && u.c0 == 0 && u.s0 == 0; j++)
                dp_bias_write(run, step, u.k0 + j);
            if (o->window.groups == 1)
                write_sums(run, step, &u, sums, dp_worker_scratch(run, worker));
            else
                write_groups(run, step, &u, sums);
        }
    }
}

static void describe_outer(const dp_step *step, dp_buffer *text) {
    const outer_step *o = step->as.own;
    dp_buffer_printf(text, "outer product%s, %d blocks x %d rows", step->in.planar ? " planar" : "",
                     o->blocks, o->rows);
}

static void release_outer(dp_plan *plan, dp_step *step) {
    dp_free(plan->allocator, step->as.own);
}

static const dp_step_kind outer_kind = { "weight grad", run_outer, describe_outer, release_outer };

/* Blocks and rows of a unit: the largest product of the two, in rows that divide a block of
 * channels well. */
static void choose_unit(const dp_gradient_kernels *kernels, int outputs, int rows_wanted,
                        outer_step *o) {
    int best = 0;
    for (int b = 1; b <= DP_PANEL_BLOCKS && b <= outputs; b++) {
        int max = kernels->outer_rows[b];
        if (!max)
            continue;
        int rows = dp_ceil_div(rows_wanted, dp_ceil_div(rows_wanted, max));
        if (rows * b > best) {
            best = rows * b;
            o->blocks = b;
            o->rows = rows;
        }
    }
}

/* Images that one call can sum: all where they have one output pixel, some where a 1x1 window
 * passes over small pictures whose rows follow each other, else one. */
static void choose_images(const dp_step *step, int lanes, int max_batch, outer_step *o) {
    const dp_view *x = &step->in, *g = &step->in2;
    const dp_window *w = &o->window;
    bool point = w->height == 1 && w->width == 1 && w->stride_y == 1 && w->stride_x == 1
                 && !w->pads.top && !w->pads.left;
    bool dense = x->row_stride == (ptrdiff_t)x->shape.w * lanes
                 && g->row_stride == (ptrdiff_t)g->shape.w * lanes;
    int pixels = g->shape.h * g->shape.w;
    o->flat = !x->planar && point && dense;
    o->together = !x->planar && pixels == 1         ? max_batch
                  : o->flat && pixels < CALL_PIXELS ? CALL_PIXELS / pixels
                                                    : 1;
}

static deeper_status plan_outer(dp_lowering *l, int node, dp_step *step, deeper_error *error) {
    dp_plan *plan = l->plan;
    outer_step *o = step->as.own;
    int lanes = plan->kernels->lanes, outputs = dp_blocks(step->in2.shape.c, lanes);
    o->window = l->graph->nodes[node].attributes.window;
    choose_unit(plan->gradient_kernels, outputs, step->in.planar ? o->window.width : lanes, o);
    o->block_groups = dp_ceil_div(outputs, o->blocks);
    o->row_groups = step->in.planar ? step->in.shape.c * dp_ceil_div(o->window.width, o->rows)
                                    : step->in.shape.c / lanes * dp_ceil_div(lanes, o->rows)
                                          + dp_ceil_div(step->in.shape.c % lanes, o->rows);
    choose_images(step, lanes, plan->max_batch, o);
    o->unit_floats = (size_t)o->window.height * (size_t)(step->in.planar ? 1 : o->window.width)
                     * (size_t)o->rows * (size_t)o->blocks * (size_t)lanes;
    int units = o->block_groups * o->row_groups, max = (int)(CHUNK_FLOATS / o->unit_floats);
    step->tasks = dp_parts(plan, units, step->work);
    o->chunk = dp_min(dp_max(max, 1), dp_ceil_div(units, step->tasks));
    size_t floats;
    if (!dp_size_mul(o->unit_floats, (size_t)o->chunk * (size_t)step->tasks, &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: the window is too large", step->name);
    dp_need_scratch(plan, 2 * o->unit_floats);
    DP_TRY(dp_storage_add_fixed(plan, floats, &o->scratch, error));
    int reads[] = { step->in.storage, step->in2.storage };
    return dp_emit(plan, step, reads, 2, &o->scratch, 1, error);
}

/* Any: channels in groups too. */
static bool suits(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_shape x = lowering->graph->nodes[layer->inputs[0]].shape,
                   g = lowering->graph->nodes[layer->inputs[1]].shape;
    const dp_window *w = &layer->attributes.window;
    choice->product = (dp_product_shape){ g.c, g.h, g.w, (double)x.c * w->height * w->width };
    return true;
}

static deeper_status lower(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step;
    dp_weight_targets targets;
    DP_TRY(dp_begin_weight_gradient(lowering, node, &step, &targets, error));
    step.kind = &outer_kind;
    outer_step *o = step.as.own = dp_alloc(lowering->plan->allocator, 1, sizeof *o);
    if (!o)
        return dp_fail_memory(error, "a weight gradient's step");
    o->targets = targets;
    deeper_status status = plan_outer(lowering, node, &step, error);
    if (status != DEEPER_OK)
        dp_free(lowering->plan->allocator, o);
    return status;
}

const dp_algorithm dp_algorithm_outer = { "outer product", DP_FP32, suits, dp_cost_direct, lower };
