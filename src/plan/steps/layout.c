/* layout.c - what moves values between layouts: the caller's planar input and outputs,
 * flattening, the zeroing of halos, and the joining and reordering of channels that do not lie on
 * channel blocks. */
#include "plan/passes.h"

#include <string.h>

/* One channel of one part: where a lane of a joined block comes from. */
typedef struct join_lane {
    int part;         /* -1: no channel, zero */
    ptrdiff_t offset; /* from the part's pixel (0, 0) of block 0 */
} join_lane;

typedef struct join_step {
    dp_view *parts;
    join_lane *lanes; /* L per block of the output */
} join_step;

/* Planar floats to blocks begin..end-1 of a view; `from` is channel 0. */
static void block_planes(const dp_run *run, const dp_view *out, int image, const float *from,
                         int begin, int end) {
    int lanes = run->plan->kernels->lanes, height = out->shape.h, width = out->shape.w;
    ptrdiff_t plane = (ptrdiff_t)height * width;
    for (int block = begin; block < end; block++)
        for (int y = 0; y < height; y++) {
            float *to = dp_row_at(run, out, image, block, y);
            int channels =
                out->shape.c - block * lanes < lanes ? out->shape.c - block * lanes : lanes;
            run->plan->kernels->block_row(to, from + block * lanes * plane + (ptrdiff_t)y * width,
                                          plane, channels, width);
        }
}

static void run_input(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *out = &step->out;
    int image = task / step->tasks, lanes = out->planar ? 1 : run->plan->kernels->lanes, begin, end;
    int height = out->shape.h, width = out->shape.w;
    dp_share(dp_blocks(out->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    ptrdiff_t plane = (ptrdiff_t)height * width;
    const float *in =
        run->call->inputs[step->as.io.index] + (size_t)image * (size_t)out->shape.c * (size_t)plane;
    if (!out->planar) {
        block_planes(run, out, image, in, begin, end);
        return;
    }
    for (int c = begin; c < end; c++)
        for (int y = 0; y < height; y++)
            memcpy(dp_row_at(run, out, image, c, y), in + c * plane + (ptrdiff_t)y * width,
                   (size_t)width * sizeof *in);
}

/* Blocks begin..end-1 of a view to planar floats: `to` is channel 0. */
static void unblock(const dp_run *run, const dp_view *in, int image, float *to, int begin,
                    int end) {
    int lanes = run->plan->kernels->lanes, height = in->shape.h, width = in->shape.w;
    ptrdiff_t plane = (ptrdiff_t)height * width;
    for (int block = begin; block < end; block++)
        for (int y = 0; y < height; y++) {
            const float *from = dp_row_at(run, in, image, block, y);
            int channels =
                in->shape.c - block * lanes < lanes ? in->shape.c - block * lanes : lanes;
            run->plan->kernels->unblock_row(to + block * lanes * plane + (ptrdiff_t)y * width,
                                            plane, from, channels, width);
        }
}

/* Views that are read by anything but one convolution are blocked (place.c), and so are those that
 * become outputs. */
static void run_output(const dp_run *run, const dp_step *step, int task, int worker) {
    int image = task / step->tasks, begin, end;
    dp_share(dp_blocks(step->in.shape.c, run->plan->kernels->lanes), step->tasks,
             task % step->tasks, &begin, &end);
    float *to =
        run->call->outputs[step->as.io.index] + (size_t)image * dp_shape_floats(step->in.shape);
    unblock(run, &step->in, image, to, begin, end);
}

static void run_output_fixed(const dp_run *run, const dp_step *step, int task, int worker) {
    memcpy(run->call->outputs[step->as.io.index], dp_fixed_at(run, &step->in),
           dp_shape_floats(step->in.shape) * sizeof(float));
}

/* A 1x1 picture's channels lie one after another, so flattening is unblocking into it; the lanes
 * past the last channel become zero. */
static void run_flatten(const dp_run *run, const dp_step *step, int task, int worker) {
    int lanes = run->plan->kernels->lanes, channels = step->out.shape.c;
    float *to = dp_view_at(run, &step->out, task);
    unblock(run, &step->in, task, to, 0, dp_blocks(step->in.shape.c, lanes));
    memset(to + channels, 0, (size_t)(dp_blocks(channels, lanes) * lanes - channels) * sizeof *to);
}

static void run_unflatten(const dp_run *run, const dp_step *step, int task, int worker) {
    block_planes(run, &step->out, task, dp_view_at(run, &step->in, task), 0,
                 dp_blocks(step->out.shape.c, run->plan->kernels->lanes));
}

/* Rows of zeros with a pixel of the input in every stride-th place. */
static void run_dilate(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *in = &step->in, *out = &step->out;
    const dp_stride *stride = &step->as.stride;
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    dp_share(dp_blocks(in->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++)
        for (int y = 0; y < out->shape.h; y++) {
            float *to = dp_row_at(run, out, image, block, y);
            memset(to, 0, (size_t)(out->shape.w * lanes) * sizeof *to);
            if (y % stride->y)
                continue;
            const float *from = dp_row_at(run, in, image, block, y / stride->y);
            for (int x = 0; x < in->shape.w; x++)
                memcpy(to + (ptrdiff_t)x * stride->x * lanes, from + (ptrdiff_t)x * lanes,
                       (size_t)lanes * sizeof *to);
        }
}

/* The input in the middle of zeros. */
static void run_pad(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *in = &step->in, *out = &step->out;
    const dp_pads *pads = &step->as.pads;
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    dp_share(dp_blocks(in->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++)
        for (int y = 0; y < out->shape.h; y++) {
            float *to = dp_row_at(run, out, image, block, y);
            int from = y - pads->top;
            memset(to, 0, (size_t)(out->shape.w * lanes) * sizeof *to);
            if (from >= 0 && from < in->shape.h)
                memcpy(to + (ptrdiff_t)pads->left * lanes, dp_row_at(run, in, image, block, from),
                       (size_t)(in->shape.w * lanes) * sizeof *to);
        }
}

static void run_halo(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *view = &step->out;
    const dp_storage *s = &run->plan->storages[view->storage];
    int image = task / step->tasks, begin, end;
    dp_share(s->planes, step->tasks, task % step->tasks, &begin, &end);
    size_t row = (size_t)view->row_stride, left = (size_t)(s->halo.left * s->pixel),
           right = (size_t)(s->halo.right * s->pixel);
    for (int plane = begin; plane < end; plane++) {
        float *at = dp_view_at(run, view, image) + plane * view->block_stride - view->offset;
        memset(at, 0, (size_t)s->halo.top * row * sizeof *at);
        at += (size_t)s->halo.top * row;
        for (int y = 0; y < s->height; y++, at += row) {
            memset(at, 0, left * sizeof *at);
            memset(at + row - right, 0, right * sizeof *at);
        }
        memset(at, 0, (size_t)s->halo.bottom * row * sizeof *at);
    }
}

static void run_join(const dp_run *run, const dp_step *step, int task, int worker) {
    const join_step *join = step->as.own;
    const dp_view *out = &step->out;
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    dp_share(dp_blocks(out->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++)
        for (int lane = 0; lane < lanes; lane++) {
            const join_lane *source = &join->lanes[block * lanes + lane];
            const dp_view *part = source->part < 0 ? NULL : &join->parts[source->part];
            const float *from = part ? dp_view_at(run, part, image) + source->offset : NULL;
            for (int y = 0; y < out->shape.h; y++) {
                float *to = dp_row_at(run, out, image, block, y) + lane;
                for (int x = 0; x < out->shape.w; x++)
                    to[(ptrdiff_t)x * lanes] =
                        part ? from[y * part->row_stride + (ptrdiff_t)x * lanes] : 0.0F;
            }
        }
}

static void release_join(dp_plan *plan, dp_step *step) {
    join_step *join = step->as.own;
    dp_free(plan->allocator, join->parts);
    dp_free(plan->allocator, join->lanes);
    dp_free(plan->allocator, join);
}

static const dp_step_kind input_kind = { "input", run_input, NULL, NULL };
static const dp_step_kind output_kind = { "output", run_output, NULL, NULL };
static const dp_step_kind output_fixed_kind = { "output", run_output_fixed, NULL, NULL };
static const dp_step_kind unflatten_kind = { "unflatten", run_unflatten, NULL, NULL };
static const dp_step_kind dilate_kind = { "dilate", run_dilate, NULL, NULL };
static const dp_step_kind pad_kind = { "pad", run_pad, NULL, NULL };
static const dp_step_kind flatten_kind = { "flatten", run_flatten, NULL, NULL };
static const dp_step_kind halo_kind = { "halo", run_halo, NULL, NULL };
static const dp_step_kind join_kind = { "join", run_join, NULL, release_join };

/* The number of an INPUT node among the graph's. */
int dp_input_index(const dp_graph *graph, int node) {
    int index = 0;
    for (int i = 0; i < node; i++)
        index += graph->nodes[i].op == DP_OP_INPUT;
    return index;
}

deeper_status dp_lower_input(dp_lowering *lowering, int node, deeper_error *error) {
    if (lowering->views[node].storage < 0)
        return DEEPER_OK;
    dp_step step = { .kind = &input_kind,
                     .name = lowering->graph->nodes[node].name,
                     .out = lowering->views[node] };
    step.as.io.index = dp_input_index(lowering->graph, node);
    step.work = dp_shape_floats(step.out.shape);
    int planes = step.out.planar ? step.out.shape.c
                                 : dp_blocks(step.out.shape.c, lowering->plan->kernels->lanes);
    step.tasks = dp_parts(lowering->plan, planes, step.work);
    return dp_emit(lowering->plan, &step, NULL, 0, &step.out.storage, 1, error);
}

deeper_status dp_lower_output(dp_lowering *lowering, int output, deeper_error *error) {
    int node = lowering->outputs[output];
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_node *of =
        layer->op == DP_OP_SLICE ? &lowering->graph->nodes[layer->inputs[0]] : layer;
    if (dp_plan_ops[of->op].value == DP_VALUE_CALLER) /* its step writes there */
        return DEEPER_OK;
    dp_step step = { .kind = layer->shape.n ? &output_fixed_kind : &output_kind,
                     .name = layer->name,
                     .in = lowering->views[lowering->root[node]],
                     .whole_batch = layer->shape.n > 0,
                     .tasks = 1 };
    step.as.io.index = output;
    step.work = dp_shape_floats(step.in.shape);
    if (!layer->shape.n)
        step.tasks = dp_parts(
            lowering->plan, dp_blocks(step.in.shape.c, lowering->plan->kernels->lanes), step.work);
    return dp_emit(lowering->plan, &step, &step.in.storage, 1, NULL, 0, error);
}

/* A step from input 0 of a node to its own view. */
static dp_step unary(const dp_lowering *l, int node, const dp_step_kind *kind) {
    dp_step step = { .kind = kind,
                     .name = l->graph->nodes[node].name,
                     .in = *dp_input_view(l, node, 0),
                     .out = l->views[node],
                     .tasks = 1 };
    step.work = dp_shape_floats(step.out.shape);
    return step;
}

deeper_status dp_lower_flatten(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &flatten_kind);
    return dp_emit_unary(lowering->plan, &step, error);
}

deeper_status dp_lower_unflatten(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &unflatten_kind);
    return dp_emit_unary(lowering->plan, &step, error);
}

/* A share of the channel blocks for each task. */
static deeper_status emit_spread(dp_plan *plan, dp_step *step, deeper_error *error) {
    step->tasks = dp_parts(plan, dp_blocks(step->out.shape.c, plan->kernels->lanes), step->work);
    return dp_emit_unary(plan, step, error);
}

deeper_status dp_lower_dilate(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &dilate_kind);
    step.as.stride = lowering->graph->nodes[node].attributes.stride;
    return emit_spread(lowering->plan, &step, error);
}

deeper_status dp_lower_pad(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &pad_kind);
    step.as.pads = lowering->graph->nodes[node].attributes.pads;
    return emit_spread(lowering->plan, &step, error);
}

/* Last of all steps: the phase is known only when all writers are. */
deeper_status dp_lower_halos(dp_plan *plan, deeper_error *error) {
    for (int i = 0; i < plan->storage_count; i++) {
        const dp_storage *s = &plan->storages[i];
        if (!dp_pads_any(&s->halo) || s->first > s->last)
            continue;
        ptrdiff_t row_stride = (ptrdiff_t)(s->halo.left + s->width + s->halo.right) * s->pixel;
        dp_step step = {
            .kind = &halo_kind,
            .name = "",
            .phase = s->first,
            .tasks = 1,
            .work = (uint64_t)s->planes * (uint64_t)s->height * 4,
            .out = { .storage = i,
                     .planar = s->pixel == 1,
                     .row_stride = row_stride,
                     .shape = { 0, s->planes * s->pixel, s->height, s->width },
                     .block_stride = row_stride * (s->halo.top + s->height + s->halo.bottom),
                     .offset = s->halo.top * row_stride + (ptrdiff_t)s->halo.left * s->pixel }
        };
        DP_TRY(dp_emit(plan, &step, NULL, 0, &i, 1, error));
    }
    return DEEPER_OK;
}

/* Whether the output is where the input is: parts that wrote into their slices, a slice that is a
 * view. */
static bool in_place(const dp_lowering *l, int node) {
    const dp_view *out = &l->views[node], *in = dp_input_view(l, node, 0);
    return in->storage == out->storage;
}

/* The lanes of the output. The channels of all inputs count as one row; lane `to` of the output is
 * number from(node, to) of it. */
typedef int channel_of(const dp_node *node, int to);

static int same_channel(const dp_node *node, int to) {
    return to;
}

static int sliced_channel(const dp_node *node, int to) {
    return node->attributes.slice.begin + to;
}

static int shuffled_channel(const dp_node *node, int to) {
    int groups = node->attributes.groups;
    return to % groups * (node->shape.c / groups) + to / groups;
}

static void fill_lanes(const dp_lowering *l, int node, channel_of *from, join_step *join) {
    const dp_node *layer = &l->graph->nodes[node];
    int lanes = l->plan->kernels->lanes;
    for (int i = 0; i < layer->input_count; i++)
        join->parts[i] = *dp_input_view(l, node, i);
    for (int to = 0; to < layer->shape.c; to++) {
        int part = 0, channel = from(layer, to);
        for (; channel >= join->parts[part].shape.c; part++)
            channel -= join->parts[part].shape.c;
        join->lanes[to] =
            (join_lane){ part, channel / lanes * join->parts[part].block_stride + channel % lanes };
    }
    for (int to = layer->shape.c; to % lanes; to++)
        join->lanes[to].part = -1;
}

static deeper_status lower_join(dp_lowering *l, int node, channel_of *from, deeper_error *error) {
    dp_plan *plan = l->plan;
    const dp_node *layer = &l->graph->nodes[node];
    size_t blocks = (size_t)dp_blocks(layer->shape.c, plan->kernels->lanes);
    dp_step step = unary(l, node, &join_kind);
    step.work *= 64; /* a value at a time */
    step.tasks = dp_parts(plan, (int)blocks, step.work);
    join_step *join = step.as.own = dp_alloc(plan->allocator, 1, sizeof *join);
    int *reads = dp_alloc(plan->allocator, (size_t)layer->input_count, sizeof *reads);
    if (join) {
        join->parts = dp_alloc(plan->allocator, (size_t)layer->input_count, sizeof *join->parts);
        join->lanes =
            dp_alloc(plan->allocator, blocks, (size_t)plan->kernels->lanes * sizeof *join->lanes);
    }
    deeper_status status;
    if (!reads || !join || !join->parts || !join->lanes) {
        status = dp_fail_memory(error, "the joining of channels");
    } else {
        fill_lanes(l, node, from, join);
        for (int i = 0; i < layer->input_count; i++)
            reads[i] = join->parts[i].storage;
        status = dp_emit(plan, &step, reads, layer->input_count, &step.out.storage, 1, error);
    }
    if (status != DEEPER_OK && join)
        release_join(plan, &step);
    dp_free(plan->allocator, reads);
    return status;
}

deeper_status dp_lower_concat(dp_lowering *lowering, int node, deeper_error *error) {
    return in_place(lowering, node) ? DEEPER_OK : lower_join(lowering, node, same_channel, error);
}

deeper_status dp_lower_slice(dp_lowering *lowering, int node, deeper_error *error) {
    return in_place(lowering, node) ? DEEPER_OK : lower_join(lowering, node, sliced_channel, error);
}

deeper_status dp_lower_shuffle(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_join(lowering, node, shuffled_channel, error);
}
