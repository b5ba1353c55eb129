/* vec_pool_gradient.c - gradients of max and average pools over blocked pixels: each output's gradient is handed to the pixels of
 * its window. One body for both; the operation is a constant of each instance. Where windows overlap, a pixel takes its parts in
 * the order of the outputs. A window whose maximum is a NaN hands nothing on. Contract: dp_pooling_gradient in gradient.h; every
 * window must hold a pixel of the picture. */
#include "kernels/vec_gradient.h"
#include "kernels/vec_mask.h"

/* The rows (or columns) of a window inside the picture, begin..end-1, and how many of its positions the padded picture holds. */
typedef struct span {
    int begin, end, padded;
} span;

static span inside(int position, int stride, int window, int pad_before, int pad_after, int limit) {
    int first = position * stride - pad_before;
    int last = first + window;
    int padded_limit = limit + pad_after;
    return (span){
        .begin = first < 0 ? 0 : first,
        .end = last > limit ? limit : last,
        .padded = (last > padded_limit ? padded_limit : last) - first,
    };
}

/* One window: its corners in the input and in the gradient of it, and what it hands on. In a max pool the first pixel that equals
 * the maximum takes all; a lane that has been taken has nothing left. */
DP_VEC_INLINE void hand_on(const bool average, const dp_pooling_gradient *p, const float *in, float *out, int rows, int columns,
                           vec largest, vec gradient) {
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            float *pixel = out + y * p->out_row + x * DP_VEC_LANES;
            if (average) {
                vec_store(pixel, vec_add(vec_load(pixel), gradient));
            } else {
                vec_lanes first = vec_equal(vec_load(in + y * p->forward.in_row + x * DP_VEC_LANES), largest);
                vec_store(pixel, vec_add(vec_load(pixel), vec_keep(first, gradient)));
                gradient = vec_drop(first, gradient);
            }
        }
}

DP_VEC_INLINE void pool_gradient(const dp_pooling_gradient *p, const bool average) {
    const dp_pooling *f = &p->forward;
    for (int y = 0; y < f->in_height; y++)
        for (int x = 0; x < f->in_width; x++)
            vec_store(p->out + y * p->out_row + x * DP_VEC_LANES, vec_set(0));
    for (int y = f->row_begin; y < f->row_end; y++) {
        span ys = inside(y, f->stride_y, f->height, f->pad_top, f->pad_bottom, f->in_height);
        const int rows = ys.end - ys.begin;
        for (int x = 0; x < f->out_width; x++) {
            span xs = inside(x, f->stride_x, f->width, f->pad_left, f->pad_right, f->in_width);
            const int columns = xs.end - xs.begin;
            const float *in = f->in + ys.begin * f->in_row + xs.begin * DP_VEC_LANES;
            float *out = p->out + ys.begin * p->out_row + xs.begin * DP_VEC_LANES;
            vec gradient = vec_load(p->gradient + y * p->gradient_row + x * DP_VEC_LANES);
            if (average) {
                float divisor = f->count_padding ? (float)ys.padded * (float)xs.padded : (float)rows * (float)columns;
                hand_on(true, p, in, out, rows, columns, gradient, vec_div(gradient, vec_set(divisor)));
            } else {
                hand_on(false, p, in, out, rows, columns, vec_load(f->out + y * f->out_row + x * DP_VEC_LANES), gradient);
            }
        }
    }
}

void DP_VEC_NAME(max_pool_gradient)(const dp_pooling_gradient *pooling) {
    pool_gradient(pooling, false);
}

void DP_VEC_NAME(average_pool_gradient)(const dp_pooling_gradient *pooling) {
    pool_gradient(pooling, true);
}
