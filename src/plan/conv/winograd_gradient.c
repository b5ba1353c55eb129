/* winograd_gradient.c - weight gradients of stride-1 convolutions with square windows by
 * Winograd's algorithm (kernels/winograd.h): with the input's frequencies V = B^T x B and the
 * gradient's D = A g A^T of every tile, the gradient of the transformed weights is the sum of V x D
 * over all tiles of the batch, one frequency at a time, and that of the weights G^T of it G.
 *
 * The sums are cut into parts along output blocks and input blocks, one per task, which stay in the
 * task's own scratch. A task passes over the batch by the strip (some rows of tiles of an image, or
 * several images): both transforms of its blocks, then an outer product per frequency. Each sum
 * takes tiles in order, whatever the parts and the strips. Letters: L lanes, K C output and input
 * channels, N points, r taps, b blocks of a group, f frequency (i, j). */
#include "plan/conv/winograd.h"

#include <math.h>
#include <string.h>

enum {
    STRIP_BYTES = 2 << 20
}; /* frequencies of a strip: the more tiles, the more seldom the sums pass through memory */

typedef struct winograd_gradient_step {
    dp_winograd_cover cover;
    int taps, output;                 /* r; index into the call's outputs */
    bool phases;                      /* the input is the phases of a picture (phases.c) */
    dp_window window;                 /* of the convolution */
    int group_blocks, groups, blocks; /* output blocks of a group; groups; C in blocks */
    int group_parts, block_parts;     /* tasks = group_parts x block_parts */
    int strip_images,
        strips; /* images of a strip; strips per image, 1 if there are several images */
    ptrdiff_t x_tile_stride, g_tile_stride; /* strides of the frequencies: [f][tile][block][L] */
    ptrdiff_t x_frequency_stride, g_frequency_stride;
    size_t row_floats,
        unit_floats; /* scratch of the transforms; sums of one group and one input block */
    int units, sums; /* most of a task; their storage, a piece per task */
    float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
} winograd_gradient_step;

/* A task's part and strip. */
typedef struct part {
    const dp_run *run;
    const dp_step *step;
    int group_begin, group_end, block_begin, block_end; /* groups of output blocks, input blocks */
    int first, images, begin, end;                      /* strip: images, rows of tiles */
    int rows_having[DP_WINOGRAD_POINTS];
    float *scratch, *x, *g, *sums;
} part;

/* Output blocks k0..k0+b-1 of a group. */
static int group_at(const dp_step *step, int lanes, int group, int *k0) {
    const winograd_gradient_step *w = step->as.own;
    int end;
    dp_share(dp_blocks(step->in2.shape.c, lanes), w->groups, group, k0, &end);
    return end - *k0;
}

/* The output blocks first..last-1 of a task. */
static void part_blocks(const part *p, int *first, int *last) {
    int lanes = p->run->plan->kernels->lanes, k0;
    group_at(p->step, lanes, p->group_begin, first);
    *last = group_at(p->step, lanes, p->group_end - 1, &k0) + k0;
}

static void open_part(part *p, const dp_run *run, const dp_step *step, int task, int worker) {
    const winograd_gradient_step *w = step->as.own;
    *p = (part){ .run = run, .step = step, .scratch = dp_worker_scratch(run, worker) };
    dp_share(w->groups, w->group_parts, task / w->block_parts, &p->group_begin, &p->group_end);
    dp_share(w->blocks, w->block_parts, task % w->block_parts, &p->block_begin, &p->block_end);
    p->x = p->scratch + w->row_floats;
    p->g = p->x + w->x_frequency_stride * w->cover.points * w->cover.points;
    p->sums = run->arena + run->plan->storages[w->sums].offset
              + (size_t)task * (size_t)w->units * w->unit_floats;
}

static void open_strip(part *p, int number) {
    const winograd_gradient_step *w = p->step->as.own;
    p->first = number / w->strips * w->strip_images;
    p->images = dp_min(p->run->call->count - p->first, w->strip_images);
    dp_share(w->cover.down.tiles, w->strips, number % w->strips, &p->begin, &p->end);
    dp_winograd_rows_having(p->rows_having, &w->cover, p->begin, p->end);
}

/* Both transforms of one row of tiles of an image of the strip. */
static void transform_row(const part *p, int image, int y) {
    const winograd_gradient_step *w = p->step->as.own;
    const dp_view *x = &p->step->in, *g = &p->step->in2;
    int lanes = p->run->plan->kernels->lanes, top, first, last;
    dp_winograd_tiles tiles = { .points = w->cover.points,
                                .taps = w->taps,
                                .across = &w->cover.across,
                                .scratch = p->scratch };
    tiles.down = dp_winograd_row(&w->cover.down, w->taps, y, &top);
    for (int i = 0; i < tiles.down->points; i++)
        tiles.before[i] = image * p->rows_having[i] + y - p->begin;
    tiles.frequency_stride = w->x_frequency_stride;
    tiles.tile_stride = w->x_tile_stride;
    const float *from = dp_view_at(p->run, x, p->first + image) + top * x->row_stride;
    for (int block = p->block_begin; block < p->block_end; block++) {
        tiles.frequencies = p->x + (ptrdiff_t)(block - p->block_begin) * lanes;
        p->run->plan->kernels->winograd_input(&tiles, from + block * x->block_stride,
                                              x->row_stride);
    }
    tiles.frequency_stride = w->g_frequency_stride;
    tiles.tile_stride = w->g_tile_stride;
    from = dp_view_at(p->run, g, p->first + image) + top * g->row_stride;
    part_blocks(p, &first, &last);
    for (int block = first; block < last; block++) {
        tiles.frequencies = p->g + (ptrdiff_t)(block - first) * lanes;
        p->run->plan->gradient_kernels->winograd_gradient(&tiles, from + block * g->block_stride,
                                                          g->row_stride);
        if (p->block_begin == 0)
            dp_bias_add(p->run, p->step, p->first + image, block, top,
                        top + tiles.down->points - w->taps + 1);
    }
}

static float *unit_sums(const part *p, int group, int block) {
    int unit = (group - p->group_begin) * (p->block_end - p->block_begin) + block - p->block_begin;
    const winograd_gradient_step *w = p->step->as.own;
    return p->sums + (size_t)unit * w->unit_floats;
}

/* Input channels of a block that there are. */
static int rows_of(const part *p, int block) {
    int lanes = p->run->plan->kernels->lanes;
    return dp_min(lanes, p->step->in.shape.c - block * lanes);
}

/* Adds the strip's products of one frequency. */
static void multiply(const part *p, int f) {
    const winograd_gradient_step *w = p->step->as.own;
    int lanes = p->run->plan->kernels->lanes, first;
    int tiles = p->images * p->rows_having[f / w->cover.points]
                * w->cover.across.having[f % w->cover.points];
    group_at(p->step, lanes, p->group_begin, &first);
    dp_outer outer = { .in_pixel_stride = w->x_tile_stride,
                       .in_stride = 1,
                       .gradient_pixel_stride = w->g_tile_stride,
                       .height = 1,
                       .width = tiles,
                       .add = true,
                       .ahead = lanes };
    for (int group = p->group_begin; group < p->group_end; group++) {
        int k0, b = group_at(p->step, lanes, group, &k0);
        for (int j = 0; j < b; j++)
            outer.gradient[j] =
                p->g + f * w->g_frequency_stride + (ptrdiff_t)(k0 + j - first) * lanes;
        for (int block = p->block_begin; block < p->block_end; block++) {
            int rows = rows_of(p, block);
            outer.in =
                p->x + f * w->x_frequency_stride + (ptrdiff_t)(block - p->block_begin) * lanes;
            outer.out = unit_sums(p, group, block) + (ptrdiff_t)f * rows * b * lanes;
            p->run->plan->gradient_kernels->outer[b][rows](&outer);
        }
    }
}

/* Places of the windows over phases that `count` outputs from k on, `rows` channels from `channel`
 * on have in `folded`, [output] [channel][r][r], to those of the window over the picture
 * (dp_packing), K x C x R x S. */
static void write_phases(const part *p, int k, int count, int channel, int rows,
                         const float *folded) {
    const winograd_gradient_step *w = p->step->as.own;
    int planes = p->step->in.shape.c / 4, side = w->window.height, shift = w->window.pads.top % 2;
    float *to = p->run->call->outputs[w->output];
    for (int l = 0; l < count; l++)
        for (int i = 0; i < rows; i++)
            for (int n = 0; n < w->taps * w->taps; n++, folded++) {
                int phase = channel + i, c = phase / 2 % planes;
                int y = n / w->taps * 2 + phase / 2 / planes - shift,
                    x = n % w->taps * 2 + phase % 2 - shift;
                if (y >= 0 && y < side && x >= 0 && x < side)
                    to[(((ptrdiff_t)(k + l) * planes + c) * side + y) * side + x] = *folded;
            }
}

/* From the sums of a unit to K x C x r x r in the caller's memory. */
static void write_unit(const part *p, int group, int block) {
    const winograd_gradient_step *w = p->step->as.own;
    int lanes = p->run->plan->kernels->lanes, channels = p->step->in.shape.c,
        outputs = p->step->in2.shape.c;
    int k0, b = group_at(p->step, lanes, group, &k0), rows = rows_of(p, block),
            window = w->taps * w->taps;
    const float *sums = unit_sums(p, group, block);
    for (int j = 0; j < b; j++) {
        int k = (k0 + j) * lanes;
        for (int i = 0; i < rows; i++)
            p->run->plan->gradient_kernels->winograd_fold(
                p->scratch + (ptrdiff_t)i * window * lanes, sums + (ptrdiff_t)(i * b + j) * lanes,
                (ptrdiff_t)rows * b * lanes, w->matrix, w->cover.points, w->taps);
        float *to = w->phases ? p->scratch + (ptrdiff_t)rows * window * lanes
                              : p->run->call->outputs[w->output]
                                    + ((ptrdiff_t)k * channels + block * lanes) * window;
        int count = dp_min(lanes, outputs - k);
        p->run->plan->kernels->unblock_row(to, (ptrdiff_t)(w->phases ? rows : channels) * window,
                                           p->scratch, count, rows * window);
        if (w->phases)
            write_phases(p, k, count, block * lanes, rows, to);
    }
}

static void run_winograd_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    const winograd_gradient_step *w = step->as.own;
    part p;
    int first, last;
    open_part(&p, run, step, task, worker);
    part_blocks(&p, &first, &last);
    for (int block = first; block < last && p.block_begin == 0; block++)
        dp_bias_clear(run, step, block);
    memset(p.sums, 0, (size_t)w->units * w->unit_floats * sizeof *p.sums);
    int strips = dp_ceil_div(run->call->count, w->strip_images) * w->strips;
    for (int s = 0; s < strips; s++) {
        open_strip(&p, s);
        for (int image = 0; image < p.images; image++)
            for (int y = p.begin; y < p.end; y++)
                transform_row(&p, image, y);
        for (int f = 0; f < w->cover.points * w->cover.points; f++)
            multiply(&p, f);
    }
    for (int group = p.group_begin; group < p.group_end; group++)
        for (int block = p.block_begin; block < p.block_end; block++)
            write_unit(&p, group, block);
    for (int block = first; block < last && p.block_begin == 0; block++)
        dp_bias_write(run, step, block);
}

static void describe_winograd_gradient(const dp_step *step, dp_buffer *text) {
    const winograd_gradient_step *w = step->as.own;
    dp_winograd_describe(&w->cover, w->taps, text);
    dp_buffer_printf(text, ", %d blocks", w->group_blocks);
    if (w->strips > 1)
        dp_buffer_printf(text, ", %d strips", w->strips);
    if (w->strip_images > 1)
        dp_buffer_printf(text, ", %d images at once", w->strip_images);
}

static void release_winograd_gradient(dp_plan *plan, dp_step *step) {
    dp_free(plan->allocator, step->as.own);
}

static const dp_step_kind winograd_gradient_kind = { "weight grad", run_winograd_gradient,
                                                     describe_winograd_gradient,
                                                     release_winograd_gradient };

/* ------------------------------------------------------------------------------------- lowering */

/* An odd number of vectors apart, neighbours do not meet in the same places of a cache. */
static ptrdiff_t odd_stride(int vectors, int lanes) {
    return (ptrdiff_t)(vectors | 1) * lanes;
}

/* A part per thread: each transforms the blocks of its own, and parts along C the gradient again.
 */
static void cut_parts(const dp_plan *plan, winograd_gradient_step *w) {
    w->group_parts = dp_min(plan->threads, w->groups);
    w->block_parts = dp_min(dp_ceil_div(plan->threads, w->group_parts), w->blocks);
    int blocks = dp_ceil_div(w->blocks, w->block_parts),
        groups = dp_ceil_div(w->groups, w->group_parts), lanes = plan->kernels->lanes;
    w->units = blocks * groups;
    w->x_tile_stride = odd_stride(blocks, lanes);
    w->g_tile_stride = odd_stride(groups * w->group_blocks, lanes);
}

static void cut_strips(const dp_plan *plan, winograd_gradient_step *w) {
    const dp_winograd_side *down = &w->cover.down, *across = &w->cover.across;
    double image = (double)dp_winograd_points(down) * dp_winograd_points(across)
                   * (double)(w->x_tile_stride + w->g_tile_stride) * sizeof(float);
    int fit = (int)(STRIP_BYTES / image);
    w->strip_images = dp_max(dp_min(fit, plan->max_batch), 1);
    w->strips = dp_min((int)ceil(image / STRIP_BYTES), down->tiles);
    int tiles = w->strip_images * dp_ceil_div(down->tiles, w->strips) * across->tiles;
    w->x_frequency_stride = odd_stride(tiles, 1) * w->x_tile_stride;
    w->g_frequency_stride = odd_stride(tiles, 1) * w->g_tile_stride;
}

static deeper_status build(dp_lowering *l, dp_step *step, deeper_error *error) {
    dp_plan *plan = l->plan;
    winograd_gradient_step *w = step->as.own;
    int lanes = plan->kernels->lanes, outputs = dp_blocks(step->in2.shape.c, lanes),
        points = w->cover.points;
    w->blocks = dp_blocks(step->in.shape.c, lanes);
    for (int b = 1; b <= DP_PANEL_BLOCKS && b <= outputs; b++)
        if (plan->gradient_kernels->outer_rows[b] >= lanes)
            w->group_blocks = b;
    w->groups = dp_ceil_div(outputs, w->group_blocks);
    cut_parts(plan, w);
    cut_strips(plan, w);
    dp_winograd_matrix(w->matrix, points, w->taps);
    w->row_floats = (size_t)points * (size_t)(step->in2.shape.w + w->taps - 1) * (size_t)lanes;
    w->unit_floats = (size_t)(points * points) * (size_t)lanes * (size_t)(w->group_blocks * lanes);
    size_t scratch, sums;
    step->tasks = w->group_parts * w->block_parts;
    if (!dp_size_mul((size_t)(w->x_frequency_stride + w->g_frequency_stride),
                     (size_t)(points * points), &scratch)
        || !dp_size_mul(w->unit_floats, (size_t)w->units * (size_t)step->tasks, &sums))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: too large", step->name);
    size_t windows = 2 * (size_t)lanes * (size_t)(w->taps * w->taps) * (size_t)lanes;
    dp_need_scratch(plan, scratch + w->row_floats > windows ? scratch + w->row_floats : windows);
    DP_TRY(dp_storage_add_fixed(plan, sums, &w->sums, error));
    int reads[] = { step->in.storage, step->in2.storage };
    return dp_emit(plan, step, reads, 2, &w->sums, 1, error);
}

static deeper_status make(dp_lowering *l, int node, dp_step *step, deeper_error *error) {
    const dp_choice *choice = &l->choices[node];
    const winograd_gradient_step *w = step->as.own;
    step->kind = &winograd_gradient_kind;
    if (w->phases)
        DP_TRY(dp_lower_phases(l, node, &choice->winograd, &step->in, error));
    else
        step->in.offset -= w->window.pads.top * step->in.row_stride
                           + (ptrdiff_t)w->window.pads.left * l->plan->kernels->lanes;
    return build(l, step, error);
}

static bool suits(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_shape g = lowering->graph->nodes[layer->inputs[1]].shape;
    const dp_window *w = &layer->attributes.window;
    choice->winograd =
        (dp_winograd_shape){ .channels = lowering->graph->nodes[layer->inputs[0]].shape.c,
                             .outputs = g.c,
                             .height = g.h,
                             .width = g.w,
                             .taps = w->height,
                             .batch = true,
                             .phases = 1 };
    return !lowering->plan->direct && dp_winograd_suits(w) && !dp_reads_planes(lowering, node);
}

deeper_status dp_lower_winograd_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    const dp_choice *choice = &lowering->choices[node];
    dp_step step;
    dp_weight_targets targets;
    DP_TRY(dp_begin_weight_gradient(lowering, node, &step, &targets, error));
    winograd_gradient_step *w = step.as.own = dp_alloc(lowering->plan->allocator, 1, sizeof *w);
    if (!w)
        return dp_fail_memory(error, "a weight gradient's step");
    *w = (winograd_gradient_step){ .cover = choice->cover,
                                   .taps = choice->winograd.taps,
                                   .output = targets.items[0].output,
                                   .phases = choice->winograd.phases > 1,
                                   .window = lowering->graph->nodes[node].attributes.window };
    deeper_status status = make(lowering, node, &step, error);
    if (status != DEEPER_OK)
        dp_free(lowering->plan->allocator, w);
    return status;
}

const dp_algorithm dp_algorithm_winograd_gradient = { "winograd", DP_FP32, suits, dp_cost_winograd,
                                                      dp_lower_winograd_gradient };
