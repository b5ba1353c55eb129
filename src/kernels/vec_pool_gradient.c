/* vec_pool_gradient.c - gradients of max and average pools over blocked pixels: each output's
 * gradient is handed to the pixels of its window. One body for both; the operation is a constant of
 * each instance. Where windows overlap, a pixel adds up its parts in the order of the outputs, on
 * every path: the fast one gives the same bits. A window whose maximum is a NaN hands nothing on.
 * Contract: dp_pooling_gradient in gradient.h; every window must hold a pixel of the picture. */
#include "kernels/vec_gradient.h"
#include "kernels/vec_mask.h"
#include "kernels/vec_pool.h"

/* Some outputs of one row: their forward values and gradients, and in the picture and its gradient
 * the corner of the first one's window. divisor: what an average divides by. */
typedef struct windows {
    const float *forward, *gradient, *in;
    float *out;
    ptrdiff_t in_row_stride, out_row_stride;
    float divisor;
    bool relu;
} windows;

/* What an output hands on, pixel by pixel. In a max pool the first pixel that equals the maximum
 * takes all. */
DP_VEC_INLINE vec part(const bool average, vec sum, vec_share *share, const float *in,
                       vec largest) {
    return average ? vec_add(sum, share->value) : vec_give(sum, share, vec_load(in), largest);
}

/* A maximum that a ReLU has stopped, zero, hands on nothing. */
DP_VEC_INLINE vec_share start(const bool average, const windows *w, ptrdiff_t output,
                              vec *largest) {
    vec gradient = vec_load(w->gradient + output);
    if (average)
        return vec_share_of(vec_div(gradient, vec_set(w->divisor)));
    *largest = vec_load(w->forward + output);
    return w->relu ? vec_share_where(vec_greater(*largest, vec_set(0)), gradient)
                   : vec_share_of(gradient);
}

/* One window of any size. */
DP_VEC_INLINE void one_window(const bool average, const windows *w, int rows, int columns) {
    vec largest = vec_set(0);
    vec_share share = start(average, w, 0, &largest);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            float *pixel = w->out + y * w->out_row_stride + x * DP_VEC_LANES;
            vec_store(pixel, part(average, vec_load(pixel), &share,
                                  w->in + y * w->in_row_stride + x * DP_VEC_LANES, largest));
        }
}

/* `count` windows, three columns wide, side by side: the sums of a window's pixels stay in
 * registers until the last window that holds them has passed, since a sum that goes through memory
 * waits for its own store. */
DP_VEC_INLINE void three_wide(const bool average, const windows *w, const int rows,
                              const int stride, int count) {
    enum { COLUMNS = 3, ROWS_MAX = 3 };
    const float *in = w->in;
    float *out = w->out;
    vec sum[ROWS_MAX * COLUMNS];
    DP_VEC_UNROLL
    for (int n = 0; n < rows * COLUMNS; n++)
        sum[n] = vec_load(out + n / COLUMNS * w->out_row_stride + n % COLUMNS * DP_VEC_LANES);
    for (int q = 0;; q++) {
        vec largest = vec_set(0);
        vec_share share = start(average, w, (ptrdiff_t)q * DP_VEC_LANES, &largest);
        DP_VEC_UNROLL
        for (int n = 0; n < rows * COLUMNS; n++)
            sum[n] =
                part(average, sum[n], &share,
                     in + n / COLUMNS * w->in_row_stride + n % COLUMNS * DP_VEC_LANES, largest);
        if (q + 1 == count)
            break;
        DP_VEC_UNROLL
        for (int n = 0; n < rows * COLUMNS; n++) {
            float *pixel = out + n / COLUMNS * w->out_row_stride + n % COLUMNS * DP_VEC_LANES;
            if (n % COLUMNS < stride)
                vec_store(pixel, sum[n]);
            bool kept = n % COLUMNS + stride < COLUMNS;
            sum[n] = kept ? sum[(n + stride) % (rows * COLUMNS)]
                          : vec_load(pixel + stride * DP_VEC_LANES);
        }
        in += stride * DP_VEC_LANES;
        out += stride * DP_VEC_LANES;
    }
    DP_VEC_UNROLL
    for (int n = 0; n < rows * COLUMNS; n++)
        vec_store(out + n / COLUMNS * w->out_row_stride + n % COLUMNS * DP_VEC_LANES, sum[n]);
}

/* `count` windows whose columns all lie inside the picture. */
DP_VEC_INLINE void middle_part(const bool average, const windows *w, int rows, int columns,
                               int stride, int count) {
    if (columns == 3 && rows == 3 && stride == 1)
        three_wide(average, w, 3, 1, count);
    else if (columns == 3 && rows == 2 && stride == 1)
        three_wide(average, w, 2, 1, count);
    else if (columns == 3 && rows == 3 && stride == 2)
        three_wide(average, w, 3, 2, count);
    else
        for (int q = 0; q < count; q++) {
            windows one = *w;
            one.forward += q * DP_VEC_LANES;
            one.gradient += q * DP_VEC_LANES;
            one.in += (ptrdiff_t)q * stride * DP_VEC_LANES;
            one.out += (ptrdiff_t)q * stride * DP_VEC_LANES;
            one_window(average, &one, rows, columns);
        }
}

/* What rows begin..end-1 hold before any window: zeros, or the other gradient, which a ReLU stops
 * too. */
static void prepare(const dp_pooling_gradient *p, int begin, int end) {
    for (int y = begin; y < end; y++) {
        float *out = p->out + y * p->out_row_stride;
        const float *base = p->base ? p->base + y * p->base_row_stride : NULL;
        const float *in = p->forward.in + y * p->forward.in_row_stride;
        for (ptrdiff_t x = 0; x < (ptrdiff_t)p->forward.in_width * DP_VEC_LANES;
             x += DP_VEC_LANES) {
            vec before = base ? vec_load(base + x) : vec_set(0);
            vec_store(out + x, base && p->relu
                                   ? vec_keep(vec_greater(vec_load(in + x), vec_set(0)), before)
                                   : before);
        }
    }
}

DP_VEC_INLINE void pool_gradient(const dp_pooling_gradient *p, const bool average) {
    const dp_pooling *f = &p->forward;
    int first, last, ready = 0;
    pool_middle(f, &first, &last);
    for (int y = f->row_begin; y < f->row_end; y++) {
        const pool_span ys = pool_rows(f, y);
        prepare(p, ready, ys.end);
        ready = dp_max(ys.end, ready);
        for (int x = 0, count; x < f->out_width; x += count) {
            const pool_span xs = pool_columns(f, x);
            const windows w = {
                .forward = f->out + y * f->out_row_stride + x * DP_VEC_LANES,
                .gradient = p->gradient + y * p->gradient_row_stride + x * DP_VEC_LANES,
                .in = f->in + ys.begin * f->in_row_stride + xs.begin * DP_VEC_LANES,
                .out = p->out + ys.begin * p->out_row_stride + xs.begin * DP_VEC_LANES,
                .in_row_stride = f->in_row_stride,
                .out_row_stride = p->out_row_stride,
                .divisor = pool_divisor(f, ys, xs),
                .relu = p->relu,
            };
            count = x == first && first < last ? last - first : 1;
            middle_part(average, &w, ys.end - ys.begin, xs.end - xs.begin, f->stride_x, count);
        }
    }
    prepare(p, ready, f->in_height);
}

void DP_VEC_NAME(max_pool_gradient)(const dp_pooling_gradient *pooling) {
    pool_gradient(pooling, false);
}

void DP_VEC_NAME(average_pool_gradient)(const dp_pooling_gradient *pooling) {
    pool_gradient(pooling, true);
}
