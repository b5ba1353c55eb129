/* test_kernels_depthwise.c - depthwise convolutions on every instruction set that this machine
 * runs, against the reference: windows and strides of every path, rows of every length around the
 * pieces that they are cut into, rows split in any way, inputs no larger than the windows reach,
 * operands against guard pages. */
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

static const double unit_roundoff = 0x1p-24;

static const dp_reference_window windows[] = {
    { .height = 3, .width = 3, .stride_y = 1, .stride_x = 1 },
    { .height = 3, .width = 3, .stride_y = 2, .stride_x = 2 },
    { .height = 5, .width = 5, .stride_y = 1, .stride_x = 1 },
    { .height = 5, .width = 5, .stride_y = 2, .stride_x = 2 },
    { .height = 1, .width = 1, .stride_y = 1, .stride_x = 1 },
    { .height = 1, .width = 1, .stride_y = 3, .stride_x = 2 },
    { .height = 2, .width = 4, .stride_y = 1, .stride_x = 3 },
    { .height = 7, .width = 1, .stride_y = 2, .stride_x = 1 },
    { .height = 3, .width = 3, .stride_y = 4, .stride_x = 4 },
};

/* Lengths of an output row; a piece has at most 8 pixels. */
static const int lengths[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 23, 28 };
enum { OUT_ROWS = 3 };

typedef struct test_case {
    const dp_kernels *kernels;
    dp_reference_window window;
    dp_reference_dims in, out; /* the channels of one block */
    float low;
    int gap; /* pixels between the rows of the input */
    test_guard_side side;
} test_case;

/* in, weights and bias as the kernel takes them. */
typedef struct operands {
    test_guard in, weights, bias;
} operands;

static void run_rows(const test_case *t, const operands *o, float *out, int row_begin,
                     int row_end) {
    const int lanes = t->kernels->lanes;
    t->kernels->depthwise(&(dp_depthwise){ .in = o->in.data,
                                           .in_row = (ptrdiff_t)(t->in.width + t->gap) * lanes,
                                           .out = out,
                                           .out_row = (ptrdiff_t)t->out.width * lanes,
                                           .out_width = t->out.width,
                                           .row_begin = row_begin,
                                           .row_end = row_end,
                                           .height = t->window.height,
                                           .width = t->window.width,
                                           .stride_y = t->window.stride_y,
                                           .stride_x = t->window.stride_x,
                                           .weights = o->weights.data,
                                           .bias = o->bias.data,
                                           .low = t->low });
}

static double random_value(dp_random *random, bool absolute) {
    const float value = 2 * dp_random_unit(random) - 1;
    return absolute ? fabs((double)value) : (double)value;
}

/* The operands in canonical order, or their absolute values, which the error grows with; the result
 * of the reference. */
static double *reference(const test_case *t, bool absolute) {
    const int lanes = t->kernels->lanes, taps = t->window.height * t->window.width;
    double *in = calloc(dp_reference_count(t->in), sizeof *in),
           *weights = calloc((size_t)(lanes * taps), sizeof *weights);
    double *bias = calloc((size_t)lanes, sizeof *bias),
           *out = calloc(dp_reference_count(t->out), sizeof *out);
    assert_true(in && weights && bias && out);
    dp_random random = dp_random_at(1, 2, 3);
    for (size_t i = 0; i < dp_reference_count(t->in); i++)
        in[i] = random_value(&random, absolute);
    for (int i = 0; i < lanes * taps; i++)
        weights[i] = random_value(&random, absolute);
    for (int i = 0; i < lanes; i++)
        bias[i] = random_value(&random, absolute);
    dp_reference_conv(out, t->out, in, t->in, weights, bias, t->window, lanes);
    free(in);
    free(weights);
    free(bias);
    return out;
}

/* The same values, channels innermost; nothing but NaNs between rows. */
static operands open_operands(const test_case *t) {
    const int lanes = t->kernels->lanes, taps = t->window.height * t->window.width,
              pitch = t->in.width + t->gap;
    operands o = {
        test_guard_open((size_t)(((t->in.height - 1) * pitch + t->in.width) * lanes), t->side),
        test_guard_open((size_t)(taps * lanes), t->side), test_guard_open((size_t)lanes, t->side)
    };
    dp_random random = dp_random_at(1, 2, 3);
    for (int c = 0; c < lanes; c++)
        for (int y = 0; y < t->in.height; y++)
            for (int x = 0; x < t->in.width; x++)
                o.in.data[(y * pitch + x) * lanes + c] = (float)random_value(&random, false);
    for (int i = 0; i < lanes * taps; i++)
        o.weights.data[i % taps * lanes + i / taps] = (float)random_value(&random, false);
    for (int i = 0; i < lanes; i++)
        o.bias.data[i] = (float)random_value(&random, false);
    return o;
}

static void check(const test_case *t) {
    const int lanes = t->kernels->lanes, taps = t->window.height * t->window.width,
              pixels = t->out.height * t->out.width;
    operands o = open_operands(t);
    test_guard out = test_guard_open(dp_reference_count(t->out), t->side);
    test_guard split = test_guard_open(dp_reference_count(t->out), t->side);
    run_rows(t, &o, out.data, 0, t->out.height);
    for (int y = t->out.height - 1; y >= 0; y--)
        run_rows(t, &o, split.data, y, y + 1);
    assert_memory_equal(out.data, split.data, out.count * sizeof(float));

    /* The bias and a product a tap: each term is rounded at most once in its product and taps times
     * in the sum. */
    const double tolerance = (taps + 2) * unit_roundoff;
    double *want = reference(t, false), *magnitude = reference(t, true);
    for (int i = 0; i < lanes * pixels; i++) {
        const double bounded = want[i] > (double)t->low ? want[i] : (double)t->low;
        if (!(fabs((double)out.data[i % pixels * lanes + i / pixels] - bounded)
              <= tolerance * magnitude[i]))
            fail_msg("%s, window %dx%d stride %dx%d, %d columns, output %d",
                     dp_isa_name(t->kernels->isa), t->window.height, t->window.width,
                     t->window.stride_y, t->window.stride_x, t->out.width, i);
    }
    free(want);
    free(magnitude);
    test_guard_close(&out);
    test_guard_close(&split);
    test_guard_close(&o.in);
    test_guard_close(&o.weights);
    test_guard_close(&o.bias);
}

static void check_all(const dp_kernels *kernels) {
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (int variant = 0; variant < 4; variant++) {
                const dp_reference_window *win = &windows[w];
                check(&(test_case){
                    .kernels = kernels,
                    .window = *win,
                    .in = { 1, kernels->lanes, (OUT_ROWS - 1) * win->stride_y + win->height,
                            (lengths[l] - 1) * win->stride_x + win->width },
                    .out = { 1, kernels->lanes, OUT_ROWS, lengths[l] },
                    .low = variant & 1 ? 0 : -INFINITY,
                    .gap = variant & 2,
                    .side = variant & 1 ? TEST_GUARD_BEFORE : TEST_GUARD_AFTER,
                });
            }
}

static void depthwise_convolutions_agree_with_the_reference(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        if (dp_isa_supported((dp_isa)isa))
            check_all(dp_kernels_for((dp_isa)isa));
}

/* A NaN reaches the outputs whose windows hold it, through a ReLU too, and no others. */
static void a_nan_spoils_its_own_windows_alone(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        if (!dp_isa_supported((dp_isa)isa))
            continue;
        const dp_kernels *kernels = dp_kernels_for((dp_isa)isa);
        const int lanes = kernels->lanes;
        const test_case t = { .kernels = kernels,
                              .window = { .height = 1, .width = 2, .stride_y = 1, .stride_x = 1 },
                              .in = { 1, lanes, 1, 12 },
                              .out = { 1, lanes, 1, 11 },
                              .side = TEST_GUARD_AFTER };
        operands o = open_operands(&t);
        test_guard out = test_guard_open(dp_reference_count(t.out), t.side);
        o.in.data[6 * lanes + 1] = NAN;
        run_rows(&t, &o, out.data, 0, 1);
        for (int i = 0; i < 11 * lanes; i++)
            assert_int_equal(isnan(out.data[i]) != 0, i == 5 * lanes + 1 || i == 6 * lanes + 1);
        test_guard_close(&out);
        test_guard_close(&o.in);
        test_guard_close(&o.weights);
        test_guard_close(&o.bias);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depthwise_convolutions_agree_with_the_reference),
        cmocka_unit_test(a_nan_spoils_its_own_windows_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
