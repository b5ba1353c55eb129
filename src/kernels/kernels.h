/* kernels.h - the whole numeric vocabulary: what one instruction set offers, as one table of
 * functions on raw pointers. No allocation, no threads, no errors here; the planner guarantees
 * shapes and alignment.
 *
 * Letters: L lanes of the table's vectors (16, 8, 4, 4 floats on AVX-512, AVX2, NEON, portable), C
 * channels, H W rows and columns, CB = ceil(C / L) channel blocks. Blocked layout (nChwLc): element
 * (c, y, x) of an image lies at [c / L][y][x][c % L]; a pixel is L floats, a row W pixels (more
 * where a halo stands beside it), a block H rows. Lanes past C are always zero: every kernel keeps
 * that. Planar layout: [c][y][x]. All strides are in floats. Pixels of blocked tensors, packed
 * weights and biases are aligned to the vector; planar data is not. */
#ifndef DP_KERNELS_KERNELS_H
#define DP_KERNELS_KERNELS_H

#include "base/cpu.h"
#include "kernels/winograd.h"

#include <stddef.h>

enum { DP_PANEL_BLOCKS = 4, DP_PANEL_ROWS = 16 };

/* The panel product, which convolutions of every kind and fully connected layers are made of. For i
 * < rows, j < blocks, l < L:
 *     out[j][i * out_stride + l] = max(low, bias[j * L + l]
 *         + sum over s < segment_count, k < run, in this order, of
 *           in[i * in_stride + segments[s] + k] * weights[((s * run + k) * blocks + j) * L + l])
 * A blocked convolution has a segment per (channel block, window row, window column) and run = L; a
 * planar one a segment per (channel, window row) and run = S. The order of the sum does not depend
 * on rows and blocks: any split gives the same bits. low: 0 for ReLU, -INFINITY for none. bias
 * NULL: nothing but the sum, from 0; low is not looked at. ahead: where the weights begin that are
 * wanted next; each step of the sum asks for the next ahead_lines cache lines (0: none) to be
 * brought into the second cache. Any address will do. */
typedef struct dp_panel {
    const float *in;
    ptrdiff_t in_stride;
    const ptrdiff_t *segments;
    int segment_count, run;
    const float *weights, *bias;
    const float *ahead;
    int ahead_lines;
    ptrdiff_t next; /* where the next call's input lies from this one's, which is asked for too; 0:
                       not known */
    float low;
    float *out[DP_PANEL_BLOCKS];
    ptrdiff_t out_stride;
} dp_panel;
typedef void dp_panel_kernel(const dp_panel *panel);

/* Rows row_begin..row_end-1 of one channel block of a pool. `in` points at pixel (0, 0) of the
 * picture, whatever halo stands around. Windows are clamped: what lies outside the picture does not
 * count (max), or counts as zero. average: the sum is divided by the pixels of the window inside
 * the picture, or, with count_padding, inside the padded picture (Caffe). */
typedef struct dp_pooling {
    const float *in;
    ptrdiff_t in_row_stride;
    int in_height, in_width;
    float *out;
    ptrdiff_t out_row_stride;
    int out_width, row_begin, row_end;
    int height, width, stride_y, stride_x, pad_top, pad_left, pad_bottom, pad_right;
    bool count_padding;
} dp_pooling;
typedef void dp_pooling_kernel(const dp_pooling *pooling);

/* Rows row_begin..row_end-1 of one channel block of a depthwise convolution, where channel l has a
 * window of its own. For y in these rows, x < out_width, l < L, the sum in the order of r, then s:
 *     out[y][x][l] = max(low, bias[l] + sum over r < height, s < width of
 *         in[y * stride_y + r][x * stride_x + s][l] * weights[r * width + s][l])
 * `in` points at the first pixel of the first window, `out` at pixel (0, 0); what a window reads
 * beside the picture is a halo of zeros. low: 0 for ReLU, -INFINITY for none. */
typedef struct dp_depthwise {
    const float *in;
    ptrdiff_t in_row_stride;
    float *out;
    ptrdiff_t out_row_stride;
    int out_width, row_begin, row_end;
    int height, width, stride_y, stride_x;
    const float *weights, *bias; /* height * width * L; L */
    float low;
} dp_depthwise;

/* LRN across channels of `pixels` consecutive pixels of one image, window `size` (odd, <= 2 * L +
 * 1):
 *     out[c] = in[c] * (k + alpha / size * sum over |d| <= size / 2 of in[c + d]^2) ^ -beta
 * beta 0.75 goes through square roots, any other through powf. scratch:
 * dp_kernels.lrn_scratch(blocks) floats, aligned. */
typedef struct dp_normalise {
    const float *in;
    float *out;
    ptrdiff_t in_block_stride, out_block_stride;
    int blocks, pixels, size;
    float alpha, beta, k;
    float *scratch;
} dp_normalise;

/* Winograd's transform of the weights of L output channels and one input channel: taps x taps x L
 * floats in row order to points x points x L, frequencies `stride` floats apart. matrix:
 * dp_winograd_matrix. */
typedef void dp_winograd_weights(float *out, ptrdiff_t stride, const float *in, const float *matrix,
                                 int points, int taps);

typedef void dp_block_row(float *blocked, const float *planar, ptrdiff_t plane_stride, int channels,
                          int width);

typedef struct dp_kernels {
    dp_isa isa;
    int lanes;

    /* Most rows of a panel of that many blocks (index 1..4; 0: this ISA has no such panel), and
     * panel[blocks][rows]. */
    int panel_rows[DP_PANEL_BLOCKS + 1];
    dp_panel_kernel *panel[DP_PANEL_BLOCKS + 1][DP_PANEL_ROWS + 1];

    dp_pooling_kernel *max_pool, *average_pool;

    void (*depthwise)(const dp_depthwise *depthwise);

    size_t (*lrn_scratch)(int blocks);
    void (*lrn)(const dp_normalise *normalise);

    /* out = min(high, max(low, in)) over `pixels` pixels; low <= 0 <= high, which may be infinite:
     * then a ReLU or a copy. */
    void (*clamp)(float *out, const float *in, int pixels, float low, float high);
    /* out = max(low, a + b). */
    void (*add)(float *out, const float *a, const float *b, int pixels, float low);
    /* out = a * b; b_stride: L, or 0 where b is one value per channel. */
    void (*multiply)(float *out, const float *a, const float *b, ptrdiff_t b_stride, int pixels);
    /* out = 1 / (1 + e^-in) in the first `channels` lanes (1..L), zero in the others. in is clamped
     * to -87..87. */
    void (*sigmoid)(float *out, const float *in, int pixels, int channels);
    /* out = max(low, in * scale + shift), scale and shift L floats: one channel block. */
    void (*affine)(float *out, const float *in, int pixels, const float *scale, const float *shift,
                   float low);

    /* softmax over `channels` channels of one pixel whose blocks lie `block` floats apart; stable
     * (the maximum is subtracted). */
    void (*softmax)(float *out, ptrdiff_t out_block_stride, const float *in,
                    ptrdiff_t in_block_stride, int channels);

    /* One row of `width` pixels between the layouts: `channels` (1..L) planar rows `plane_stride`
     * floats apart <-> one blocked row. Lanes past `channels` become zero in the blocked row. */
    dp_block_row *block_row;
    void (*unblock_row)(float *planar, ptrdiff_t plane_stride, const float *blocked, int channels,
                        int width);

    /* Winograd's transforms (winograd.h) of one row of tiles of one channel block. input: from the
     * padded picture, `in` at the first pixel of the first tile. output: out = max(low, bias +
     * outputs of the tiles), `out` at their first pixel, bias L floats. */
    void (*winograd_input)(const dp_winograd_tiles *tiles, const float *in,
                           ptrdiff_t in_row_stride);
    void (*winograd_output)(const dp_winograd_tiles *tiles, const float *bias, float low,
                            float *out, ptrdiff_t out_row_stride);
    dp_winograd_weights *winograd_weights;

    /* `rounds` x dp_kernels.peak_flops floating-point operations on registers alone, at the peak of
     * this ISA (independent FMA chains); the returned value keeps the work alive. */
    float (*peak)(int rounds);
    double peak_flops;
} dp_kernels;

/* The table of an ISA that this build has (see dp_isa_supported), NULL otherwise. Constant; never
 * freed. */
const dp_kernels *dp_kernels_for(dp_isa isa);

/* How the canonical weights of a product lie in memory. PLAIN: outputs x channels/groups x R x S.
 * Those of a gradient use the weights of the forward convolution: ROTATED: channels x
 * outputs/groups x R x S, read with rows and columns reversed; TRANSPOSED: channels x outputs, R =
 * S = 1. */
typedef enum dp_weight_order {
    DP_WEIGHTS_PLAIN,
    DP_WEIGHTS_ROTATED,
    DP_WEIGHTS_TRANSPOSED
} dp_weight_order;

/* Packs weights for panels, one source of a product: output channel `k` of this source becomes lane
 * (k0 + k) % L of block (k0 + k) / L. Panel p holds [segment][run][blocks_of[p]][L], panels one
 * after another, segments in the order (channel block, row, column) with run L if blocked,
 * (channel, row) with run S if planar. The caller zeroes `packed` first: lanes of missing channels
 * stay zero.
 *   - scale: NULL, or a factor per output channel (folded batch norm).
 *   - groups > 1: a dense product, with zeros for the channels of other groups.
 *   - band > 0: panel p sums over `band` channel blocks (planar: channels) from first_of[p] on
 *     instead of all; the channels of its outputs' groups must be among them.
 *   - points > 0: for Winograd's products of so many points (winograd.h), with the ISA's
 *     `transform`: panel p holds [frequency][c][blocks_of[p]][L]; groups is 1, the window is
 *     square, taps its side.
 *   - phases: 1, or 2 for a convolution with stride 2 that is computed with stride 1 over the
 *     phases of its input: channel (py * C + c) * 2 + px, tap (r, s) of the product is channel c,
 *     place (2 r + py - shift, 2 s + px - shift) of the window, zero outside it; taps is the side
 *     of that smaller window. */
typedef struct dp_packing {
    const float *weights, *scale;
    dp_weight_order order;
    int outputs, channels, height, width,
        groups;              /* channels: C of the whole input; height, width: R, S */
    int lanes, first_output; /* first_output: k0, a multiple of L */
    int source_channels,
        first_channel; /* the source's among C, where several are joined along them; 0: all */
    bool planar;
    int band;
    const int *first_of;
    int points, taps, phases, shift;
    dp_winograd_weights *transform;
    dp_block_row *block_row; /* the ISA's */
    const int *blocks_of;
    int panels;
} dp_packing;

/* Vectors of a block in a panel: the length of its sum, or of all its sums one after another
 * (Winograd). */
size_t dp_packed_depth(const dp_packing *packing);

/* Floats of the panels before panel `panel`. */
size_t dp_packed_offset(const dp_packing *packing, int panel);

/* Packs panels begin..end-1; `packed` is where panel 0 begins. */
void dp_pack_panels(float *packed, const dp_packing *packing, int begin, int end);

#endif
