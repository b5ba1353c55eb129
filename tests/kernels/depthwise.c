/* depthwise.c - depthwise convolutions against the reference: windows and strides of every path,
 * rows of every length around the pieces that they are cut into, rows split in any way, inputs no
 * larger than the windows reach. */
#include "kernels/families.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
enum { OUT_ROWS = 3, LENGTH_TIMED = 28, WINDOWS_TIMED = 4 };

/* A convolution of the channels of one block: L groups. */
typedef struct subject {
    const dp_kernels *kernels;
    dp_reference_window window;
    dp_reference_dims out;
    kernel_image in;
    float *weights, *bias;
    dp_depthwise rows;
} subject;

static subject open_subject(kernel_test *t, const dp_reference_window *w, int rows, int columns,
                            float low, int gap) {
    const dp_reference_dims in = { 1, t->lanes, (rows - 1) * w->stride_y + w->height,
                                   (columns - 1) * w->stride_x + w->width };
    const int taps = w->height * w->width;
    subject s = { .kernels = t->kernels, .window = *w, .out = { 1, t->lanes, rows, columns } };
    s.in = kernel_image_spaced(t, in, t->lanes, gap, 0);
    const size_t count = dp_reference_count(in);
    kernel_image_put(&s.in, kernel_widened(t, kernel_random(t, count, -1, 1), count));
    s.weights = kernel_random(t, (size_t)(taps * t->lanes), -1, 1);
    s.bias = kernel_random(t, (size_t)t->lanes, -1, 1);
    s.rows = (dp_depthwise){ .in = s.in.data,
                             .in_row_stride = s.in.row_stride,
                             .out_row_stride = (ptrdiff_t)columns * t->lanes,
                             .out_width = columns,
                             .row_end = rows,
                             .height = w->height,
                             .width = w->width,
                             .stride_y = w->stride_y,
                             .stride_x = w->stride_x,
                             .weights = s.weights,
                             .bias = s.bias,
                             .low = low };
    return s;
}

static void call(const void *operands) {
    const subject *s = operands;
    s->kernels->depthwise(&s->rows);
}

static void call_rows(subject s, float *out, int row_begin, int row_end) {
    s.rows.out = out;
    s.rows.row_begin = row_begin;
    s.rows.row_end = row_end;
    call(&s);
}

/* The reference of the values, or of their absolute values, which the error grows with. */
static double *reference(kernel_test *t, const subject *s, bool absolute) {
    const int taps = s->window.height * s->window.width;
    double *in = kernel_image_get(t, &s->in), *bias = kernel_widened(t, s->bias, (size_t)t->lanes),
           *weights = kernel_doubles(t, (size_t)(taps * t->lanes)),
           *out = kernel_doubles(t, dp_reference_count(s->out));
    for (int i = 0; i < taps * t->lanes; i++)
        weights[i] = (double)s->weights[i % taps * t->lanes + i / taps];
    if (absolute) {
        in = kernel_absolute(t, in, dp_reference_count(s->in.dims));
        bias = kernel_absolute(t, bias, (size_t)t->lanes);
        weights = kernel_absolute(t, weights, (size_t)(taps * t->lanes));
    }
    dp_reference_conv(out, s->out, in, s->in.dims, weights, bias, s->window, t->lanes);
    return out;
}

static void check_rows(kernel_test *t, const dp_reference_window *w, int columns, float low,
                       int gap) {
    kernel_case(t, "%dx%d stride %dx%d, %d columns, %s", w->height, w->width, w->stride_y,
                w->stride_x, columns, low == 0 ? "ReLU" : "plain");
    subject s = open_subject(t, w, OUT_ROWS, columns, low, gap);
    const int taps = w->height * w->width;
    const size_t count = dp_reference_count(s.out);
    const kernel_image out = kernel_image_spaced(t, s.out, t->lanes, 0, 0);
    float *split = kernel_floats(t, count);
    call_rows(s, out.data, 0, OUT_ROWS);
    for (int y = OUT_ROWS - 1; y >= 0; y--)
        call_rows(s, split, y, y + 1);
    assert_memory_equal(out.data, split, count * sizeof *split);

    /* The bias and a product a tap: each term is rounded at most once in its product and taps times
     * in the sum. */
    double *want = reference(t, &s, false);
    for (size_t i = 0; i < count; i++)
        want[i] = fmax(want[i], (double)low);
    kernel_agree(t, kernel_image_get(t, &out), want, reference(t, &s, true), count,
                 (taps + 2) * kernel_roundoff);
    if (columns == LENGTH_TIMED && gap == 0 && w < windows + WINDOWS_TIMED) {
        s.rows.out = out.data;
        kernel_time(t, "", call, &s, 2.0 * taps * (double)count, KERNEL_FLOPS);
    }
}

static void depthwise_convolutions_agree_with_the_reference(kernel_test *t) {
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (int variant = 0; variant < 4; variant++)
                check_rows(t, &windows[w], lengths[l], variant & 1 ? 0 : -INFINITY, variant & 2);
}

/* A NaN reaches the outputs whose windows hold it, through a ReLU too, and no others. */
static void a_nan_spoils_its_own_windows_alone(kernel_test *t) {
    kernel_case(t, "a NaN in pixel 6");
    const dp_reference_window pair = { .height = 1, .width = 2, .stride_y = 1, .stride_x = 1 };
    const subject s = open_subject(t, &pair, 1, 11, 0, 0);
    float *out = kernel_floats(t, (size_t)(11 * t->lanes));
    *kernel_image_at(&s.in, 0, 1, 0, 6) = NAN;
    call_rows(s, out, 0, 1);
    for (int i = 0; i < 11 * t->lanes; i++)
        assert_int_equal(isnan(out[i]) != 0, i == 5 * t->lanes + 1 || i == 6 * t->lanes + 1);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(depthwise_convolutions_agree_with_the_reference),
    KERNEL_CHECK(a_nan_spoils_its_own_windows_alone),
};

const kernel_family kernel_depthwise = { "depthwise", checks, sizeof checks / sizeof *checks };
