/* outer.c - the outer product of weight gradients. Every product is compared bit for bit with the
 * sum written as a loop, so that any split into rows and blocks gives the same bits. Whole weight
 * gradients, blocked, planar and fully connected, put together as a planner would, are compared
 * with the reference. Letters: L lanes, N images, C K channels, H W P Q sizes, R S window. */
#include "kernels/families.h"
#include "reference/reference_gradient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---------------------------------------------------------------------------------- one product */

/* Distances in floats where they begin with in_, in pixels of L floats for the gradient;
 * in_pixel_stride 0: L. */
typedef struct outer_shape {
    int height, width;
    int in_stride, in_pixel_stride, in_gap; /* gap: between the rows of the input */
    int gradient_pixel_stride, gradient_gap;
    bool timed;
} outer_shape;

static const outer_shape shapes[] = {
    { 1, 1, 1, 0, 0, 1, 0, false },  { 1, 2, 1, 0, 0, 1, 0, false },
    { 3, 3, 1, 0, 32, 1, 0, false }, { 7, 5, 1, 2, 3, 1, 2, false },
    { 2, 4, 1, 32, 0, 1, 1, false }, { 4, 1, 3, 0, 0, 2, 0, false },
    { 1, 9, 5, 1, 0, 3, 0, false },  { 14, 14, 1, 0, 32, 1, 0, true },
};

typedef struct subject {
    dp_outer_kernel *kernel;
    dp_outer outer;
    const float *before; /* what the result began with */
} subject;

static void call_outer(const void *operands) {
    const subject *s = operands;
    s->kernel(&s->outer);
}

static subject open_subject(kernel_test *t, int rows, int blocks, const outer_shape *s, bool add) {
    const ptrdiff_t in_pixel_stride = s->in_pixel_stride ? s->in_pixel_stride : t->lanes;
    const ptrdiff_t in_row_stride = (s->width - 1) * in_pixel_stride + s->in_gap + 1;
    const ptrdiff_t gradient_pixel_stride = (ptrdiff_t)s->gradient_pixel_stride * t->lanes;
    const ptrdiff_t gradient_row_stride =
        (s->width - 1) * gradient_pixel_stride + (s->gradient_gap + 1) * t->lanes;
    const size_t in_count =
                     (size_t)((s->height - 1) * in_row_stride + (s->width - 1) * in_pixel_stride
                              + (rows - 1) * s->in_stride + 1),
                 gradient_count = (size_t)((s->height - 1) * gradient_row_stride
                                           + (s->width - 1) * gradient_pixel_stride + t->lanes),
                 count = (size_t)(rows * blocks * t->lanes);
    subject opened = { t->gradient->outer[blocks][rows],
                       { .in = kernel_random(t, in_count, -1, 1),
                         .in_row_stride = in_row_stride,
                         .in_pixel_stride = in_pixel_stride,
                         .in_stride = s->in_stride,
                         .gradient_row_stride = gradient_row_stride,
                         .gradient_pixel_stride = gradient_pixel_stride,
                         .height = s->height,
                         .width = s->width,
                         /* without add what is there, NaNs, must be of no consequence */
                         .out = add ? kernel_random(t, count, -1, 1) : kernel_floats(t, count),
                         .add = add },
                       NULL };
    opened.before =
        add ? kernel_copy(t, opened.outer.out, count) : kernel_zeroed(t, count, sizeof(float));
    for (int j = 0; j < blocks; j++)
        opened.outer.gradient[j] = kernel_random(t, gradient_count, -1, 1);
    return opened;
}

/* The contract as a loop, with the rounding of this instruction set. */
static float one_output(const kernel_test *t, const dp_outer *o, float start, int i, int j, int l) {
    float sum = start;
    for (int y = 0; y < o->height; y++)
        for (int x = 0; x < o->width; x++)
            sum = kernel_multiply_add(
                t, o->in[y * o->in_row_stride + x * o->in_pixel_stride + i * o->in_stride],
                o->gradient[j][y * o->gradient_row_stride + x * o->gradient_pixel_stride + l], sum);
    return sum;
}

static void check_product(kernel_test *t, int rows, int blocks, const outer_shape *shape,
                          bool add) {
    const bool largest = rows == t->gradient->outer_rows[blocks];
    const char *kind = add ? ", added" : "";
    if (largest) /* so called that instruction sets can be compared */
        kernel_case(t, "most rows of %d blocks, %dx%d pixels%s", blocks, shape->height,
                    shape->width, kind);
    else
        kernel_case(t, "%d rows of %d blocks, %dx%d pixels%s", rows, blocks, shape->height,
                    shape->width, kind);
    const subject s = open_subject(t, rows, blocks, shape, add);
    call_outer(&s);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < blocks; j++)
            for (int l = 0; l < t->lanes; l++) {
                const int place = (i * blocks + j) * t->lanes + l;
                if (s.outer.out[place] != one_output(t, &s.outer, s.before[place], i, j, l))
                    kernel_fail(t, "row %d block %d lane %d", i, j, l);
            }
    if (shape->timed && !add && largest)
        kernel_time(t, "", call_outer, &s,
                    2.0 * rows * blocks * t->lanes * shape->height * shape->width, KERNEL_FLOPS);
}

static void every_product_gives_the_bits_of_the_plain_sum(kernel_test *t) {
    for (int blocks = 1; blocks <= DP_PANEL_BLOCKS; blocks++)
        for (int rows = 1; rows <= t->gradient->outer_rows[blocks]; rows++)
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
                for (int add = 0; add < 2; add++)
                    check_product(t, rows, blocks, &shapes[s], add);
}

static void products_are_there_up_to_outer_rows_and_no_further(kernel_test *t) {
    const dp_gradient_kernels *k = t->gradient;
    assert_int_equal(k->isa, t->kernels->isa);
    assert_int_equal(k->lanes, t->lanes);
    assert_true(k->outer_rows[1] >= k->lanes && k->outer_rows[2] >= k->lanes);
    for (int blocks = 0; blocks <= DP_PANEL_BLOCKS; blocks++)
        for (int rows = 0; rows <= DP_PANEL_ROWS; rows++)
            assert_int_equal(k->outer[blocks][rows] != NULL,
                             rows >= 1 && rows <= k->outer_rows[blocks]);
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

/* A weight gradient K x C x R x S in the making: from products of at most max_rows rows and
 * max_blocks blocks. */
typedef struct assembly {
    const layer *layer;
    kernel_image in, gradient;
    int max_rows, max_blocks;
    float *product; /* of the largest */
    float *result;
} assembly;

static int lesser(int a, int b) {
    return a < b ? a : b;
}

/* The product of `rows` rows from `first_row` on of input block `block` at window offset (r, s),
 * with `blocks` output blocks from `first_block` on, image after image. */
static void multiply(const kernel_test *t, const assembly *a, int block, int r, int s,
                     int first_row, int rows, int first_block, int blocks) {
    const dp_reference_window w = a->layer->window;
    for (int n = 0; n < a->in.dims.images; n++) {
        dp_outer o = { .in = kernel_image_at(&a->in, n, block * a->in.lanes, r - w.pad_top,
                                             s - w.pad_left)
                             + first_row,
                       .in_row_stride = a->in.row_stride * w.stride_y,
                       .in_pixel_stride = (ptrdiff_t)a->in.lanes * w.stride_x,
                       .in_stride = 1,
                       .gradient_row_stride = a->gradient.row_stride,
                       .gradient_pixel_stride = t->lanes,
                       .height = a->gradient.dims.height,
                       .width = a->gradient.dims.width,
                       .out = a->product,
                       .add = n > 0 };
        for (int b = 0; b < blocks; b++)
            o.gradient[b] = kernel_image_at(&a->gradient, n, (first_block + b) * t->lanes, 0, 0);
        t->gradient->outer[blocks][rows](&o);
    }
}

/* A product's rows are the channels of an input block, or if planar the columns of the window. */
static void store(const kernel_test *t, const assembly *a, int block, int r, int s, int first_row,
                  int rows, int first_block, int blocks) {
    const layer *l = a->layer;
    for (int row = 0; row < rows; row++)
        for (int lane = 0; lane < blocks * t->lanes; lane++) {
            const int output = first_block * t->lanes + lane;
            const int channel = l->planar ? block : block * t->lanes + first_row + row;
            const int column = l->planar ? first_row + row : s;
            const float value = a->product[row * blocks * t->lanes + lane];
            if (output >= l->outputs || channel >= l->in.channels)
                assert_true(value == 0);
            else
                a->result[((output * l->in.channels + channel) * l->window.height + r)
                              * l->window.width
                          + column] = value;
        }
}

static void assemble(const kernel_test *t, const assembly *a) {
    const layer *l = a->layer;
    const int all_rows = l->planar ? l->window.width : t->lanes;
    for (int block = 0; block < a->in.blocks; block++)
        for (int r = 0; r < l->window.height; r++)
            for (int s = 0; s < (l->planar ? 1 : l->window.width); s++)
                for (int i = 0; i < all_rows; i += a->max_rows)
                    for (int j = 0; j < a->gradient.blocks; j += a->max_blocks) {
                        const int rows = lesser(all_rows - i, a->max_rows),
                                  blocks = lesser(a->gradient.blocks - j, a->max_blocks);
                        multiply(t, a, block, r, s, i, rows, j, blocks);
                        store(t, a, block, r, s, i, rows, j, blocks);
                    }
}

static void check_layer(kernel_test *t, const layer *l) {
    const dp_reference_window w = l->window;
    const dp_reference_dims out = {
        l->in.images, l->outputs,
        kernel_output_size(l->in.height, w.height, w.stride_y, w.pad_top + w.pad_bottom),
        kernel_output_size(l->in.width, w.width, w.stride_x, w.pad_left + w.pad_right)
    };
    kernel_case(t, "%d to %d channels, window %dx%d", l->in.channels, l->outputs, w.height,
                w.width);
    const size_t count = (size_t)(l->outputs * l->in.channels * w.height * w.width),
                 in_count = dp_reference_count(l->in), out_count = dp_reference_count(out);
    const double *in = kernel_widened(t, kernel_random(t, in_count, -1, 1), in_count),
                 *gradient = kernel_widened(t, kernel_random(t, out_count, -1, 1), out_count);
    const size_t product = (size_t)(DP_PANEL_ROWS * 2 * t->lanes);
    assembly a = { .layer = l,
                   .in = kernel_image_padded(t, l->in, l->planar ? 1 : t->lanes, w),
                   .gradient = kernel_image_spaced(t, out, t->lanes, 0, 0),
                   .max_rows = t->gradient->outer_rows[2],
                   .max_blocks = 2,
                   .product = kernel_floats(t, product),
                   .result = kernel_floats(t, count) };
    kernel_image_put(&a.in, in);
    kernel_image_put(&a.gradient, gradient);
    assemble(t, &a);
    const float *whole = a.result;
    a.result = kernel_floats(t, count);
    a.max_rows = 3;
    a.max_blocks = 1;
    assemble(t, &a);
    assert_memory_equal(whole, a.result, count * sizeof *whole);

    double *want = kernel_doubles(t, count), *magnitude = kernel_doubles(t, count);
    dp_reference_conv_gradient(NULL, want, NULL, gradient, out, in, l->in, NULL, w, 1);
    dp_reference_conv_gradient(NULL, magnitude, NULL, kernel_absolute(t, gradient, out_count), out,
                               kernel_absolute(t, in, in_count), l->in, NULL, w, 1);
    /* Each term is rounded once as a product and in every later addition. */
    kernel_agree(t, kernel_widened(t, whole, count), want, magnitude, count,
                 (out.images * out.height * out.width + 1) * kernel_roundoff);
}

static void weight_gradients_agree_with_the_reference(kernel_test *t) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        check_layer(t, &layers[i]);
}

static const kernel_check checks[] = {
    KERNEL_CHECK(every_product_gives_the_bits_of_the_plain_sum),
    KERNEL_CHECK(products_are_there_up_to_outer_rows_and_no_further),
    KERNEL_CHECK(weight_gradients_agree_with_the_reference),
};

const kernel_family kernel_outer = { "outer", checks, sizeof checks / sizeof *checks };
