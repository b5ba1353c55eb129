/* vec_pool.h - where the windows of a pool lie: what a pool and its gradient must agree on.
 * Contract: dp_pooling in kernels.h. */
#ifndef DP_KERNELS_VEC_POOL_H
#define DP_KERNELS_VEC_POOL_H

#include "kernels/kernels.h"

#include "base/arithmetic.h"

/* The rows (or columns) of a window inside the picture, begin..end-1, and how many of its positions
 * the padded picture holds. */
typedef struct pool_span {
    int begin, end, padded;
} pool_span;

static inline pool_span pool_inside(int position, int stride, int window, int pad_before,
                                    int pad_after, int limit) {
    int first = position * stride - pad_before;
    int last = first + window;
    int padded_limit = limit + pad_after;
    return (pool_span){
        .begin = dp_max(first, 0),
        .end = dp_min(last, limit),
        .padded = dp_min(last, padded_limit) - first,
    };
}

static inline pool_span pool_rows(const dp_pooling *p, int y) {
    return pool_inside(y, p->stride_y, p->height, p->pad_top, p->pad_bottom, p->in_height);
}

static inline pool_span pool_columns(const dp_pooling *p, int x) {
    return pool_inside(x, p->stride_x, p->width, p->pad_left, p->pad_right, p->in_width);
}

/* What an average divides by. */
static inline float pool_divisor(const dp_pooling *p, pool_span ys, pool_span xs) {
    return p->count_padding ? (float)ys.padded * (float)xs.padded
                            : (float)(ys.end - ys.begin) * (float)(xs.end - xs.begin);
}

/* Output columns *first..*last - 1 have all columns of their windows inside the picture. */
static inline void pool_middle(const dp_pooling *p, int *first, int *last) {
    const int room = p->in_width + p->pad_left - p->width;
    int begin = dp_ceil_div(p->pad_left, p->stride_x);
    int end = room < 0 ? 0 : room / p->stride_x + 1;
    end = dp_min(end, p->out_width);
    *first = dp_min(begin, end);
    *last = end;
}

#endif
