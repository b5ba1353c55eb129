/* vec_pool.c - max and average pools over blocked pixels. One body for both; the operation is a
 * constant of each instance. A window is always joined column by column, top to bottom, then left
 * to right, on every path: the fast ones give the same bits. A NaN in a window of a max pool may be
 * lost or kept, depending on its place (see vec_max). Contract: dp_pooling in kernels.h; every
 * window must hold a pixel of the picture. */
#include "kernels/vec_pool.h"
#include "kernels/vec_families.h"

DP_VEC_INLINE vec join(const bool average, vec a, vec b) {
    return average ? vec_add(a, b) : vec_max(a, b);
}

DP_VEC_INLINE vec finish(const bool average, vec joined, vec divisor) {
    return average ? vec_div(joined, divisor) : joined;
}

DP_VEC_INLINE vec column(const bool average, const float *top, ptrdiff_t row, int rows) {
    vec joined = vec_load(top);
    for (int y = 1; y < rows; y++)
        joined = join(average, joined, vec_load(top + y * row));
    return joined;
}

DP_VEC_INLINE vec window(const bool average, const float *corner, ptrdiff_t row, int rows,
                         int columns) {
    vec joined = column(average, corner, row, rows);
    for (int x = 1; x < columns; x++)
        joined = join(average, joined, column(average, corner + x * DP_VEC_LANES, row, rows));
    return joined;
}

/* `count` windows, three columns wide, side by side: columns that two windows share are joined
 * once. */
DP_VEC_INLINE void three_wide(const bool average, float *out, const float *in, ptrdiff_t row,
                              int rows, const int stride, int count, vec divisor) {
    vec left = column(average, in, row, rows);
    vec middle = column(average, in + DP_VEC_LANES, row, rows);
    for (int q = 0; q < count; q++, in += stride * DP_VEC_LANES) {
        if (stride == 2)
            middle = column(average, in + DP_VEC_LANES, row, rows);
        vec right = column(average, in + 2 * DP_VEC_LANES, row, rows);
        vec_store(out + q * DP_VEC_LANES,
                  finish(average, join(average, join(average, left, middle), right), divisor));
        left = stride == 2 ? right : middle;
        middle = right;
    }
}

/* `count` windows whose columns all lie inside the picture. */
DP_VEC_INLINE void middle_part(const bool average, float *out, const float *in, ptrdiff_t row,
                               int rows, int columns, int stride, int count, vec divisor) {
    if (count > 0 && columns == 3 && stride == 1 && rows == 3)
        three_wide(average, out, in, row, 3, 1, count, divisor);
    else if (count > 0 && columns == 3 && stride == 1)
        three_wide(average, out, in, row, rows, 1, count, divisor);
    else if (count > 0 && columns == 3 && stride == 2 && rows == 3)
        three_wide(average, out, in, row, 3, 2, count, divisor);
    else
        for (int q = 0; q < count; q++)
            vec_store(out + q * DP_VEC_LANES,
                      finish(average,
                             window(average, in + q * stride * DP_VEC_LANES, row, rows, columns),
                             divisor));
}

DP_VEC_INLINE void pool(const dp_pooling *p, const bool average) {
    int first,
        last; /* columns whose windows lie inside the picture; the others are clamped one by one */
    pool_middle(p, &first, &last);
    for (int y = p->row_begin; y < p->row_end; y++) {
        const pool_span ys = pool_rows(p, y);
        const int rows = ys.end - ys.begin;
        const float *in = p->in + ys.begin * p->in_row_stride;
        float *out = p->out + y * p->out_row_stride;
        for (int x = 0; x < p->out_width; x++) {
            if (x == first && first < last) {
                vec divisor =
                    vec_set((float)(p->count_padding ? ys.padded : rows) * (float)p->width);
                middle_part(average, out + x * DP_VEC_LANES,
                            in + (x * p->stride_x - p->pad_left) * DP_VEC_LANES, p->in_row_stride,
                            rows, p->width, p->stride_x, last - first, divisor);
                x = last - 1;
                continue;
            }
            const pool_span xs = pool_columns(p, x);
            const int columns = xs.end - xs.begin;
            vec_store(out + x * DP_VEC_LANES, finish(average,
                                                     window(average, in + xs.begin * DP_VEC_LANES,
                                                            p->in_row_stride, rows, columns),
                                                     vec_set(pool_divisor(p, ys, xs))));
        }
    }
}

void DP_VEC_NAME(max_pool)(const dp_pooling *pooling) {
    pool(pooling, false);
}

void DP_VEC_NAME(average_pool)(const dp_pooling *pooling) {
    pool(pooling, true);
}
