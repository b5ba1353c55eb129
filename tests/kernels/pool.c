/* pool.c - max and average pools against the reference: windows, strides and paddings around every
 * fast path, output sizes rounded down and up, rows split in any way. */
#include "kernels/families.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const dp_reference_window windows[] = {
    { 3, 3, 1, 1, 1, 1, 1, 1 }, /* Inception's */
    { 3, 3, 2, 2, 0, 0, 0, 0 }, /* GoogLeNet's, rounded up */
    { 3, 3, 2, 2, 1, 1, 1, 1 }, { 3, 3, 1, 1, 0, 0, 0, 0 }, { 3, 3, 3, 3, 1, 0, 0, 1 },
    { 2, 3, 1, 1, 0, 2, 1, 0 }, { 2, 2, 2, 2, 0, 0, 0, 0 }, { 5, 5, 3, 3, 0, 0, 0, 0 },
    { 3, 2, 1, 2, 2, 1, 1, 1 }, { 1, 1, 1, 1, 0, 0, 0, 0 }, { 7, 7, 1, 1, 3, 3, 3, 3 },
    { 2, 3, 3, 2, 1, 1, 0, 0 }, { 4, 3, 2, 1, 1, 1, 2, 2 }, { 7, 7, 1, 1, 0, 0, 0, 0 }, /* global */
};

static const struct {
    int height, width;
} sizes[] = { { 1, 1 }, { 1, 5 }, { 2, 2 }, { 3, 3 }, { 7, 7 }, { 6, 9 }, { 14, 13 } };
enum { HEIGHT_TIMED = 14, WINDOWS_TIMED = 2 };

typedef enum pool_kind { MAX, AVERAGE, AVERAGE_PADDED } pool_kind;
static const char *const kind_names[] = { "max", "average", "average of padded" };

/* Output rows (or columns); rounded up, the last window still begins inside the picture or the
 * padding before it. 0: no window fits. */
static int output_size(int size, int window, int stride, int before, int after, bool up) {
    const int room = size + before + after - window;
    if (room < 0)
        return 0;
    int count = (room + (up ? stride - 1 : 0)) / stride + 1;
    while (up && count > 1 && (count - 1) * stride >= size + before)
        count--;
    return count;
}

/* Whether every window holds a pixel, as the contract asks. */
static bool all_hold_a_pixel(int count, int size, int window, int stride, int before) {
    return count > 0 && window > before && (count - 1) * stride - before < size;
}

typedef struct subject {
    dp_pooling_kernel *kernel;
    dp_pooling rows;
} subject;

static void call(const void *operands) {
    const subject *s = operands;
    s->kernel(&s->rows);
}

static void call_rows(subject s, float *out, int row_begin, int row_end) {
    s.rows.out = out;
    s.rows.row_begin = row_begin;
    s.rows.row_end = row_end;
    call(&s);
}

static subject subject_of(const kernel_test *t, pool_kind kind, const dp_reference_window *w,
                          const kernel_image *in, const kernel_image *out) {
    return (subject){ kind == MAX ? t->kernels->max_pool : t->kernels->average_pool,
                      { .in = in->data,
                        .in_row_stride = in->row_stride,
                        .in_height = in->dims.height,
                        .in_width = in->dims.width,
                        .out = out->data,
                        .out_row_stride = out->row_stride,
                        .out_width = out->dims.width,
                        .row_end = out->dims.height,
                        .height = w->height,
                        .width = w->width,
                        .stride_y = w->stride_y,
                        .stride_x = w->stride_x,
                        .pad_top = w->pad_top,
                        .pad_left = w->pad_left,
                        .pad_bottom = w->pad_bottom,
                        .pad_right = w->pad_right,
                        .count_padding = kind == AVERAGE_PADDED } };
}

static double *reference(kernel_test *t, pool_kind kind, const double *in,
                         dp_reference_dims in_dims, dp_reference_dims out_dims,
                         const dp_reference_window *w) {
    double *out = kernel_doubles(t, dp_reference_count(out_dims));
    if (kind == MAX)
        dp_reference_max_pool(out, out_dims, in, in_dims, *w);
    else
        dp_reference_average_pool(out, out_dims, in, in_dims, *w, kind == AVERAGE_PADDED);
    return out;
}

/* The channels of one block. */
static void check_pool(kernel_test *t, pool_kind kind, const dp_reference_window *w,
                       dp_reference_dims in_dims, dp_reference_dims out_dims, int gap) {
    kernel_case(t, "%s pool %dx%d stride %dx%d, %dx%d to %dx%d", kind_names[kind], w->height,
                w->width, w->stride_y, w->stride_x, in_dims.height, in_dims.width, out_dims.height,
                out_dims.width);
    const size_t in_count = dp_reference_count(in_dims), count = dp_reference_count(out_dims);
    const kernel_image in = kernel_image_spaced(t, in_dims, t->lanes, gap, 0),
                       out = kernel_image_spaced(t, out_dims, t->lanes, 0, 0);
    /* mostly negative: a zero from outside would win */
    const double *values = kernel_widened(t, kernel_random(t, in_count, -1.5, 0.5), in_count);
    kernel_image_put(&in, values);
    float *split = kernel_floats(t, count);
    const subject s = subject_of(t, kind, w, &in, &out);
    call(&s);
    for (int y = out_dims.height - 1; y >= 0; y--)
        call_rows(s, split, y, y + 1);
    assert_memory_equal(out.data, split, count * sizeof *split);

    /* An average: each pixel is rounded in at most height * width sums, then in the division; a
     * maximum is exact. */
    const double *magnitude =
        reference(t, kind, kernel_absolute(t, values, in_count), in_dims, out_dims, w);
    kernel_agree(t, kernel_image_get(t, &out), reference(t, kind, values, in_dims, out_dims, w),
                 magnitude, count, kind == MAX ? 0 : (w->height * w->width + 1) * kernel_roundoff);
    if (in_dims.height == HEIGHT_TIMED && gap == 0 && w < windows + WINDOWS_TIMED)
        kernel_time(t, "", call, &s, (double)count, KERNEL_FLOATS);
}

/* Every window on every size that it fits, rounded down and up, with and without a gap between
 * rows. */
static void check_pools(kernel_test *t, pool_kind kind) {
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int variant = 0; variant < 4; variant++) {
                const dp_reference_window *w = &windows[i];
                const int height = sizes[s].height, width = sizes[s].width;
                const bool up = variant & 1;
                const int rows = output_size(height, w->height, w->stride_y, w->pad_top,
                                             w->pad_bottom, up),
                          columns = output_size(width, w->width, w->stride_x, w->pad_left,
                                                w->pad_right, up);
                if (all_hold_a_pixel(rows, height, w->height, w->stride_y, w->pad_top)
                    && all_hold_a_pixel(columns, width, w->width, w->stride_x, w->pad_left))
                    check_pool(t, kind, w, (dp_reference_dims){ 1, t->lanes, height, width },
                               (dp_reference_dims){ 1, t->lanes, rows, columns }, variant & 2);
            }
}

static void max_pools_agree_with_the_reference(kernel_test *t) {
    check_pools(t, MAX);
}

static void average_pools_divide_by_the_pixels_inside(kernel_test *t) {
    check_pools(t, AVERAGE);
}

static void average_pools_divide_by_the_padded_window(kernel_test *t) {
    check_pools(t, AVERAGE_PADDED);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(max_pools_agree_with_the_reference),
    KERNEL_CHECK(average_pools_divide_by_the_pixels_inside),
    KERNEL_CHECK(average_pools_divide_by_the_padded_window),
};

const kernel_family kernel_pool = { "pool", checks, sizeof checks / sizeof *checks };
