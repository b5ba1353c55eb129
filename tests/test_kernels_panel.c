/* test_kernels_panel.c - the panel product and the packing that feeds it, on every instruction set
 * that this machine runs. Every panel is compared bit for bit with the sum written as a loop: what
 * a pixel gets may depend on nothing but its own operands, so any split of the work gives the same
 * bits. Whole convolutions, packed and run as a planner would, are compared with the reference. All
 * operands lie against guard pages. Letters: L lanes, K depth of a sum. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/kernels.h"
#include "reference/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES_MAX = 16, SEGMENTS_MAX = 12 };

static const double unit_roundoff = 0x1p-24;

static const dp_kernels *usable(int isa) {
    return dp_isa_supported((dp_isa)isa) ? dp_kernels_for((dp_isa)isa) : NULL;
}

static void fill(float *values, size_t count, uint64_t stream) {
    dp_random random = dp_random_at(1, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * dp_random_unit(&random) - 1;
}

/* ------------------------------------------------------------------------------------ one panel */

/* Strides in pixels (blocked: L floats each; planar: one float for the input). */
typedef struct shape {
    int segments, run; /* run 0: L, a blocked panel */
    int in_pixels, out_pixels;
    float low; /* NAN: without bias and bound */
} shape;

static const shape shapes[] = {
    { 2, 0, 3, 1, NAN },       { 1, 0, 1, 1, -INFINITY }, { 2, 0, 1, 2, 0 },
    { 9, 0, 2, 1, -INFINITY }, { 3, 0, 3, 3, 0 },         { 1, 1, 1, 1, -INFINITY },
    { 12, 3, 2, 1, 0 },        { 7, 7, 2, 2, -INFINITY }, { 5, 11, 4, 1, -INFINITY },
};

/* The operands of one panel, each against a guard page. */
typedef struct operands {
    test_guard in, weights, bias, out[DP_PANEL_BLOCKS];
    ptrdiff_t segments[SEGMENTS_MAX];
    dp_panel panel;
} operands;

static void open_operands(operands *o, const dp_kernels *k, int rows, int blocks, const shape *s,
                          test_guard_side side) {
    const int run = s->run ? s->run : k->lanes;
    const ptrdiff_t in_stride = (ptrdiff_t)s->in_pixels * (s->run ? 1 : k->lanes);
    const ptrdiff_t out_stride = (ptrdiff_t)s->out_pixels * k->lanes;
    /* Neither ascending nor evenly spaced: a segment is where it says it is. */
    ptrdiff_t last = 0;
    for (int i = 0; i < s->segments; i++) {
        o->segments[i] = (ptrdiff_t)(i * 11 % s->segments) * (run + 3);
        last = o->segments[i] > last ? o->segments[i] : last;
    }
    o->in = test_guard_open((size_t)((rows - 1) * in_stride + last + run), side);
    o->weights =
        test_guard_open((size_t)s->segments * (size_t)run * (size_t)(blocks * k->lanes), side);
    o->bias = test_guard_open((size_t)(blocks * k->lanes), side);
    fill(o->in.data, o->in.count, 1);
    fill(o->weights.data, o->weights.count, 2);
    fill(o->bias.data, o->bias.count, 3);
    o->panel = (dp_panel){ .in = o->in.data,
                           .in_stride = in_stride,
                           .segments = o->segments,
                           .segment_count = s->segments,
                           .run = run,
                           .weights = o->weights.data,
                           .bias = isnan(s->low) ? NULL : o->bias.data,
                           .low = s->low,
                           .out_stride = out_stride };
    for (int j = 0; j < blocks; j++) {
        o->out[j] = test_guard_open((size_t)((rows - 1) * out_stride + k->lanes), side);
        o->panel.out[j] = o->out[j].data;
    }
}

static void close_operands(operands *o, int blocks) {
    test_guard_close(&o->in);
    test_guard_close(&o->weights);
    test_guard_close(&o->bias);
    for (int j = 0; j < blocks; j++)
        test_guard_close(&o->out[j]);
}

/* The contract as a loop, with the rounding of this instruction set: portable rounds product and
 * sum, the others once. */
static float one_output(const dp_panel *p, bool fused, int lanes, int blocks, int i, int j, int l) {
    float sum = p->bias ? p->bias[j * lanes + l] : 0;
    for (int s = 0; s < p->segment_count; s++)
        for (int k = 0; k < p->run; k++) {
            float x = p->in[i * p->in_stride + p->segments[s] + k];
            float w = p->weights[((s * p->run + k) * blocks + j) * lanes + l];
            sum = fused ? fmaf(x, w, sum) : sum + x * w;
        }
    return !p->bias || sum > p->low ? sum : p->low;
}

static void check_panel(const dp_kernels *k, int rows, int blocks, const shape *s,
                        test_guard_side side) {
    operands o;
    open_operands(&o, k, rows, blocks, s, side);
    k->panel[blocks][rows](&o.panel);
    for (int j = 0; j < blocks; j++)
        for (int i = 0; i < rows; i++)
            for (int l = 0; l < o.panel.out_stride; l++) {
                if (l >= k->lanes && i == rows - 1)
                    break; /* the last pixel ends the array */
                const float got = o.out[j].data[i * o.panel.out_stride + l];
                if (l >= k->lanes)
                    assert_true(isnan(got)); /* between pixels nothing is written */
                else if (got
                         != one_output(&o.panel, k->isa != DP_ISA_PORTABLE, k->lanes, blocks, i, j,
                                       l))
                    fail_msg("%s %dx%d, %d segments of %d: row %d block %d lane %d",
                             dp_isa_name(k->isa), rows, blocks, s->segments, o.panel.run, i, j, l);
            }
    close_operands(&o, blocks);
}

static void every_panel_gives_the_bits_of_the_plain_sum(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = usable(isa);
        for (int blocks = 1; k && blocks <= DP_PANEL_BLOCKS; blocks++)
            for (int rows = 1; rows <= k->panel_rows[blocks]; rows++)
                for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
                    for (int side = 0; side < TEST_GUARD_SIDES; side++)
                        check_panel(k, rows, blocks, &shapes[s], (test_guard_side)side);
    }
}

static void panels_are_there_up_to_panel_rows_and_no_further(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = usable(isa);
        if (!k)
            continue;
        assert_int_equal(k->isa, isa);
        assert_in_range(k->panel_rows[1], 1, DP_PANEL_ROWS);
        for (int blocks = 0; blocks <= DP_PANEL_BLOCKS; blocks++)
            for (int rows = 0; rows <= DP_PANEL_ROWS; rows++)
                assert_int_equal(k->panel[blocks][rows] != NULL,
                                 rows >= 1 && rows <= k->panel_rows[blocks]);
    }
    assert_non_null(usable(DP_ISA_PORTABLE));
}

static void a_nan_goes_through_relu(void **state) {
    const shape relu = { 1, 0, 1, 1, 0 };
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = usable(isa);
        if (!k)
            continue;
        operands o;
        open_operands(&o, k, 2, 1, &relu, TEST_GUARD_AFTER);
        o.in.data[0] = NAN;
        k->panel[1][2](&o.panel);
        for (int l = 0; l < k->lanes; l++) {
            assert_true(isnan(o.out[0].data[l]));
            assert_false(isnan(o.out[0].data[k->lanes + l]));
        }
        close_operands(&o, 1);
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
typedef struct packed {
    int rows, columns; /* of the padded input */
    int blocks, depth, run, segment_count;
    int blocks_of[LANES_MAX * 4], panels;
    int first_of[LANES_MAX * 4], band; /* 0: none */
    ptrdiff_t *segments;
    test_guard in, weights, bias;
} packed;

static int blocks_for(int channels, int lanes) {
    return (channels + lanes - 1) / lanes;
}

/* The input with its halo of zeros, blocked or planar, and the offset of every segment of a
 * window. */
static void lay_out_input(packed *k, const convolution *c, int lanes, const float *in,
                          test_guard_side side) {
    const int unit = c->planar ? 1 : lanes; /* floats of a pixel */
    const int layers = c->planar ? c->channels : blocks_for(c->channels, lanes);
    k->rows = c->height + c->window.pad_top + c->window.pad_bottom;
    k->columns = c->width + c->window.pad_left + c->window.pad_right;
    k->in =
        test_guard_open((size_t)layers * (size_t)k->rows * (size_t)k->columns * (size_t)unit, side);
    memset(k->in.data, 0, k->in.count * sizeof(float));
    for (int ch = 0; ch < c->channels; ch++)
        for (int y = 0; y < c->height; y++)
            for (int x = 0; x < c->width; x++)
                k->in.data[((ch / unit * k->rows + y + c->window.pad_top) * k->columns + x
                            + c->window.pad_left)
                               * unit
                           + ch % unit] = in[(ch * c->height + y) * c->width + x];
    k->run = c->planar ? c->window.width : lanes;
    k->segments =
        calloc((size_t)(layers * c->window.height * c->window.width), sizeof *k->segments);
    assert_non_null(k->segments);
    for (int layer = 0; layer < layers; layer++)
        for (int r = 0; r < c->window.height; r++)
            for (int s = 0; s < (c->planar ? 1 : c->window.width); s++)
                k->segments[k->segment_count++] =
                    (ptrdiff_t)((layer * k->rows + r) * k->columns + s) * unit;
    k->depth = k->segment_count * k->run;
}

/* Where each panel's sum begins, and over how many channel blocks (planar: channels) the widest
 * goes: output k reads the channels of group k / (outputs / groups). Then the sums are as long as
 * that. */
static void find_bands(packed *k, const convolution *c, int lanes) {
    const int unit = c->planar ? 1 : lanes, layers = blocks_for(c->channels, unit);
    for (int p = 0, output = 0; p < k->panels; output += k->blocks_of[p++] * lanes) {
        const int end = output + k->blocks_of[p] * lanes,
                  last = end > c->outputs ? c->outputs - 1 : end - 1;
        const int read = (last / (c->outputs / c->groups) + 1) * (c->channels / c->groups);
        k->first_of[p] = output / (c->outputs / c->groups) * (c->channels / c->groups) / unit;
        k->band = blocks_for(read, unit) - k->first_of[p] > k->band
                      ? blocks_for(read, unit) - k->first_of[p]
                      : k->band;
    }
    for (int p = 0; p < k->panels; p++)
        k->first_of[p] = k->first_of[p] < layers - k->band ? k->first_of[p] : layers - k->band;
    k->segment_count = k->segment_count / layers * k->band;
    k->depth = k->segment_count * k->run;
}

/* Both sources in panels of 2, 1, 2, 1, ... blocks. */
static void pack_weights(packed *k, const convolution *c, const dp_kernels *t, const float *weights,
                         const float *scale, test_guard_side side) {
    const int lanes = t->lanes;
    const int first = blocks_for(c->outputs, lanes);
    k->blocks = first + blocks_for(c->second_source, lanes);
    for (int left = k->blocks; left > 0; left -= k->blocks_of[k->panels++])
        k->blocks_of[k->panels] = left < 2 ? 1 : 2 - k->panels % 2;
    if (c->banded)
        find_bands(k, c, lanes);
    k->weights = test_guard_open((size_t)k->depth * (size_t)(k->blocks * lanes), side);
    memset(k->weights.data, 0, k->weights.count * sizeof(float));
    const size_t taps = (size_t)(c->channels / c->groups * c->window.height * c->window.width);
    dp_packing packing = { .weights = weights,
                           .scale = scale,
                           .outputs = c->outputs,
                           .channels = c->channels,
                           .height = c->window.height,
                           .width = c->window.width,
                           .groups = c->groups,
                           .lanes = lanes,
                           .planar = c->planar,
                           .band = k->band,
                           .first_of = k->first_of,
                           .block_row = t->block_row,
                           .blocks_of = k->blocks_of,
                           .panels = k->panels };
    assert_int_equal(dp_packed_depth(&packing), k->depth);
    dp_pack_panels(k->weights.data, &packing, 0, packing.panels);
    if (c->second_source) {
        packing.weights = weights + (size_t)c->outputs * taps;
        packing.scale = scale ? scale + c->outputs : NULL;
        packing.outputs = c->second_source;
        packing.first_output = first * lanes;
        dp_pack_panels(k->weights.data, &packing, 0, packing.panels);
    }
}

/* All pixels through panels of at most `most_rows`; out: [block][pixel][lane]. */
static void run_panels(const dp_kernels *t, const packed *k, const convolution *c, float *out,
                       int out_rows, int out_columns, int most_rows) {
    const int unit = c->planar ? 1 : t->lanes;
    const float *weights = k->weights.data;
    for (int p = 0, block = 0; p < k->panels; block += k->blocks_of[p++]) {
        const int blocks = k->blocks_of[p];
        const int widest = t->panel_rows[blocks] < most_rows ? t->panel_rows[blocks] : most_rows;
        const float *in = k->in.data + (ptrdiff_t)k->first_of[p] * k->rows * k->columns * unit;
        for (int y = 0; y < out_rows; y++)
            for (int x = 0; x < out_columns; x += widest) {
                const int rows = out_columns - x < widest ? out_columns - x : widest;
                const int pixel = y * c->window.stride_y * k->columns + x * c->window.stride_x;
                dp_panel panel = { .in = in + pixel * unit,
                                   .in_stride = (ptrdiff_t)c->window.stride_x * unit,
                                   .segments = k->segments,
                                   .segment_count = k->segment_count,
                                   .run = k->run,
                                   .weights = weights,
                                   .bias = k->bias.data + block * t->lanes,
                                   .low = -INFINITY,
                                   .out_stride = t->lanes };
                for (int j = 0; j < blocks; j++)
                    panel.out[j] =
                        out + (((block + j) * out_rows + y) * out_columns + x) * t->lanes;
                t->panel[blocks][rows](&panel);
            }
        weights += (size_t)k->depth * (size_t)(blocks * t->lanes);
    }
}

/* The reference of both sources (their outputs one after another), and of the absolute values,
 * which the error grows with. */
static void references(double *want, double *magnitude, dp_reference_dims out_dims,
                       const convolution *c, const float *in, const float *weights,
                       const float *scale, const float *bias) {
    const dp_reference_dims in_dims = { 1, c->channels, c->height, c->width };
    const size_t taps = (size_t)(c->channels / c->groups * c->window.height * c->window.width);
    const size_t in_count = dp_reference_count(in_dims);
    const size_t weight_count = (size_t)out_dims.channels * taps;
    double *x = calloc(in_count, sizeof *x), *w = calloc(weight_count, sizeof *w),
           *b = calloc((size_t)out_dims.channels, sizeof *b);
    assert_true(x && w && b);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < in_count; i++)
            x[i] = pass ? fabs((double)in[i]) : (double)in[i];
        for (size_t i = 0; i < weight_count; i++) {
            w[i] = (double)weights[i] * (scale ? (double)scale[i / taps] : 1);
            w[i] = pass ? fabs(w[i]) : w[i];
        }
        for (int i = 0; i < out_dims.channels; i++)
            b[i] = pass ? fabs((double)bias[i]) : (double)bias[i];
        double *out = pass ? magnitude : want;
        dp_reference_dims first = out_dims, second = out_dims;
        first.channels = c->outputs;
        second.channels = c->second_source;
        dp_reference_conv(out, first, x, in_dims, w, b, c->window, c->groups);
        if (c->second_source)
            dp_reference_conv(out + dp_reference_count(first), second, x, in_dims,
                              w + (size_t)c->outputs * taps, b + c->outputs, c->window, c->groups);
    }
    free(x);
    free(w);
    free(b);
}

static void check_convolution(const dp_kernels *t, const convolution *c, test_guard_side side) {
    const int lanes = t->lanes, outputs = c->outputs + c->second_source;
    const int out_rows = (c->height + c->window.pad_top + c->window.pad_bottom - c->window.height)
                             / c->window.stride_y
                         + 1;
    const int out_columns =
        (c->width + c->window.pad_left + c->window.pad_right - c->window.width) / c->window.stride_x
        + 1;
    const size_t taps = (size_t)(c->channels / c->groups * c->window.height * c->window.width);
    const dp_reference_dims dims = { 1, outputs, out_rows, out_columns };
    const size_t in_count = (size_t)(c->channels * c->height * c->width);
    float *in = calloc(in_count, sizeof *in),
          *weights = calloc((size_t)outputs * taps, sizeof *weights);
    float *scale = calloc((size_t)outputs, sizeof *scale),
          *bias = calloc((size_t)outputs, sizeof *bias);
    double *want = calloc(dp_reference_count(dims), sizeof *want),
           *magnitude = calloc(dp_reference_count(dims), sizeof *magnitude);
    assert_true(in && weights && scale && bias && want && magnitude);
    fill(in, in_count, 4);
    fill(weights, (size_t)outputs * taps, 5);
    fill(scale, (size_t)outputs, 6);
    fill(bias, (size_t)outputs, 7);
    references(want, magnitude, dims, c, in, weights, c->scaled ? scale : NULL, bias);

    packed k = { 0 };
    lay_out_input(&k, c, lanes, in, side);
    pack_weights(&k, c, t, weights, c->scaled ? scale : NULL, side);
    /* Output channel of the canonical order -> its lane in the product. */
    const int second_lane = blocks_for(c->outputs, lanes) * lanes;
    k.bias = test_guard_open((size_t)(k.blocks * lanes), side);
    memset(k.bias.data, 0, k.bias.count * sizeof(float));
    for (int o = 0; o < outputs; o++)
        k.bias.data[o < c->outputs ? o : second_lane + o - c->outputs] = bias[o];
    const int pixels = out_rows * out_columns;
    test_guard out = test_guard_open((size_t)(k.blocks * pixels * lanes), side);
    test_guard again = test_guard_open(out.count, side);
    run_panels(t, &k, c, out.data, out_rows, out_columns, DP_PANEL_ROWS);
    run_panels(t, &k, c, again.data, out_rows, out_columns, 3);
    assert_memory_equal(out.data, again.data, out.count * sizeof(float));

    /* K products and the bias: each term is rounded at most K + 1 times in the sum, once in its
     * product, once by the scale. */
    const double tolerance = (k.depth + 3) * unit_roundoff * 1.01;
    size_t lanes_used = 0;
    for (int o = 0; o < outputs; o++, lanes_used++)
        for (int i = 0; i < pixels; i++) {
            const int lane = o < c->outputs ? o : second_lane + o - c->outputs;
            const double got = (double)out.data[(lane / lanes * pixels + i) * lanes + lane % lanes];
            const size_t at = (size_t)(o * pixels + i);
            assert_true(fabs(got - want[at]) <= tolerance * magnitude[at]);
        }
    for (int lane = 0; lane < k.blocks * lanes; lane++)
        if (lane >= c->outputs && (lane < second_lane || lane >= second_lane + c->second_source))
            for (int i = 0; i < pixels; i++) /* lanes without a channel stay zero */
                assert_true(out.data[(lane / lanes * pixels + i) * lanes + lane % lanes] == 0);
    test_guard_close(&out);
    test_guard_close(&again);
    test_guard_close(&k.in);
    test_guard_close(&k.weights);
    test_guard_close(&k.bias);
    free(k.segments);
    free(in);
    free(weights);
    free(scale);
    free(bias);
    free(want);
    free(magnitude);
}

static void packed_convolutions_agree_with_the_reference(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = usable(isa);
        for (size_t c = 0; k && c < sizeof convolutions / sizeof *convolutions; c++)
            for (int side = 0; side < TEST_GUARD_SIDES; side++)
                check_convolution(k, &convolutions[c], (test_guard_side)side);
    }
}

static void peak_does_its_work(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_kernels *k = usable(isa);
        if (!k)
            continue;
        /* Every sum tends to 2, so the lanes returned tell how many there are; an operation is a
         * product or a sum of a lane. */
        const double sums = (double)k->peak(2) / 2;
        assert_true(sums >= 8 && sums == floor(sums));
        assert_true(fmod(k->peak_flops, 2 * sums * k->lanes) == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_are_there_up_to_panel_rows_and_no_further),
        cmocka_unit_test(every_panel_gives_the_bits_of_the_plain_sum),
        cmocka_unit_test(a_nan_goes_through_relu),
        cmocka_unit_test(packed_convolutions_agree_with_the_reference),
        cmocka_unit_test(peak_does_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
