/* test_kernels_pool.c - max and average pools on every instruction set that this machine runs,
 * against the reference: windows, strides and paddings around every fast path, output sizes rounded
 * down and up, rows split in any way, operands against guard pages. */
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
    { 3, 3, 1, 1, 1, 1, 1, 1 }, /* Inception's */
    { 3, 3, 2, 2, 0, 0, 0, 0 }, /* GoogLeNet's, rounded up */
    { 3, 3, 2, 2, 1, 1, 1, 1 }, { 3, 3, 1, 1, 0, 0, 0, 0 }, { 3, 3, 3, 3, 1, 0, 0, 1 },
    { 2, 3, 1, 1, 0, 2, 1, 0 }, { 2, 2, 2, 2, 0, 0, 0, 0 }, { 5, 5, 3, 3, 0, 0, 0, 0 },
    { 3, 2, 1, 2, 2, 1, 1, 1 }, { 1, 1, 1, 1, 0, 0, 0, 0 }, { 7, 7, 1, 1, 3, 3, 3, 3 },
    { 2, 3, 3, 2, 1, 1, 0, 0 }, { 4, 3, 2, 1, 1, 1, 2, 2 },
};

static const struct {
    int height, width;
} sizes[] = { { 1, 1 }, { 1, 5 }, { 2, 2 }, { 3, 3 }, { 7, 7 }, { 6, 9 }, { 14, 13 } };

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

typedef struct test_case {
    const dp_kernels *kernels;
    dp_reference_window window;
    dp_reference_dims in, out; /* the channels of one block */
    bool average, count_padding;
    int gap; /* pixels between the rows of the input */
    test_guard_side side;
} test_case;

static void run_rows(const test_case *t, const float *in, float *out, int row_begin, int row_end) {
    const int lanes = t->kernels->lanes;
    const dp_pooling pooling = {
        .in = in,
        .in_row = (ptrdiff_t)(t->in.width + t->gap) * lanes,
        .in_height = t->in.height,
        .in_width = t->in.width,
        .out = out,
        .out_row = (ptrdiff_t)t->out.width * lanes,
        .out_width = t->out.width,
        .row_begin = row_begin,
        .row_end = row_end,
        .height = t->window.height,
        .width = t->window.width,
        .stride_y = t->window.stride_y,
        .stride_x = t->window.stride_x,
        .pad_top = t->window.pad_top,
        .pad_left = t->window.pad_left,
        .pad_bottom = t->window.pad_bottom,
        .pad_right = t->window.pad_right,
        .count_padding = t->count_padding,
    };
    (t->average ? t->kernels->average_pool : t->kernels->max_pool)(&pooling);
}

static void compare(const test_case *t, const float *out, const double *in) {
    const size_t count = dp_reference_count(t->out);
    double *want = calloc(count, sizeof *want), *magnitude = calloc(count, sizeof *magnitude);
    double *absolute = calloc(dp_reference_count(t->in), sizeof *absolute);
    assert_true(want && magnitude && absolute);
    for (size_t i = 0; i < dp_reference_count(t->in); i++)
        absolute[i] = fabs(in[i]);
    if (t->average) {
        dp_reference_average_pool(want, t->out, in, t->in, t->window, t->count_padding);
        dp_reference_average_pool(magnitude, t->out, absolute, t->in, t->window, t->count_padding);
    } else {
        dp_reference_max_pool(want, t->out, in, t->in, t->window);
    }
    /* An average: each pixel is rounded in at most height * width sums, then in the division; a
     * maximum is exact. */
    const double tolerance = (t->window.height * t->window.width + 1) * unit_roundoff;
    const size_t pixels = (size_t)t->out.height * (size_t)t->out.width;
    const size_t lanes = (size_t)t->kernels->lanes;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)out[i % pixels * lanes + i / pixels] - want[i])
              <= tolerance * magnitude[i]))
            fail_msg("%s, %s, %dx%d: window %dx%d stride %dx%d, output %zu",
                     dp_isa_name(t->kernels->isa), t->average ? "average" : "max", t->in.height,
                     t->in.width, t->window.height, t->window.width, t->window.stride_y,
                     t->window.stride_x, i);
    free(want);
    free(magnitude);
    free(absolute);
}

static void check(const test_case *t) {
    const int lanes = t->kernels->lanes;
    const size_t in_count = dp_reference_count(t->in);
    const size_t pitch = (size_t)(t->in.width + t->gap);
    test_guard in = test_guard_open(
        (((size_t)t->in.height - 1) * pitch + (size_t)t->in.width) * (size_t)lanes, t->side);
    double *planar = calloc(in_count, sizeof *planar);
    assert_non_null(planar);
    dp_random random = dp_random_at(1, 2, 3);
    for (int c = 0; c < lanes; c++)
        for (int y = 0; y < t->in.height; y++)
            for (int x = 0; x < t->in.width; x++) {
                const float value = 2 * dp_random_unit(&random)
                                    - 1.5f; /* mostly negative: a zero from outside would win */
                in.data[((size_t)y * pitch + (size_t)x) * (size_t)lanes + (size_t)c] = value;
                planar[(c * t->in.height + y) * t->in.width + x] = (double)value;
            }
    test_guard out = test_guard_open(dp_reference_count(t->out), t->side);
    test_guard split = test_guard_open(dp_reference_count(t->out), t->side);
    run_rows(t, in.data, out.data, 0, t->out.height);
    for (int y = t->out.height - 1; y >= 0; y--)
        run_rows(t, in.data, split.data, y, y + 1);
    assert_memory_equal(out.data, split.data, out.count * sizeof(float));
    compare(t, out.data, planar);
    test_guard_close(&in);
    test_guard_close(&out);
    test_guard_close(&split);
    free(planar);
}

/* Every window on every size that it fits, rounded down and up, with and without a gap between
 * rows. */
static void check_all(const dp_kernels *kernels, bool average, bool count_padding) {
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int variant = 0; variant < 4; variant++) {
                const dp_reference_window *win = &windows[w];
                const int height = sizes[s].height, width = sizes[s].width;
                const bool up = variant & 1;
                const int rows = output_size(height, win->height, win->stride_y, win->pad_top,
                                             win->pad_bottom, up);
                const int columns = output_size(width, win->width, win->stride_x, win->pad_left,
                                                win->pad_right, up);
                if (!all_hold_a_pixel(rows, height, win->height, win->stride_y, win->pad_top)
                    || !all_hold_a_pixel(columns, width, win->width, win->stride_x, win->pad_left))
                    continue;
                check(&(test_case){ .kernels = kernels,
                                    .window = *win,
                                    .in = { 1, kernels->lanes, height, width },
                                    .out = { 1, kernels->lanes, rows, columns },
                                    .average = average,
                                    .count_padding = count_padding,
                                    .gap = variant & 2,
                                    .side = variant & 1 ? TEST_GUARD_BEFORE : TEST_GUARD_AFTER });
            }
}

static void on_every_isa(bool average, bool count_padding) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        if (dp_isa_supported((dp_isa)isa))
            check_all(dp_kernels_for((dp_isa)isa), average, count_padding);
}

static void max_pools_agree_with_the_reference(void **state) {
    on_every_isa(false, false);
}

static void average_pools_divide_by_the_pixels_inside(void **state) {
    on_every_isa(true, false);
}

static void average_pools_divide_by_the_padded_window(void **state) {
    on_every_isa(true, true);
}

static void a_global_average_is_one_window(void **state) {
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        if (dp_isa_supported((dp_isa)isa)) {
            const dp_kernels *kernels = dp_kernels_for((dp_isa)isa);
            check(&(test_case){ .kernels = kernels,
                                .window = { 7, 7, 1, 1, 0, 0, 0, 0 },
                                .in = { 1, kernels->lanes, 7, 7 },
                                .out = { 1, kernels->lanes, 1, 1 },
                                .average = true });
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_pools_agree_with_the_reference),
        cmocka_unit_test(average_pools_divide_by_the_pixels_inside),
        cmocka_unit_test(average_pools_divide_by_the_padded_window),
        cmocka_unit_test(a_global_average_is_one_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
