/* direct.c - convolutions and fully connected layers as panel products (kernels.h): what one
 * convolution, or several 1x1 convolutions that read one input, become. A fully connected layer is
 * a convolution whose window is the whole picture.
 *
 * The output is cut into tiles of consecutive pixels and its channel blocks into panels; a tile
 * times a panel is one kernel call. Where the output has one pixel, the images of the batch take
 * the place of pixels. Tile and panel sizes follow a small model of the register tile (panels.c)
 * from shape and ISA; they do not change a bit of the result. Letters: L lanes, K output channels,
 * PQ output rows and columns, RS window, b blocks and m pixels of a panel. */
#include "plan/conv/conv.h"

#include <math.h>

/* `rows` consecutive output pixels from (y, x); in: offset of the first one's window in the input
 * image. */
typedef struct conv_tile {
    ptrdiff_t in;
    int y, x, rows;
} conv_tile;

/* Where one channel block of the product goes. */
typedef struct conv_target {
    int storage;
    ptrdiff_t offset, row_stride;
} conv_target;

typedef struct conv_step {
    dp_conv_weights weights;
    ptrdiff_t *segments;
    int segment_count, run;
    ptrdiff_t in_stride;
    conv_tile *tiles; /* none where images are pixels */
    int tile_count, tile_rows;
    conv_target *targets;        /* one per block */
    int tile_parts, panel_parts; /* tasks = tile_parts x panel_parts */
} conv_step;

/* A step under construction. */
typedef struct conv_build {
    dp_lowering *lowering;
    dp_window window;
    dp_shape output;
    dp_view in;
    bool images_are_pixels;
    conv_step *conv;
} conv_build;

/* -------------------------------------------------------------------------------------- running */

/* Where panel p's part of the input begins, from its first channel block (planar: channel). */
static ptrdiff_t band_offset(const dp_step *step, int p) {
    const conv_step *conv = step->as.own;
    const int *first_of = conv->weights.first_of;
    return first_of ? first_of[p] * step->in.block_stride : 0;
}

static void run_tiles(const dp_run *run, const dp_step *step, int image, int tile_part,
                      int panel_part) {
    const conv_step *conv = step->as.own;
    const dp_kernels *kernels = run->plan->kernels;
    int lanes = kernels->lanes, tile_begin, tile_end, panel_begin, panel_end;
    dp_share(conv->tile_count, conv->tile_parts, tile_part, &tile_begin, &tile_end);
    dp_share(conv->weights.panel_count, conv->panel_parts, panel_part, &panel_begin, &panel_end);
    const float *in = dp_view_at(run, &step->in, image);
    dp_panel panel = { .in_stride = conv->in_stride,
                       .segments = conv->segments,
                       .segment_count = conv->segment_count,
                       .run = conv->run,
                       .low = step->epilogue.low,
                       .out_stride = lanes };
    int block = 0;
    for (int p = 0; p < panel_end; block += conv->weights.panels[p++]) {
        if (p < panel_begin)
            continue;
        int blocks = conv->weights.panels[p];
        panel.weights = dp_conv_packed(run, &conv->weights, block);
        panel.bias = dp_conv_packed_bias(run, &conv->weights, block);
        const ptrdiff_t band = band_offset(step, p);
        float *targets[DP_PANEL_BLOCKS];
        for (int j = 0; j < blocks; j++) {
            const conv_target *target = &conv->targets[block + j];
            const dp_storage *storage = &run->plan->storages[target->storage];
            targets[j] =
                run->arena + storage->offset + (size_t)image * storage->image + target->offset;
        }
        ptrdiff_t depth = (ptrdiff_t)conv->weights.depth, floats = depth * blocks * lanes;
        ptrdiff_t lines =
            depth * (DP_ALIGNMENT / (ptrdiff_t)sizeof(float)); /* what a tile asks for ahead */
        for (int t = tile_begin; t < tile_end; t++) {
            const conv_tile *tile = &conv->tiles[t];
            panel.ahead = panel.weights + floats + (t - tile_begin) * lines;
            panel.ahead_lines = (t - tile_begin) * lines < floats;
            panel.next = p == panel_begin && t + 1 < tile_end ? conv->tiles[t + 1].in - tile->in
                                                              : 0; /* later panels find it */
            panel.in = in + band + tile->in;
            for (int j = 0; j < blocks; j++)
                panel.out[j] = targets[j] + tile->y * conv->targets[block + j].row_stride
                               + (ptrdiff_t)tile->x * lanes;
            kernels->panel[blocks][tile->rows](&panel);
            for (int j = 0; j < blocks; j++)
                dp_finish_pixels(run, step, image, block + j, tile->y, tile->x, tile->rows);
        }
    }
}

static void run_conv(const dp_run *run, const dp_step *step, int task, int worker) {
    const conv_step *conv = step->as.own;
    const int parts = conv->tile_parts * conv->panel_parts, part = task % parts;
    if (conv->tile_parts
        > conv->panel_parts) /* neighbours in the larger number of parts run on one thread */
        run_tiles(run, step, task / parts, part / conv->panel_parts, part % conv->panel_parts);
    else
        run_tiles(run, step, task / parts, part % conv->tile_parts, part / conv->tile_parts);
}

/* One output pixel: the images are the rows of the panels, so that the weights are read once a
 * batch. */
static void run_images(const dp_run *run, const dp_step *step, int task, int worker) {
    const conv_step *conv = step->as.own;
    const dp_kernels *kernels = run->plan->kernels;
    int panel_begin, panel_end, block = 0;
    dp_share(conv->weights.panel_count, conv->panel_parts, task, &panel_begin, &panel_end);
    dp_panel panel = { .in_stride = (ptrdiff_t)run->plan->storages[step->in.storage].image,
                       .segments = conv->segments,
                       .segment_count = conv->segment_count,
                       .run = conv->run,
                       .low = step->epilogue.low,
                       .out_stride = (ptrdiff_t)run->plan->storages[step->out.storage].image };
    for (int p = 0; p < panel_end; block += conv->weights.panels[p++]) {
        if (p < panel_begin)
            continue;
        int blocks = conv->weights.panels[p], max_rows = kernels->panel_rows[blocks];
        panel.weights = dp_conv_packed(run, &conv->weights, block);
        panel.bias = dp_conv_packed_bias(run, &conv->weights, block);
        for (int image = 0; image < run->call->count; image += max_rows) {
            int rows = run->call->count - image < max_rows ? run->call->count - image : max_rows;
            panel.in = dp_view_at(run, &step->in, image) + band_offset(step, p);
            for (int j = 0; j < blocks; j++)
                panel.out[j] =
                    dp_view_at(run, &step->out, image) + (block + j) * step->out.block_stride;
            kernels->panel[blocks][rows](&panel);
        }
    }
}

static void describe_conv(const dp_step *step, dp_buffer *text) {
    const conv_step *conv = step->as.own;
    dp_buffer_printf(text, "%s, panels of %d blocks x %d pixels, %d segments of %d",
                     step->in.planar ? "direct planar" : "direct", conv->weights.panels[0],
                     conv->tile_rows, conv->segment_count, conv->run);
    if (conv->weights.source_count > 1)
        dp_buffer_printf(text, ", %d siblings as one product", conv->weights.source_count);
    if (step->chosen.tuned)
        dp_buffer_printf(text, ", tuned");
    dp_describe_epilogue(step, text);
}

static void release_conv(dp_plan *plan, dp_step *step) {
    conv_step *conv = step->as.own;
    if (!conv)
        return;
    dp_free(plan->allocator, conv->segments);
    dp_free(plan->allocator, conv->tiles);
    dp_free(plan->allocator, conv->targets);
    dp_free(plan->allocator, conv->weights.panels);
    dp_free(plan->allocator, conv->weights.first_of);
    dp_free(plan->allocator, conv);
}

static const dp_step_kind conv_kind = { "conv", run_conv, describe_conv, release_conv };
static const dp_step_kind conv_images_kind = { "conv", run_images, describe_conv, release_conv };
static const dp_step_kind gradient_kind = { "input grad", run_conv, describe_conv, release_conv };
static const dp_step_kind gradient_images_kind = { "input grad", run_images, describe_conv,
                                                   release_conv };

static const dp_step_kind *kind_of(const conv_build *b) {
    if (b->conv->weights.sources[0].order != DP_WEIGHTS_PLAIN)
        return b->images_are_pixels ? &gradient_images_kind : &gradient_kind;
    return b->images_are_pixels ? &conv_images_kind : &conv_kind;
}

/* ----------------------------------------------------------------------------- tiles and panels */

/* Blocks of a panel for rows of `width` pixels. */
static int choose_panel(const dp_kernels *kernels, int width, const dp_conv_weights *weights) {
    int best = 1, blocks = weights->blocks;
    double best_cost = INFINITY;
    for (int b = 1; b <= DP_PANEL_BLOCKS && b <= blocks; b++) {
        if (!kernels->panel_rows[b])
            continue;
        int sample = width < 64
                         ? width
                         : 64 + width % 16; /* long rows: their tail decides, not their length */
        double cost = dp_panel_cost(kernels, sample, dp_min(blocks, 64), b)
                      * dp_conv_band(weights, kernels->lanes, b);
        if (cost < best_cost) {
            best_cost = cost;
            best = b;
        }
    }
    return best;
}

static deeper_status make_panels(conv_build *b, int width, deeper_error *error) {
    const dp_kernels *kernels = b->lowering->plan->kernels;
    dp_conv_weights *weights = &b->conv->weights;
    DP_TRY(dp_conv_make_panels(b->lowering->plan, weights, choose_panel(kernels, width, weights),
                               error));
    b->conv->tile_rows = kernels->panel_rows[weights->panels[0]];
    return dp_conv_make_bands(b->lowering->plan, weights, error);
}

/* Whether all pixels of input and outputs lie one after another, so that a tile may run over the
 * end of a row. */
static bool is_flat(const conv_build *b) {
    const dp_window *w = &b->window;
    int lanes = b->lowering->plan->kernels->lanes;
    bool flat = w->height == 1 && w->width == 1 && w->stride_y == 1 && w->stride_x == 1
                && !b->in.planar && b->in.row_stride == (ptrdiff_t)b->in.shape.w * lanes;
    int target = dp_target(b->lowering, b->conv->weights.sources[0].node);
    if (b->lowering->graph->nodes[target].op == DP_OP_RELU_GRADIENT)
        flat =
            flat
            && dp_input_view(b->lowering, target, 1)->row_stride == (ptrdiff_t)b->output.w * lanes;
    for (int i = 0; flat && i < b->conv->weights.source_count; i++)
        flat =
            b->lowering->views[dp_target(b->lowering, b->conv->weights.sources[i].node)].row_stride
            == (ptrdiff_t)b->output.w * lanes;
    return flat;
}

static deeper_status make_tiles(conv_build *b, deeper_error *error) {
    conv_step *conv = b->conv;
    bool flat = is_flat(b);
    int rows = flat ? 1 : b->output.h, width = flat ? b->output.h * b->output.w : b->output.w;
    DP_TRY(make_panels(b, width, error));
    int tiles_per_row = dp_ceil_div(width, conv->tile_rows),
        pixel = b->in.planar ? 1 : b->lowering->plan->kernels->lanes;
    conv->tile_count = rows * tiles_per_row;
    conv->tiles =
        dp_alloc(b->lowering->plan->allocator, (size_t)conv->tile_count, sizeof *conv->tiles);
    if (!conv->tiles)
        return dp_fail_memory(error, "the tiles of a convolution");
    conv_tile *tile = conv->tiles;
    for (int y = 0; y < rows; y++)
        for (int t = 0; t < tiles_per_row; t++, tile++) {
            int begin, end;
            dp_share(width, tiles_per_row, t, &begin, &end);
            *tile = (conv_tile){ .y = y, .x = begin, .rows = end - begin };
            tile->in = (y * b->window.stride_y - b->window.pads.top) * b->in.row_stride
                       + (ptrdiff_t)(begin * b->window.stride_x - b->window.pads.left) * pixel;
        }
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------- lowering */

static deeper_status make_segments(conv_build *b, deeper_error *error) {
    conv_step *conv = b->conv;
    const dp_window *w = &b->window;
    int lanes = b->lowering->plan->kernels->lanes;
    int planes =
            b->in.planar ? b->conv->weights.channels : dp_blocks(b->conv->weights.channels, lanes),
        columns = b->in.planar ? 1 : w->width;
    if (conv->weights.band)
        planes = conv->weights.band;
    size_t count;
    if (!dp_size_mul((size_t)planes, (size_t)w->height * (size_t)columns, &count)
        || count > INT32_MAX)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "a window of %dx%d over %d channels is too large",
                       w->height, w->width, b->conv->weights.channels);
    conv->segment_count = (int)count;
    conv->run = b->in.planar ? w->width : lanes;
    conv->in_stride = (ptrdiff_t)w->stride_x * (b->in.planar ? 1 : lanes);
    conv->segments = dp_alloc_raw(b->lowering->plan->allocator, count, sizeof *conv->segments);
    if (!conv->segments)
        return dp_fail_memory(error, "the segments of a convolution");
    ptrdiff_t *segment = conv->segments;
    for (int c = 0; c < planes; c++)
        for (int r = 0; r < w->height; r++)
            for (int s = 0; s < columns; s++)
                *segment++ = c * b->in.block_stride + r * b->in.row_stride + (ptrdiff_t)s * lanes;
    return DEEPER_OK;
}

static deeper_status make_targets(conv_build *b, deeper_error *error) {
    conv_step *conv = b->conv;
    int lanes = b->lowering->plan->kernels->lanes;
    conv->targets =
        dp_alloc(b->lowering->plan->allocator, (size_t)conv->weights.blocks, sizeof *conv->targets);
    if (!conv->targets)
        return dp_fail_memory(error, "the targets of a convolution");
    for (int i = 0; i < b->conv->weights.source_count; i++) {
        const dp_view *view =
            &b->lowering->views[dp_target(b->lowering, b->conv->weights.sources[i].node)];
        for (int j = 0; j < dp_blocks(b->conv->weights.sources[i].outputs, lanes); j++)
            conv->targets[b->conv->weights.sources[i].first_output / lanes + j] =
                (conv_target){ .storage = view->storage,
                               .offset = view->offset + j * view->block_stride,
                               .row_stride = view->row_stride };
    }
    return DEEPER_OK;
}

static deeper_status emit(conv_build *b, deeper_error *error) {
    dp_lowering *l = b->lowering;
    conv_step *conv = b->conv;
    const dp_node *node = &l->graph->nodes[b->conv->weights.sources[0].node];
    dp_step step = { .kind = kind_of(b),
                     .name = node->name,
                     .in = b->in,
                     .out = l->views[dp_target(l, b->conv->weights.sources[0].node)],
                     .epilogue = dp_epilogue_of(l, b->conv->weights.sources[0].node),
                     .whole_batch = b->images_are_pixels,
                     .chosen = l->choices[conv->weights.sources[0].node].chosen,
                     .as.own = conv };
    step.work = (uint64_t)conv->segment_count * (uint64_t)conv->run * (uint64_t)conv->weights.blocks
                * (uint64_t)l->plan->kernels->lanes * (uint64_t)b->output.h * (uint64_t)b->output.w;
    int parts = dp_parts(
        l->plan, conv->weights.panel_count * (conv->tile_count ? conv->tile_count : 1), step.work);
    conv->panel_parts = dp_min(parts, conv->weights.panel_count);
    conv->tile_parts = b->images_are_pixels ? 1 : dp_ceil_div(parts, conv->panel_parts);
    if (conv->tile_parts > conv->tile_count && !b->images_are_pixels)
        conv->tile_parts = conv->tile_count;
    step.tasks = conv->panel_parts * conv->tile_parts;
    int writes[DP_CONV_SOURCES];
    for (int i = 0; i < b->conv->weights.source_count; i++)
        if (b->conv->weights.sources[i].part == 0)
            step.multiply_adds +=
                dp_node_cost(l->graph, b->conv->weights.sources[i].node).multiply_adds;
    for (int i = 0; i < b->conv->weights.source_count; i++)
        writes[i] = l->views[dp_target(l, b->conv->weights.sources[i].node)].storage;
    int reads[] = { b->in.storage, conv->weights.packed_storage };
    return dp_emit(l->plan, &step, reads, 2, writes, b->conv->weights.source_count, error);
}

/* A linear layer's window is the picture. */
static dp_window window_of(const dp_lowering *l, int node) {
    const dp_node *layer = &l->graph->nodes[node];
    const dp_shape in = l->graph->nodes[layer->inputs[0]].shape;
    return layer->op != DP_OP_FC
               ? layer->attributes.window
               : (dp_window){
                     .height = in.h, .width = in.w, .stride_y = 1, .stride_x = 1, .groups = 1
                 };
}

static deeper_status build_conv(conv_build *b, int node, deeper_error *error) {
    dp_lowering *l = b->lowering;
    const dp_node *layer = &l->graph->nodes[node];
    dp_shape in = l->graph->nodes[layer->inputs[0]].shape;
    b->conv->weights.channels = in.c;
    b->output = layer->shape;
    b->window = window_of(l, node);
    const dp_window *w = &b->window;
    b->conv->weights.height = w->height;
    b->conv->weights.width = w->width;
    b->conv->weights.groups = w->groups;
    b->conv->weights.planar = b->in.planar;
    dp_conv_collect(l, node, b->images_are_pixels, &b->conv->weights);
    DP_TRY(make_targets(b, error));
    if (b->images_are_pixels) {
        b->in.offset -=
            w->pads.top * b->in.row_stride
            + (ptrdiff_t)w->pads.left * l->plan->kernels->lanes; /* to the only window */
        DP_TRY(make_panels(b, 1,
                           error)); /* for any batch, so that all plans share the packed weights */
    } else
        DP_TRY(make_tiles(b, error));
    DP_TRY(make_segments(b, error));
    DP_TRY(dp_conv_pack(l, &b->conv->weights, error));
    return emit(b, error);
}

deeper_status dp_conv_input(dp_lowering *l, int node, dp_view *in, deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    *in = *dp_input_view(l, node, 0);
    if (layer->op == DP_OP_FC || dp_has_halo(l->plan, in, &layer->attributes.window.pads))
        return DEEPER_OK;
    return dp_lower_copy(l, node, in, &layer->attributes.window.pads, in, error);
}

static deeper_status lower_product(dp_lowering *lowering, int node, bool images_are_pixels,
                                   deeper_error *error) {
    conv_build build = { .lowering = lowering, .images_are_pixels = images_are_pixels };
    DP_TRY(dp_conv_input(lowering, node, &build.in, error));
    build.conv = dp_alloc(lowering->plan->allocator, 1, sizeof *build.conv);
    if (!build.conv)
        return dp_fail_memory(error, "a convolution's step");
    deeper_status status = build_conv(&build, node, error);
    if (status != DEEPER_OK)
        release_conv(lowering->plan, &(dp_step){ .as.own = build.conv });
    return status;
}

static bool suits_all(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    const dp_window w = window_of(lowering, node);
    const int channels = lowering->graph->nodes[layer->inputs[0]].shape.c;
    choice->product = (dp_product_shape){ layer->shape.c, layer->shape.h, layer->shape.w,
                                          (double)channels * w.height * w.width };
    return true;
}

static deeper_status lower_direct(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_product(lowering, node, false, error);
}

static bool suits_images(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_shape out = lowering->graph->nodes[node].shape;
    return suits_all(lowering, node, choice) && out.h == 1 && out.w == 1
           && !dp_reads_planes(lowering, node);
}

static deeper_status lower_images(dp_lowering *lowering, int node, deeper_error *error) {
    return lower_product(lowering, node, true, error);
}

const dp_algorithm dp_algorithm_images = { "images as pixels", DP_FP32, suits_images,
                                           dp_cost_direct, lower_images };
const dp_algorithm dp_algorithm_direct = { "direct", DP_FP32, suits_all, dp_cost_direct,
                                           lower_direct };
