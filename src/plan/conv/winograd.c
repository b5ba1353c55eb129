/* winograd.c - stride-1 convolutions with square windows by Winograd's algorithm
 * (kernels/winograd.h): the gradient of such a convolution with respect to its input is one too.
 *
 * A strip is some rows of tiles of one picture, or all tiles of several pictures, whose transformed
 * input stays in the second cache of a core. A task transforms a strip's input into scratch of its
 * worker, and for each panel of output channels does the products of all frequencies and transforms
 * them back. Where there are few strips a task has only some of the panels; a worker that takes
 * another task of the strip finds the input transformed. Transformed weights are one ascending
 * stream once per strip. What a strip is changes no bit. Letters: L lanes, C channels, N points, r
 * taps, f frequency (i, j). */
#include "plan/conv/winograd.h"

#include <math.h>

enum { CACHE_BYTES = 512 << 10 }; /* where the second cache's size is not known */

typedef struct winograd_step {
    dp_conv_weights weights;
    dp_winograd_cover cover;
    int taps, channels; /* r, C */
    int strip_images,
        strips; /* pictures of a strip; strips per picture, 1 if there are several pictures */
    int panel_parts;
    int strip_tiles;                         /* most tiles of one frequency */
    ptrdiff_t tile_stride, frequency_stride; /* of the transformed input: [f][tile][C] */
    ptrdiff_t product_stride;                /* of the products' frequencies: [f][tile][block][L] */
    size_t row_floats;                       /* scratch of the transforms */
} winograd_step;

/* -------------------------------------------------------------------------------------- running */

/* One task's strip: rows of tiles begin..end-1 of pictures first..first+images-1. */
typedef struct strip {
    const dp_run *run;
    const dp_step *step;
    int first, images, begin, end;
    int rows_having[DP_WINOGRAD_POINTS]; /* of these rows of tiles, in one picture */
    float *input, *products, *scratch;
} strip;

static void open_strip(strip *s, const dp_run *run, const dp_step *step, int number, int worker) {
    const winograd_step *w = step->as.own;
    *s = (strip){ .run = run, .step = step, .first = number / w->strips * w->strip_images };
    s->images = run->call->count - s->first < w->strip_images ? run->call->count - s->first
                                                              : w->strip_images;
    dp_share(w->cover.down.tiles, w->strips, number % w->strips, &s->begin, &s->end);
    dp_winograd_rows_having(s->rows_having, &w->cover, s->begin, s->end);
    s->scratch = dp_worker_scratch(run, worker);
    s->input = s->scratch + w->row_floats;
    s->products = s->input + w->frequency_stride * w->cover.points * w->cover.points;
}

/* Row of tiles y of a picture of the strip, as the transforms take it; *top: its first row of
 * outputs. */
static dp_winograd_tiles describe_row(const strip *s, int image, int y, int *top) {
    const winograd_step *w = s->step->as.own;
    dp_winograd_tiles tiles = { .points = w->cover.points,
                                .taps = w->taps,
                                .across = &w->cover.across,
                                .scratch = s->scratch };
    tiles.down = dp_winograd_row(&w->cover.down, w->taps, y, top);
    for (int i = 0; i < tiles.down->points; i++)
        tiles.before[i] = image * s->rows_having[i] + y - s->begin;
    return tiles;
}

static void transform_input(const strip *s) {
    const winograd_step *w = s->step->as.own;
    const dp_kernels *kernels = s->run->plan->kernels;
    const dp_view *in = &s->step->in;
    int blocks = dp_blocks(w->channels, kernels->lanes);
    for (int image = 0; image < s->images; image++)
        for (int y = s->begin; y < s->end; y++) {
            int top;
            dp_winograd_tiles tiles = describe_row(s, image, y, &top);
            tiles.frequency_stride = w->frequency_stride;
            tiles.tile_stride = w->tile_stride;
            const float *from = dp_view_at(s->run, in, s->first + image) + top * in->row_stride;
            for (int block = 0; block < blocks; block++) {
                tiles.frequencies = s->input + (ptrdiff_t)block * kernels->lanes;
                kernels->winograd_input(&tiles, from + block * in->block_stride, in->row_stride);
            }
        }
}

/* All frequencies of one panel of `blocks` output blocks from `block` on. */
static void multiply(const strip *s, int block, int blocks) {
    static const ptrdiff_t whole;
    const winograd_step *w = s->step->as.own;
    const dp_kernels *kernels = s->run->plan->kernels;
    const int max_rows = kernels->panel_rows[blocks], lanes = kernels->lanes,
              points = w->cover.points;
    const float *weights = dp_conv_packed(s->run, &w->weights, block);
    dp_panel panel = { .in_stride = w->tile_stride,
                       .segments = &whole,
                       .segment_count = 1,
                       .run = w->channels,
                       .out_stride = (ptrdiff_t)blocks * lanes };
    const ptrdiff_t floats = (ptrdiff_t)w->channels * blocks * lanes;
    for (int f = 0; f < points * points; f++, weights += floats) {
        int tiles = s->images * s->rows_having[f / points] * w->cover.across.having[f % points],
            pieces = dp_ceil_div(tiles, max_rows);
        panel.weights = weights;
        for (int piece = 0; piece < pieces; piece++) {
            int begin, end;
            dp_share(tiles, pieces, piece, &begin, &end);
            int lines = dp_ceil_div(blocks * lanes * (int)sizeof(float),
                                    DP_ALIGNMENT * pieces); /* the next frequency's, evenly */
            ptrdiff_t asked =
                (ptrdiff_t)piece * lines * w->channels * (DP_ALIGNMENT / (ptrdiff_t)sizeof(float));
            panel.ahead = weights + floats + asked;
            panel.ahead_lines = asked < floats ? lines : 0;
            panel.in = s->input + f * w->frequency_stride + begin * w->tile_stride;
            for (int j = 0; j < blocks; j++)
                panel.out[j] =
                    s->products + f * w->product_stride + (ptrdiff_t)(begin * blocks + j) * lanes;
            kernels->panel[blocks][end - begin](&panel);
        }
    }
}

static void transform_output(const strip *s, int block, int blocks) {
    const winograd_step *w = s->step->as.own;
    const dp_kernels *kernels = s->run->plan->kernels;
    const dp_view *out = &s->step->out;
    const float *bias = dp_conv_packed_bias(s->run, &w->weights, block);
    for (int image = 0; image < s->images; image++)
        for (int y = s->begin; y < s->end; y++) {
            int top;
            dp_winograd_tiles tiles = describe_row(s, image, y, &top);
            tiles.frequency_stride = w->product_stride;
            tiles.tile_stride = (ptrdiff_t)blocks * kernels->lanes;
            float *to = dp_view_at(s->run, out, s->first + image) + top * out->row_stride
                        + block * out->block_stride;
            for (int j = 0; j < blocks; j++) {
                tiles.frequencies = s->products + (ptrdiff_t)j * kernels->lanes;
                kernels->winograd_output(&tiles, bias + (ptrdiff_t)j * kernels->lanes,
                                         s->step->epilogue.low, to + j * out->block_stride,
                                         out->row_stride);
                dp_finish_rows(s->run, s->step, s->first + image, block + j, top,
                               top + tiles.down->points - w->taps + 1);
            }
        }
}

static void run_winograd(const dp_run *run, const dp_step *step, int task, int worker) {
    const winograd_step *w = step->as.own;
    strip s;
    open_strip(&s, run, step, task / w->panel_parts, worker);
    if (s.images <= 0)
        return;
    int begin, end, block = 0;
    dp_share(w->weights.panel_count, w->panel_parts, task % w->panel_parts, &begin, &end);
    dp_held *held = &run->held[worker];
    if (held->step != step || held->strip != task / w->panel_parts)
        transform_input(&s);
    *held = (dp_held){ step, task / w->panel_parts };
    for (int p = 0; p < end; block += w->weights.panels[p++])
        if (p >= begin) {
            multiply(&s, block, w->weights.panels[p]);
            transform_output(&s, block, w->weights.panels[p]);
        }
}

static void describe_winograd(const dp_step *step, dp_buffer *text) {
    const winograd_step *w = step->as.own;
    dp_winograd_describe(&w->cover, w->taps, text);
    dp_buffer_printf(text, ", panels of %d blocks", w->weights.panels[0]);
    if (w->strips > 1)
        dp_buffer_printf(text, ", %d strips", w->strips);
    if (w->strip_images > 1)
        dp_buffer_printf(text, ", %d images at once", w->strip_images);
    if (step->chosen.tuned)
        dp_buffer_printf(text, ", tuned");
    dp_describe_epilogue(step, text);
}

static void release_winograd(dp_plan *plan, dp_step *step) {
    winograd_step *w = step->as.own;
    if (!w)
        return;
    dp_free(plan->allocator, w->weights.panels);
    dp_free(plan->allocator, w);
}

static const dp_step_kind winograd_kind = { "conv", run_winograd, describe_winograd,
                                            release_winograd };
static const dp_step_kind gradient_kind = { "input grad", run_winograd, describe_winograd,
                                            release_winograd };

/* ------------------------------------------------------------------------------------- lowering */

/* An odd number of vectors apart, neighbours do not meet in the same places of a cache. */
static ptrdiff_t odd_stride(int vectors, int lanes) {
    return (ptrdiff_t)(vectors | 1) * lanes;
}

/* What a row of tiles takes in a task: its transformed input, and the products of a panel. */
static double row_bytes(const winograd_step *w, const dp_plan *plan) {
    double vectors = (double)dp_winograd_points(&w->cover.down)
                     * dp_winograd_points(&w->cover.across) / w->cover.down.tiles;
    return vectors * (double)(w->tile_stride + w->weights.panels[0] * plan->kernels->lanes)
           * sizeof(float);
}

/* Strips of a whole batch. */
static int count_strips(const winograd_step *w, const dp_plan *plan) {
    return dp_ceil_div(plan->max_batch, w->strip_images) * w->strips;
}

/* Whether the strips alone keep all threads at work to the end, about: the busiest has at most an
 * eighth more than its share. */
static bool fills(const winograd_step *w, const dp_plan *plan) {
    int strips = count_strips(w, plan),
        busiest = dp_ceil_div(strips, plan->threads) * dp_ceil_div(w->cover.down.tiles, w->strips);
    double share = (double)strips * w->cover.down.tiles / w->strips / plan->threads;
    return busiest <= share * 1.125;
}

/* Up to a third fewer or more strips a picture, if they fill the threads: threads that share a
 * strip transform its input each for itself. */
static void fill_threads(winograd_step *w, const dp_plan *plan) {
    const int strips = w->strips, tiles = w->cover.down.tiles;
    for (int away = 0; strips > 1 && away <= strips / 3; away++)
        for (int sign = -1; sign <= 1; sign += 2) {
            w->strips = strips + sign * away;
            if (w->strips <= tiles && fills(w, plan))
                return;
        }
    w->strips = strips;
}

/* Strips that stay in the second cache, as even as can be; several pictures a strip where they fit,
 * as long as every thread has its own. */
static void cut_strips(winograd_step *w, const dp_plan *plan) {
    const dp_winograd_side *down = &w->cover.down, *across = &w->cover.across;
    size_t cache = dp_cache_bytes(2);
    double picture = row_bytes(w, plan) * down->tiles, room = cache ? (double)cache : CACHE_BYTES;
    int fit = (int)(room / picture), max_images = plan->max_batch / plan->threads,
        strips = (int)ceil(picture / room);
    w->strip_images = dp_max(dp_min(fit, max_images), 1);
    w->strips = dp_min(strips, down->tiles);
    fill_threads(w, plan);
    w->strip_tiles = w->strip_images * dp_ceil_div(down->tiles, w->strips) * across->tiles;
}

static deeper_status build(dp_lowering *l, winograd_step *w, dp_step *step, deeper_error *error) {
    dp_plan *plan = l->plan;
    const int lanes = plan->kernels->lanes, points = w->cover.points;
    DP_TRY(dp_conv_make_panels(plan, &w->weights, w->cover.panel, error));
    w->tile_stride = odd_stride(dp_blocks(w->channels, lanes), lanes);
    cut_strips(w, plan);
    w->frequency_stride = odd_stride(w->strip_tiles, 1) * w->tile_stride;
    w->product_stride = odd_stride(w->strip_tiles * w->weights.panels[0], lanes);
    w->row_floats = (size_t)points * (size_t)(step->out.shape.w + w->taps - 1) * (size_t)lanes;
    size_t frequencies = (size_t)(w->frequency_stride + w->product_stride), floats;
    if (!dp_size_mul(frequencies, (size_t)(points * points), &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: too wide for a strip of tiles", step->name);
    dp_need_scratch(plan, floats + w->row_floats);
    DP_TRY(dp_conv_pack(l, &w->weights, error));
    w->panel_parts = fills(w, plan) ? 1 : dp_parts(plan, w->weights.panel_count, step->work);
    step->tasks = count_strips(w, plan) * w->panel_parts;
    step->whole_batch = true;
    int reads[] = { step->in.storage, w->weights.packed_storage };
    return dp_emit(plan, step, reads, 2, &step->out.storage, 1, error);
}

static bool suits(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_window *w = &layer->attributes.window;
    if (lowering->plan->direct || layer->op != DP_OP_CONV || !dp_winograd_suits(w)
        || dp_reads_planes(lowering, node))
        return false;
    choice->winograd =
        (dp_winograd_shape){ .channels = lowering->graph->nodes[layer->inputs[0]].shape.c,
                             .outputs = layer->shape.c,
                             .height = layer->shape.h,
                             .width = layer->shape.w,
                             .taps = w->height,
                             .batch = lowering->plan->training,
                             .phases = 1 };
    choice->chosen.key = dp_winograd_key(lowering->plan->kernels, &choice->winograd);
    return true;
}

static void fill_weights(dp_lowering *l, int node, winograd_step *w, const dp_winograd_shape *shape,
                         bool phases) {
    const dp_window *window = &l->graph->nodes[node].attributes.window;
    w->taps = shape->taps;
    w->channels = shape->channels;
    w->weights = (dp_conv_weights){ .sources = { { .node = node } },
                                    .source_count = 1,
                                    .channels = phases ? shape->channels / 4 : shape->channels,
                                    .height = window->height,
                                    .width = window->width,
                                    .groups = 1,
                                    .points = w->cover.points,
                                    .taps = shape->taps,
                                    .phases = phases ? 2 : 1,
                                    .shift = phases ? window->pads.top % 2 : 0,
                                    .blocks = dp_blocks(shape->outputs, l->plan->kernels->lanes) };
    dp_conv_read_source(l, &w->weights.sources[0]);
}

static deeper_status make(dp_lowering *l, int node, winograd_step *w, deeper_error *error) {
    const dp_choice *choice = &l->choices[node];
    const dp_winograd_shape *shape = &choice->winograd;
    const bool phases = shape->phases > 1;
    const dp_node *layer = &l->graph->nodes[node];
    fill_weights(l, node, w, shape, phases);
    uint64_t multiply_adds = dp_node_cost(l->graph, node).multiply_adds;
    dp_step step = { .kind = w->weights.sources[0].order == DP_WEIGHTS_PLAIN ? &winograd_kind
                                                                             : &gradient_kind,
                     .name = layer->name,
                     .out = l->views[dp_target(l, node)],
                     .epilogue = dp_epilogue_of(l, node),
                     .work = multiply_adds / 3,
                     .multiply_adds = multiply_adds,
                     .chosen = choice->chosen,
                     .as.own = w };
    if (phases) {
        DP_TRY(dp_lower_phases(l, node, shape, &step.in, error));
    } else {
        DP_TRY(dp_conv_input(l, node, &step.in, error));
        const dp_window *window =
            &layer->attributes.window; /* from the picture to the first window */
        step.in.offset -= window->pads.top * step.in.row_stride
                          + (ptrdiff_t)window->pads.left * l->plan->kernels->lanes;
    }
    return build(l, w, &step, error);
}

deeper_status dp_lower_winograd(dp_lowering *lowering, int node, deeper_error *error) {
    winograd_step *w = dp_alloc(lowering->plan->allocator, 1, sizeof *w);
    if (!w)
        return dp_fail_memory(error, "a convolution's step");
    w->cover = lowering->choices[node].cover;
    deeper_status status = make(lowering, node, w, error);
    if (status != DEEPER_OK)
        release_winograd(lowering->plan, &(dp_step){ .as.own = w });
    return status;
}

const dp_algorithm dp_algorithm_winograd = { "winograd", DP_FP32, suits, dp_cost_winograd,
                                             dp_lower_winograd };
