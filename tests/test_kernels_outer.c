/* test_kernels_outer.c - the outer product of weight gradients, on every instruction set that this
 * machine runs. Every product is compared bit for bit with the sum written as a loop, so that any
 * split into rows and blocks gives the same bits. Whole weight gradients, blocked, planar and fully
 * connected, put together as a planner would, are compared with the reference. All operands lie
 * against guard pages. Letters: L lanes, N images, C K channels, H W P Q sizes, R S window. */
#include "base/random.h"
#include "helpers/guard.h"
#include "kernels/gradient.h"
#include "reference/reference_gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double unit_roundoff = 0x1p-24;

static const dp_gradient_kernels *usable(int isa) {
    return dp_isa_supported((dp_isa)isa) ? dp_gradient_kernels_for((dp_isa)isa) : NULL;
}

static void fill(float *values, size_t count, uint64_t stream) {
    dp_random random = dp_random_at(1, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * dp_random_unit(&random) - 1;
}

/* ---------------------------------------------------------------------------------- one product */

/* Distances in floats where they begin with in_, in pixels of L floats for the gradient; in_step 0:
 * L. */
typedef struct shape {
    int height, width;
    int in_stride, in_step, in_gap; /* gap: between the rows of the input */
    int gradient_step, gradient_gap;
} shape;

static const shape shapes[] = {
    { 1, 1, 1, 0, 0, 1, 0 }, { 1, 2, 1, 0, 0, 1, 0 },  { 3, 3, 1, 0, 32, 1, 0 },
    { 7, 5, 1, 2, 3, 1, 2 }, { 2, 4, 1, 32, 0, 1, 1 }, { 4, 1, 3, 0, 0, 2, 0 },
    { 1, 9, 5, 1, 0, 3, 0 },
};

typedef struct operands {
    test_guard in, gradient[DP_PANEL_BLOCKS], out;
    dp_outer outer;
} operands;

static void open_operands(operands *o, int lanes, int rows, int blocks, const shape *s, bool add,
                          test_guard_side side) {
    const ptrdiff_t in_step = s->in_step ? s->in_step : lanes;
    const ptrdiff_t in_row = (s->width - 1) * in_step + s->in_gap + 1;
    const ptrdiff_t gradient_step = (ptrdiff_t)s->gradient_step * lanes;
    const ptrdiff_t gradient_row = (s->width - 1) * gradient_step + (s->gradient_gap + 1) * lanes;
    o->in = test_guard_open((size_t)((s->height - 1) * in_row + (s->width - 1) * in_step
                                     + (rows - 1) * s->in_stride + 1),
                            side);
    fill(o->in.data, o->in.count, 1);
    o->out = test_guard_open((size_t)(rows * blocks * lanes), side);
    if (add) /* else what is there, NaNs, must be of no consequence */
        fill(o->out.data, o->out.count, 2);
    o->outer = (dp_outer){ .in = o->in.data,
                           .in_row = in_row,
                           .in_step = in_step,
                           .in_stride = s->in_stride,
                           .gradient_row = gradient_row,
                           .gradient_step = gradient_step,
                           .height = s->height,
                           .width = s->width,
                           .out = o->out.data,
                           .add = add };
    for (int j = 0; j < blocks; j++) {
        o->gradient[j] = test_guard_open(
            (size_t)((s->height - 1) * gradient_row + (s->width - 1) * gradient_step + lanes),
            side);
        fill(o->gradient[j].data, o->gradient[j].count, 3 + (uint64_t)j);
        o->outer.gradient[j] = o->gradient[j].data;
    }
}

static void close_operands(operands *o, int blocks) {
    test_guard_close(&o->in);
    test_guard_close(&o->out);
    for (int j = 0; j < blocks; j++)
        test_guard_close(&o->gradient[j]);
}

/* The contract as a loop, with the rounding of this instruction set: portable rounds product and
 * sum, the others once. */
static float one_output(const dp_outer *o, bool fused, float start, int i, int j, int l) {
    float sum = start;
    for (int y = 0; y < o->height; y++)
        for (int x = 0; x < o->width; x++) {
            float a = o->in[y * o->in_row + x * o->in_step + i * o->in_stride];
            float g = o->gradient[j][y * o->gradient_row + x * o->gradient_step + l];
            sum = fused ? fmaf(a, g, sum) : sum + a * g;
        }
    return sum;
}

static void check_product(const dp_gradient_kernels *k, int rows, int blocks, const shape *s,
                          bool add, test_guard_side side) {
    operands o;
    open_operands(&o, k->lanes, rows, blocks, s, add, side);
    float *before = calloc(o.out.count, sizeof *before);
    assert_non_null(before);
    if (add)
        memcpy(before, o.out.data, o.out.count * sizeof *before);
    k->outer[blocks][rows](&o.outer);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < blocks; j++)
            for (int l = 0; l < k->lanes; l++) {
                const int place = (i * blocks + j) * k->lanes + l;
                if (o.out.data[place]
                    != one_output(&o.outer, k->isa != DP_ISA_PORTABLE, before[place], i, j, l))
                    fail_msg("%s %dx%d, shape %td: row %d block %d lane %d", dp_isa_name(k->isa),
                             rows, blocks, s - shapes, i, j, l);
            }
    free(before);
    close_operands(&o, blocks);
}

static void every_product_gives_the_bits_of_the_plain_sum(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_gradient_kernels *k = usable(isa);
        for (int blocks = 1; k && blocks <= DP_PANEL_BLOCKS; blocks++)
            for (int rows = 1; rows <= k->outer_rows[blocks]; rows++)
                for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
                    for (int variant = 0; variant < 2 * TEST_GUARD_SIDES; variant++)
                        check_product(k, rows, blocks, &shapes[s], variant % 2,
                                      (test_guard_side)(variant / 2));
    }
}

static void products_are_there_up_to_outer_rows_and_no_further(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        const dp_gradient_kernels *k = usable(isa);
        if (!k)
            continue;
        assert_int_equal(k->isa, isa);
        assert_int_equal(k->lanes, dp_kernels_for((dp_isa)isa)->lanes);
        assert_true(k->outer_rows[1] >= k->lanes && k->outer_rows[2] >= k->lanes);
        for (int blocks = 0; blocks <= DP_PANEL_BLOCKS; blocks++)
            for (int rows = 0; rows <= DP_PANEL_ROWS; rows++)
                assert_int_equal(k->outer[blocks][rows] != NULL,
                                 rows >= 1 && rows <= k->outer_rows[blocks]);
    }
}

/* ----------------------------------------------------------------------- whole weight gradients */

typedef struct layer {
    dp_reference_dims in;
    int outputs;
    dp_reference_window window;
    bool planar;
} layer;

static const layer layers[] = {
    { { 2, 20, 7, 6 }, 40, { 3, 3, 1, 1, 1, 1, 1, 1 }, false },
    { { 3, 17, 5, 5 }, 3, { 1, 1, 1, 1, 0, 0, 0, 0 }, false },
    { { 1, 6, 9, 8 }, 50, { 5, 3, 2, 2, 2, 2, 1, 1 }, false },
    { { 2, 3, 15, 13 }, 20, { 7, 7, 2, 2, 3, 3, 3, 3 }, true },
    { { 2, 1, 6, 6 }, 33, { 5, 4, 1, 1, 0, 0, 0, 0 }, true },
    { { 5, 37, 1, 1 }, 21, { 1, 1, 1, 1, 0, 0, 0, 0 }, false }, /* fully connected */
};

static size_t at(dp_reference_dims d, int n, int c, int y, int x) {
    return (((size_t)n * (size_t)d.channels + (size_t)c) * (size_t)d.height + (size_t)y)
               * (size_t)d.width
           + (size_t)x;
}

/* `values` in double, moved into blocks of `lanes` channels (1: planar) with the padding of the
 * window around, zeros elsewhere. */
static float *lay_out(const double *values, dp_reference_dims d, dp_reference_window pad,
                      int lanes) {
    const dp_reference_dims laid = { d.images, (d.channels + lanes - 1) / lanes,
                                     d.height + pad.pad_top + pad.pad_bottom,
                                     d.width + pad.pad_left + pad.pad_right };
    const size_t bytes = dp_reference_count(laid) * (size_t)lanes * sizeof(float);
    float *blocked = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(blocked);
    memset(blocked, 0, bytes);
    for (int n = 0; n < d.images; n++)
        for (int c = 0; c < d.channels; c++)
            for (int y = 0; y < d.height; y++)
                for (int x = 0; x < d.width; x++)
                    blocked[at(laid, n, c / lanes, y + pad.pad_top, x + pad.pad_left)
                                * (size_t)lanes
                            + (size_t)(c % lanes)] = (float)values[at(d, n, c, y, x)];
    return blocked;
}

static double *random_doubles(size_t count, uint64_t stream) {
    dp_random random = dp_random_at(2, stream, 0);
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(2 * dp_random_unit(&random) - 1);
    return values;
}

/* The weight gradient K x C x R x S from products of at most max_rows rows and max_blocks blocks,
 * image after image. */
static void weight_gradient(float *result, const dp_gradient_kernels *k, const layer *l,
                            dp_reference_dims out, const float *in, const float *gradient,
                            int max_rows, int max_blocks) {
    const dp_reference_window w = l->window;
    const int in_lanes = l->planar ? 1 : k->lanes;
    const int rows_in_memory =
        l->planar ? w.width : k->lanes; /* what an index into a product's rows runs over */
    const dp_reference_dims in_laid = { l->in.images, (l->in.channels + in_lanes - 1) / in_lanes,
                                        l->in.height + w.pad_top + w.pad_bottom,
                                        l->in.width + w.pad_left + w.pad_right };
    const dp_reference_dims out_laid = { out.images, (out.channels + k->lanes - 1) / k->lanes,
                                         out.height, out.width };
    float product[DP_PANEL_ROWS * DP_PANEL_BLOCKS * 16] __attribute__((aligned(64)));
    for (int cb = 0; cb < in_laid.channels; cb++)
        for (int r = 0; r < w.height; r++)
            for (int s = 0; s < (l->planar ? 1 : w.width); s++)
                for (int i = 0; i < rows_in_memory; i += max_rows)
                    for (int j = 0; j < out_laid.channels; j += max_blocks) {
                        const int rows =
                            rows_in_memory - i < max_rows ? rows_in_memory - i : max_rows;
                        const int blocks =
                            out_laid.channels - j < max_blocks ? out_laid.channels - j : max_blocks;
                        for (int n = 0; n < out.images; n++) {
                            dp_outer o = { .in =
                                               in + at(in_laid, n, cb, r, s) * (size_t)in_lanes + i,
                                           .in_row =
                                               (ptrdiff_t)in_laid.width * in_lanes * w.stride_y,
                                           .in_step = (ptrdiff_t)in_lanes * w.stride_x,
                                           .in_stride = 1,
                                           .gradient_row = (ptrdiff_t)out.width * k->lanes,
                                           .gradient_step = k->lanes,
                                           .height = out.height,
                                           .width = out.width,
                                           .out = product,
                                           .add = n > 0 };
                            for (int b = 0; b < blocks; b++)
                                o.gradient[b] =
                                    gradient + at(out_laid, n, j + b, 0, 0) * (size_t)k->lanes;
                            k->outer[blocks][rows](&o);
                        }
                        for (int row = 0; row < rows; row++)
                            for (int lane = 0; lane < blocks * k->lanes; lane++) {
                                const int output = j * k->lanes + lane;
                                const int channel = l->planar ? cb : cb * k->lanes + i + row;
                                const float value = product[row * blocks * k->lanes + lane];
                                if (output >= out.channels || channel >= l->in.channels)
                                    assert_true(value == 0);
                                else
                                    result[((output * l->in.channels + channel) * w.height + r)
                                               * w.width
                                           + (l->planar ? i + row : s)] = value;
                            }
                    }
}

static void check_layer(const dp_gradient_kernels *k, const layer *l) {
    const dp_reference_window w = l->window;
    const dp_reference_dims out = {
        l->in.images, l->outputs,
        (l->in.height + w.pad_top + w.pad_bottom - w.height) / w.stride_y + 1,
        (l->in.width + w.pad_left + w.pad_right - w.width) / w.stride_x + 1
    };
    const size_t count = (size_t)(l->outputs * l->in.channels * w.height * w.width);
    double *in = random_doubles(dp_reference_count(l->in), 1),
           *gradient = random_doubles(dp_reference_count(out), 2);
    double *want = random_doubles(count, 3), *magnitude = random_doubles(count, 4);
    float *laid_in = lay_out(in, l->in, w, l->planar ? 1 : k->lanes);
    float *laid_gradient = lay_out(gradient, out, (dp_reference_window){ 0 }, k->lanes);
    float *got = calloc(count, sizeof *got), *split = calloc(count, sizeof *split);
    assert_true(got && split);
    weight_gradient(got, k, l, out, laid_in, laid_gradient, k->outer_rows[2], 2);
    weight_gradient(split, k, l, out, laid_in, laid_gradient, 3, 1);
    assert_memory_equal(got, split, count * sizeof *got);

    dp_reference_conv_gradient(NULL, want, NULL, gradient, out, in, l->in, NULL, w, 1);
    for (size_t i = 0; i < dp_reference_count(l->in); i++)
        in[i] = fabs(in[i]);
    for (size_t i = 0; i < dp_reference_count(out); i++)
        gradient[i] = fabs(gradient[i]);
    dp_reference_conv_gradient(NULL, magnitude, NULL, gradient, out, in, l->in, NULL, w, 1);
    /* Each term is rounded once as a product and in every later addition. */
    const double tolerance = (double)(out.images * out.height * out.width + 1) * unit_roundoff;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance * magnitude[i]))
            fail_msg("%s, layer %td: weight %zu is %.9g, not %.9g", dp_isa_name(k->isa), l - layers,
                     i, (double)got[i], want[i]);
    double *doubles[] = { in, gradient, want, magnitude };
    float *floats[] = { laid_in, laid_gradient, got, split };
    for (int i = 0; i < 4; i++) {
        free(doubles[i]);
        free(floats[i]);
    }
}

static void weight_gradients_agree_with_the_reference(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        for (size_t i = 0; usable(isa) && i < sizeof layers / sizeof *layers; i++)
            check_layer(usable(isa), &layers[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_product_gives_the_bits_of_the_plain_sum),
        cmocka_unit_test(products_are_there_up_to_outer_rows_and_no_further),
        cmocka_unit_test(weight_gradients_agree_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
