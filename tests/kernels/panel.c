/* panel.c - the panel product and the packing that feeds it. Every panel is compared bit for bit
 * with the sum written as a loop: what a pixel gets may depend on nothing but its own operands, so
 * any split of the work gives the same bits. Whole convolutions, packed and run as a planner would,
 * are compared with the reference. Letters: L lanes, K depth of a sum. */
#include "kernels/families.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SEGMENTS_MAX = 36, PANELS_MAX = 4 * KERNEL_LANES_MAX };

/* ------------------------------------------------------------------------------------ one panel */

/* Strides in pixels (blocked: L floats each; planar: one float for the input). */
typedef struct panel_shape {
    int segments, run; /* run 0: L, a blocked panel */
    int in_pixels, out_pixels;
    float low; /* NAN: without bias and bound */
    bool timed;
} panel_shape;

static const panel_shape shapes[] = {
    { 2, 0, 3, 1, NAN, false },        { 1, 0, 1, 1, -INFINITY, false },
    { 2, 0, 1, 2, 0, false },          { 9, 0, 2, 1, -INFINITY, false },
    { 3, 0, 3, 3, 0, false },          { 1, 1, 1, 1, -INFINITY, false },
    { 12, 3, 2, 1, 0, false },         { 7, 7, 2, 2, -INFINITY, false },
    { 5, 11, 4, 1, -INFINITY, false }, { 36, 0, 1, 1, 0, true }, /* 3x3 over four blocks */
};

typedef struct subject {
    dp_panel_kernel *kernel;
    ptrdiff_t segments[SEGMENTS_MAX];
    dp_panel panel;
} subject;

static void call_panel(const void *operands) {
    const subject *s = operands;
    s->kernel(&s->panel);
}

static void open_subject(kernel_test *t, subject *s, int rows, int blocks,
                         const panel_shape *shape) {
    const int run = shape->run ? shape->run : t->lanes;
    const ptrdiff_t in_stride = (ptrdiff_t)shape->in_pixels * (shape->run ? 1 : t->lanes);
    const ptrdiff_t out_stride = (ptrdiff_t)shape->out_pixels * t->lanes;
    /* Neither ascending nor evenly spaced: a segment is where it says it is. */
    ptrdiff_t last = 0;
    for (int i = 0; i < shape->segments; i++) {
        s->segments[i] = (ptrdiff_t)(i * 11 % shape->segments) * (run + 3);
        last = s->segments[i] > last ? s->segments[i] : last;
    }
    const float *bias = kernel_random(t, (size_t)(blocks * t->lanes), -1, 1);
    s->kernel = t->kernels->panel[blocks][rows];
    s->panel =
        (dp_panel){ .in = kernel_random(t, (size_t)((rows - 1) * in_stride + last + run), -1, 1),
                    .in_stride = in_stride,
                    .segments = s->segments,
                    .segment_count = shape->segments,
                    .run = run,
                    .weights = kernel_random(
                        t, (size_t)(shape->segments * run) * (size_t)(blocks * t->lanes), -1, 1),
                    .bias = isnan(shape->low) ? NULL : bias,
                    .low = shape->low,
                    .out_stride = out_stride };
    for (int j = 0; j < blocks; j++)
        s->panel.out[j] = kernel_floats(t, (size_t)((rows - 1) * out_stride + t->lanes));
}

/* The contract as a loop, with the rounding of this instruction set. */
static float one_output(const kernel_test *t, const dp_panel *p, int blocks, int i, int j, int l) {
    float sum = p->bias ? p->bias[j * t->lanes + l] : 0;
    for (int s = 0; s < p->segment_count; s++)
        for (int k = 0; k < p->run; k++)
            sum = kernel_multiply_add(t, p->in[i * p->in_stride + p->segments[s] + k],
                                      p->weights[((s * p->run + k) * blocks + j) * t->lanes + l],
                                      sum);
    return !p->bias || sum > p->low ? sum : p->low;
}

static void check_panel(kernel_test *t, int rows, int blocks, const panel_shape *shape) {
    const bool largest = rows == t->kernels->panel_rows[blocks];
    const char *kind = shape->run ? "planar" : "blocked";
    if (largest) /* so called that instruction sets can be compared */
        kernel_case(t, "most rows of %d blocks, %d %s segments", blocks, shape->segments, kind);
    else
        kernel_case(t, "%d rows of %d blocks, %d %s segments", rows, blocks, shape->segments, kind);
    subject s;
    open_subject(t, &s, rows, blocks, shape);
    call_panel(&s);
    const dp_panel *p = &s.panel;
    for (int j = 0; j < blocks; j++)
        for (int i = 0; i < rows; i++)
            for (int l = 0; l < (i == rows - 1 ? t->lanes : p->out_stride); l++) {
                const float got = p->out[j][i * p->out_stride + l];
                if (l >= t->lanes)
                    assert_true(isnan(got)); /* between pixels nothing is written */
                else if (got != one_output(t, p, blocks, i, j, l))
                    kernel_fail(t, "row %d block %d lane %d", i, j, l);
            }
    if (shape->timed && largest)
        kernel_time(t, "", call_panel, &s,
                    2.0 * rows * blocks * t->lanes * p->segment_count * p->run, KERNEL_FLOPS);
}

static void every_panel_gives_the_bits_of_the_plain_sum(kernel_test *t) {
    for (int blocks = 1; blocks <= DP_PANEL_BLOCKS; blocks++)
        for (int rows = 1; rows <= t->kernels->panel_rows[blocks]; rows++)
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
                check_panel(t, rows, blocks, &shapes[s]);
}

static void panels_are_there_up_to_panel_rows_and_no_further(kernel_test *t) {
    const dp_kernels *k = t->kernels;
    assert_true(dp_isa_supported(DP_ISA_PORTABLE));
    assert_ptr_equal(dp_kernels_for(k->isa), k);
    assert_in_range(k->panel_rows[1], 1, DP_PANEL_ROWS);
    for (int blocks = 0; blocks <= DP_PANEL_BLOCKS; blocks++)
        for (int rows = 0; rows <= DP_PANEL_ROWS; rows++)
            assert_int_equal(k->panel[blocks][rows] != NULL,
                             rows >= 1 && rows <= k->panel_rows[blocks]);
}

static void a_nan_goes_through_relu(kernel_test *t) {
    const panel_shape relu = { 1, 0, 1, 1, 0, false };
    kernel_case(t, "a NaN");
    subject s;
    open_subject(t, &s, 2, 1, &relu);
    float *in = kernel_copy(t, s.panel.in, (size_t)(2 * t->lanes));
    in[0] = NAN;
    s.panel.in = in;
    call_panel(&s);
    for (int l = 0; l < t->lanes; l++) {
        assert_true(isnan(s.panel.out[0][l]));
        assert_false(isnan(s.panel.out[0][t->lanes + l]));
    }
}

/* ---------------------------------------------------------------------------------- convolution */

typedef struct convolution {
    int channels, outputs, height, width;
    dp_reference_window window;
    int groups;
    bool planar, scaled;
    int second_source; /* outputs of a sibling packed into the same product after this one, a block
                          border between */
    bool banded;       /* panels sum over the channels around their groups, not over all */
} convolution;

static const convolution convolutions[] = {
    { 3, 20, 9, 11, { 7, 7, 2, 2, 3, 3, 3, 3 }, 1, true, false, 0, false },
    { 5, 33, 6, 5, { 3, 2, 1, 1, 1, 0, 1, 1 }, 1, true, true, 3, false },
    { 33, 16, 7, 7, { 3, 3, 1, 1, 1, 1, 1, 1 }, 1, false, false, 0, false },
    { 16, 70, 5, 19, { 1, 1, 1, 1, 0, 0, 0, 0 }, 1, false, true, 17, false },
    { 24, 36, 6, 7, { 3, 3, 2, 2, 0, 1, 1, 0 }, 3, false, true, 0, false },
    { 10, 10, 5, 5, { 5, 5, 1, 1, 2, 2, 2, 2 }, 10, false, false, 0, false },
    { 4, 8, 5, 6, { 3, 3, 1, 1, 1, 1, 1, 1 }, 2, true, false, 0, false },
    { 40, 60, 5, 6, { 3, 3, 1, 1, 1, 1, 1, 1 }, 5, false, true, 0, true },
    { 64, 64, 4, 5, { 1, 1, 1, 1, 0, 0, 0, 0 }, 4, false, false, 0, true },
    { 68, 34, 4, 4, { 3, 2, 2, 1, 1, 0, 0, 1 }, 2, false, false, 0, true },
    { 9, 99, 5, 5, { 3, 3, 1, 1, 1, 1, 1, 1 }, 9, false, false, 0, true },
    { 4, 72, 6, 5, { 3, 3, 2, 2, 1, 1, 1, 1 }, 4, true, false, 0, true },
    { 19, 130, 3, 4, { 3, 4, 1, 1, 0, 0, 0, 0 }, 1, false, false, 0, false }, /* fully connected */
};

/* What a planner knows about a convolution: its padded input, its segments, its packed weights.
 * Letters as in dp_packing. */
typedef struct product {
    const convolution *c;
    kernel_image in;
    int unit; /* channels of a block of the input: L, planar 1 */
    int blocks, depth, run, segment_count;
    int blocks_of[PANELS_MAX], panels;
    int first_of[PANELS_MAX], band; /* 0: none */
    ptrdiff_t *segments;
    float *weights, *bias;
    const float *canonical_weights, *scale, *canonical_bias; /* scale NULL: none */
    dp_reference_dims out;                                   /* of both sources */
} product;

static int blocks_for(int channels, int lanes) {
    return (channels + lanes - 1) / lanes;
}

static size_t taps_of(const convolution *c) {
    return (size_t)(c->channels / c->groups * c->window.height * c->window.width);
}

/* Lane of an output channel of the canonical order, in which the second source follows the first at
 * once. */
static int lane_of(const kernel_test *t, const convolution *c, int output) {
    return output < c->outputs ? output
                               : blocks_for(c->outputs, t->lanes) * t->lanes + output - c->outputs;
}

/* The input with its halo of zeros, and the offset of every segment of a window. */
static void lay_out_input(kernel_test *t, product *p) {
    const convolution *c = p->c;
    const dp_reference_dims dims = { 1, c->channels, c->height, c->width };
    const size_t count = dp_reference_count(dims);
    p->unit = c->planar ? 1 : t->lanes;
    p->in = kernel_image_padded(t, dims, p->unit, c->window);
    kernel_image_put(&p->in, kernel_widened(t, kernel_random(t, count, -1, 1), count));
    p->run = c->planar ? c->window.width : t->lanes;
    p->segments = kernel_zeroed(t, (size_t)(p->in.blocks * c->window.height * c->window.width),
                                sizeof *p->segments);
    for (int block = 0; block < p->in.blocks; block++)
        for (int r = 0; r < c->window.height; r++)
            for (int s = 0; s < (c->planar ? 1 : c->window.width); s++)
                p->segments[p->segment_count++] =
                    block * p->in.block_stride + r * p->in.row_stride + (ptrdiff_t)s * p->unit;
    p->depth = p->segment_count * p->run;
}

/* Where each panel's sum begins, and over how many channel blocks (planar: channels) the widest
 * goes: output k reads the channels of group k / (outputs / groups). Then the sums are as long as
 * that. */
static void find_bands(const kernel_test *t, product *p) {
    const convolution *c = p->c;
    for (int i = 0, output = 0; i < p->panels; output += p->blocks_of[i++] * t->lanes) {
        const int end = output + p->blocks_of[i] * t->lanes,
                  last = end > c->outputs ? c->outputs - 1 : end - 1;
        const int read = (last / (c->outputs / c->groups) + 1) * (c->channels / c->groups);
        p->first_of[i] = output / (c->outputs / c->groups) * (c->channels / c->groups) / p->unit;
        const int band = blocks_for(read, p->unit) - p->first_of[i];
        p->band = band > p->band ? band : p->band;
    }
    const int last = p->in.blocks - p->band;
    for (int i = 0; i < p->panels; i++)
        p->first_of[i] = p->first_of[i] < last ? p->first_of[i] : last;
    p->segment_count = p->segment_count / p->in.blocks * p->band;
    p->depth = p->segment_count * p->run;
}

/* Both sources in panels of 2, 1, 2, 1, ... blocks. */
static void pack_weights(kernel_test *t, product *p) {
    const convolution *c = p->c;
    const int first = blocks_for(c->outputs, t->lanes);
    p->blocks = first + blocks_for(c->second_source, t->lanes);
    for (int left = p->blocks; left > 0; left -= p->blocks_of[p->panels++])
        p->blocks_of[p->panels] = left < 2 ? 1 : 2 - p->panels % 2;
    if (c->banded)
        find_bands(t, p);
    const size_t count = (size_t)p->depth * (size_t)(p->blocks * t->lanes);
    p->weights = kernel_floats(t, count);
    memset(p->weights, 0, count * sizeof *p->weights);
    dp_packing packing = { .weights = p->canonical_weights,
                           .scale = p->scale,
                           .outputs = c->outputs,
                           .channels = c->channels,
                           .height = c->window.height,
                           .width = c->window.width,
                           .groups = c->groups,
                           .lanes = t->lanes,
                           .planar = c->planar,
                           .band = p->band,
                           .first_of = p->first_of,
                           .block_row = t->kernels->block_row,
                           .blocks_of = p->blocks_of,
                           .panels = p->panels };
    assert_int_equal(dp_packed_depth(&packing), p->depth);
    dp_pack_panels(p->weights, &packing, 0, packing.panels);
    if (c->second_source) {
        packing.weights += (size_t)c->outputs * taps_of(c);
        packing.scale = p->scale ? p->scale + c->outputs : NULL;
        packing.outputs = c->second_source;
        packing.first_output = first * t->lanes;
        dp_pack_panels(p->weights, &packing, 0, packing.panels);
    }
}

/* All pixels through panels of at most max_rows; out: [block][pixel][lane]. */
static void run_panels(const kernel_test *t, const product *p, float *out, int max_rows) {
    const dp_reference_window w = p->c->window;
    const float *weights = p->weights;
    for (int i = 0, block = 0; i < p->panels; block += p->blocks_of[i++]) {
        const int blocks = p->blocks_of[i], allowed = t->kernels->panel_rows[blocks];
        const int widest = allowed < max_rows ? allowed : max_rows;
        for (int y = 0; y < p->out.height; y++)
            for (int x = 0; x < p->out.width; x += widest) {
                const int rows = p->out.width - x < widest ? p->out.width - x : widest;
                dp_panel panel = { .in = kernel_image_at(&p->in, 0, p->first_of[i] * p->unit,
                                                         y * w.stride_y - w.pad_top,
                                                         x * w.stride_x - w.pad_left),
                                   .in_stride = (ptrdiff_t)w.stride_x * p->unit,
                                   .segments = p->segments,
                                   .segment_count = p->segment_count,
                                   .run = p->run,
                                   .weights = weights,
                                   .bias = p->bias + block * t->lanes,
                                   .low = -INFINITY,
                                   .out_stride = t->lanes };
                for (int j = 0; j < blocks; j++)
                    panel.out[j] =
                        out + (((block + j) * p->out.height + y) * p->out.width + x) * t->lanes;
                t->kernels->panel[blocks][rows](&panel);
            }
        weights += (size_t)p->depth * (size_t)(blocks * t->lanes);
    }
}

/* The reference of both sources (their outputs one after another), or that of the absolute values,
 * which the error grows with. */
static double *reference(kernel_test *t, const product *p, bool absolute) {
    const convolution *c = p->c;
    const size_t taps = taps_of(c), count = (size_t)p->out.channels * taps;
    double *in = kernel_image_get(t, &p->in),
           *weights = kernel_widened(t, p->canonical_weights, count),
           *bias = kernel_widened(t, p->canonical_bias, (size_t)p->out.channels),
           *out = kernel_doubles(t, dp_reference_count(p->out));
    for (size_t i = 0; p->scale && i < count; i++)
        weights[i] *= (double)p->scale[i / taps];
    if (absolute) {
        in = kernel_absolute(t, in, dp_reference_count(p->in.dims));
        weights = kernel_absolute(t, weights, count);
        bias = kernel_absolute(t, bias, (size_t)p->out.channels);
    }
    dp_reference_dims first = p->out, second = p->out;
    first.channels = c->outputs;
    second.channels = c->second_source;
    dp_reference_conv(out, first, in, p->in.dims, weights, bias, c->window, c->groups);
    if (c->second_source)
        dp_reference_conv(out + dp_reference_count(first), second, in, p->in.dims,
                          weights + (size_t)c->outputs * taps, bias + c->outputs, c->window,
                          c->groups);
    return out;
}

static product open_product(kernel_test *t, const convolution *c) {
    const dp_reference_window w = c->window;
    const size_t outputs = (size_t)(c->outputs + c->second_source);
    product p = { .c = c };
    p.out = (dp_reference_dims){
        1, (int)outputs,
        kernel_output_size(c->height, w.height, w.stride_y, w.pad_top + w.pad_bottom),
        kernel_output_size(c->width, w.width, w.stride_x, w.pad_left + w.pad_right)
    };
    lay_out_input(t, &p);
    p.canonical_weights = kernel_random(t, outputs * taps_of(c), -1, 1);
    p.canonical_bias = kernel_random(t, outputs, -1, 1);
    p.scale = c->scaled ? kernel_random(t, outputs, -1, 1) : NULL;
    pack_weights(t, &p);
    const size_t lanes = (size_t)(p.blocks * t->lanes);
    p.bias = kernel_floats(t, lanes);
    memset(p.bias, 0, lanes * sizeof *p.bias);
    for (int o = 0; o < p.out.channels; o++)
        p.bias[lane_of(t, c, o)] = p.canonical_bias[o];
    return p;
}

static void check_convolution(kernel_test *t, const convolution *c) {
    kernel_case(t, "%d to %d channels, window %dx%d, %d groups", c->channels, c->outputs,
                c->window.height, c->window.width, c->groups);
    const product p = open_product(t, c);
    const dp_reference_dims laned = { 1, p.blocks * t->lanes, p.out.height, p.out.width };
    const kernel_image out = kernel_image_spaced(t, laned, t->lanes, 0, 0);
    const size_t count = dp_reference_count(laned), pixels = (size_t)(p.out.height * p.out.width);
    float *again = kernel_floats(t, count);
    run_panels(t, &p, out.data, DP_PANEL_ROWS);
    run_panels(t, &p, again, 3);
    assert_memory_equal(out.data, again, count * sizeof *again);

    /* K products and the bias: each term is rounded at most K + 1 times in the sum, once in its
     * product, once by the scale. */
    const double tolerance = (p.depth + 3) * kernel_roundoff * 1.01;
    const double *got = kernel_image_get(t, &out), *want = reference(t, &p, false),
                 *magnitude = reference(t, &p, true);
    bool *has_channel = kernel_zeroed(t, (size_t)laned.channels, sizeof *has_channel);
    for (int o = 0; o < p.out.channels; o++) {
        const size_t at = (size_t)o * pixels, lane = (size_t)lane_of(t, c, o);
        has_channel[lane] = true;
        kernel_agree(t, got + lane * pixels, want + at, magnitude + at, pixels, tolerance);
    }
    for (size_t i = 0; i < count; i++) /* lanes without a channel stay zero */
        assert_true(has_channel[i / pixels] || got[i] == 0);
}

static void packed_convolutions_agree_with_the_reference(kernel_test *t) {
    for (size_t c = 0; c < sizeof convolutions / sizeof *convolutions; c++)
        check_convolution(t, &convolutions[c]);
}

static void peak_does_its_work(kernel_test *t) {
    /* Every sum tends to 2, so the lanes returned tell how many there are; an operation is a
     * product or a sum of a lane. */
    const double sums = (double)t->kernels->peak(2) / 2;
    assert_true(sums >= 8 && sums == floor(sums));
    assert_true(fmod(t->kernels->peak_flops, 2 * sums * t->lanes) == 0);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(panels_are_there_up_to_panel_rows_and_no_further),
    KERNEL_CHECK(every_panel_gives_the_bits_of_the_plain_sum),
    KERNEL_CHECK(a_nan_goes_through_relu),
    KERNEL_CHECK(packed_convolutions_agree_with_the_reference),
    KERNEL_CHECK(peak_does_its_work),
};

const kernel_family kernel_panel = { "panel", checks, sizeof checks / sizeof *checks };
