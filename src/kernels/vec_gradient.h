/* vec_gradient.h - what the vec_*.c files of one instruction set offer to its table of backward
 * kernels (vec_gradient_table.c): declarations, and the list of outer products. Contracts are in
 * gradient.h. */
#ifndef DP_KERNELS_VEC_GRADIENT_H
#define DP_KERNELS_VEC_GRADIENT_H

#include "kernels/gradient.h"
#include "kernels/vec.h"

/* The outer products of this instruction set: DP_VEC_OUTERS(X), X(rows, blocks) for each; rows up
 * to one channel block, since what lies side by side in memory ends there. A tile of rows x blocks
 * sums stays in registers beside `blocks` vectors of the gradient and one broadcast input (portable
 * has to hold the product as well); more rows than DP_VEC_OUTER_TILE(blocks) go in two passes.
 * Loads bound a tile where (rows + blocks) > rows * blocks, which is why there are three blocks,
 * and latency where it has fewer than eight sums. */
#define DP_VEC_OUTER_4(X, blocks) X(1, blocks) X(2, blocks) X(3, blocks) X(4, blocks)
#define DP_VEC_OUTER_8(X, blocks)                                                                  \
    DP_VEC_OUTER_4(X, blocks) X(5, blocks) X(6, blocks) X(7, blocks) X(8, blocks)
#define DP_VEC_OUTER_16(X, blocks)                                                                 \
    DP_VEC_OUTER_8(X, blocks)                                                                      \
    X(9, blocks)                                                                                   \
    X(10, blocks)                                                                                  \
    X(11, blocks) X(12, blocks) X(13, blocks) X(14, blocks) X(15, blocks) X(16, blocks)

#if DP_VEC_AVX512
#define DP_VEC_OUTERS(X) DP_VEC_OUTER_16(X, 1) DP_VEC_OUTER_16(X, 2) DP_VEC_OUTER_16(X, 3)
#define DP_VEC_OUTER_TILE(blocks) ((blocks) == 1 ? 16 : 8)
#elif DP_VEC_AVX2
#define DP_VEC_OUTERS(X) DP_VEC_OUTER_8(X, 1) DP_VEC_OUTER_8(X, 2) DP_VEC_OUTER_8(X, 3)
#define DP_VEC_OUTER_TILE(blocks) ((blocks) == 1 ? 8 : 4)
#elif DP_VEC_NEON
#define DP_VEC_OUTERS(X) DP_VEC_OUTER_4(X, 1) DP_VEC_OUTER_4(X, 2) DP_VEC_OUTER_4(X, 3)
#define DP_VEC_OUTER_TILE(blocks) 4
#else
#define DP_VEC_OUTERS(X) DP_VEC_OUTER_4(X, 1) DP_VEC_OUTER_4(X, 2) DP_VEC_OUTER_4(X, 3)
#define DP_VEC_OUTER_TILE(blocks) ((blocks) == 3 ? 2 : 4)
#endif

#define DP_VEC_DECLARE_OUTER(rows, blocks)                                                         \
    void DP_VEC_NAME(outer_##rows##x##blocks)(const dp_outer *outer);
DP_VEC_OUTERS(DP_VEC_DECLARE_OUTER)

void DP_VEC_NAME(winograd_gradient)(const dp_winograd_tiles *tiles, const float *gradient,
                                    ptrdiff_t row_stride);
void DP_VEC_NAME(winograd_fold)(float *out, const float *in, ptrdiff_t stride, const float *matrix,
                                int points, int taps);

void DP_VEC_NAME(max_pool_gradient)(const dp_pooling_gradient *pooling);
void DP_VEC_NAME(average_pool_gradient)(const dp_pooling_gradient *pooling);

size_t DP_VEC_NAME(lrn_gradient_scratch)(int blocks);
void DP_VEC_NAME(lrn_gradient)(const dp_normalise_gradient *normalise);

void DP_VEC_NAME(relu_gradient)(float *out, const float *gradient, const float *value, int pixels);
void DP_VEC_NAME(blend)(float *out, const float *a, const float *b, int pixels, const float *p,
                        const float *q, const float *r);

void DP_VEC_NAME(sums)(double *sums, double *products, const float *a, const float *b, int pixels);
double DP_VEC_NAME(square_sum)(const float *values, size_t count);

void DP_VEC_NAME(update)(const dp_update *update);

#endif
