/* pack.c - weights from their canonical order to the order in which the panel product reads them. Done once a model; the stream of
 * the result is written in order, one vector of output channels at a time, while a source row stays in cache. Contract: dp_packing
 * in kernels.h. Letters: R S window rows and columns, L lanes. */
#include "base/memory.h"
#include "kernels/kernels.h"

#include <stdalign.h>

enum { LANES_MAX = 16 };

/* What fills one lane of a block: the weights of an output channel, whose group sees `channels` input channels from first_channel.
 */
typedef struct lane {
    const float *weights; /* of channel 0 of the group, row 0, column 0; NULL: this lane has no channel of this source */
    float scale;
    int first_channel;
} lane;

/* Floats between neighbours in memory along each dimension of the product. */
typedef struct strides {
    ptrdiff_t channel, row, column;
} strides;

static strides strides_of(const dp_packing *p) {
    const ptrdiff_t window = (ptrdiff_t)p->height * p->width;
    switch (p->order) {
    case DP_WEIGHTS_ROTATED:
        return (strides){ p->outputs / p->groups * window, -p->width, -1 };
    case DP_WEIGHTS_TRANSPOSED:
        return (strides){ p->outputs, 0, 0 };
    default:
        return (strides){ window, p->width, 1 };
    }
}

/* Where the weights of output k begin. */
static const float *output_weights(const dp_packing *p, int k) {
    const ptrdiff_t window = (ptrdiff_t)p->height * p->width;
    const ptrdiff_t group_channels = p->channels / p->groups, group_outputs = p->outputs / p->groups;
    switch (p->order) {
    case DP_WEIGHTS_ROTATED:
        return p->weights + (k / group_outputs * group_channels * group_outputs + k % group_outputs) * window + window - 1;
    case DP_WEIGHTS_TRANSPOSED:
        return p->weights + k;
    default:
        return p->weights + k * group_channels * window;
    }
}

static void find_lanes(lane *lanes, const dp_packing *p, int block) {
    const int group_channels = p->channels / p->groups;
    const int group_outputs = p->outputs / p->groups;
    for (int l = 0; l < p->lanes; l++) {
        const int k = block * p->lanes + l - p->first_output;
        lanes[l] = (lane){ 0 };
        if (k >= 0 && k < p->outputs)
            lanes[l] = (lane){
                .weights = output_weights(p, k),
                .scale = p->scale ? p->scale[k] : 1.0f,
                .first_channel = k / group_outputs * group_channels,
            };
    }
}

/* Place of a weight in its panel, counted in vectors of one block: the place in the sum. */
static size_t place(const dp_packing *p, int c, int r, int s) {
    if (p->planar)
        return ((size_t)c * (size_t)p->height + (size_t)r) * (size_t)p->width + (size_t)s;
    const size_t segment = ((size_t)(c / p->lanes) * (size_t)p->height + (size_t)r) * (size_t)p->width + (size_t)s;
    return segment * (size_t)p->lanes + (size_t)(c % p->lanes);
}

size_t dp_packed_depth(const dp_packing *p) {
    if (p->points)
        return (size_t)p->channels * (size_t)(p->phases * p->phases) * (size_t)(p->points * p->points);
    const int channels = p->planar ? p->channels : (p->channels + p->lanes - 1) / p->lanes * p->lanes;
    return (size_t)channels * (size_t)p->height * (size_t)p->width;
}

/* The place in a window's side that tap t of phase `phase` stands for; outside 0..side-1: none. */
static int tap_place(const dp_packing *p, int t, int phase) {
    return t * p->phases + phase - p->shift;
}

/* The window of product channel `channel` for all lanes of a block. */
static void gather_window(float *window, const dp_packing *p, const lane *lanes, int channel) {
    const strides at = strides_of(p);
    const int row = channel / (p->phases * p->channels), c = channel / p->phases % p->channels, column = channel % p->phases;
    for (int t = 0; t < p->taps * p->taps; t++) {
        const int r = tap_place(p, t / p->taps, row), s = tap_place(p, t % p->taps, column);
        const bool there = r >= 0 && r < p->height && s >= 0 && s < p->width;
        for (int l = 0; l < p->lanes; l++)
            window[t * p->lanes + l] =
                there && lanes[l].weights ? lanes[l].weights[c * at.channel + r * at.row + s * at.column] * lanes[l].scale : 0;
    }
}

/* One block: `packed` is its first vector, the next one of its sum `step` floats on. */
static void pack_winograd_block(float *packed, size_t step, const dp_packing *p, int block) {
    const int channels = p->channels * p->phases * p->phases;
    lane lanes[LANES_MAX];
    float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
    alignas(DP_ALIGNMENT) float window[DP_WINOGRAD_TAPS_MAX * DP_WINOGRAD_TAPS_MAX * LANES_MAX];
    find_lanes(lanes, p, block);
    dp_winograd_matrix(matrix, p->points, p->taps);
    for (int c = 0; c < channels; c++) {
        gather_window(window, p, lanes, c);
        p->transform(packed + (size_t)c * step, (ptrdiff_t)((size_t)channels * step), window, matrix, p->points, p->taps);
    }
}

static void pack_direct_block(float *packed, size_t step, const dp_packing *p, int block) {
    const int group_channels = p->channels / p->groups;
    const strides at = strides_of(p);
    lane lanes[LANES_MAX];
    find_lanes(lanes, p, block);
    for (int c = 0; c < p->channels; c++)
        for (int r = 0; r < p->height; r++)
            for (int s = 0; s < p->width; s++) {
                float *vector = packed + place(p, c, r, s) * step;
                for (int l = 0; l < p->lanes; l++) {
                    const int group_channel = c - lanes[l].first_channel;
                    if (!lanes[l].weights || group_channel < 0 || group_channel >= group_channels)
                        continue;
                    vector[l] = lanes[l].weights[group_channel * at.channel + r * at.row + s * at.column] * lanes[l].scale;
                }
            }
}

/* Blocks before a panel. */
static int first_block(const dp_packing *p, int panel) {
    int block = 0;
    for (int i = 0; i < panel; i++)
        block += p->blocks_of[i];
    return block;
}

size_t dp_packed_offset(const dp_packing *p, int panel) {
    return dp_packed_depth(p) * (size_t)first_block(p, panel) * (size_t)p->lanes;
}

void dp_pack_panels(float *packed, const dp_packing *p, int begin, int end) {
    int block = first_block(p, begin);
    void (*const pack_block)(float *, size_t, const dp_packing *, int) = p->points ? pack_winograd_block : pack_direct_block;
    for (int panel = begin; panel < end; block += p->blocks_of[panel++]) {
        const int blocks = p->blocks_of[panel];
        float *at = packed + dp_packed_depth(p) * (size_t)block * (size_t)p->lanes;
        for (int j = 0; j < blocks; j++)
            pack_block(at + (size_t)j * (size_t)p->lanes, (size_t)blocks * (size_t)p->lanes, p, block + j);
    }
}
