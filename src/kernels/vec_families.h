/* vec_families.h - what the vec_*.c files of one instruction set offer to its table (vec_table.c):
 * declarations, and the list of panels. Contracts are in kernels.h. */
#ifndef DP_KERNELS_VEC_FAMILIES_H
#define DP_KERNELS_VEC_FAMILIES_H

#include "kernels/vec.h"

/* The panels of this instruction set: most rows for 1, 2, 3 and 4 blocks, and DP_VEC_PANELS(X),
 * X(rows, blocks) for each. A panel keeps rows * blocks sums in registers beside `blocks` vectors
 * of weights and one broadcast input; where that leaves no register over (portable has to hold the
 * product as well), the rows end. */
#define DP_VEC_ROWS_2(X, blocks) X(1, blocks) X(2, blocks)
#define DP_VEC_ROWS_3(X, blocks) DP_VEC_ROWS_2(X, blocks) X(3, blocks)
#define DP_VEC_ROWS_4(X, blocks) DP_VEC_ROWS_3(X, blocks) X(4, blocks)
#define DP_VEC_ROWS_6(X, blocks) DP_VEC_ROWS_4(X, blocks) X(5, blocks) X(6, blocks)
#define DP_VEC_ROWS_9(X, blocks) DP_VEC_ROWS_6(X, blocks) X(7, blocks) X(8, blocks) X(9, blocks)
#define DP_VEC_ROWS_12(X, blocks) DP_VEC_ROWS_9(X, blocks) X(10, blocks) X(11, blocks) X(12, blocks)
#define DP_VEC_ROWS_14(X, blocks) DP_VEC_ROWS_12(X, blocks) X(13, blocks) X(14, blocks)
#define DP_VEC_ROWS_16(X, blocks) DP_VEC_ROWS_14(X, blocks) X(15, blocks) X(16, blocks)

#if DP_VEC_AVX512 || DP_VEC_NEON
#define DP_VEC_PANEL_ROWS 0, 16, 14, 9, 6
#define DP_VEC_PANELS(X)                                                                           \
    DP_VEC_ROWS_16(X, 1) DP_VEC_ROWS_14(X, 2) DP_VEC_ROWS_9(X, 3) DP_VEC_ROWS_6(X, 4)
#elif DP_VEC_AVX2
#define DP_VEC_PANEL_ROWS 0, 14, 6, 4, 2
#define DP_VEC_PANELS(X)                                                                           \
    DP_VEC_ROWS_14(X, 1) DP_VEC_ROWS_6(X, 2) DP_VEC_ROWS_4(X, 3) DP_VEC_ROWS_2(X, 4)
#else
#define DP_VEC_PANEL_ROWS 0, 12, 6, 3, 2
#define DP_VEC_PANELS(X)                                                                           \
    DP_VEC_ROWS_12(X, 1) DP_VEC_ROWS_6(X, 2) DP_VEC_ROWS_3(X, 3) DP_VEC_ROWS_2(X, 4)
#endif

#define DP_VEC_DECLARE_PANEL(rows, blocks)                                                         \
    void DP_VEC_NAME(panel_##rows##x##blocks)(const dp_panel *panel);
DP_VEC_PANELS(DP_VEC_DECLARE_PANEL)

void DP_VEC_NAME(max_pool)(const dp_pooling *pooling);
void DP_VEC_NAME(average_pool)(const dp_pooling *pooling);

void DP_VEC_NAME(depthwise)(const dp_depthwise *depthwise);

size_t DP_VEC_NAME(lrn_scratch)(int blocks);
void DP_VEC_NAME(lrn)(const dp_normalise *normalise);

void DP_VEC_NAME(clamp)(float *out, const float *in, int pixels, float low, float high);
void DP_VEC_NAME(add)(float *out, const float *a, const float *b, int pixels, float low);
void DP_VEC_NAME(multiply)(float *out, const float *a, const float *b, ptrdiff_t b_stride,
                           int pixels);
void DP_VEC_NAME(sigmoid)(float *out, const float *in, int pixels, int channels);
void DP_VEC_NAME(affine)(float *out, const float *in, int pixels, const float *scale,
                         const float *shift, float low);

void DP_VEC_NAME(softmax)(float *out, ptrdiff_t out_block_stride, const float *in,
                          ptrdiff_t in_block_stride, int channels);

void DP_VEC_NAME(block_row)(float *blocked, const float *planar, ptrdiff_t plane_stride,
                            int channels, int width);
void DP_VEC_NAME(unblock_row)(float *planar, ptrdiff_t plane_stride, const float *blocked,
                              int channels, int width);

void DP_VEC_NAME(winograd_input)(const dp_winograd_tiles *tiles, const float *in,
                                 ptrdiff_t in_row_stride);
void DP_VEC_NAME(winograd_output)(const dp_winograd_tiles *tiles, const float *bias, float low,
                                  float *out, ptrdiff_t out_row_stride);
void DP_VEC_NAME(winograd_weights)(float *out, ptrdiff_t stride, const float *in,
                                   const float *matrix, int points, int taps);

/* A round of the peak: so many independent sums (all registers but two, which hides any latency),
 * each multiplied and added to so often. */
enum { DP_VEC_PEAK_SUMS = DP_VEC_REGISTERS - 2, DP_VEC_PEAK_STEPS = 64 };
float DP_VEC_NAME(peak)(int rounds);

#endif
