/* pack.c - weights from their canonical order to the order in which the panel product reads them:
 * once per model, and in training in every run. The windows of a few input channels and the L
 * output channels of a block are turned into vectors at once, then put in their places or
 * transformed. Where channels are in groups, a value at a time. Contract: dp_packing in kernels.h.
 * Letters: R S window rows and columns, L lanes. */
#include "base/arithmetic.h"
#include "base/memory.h"
#include "kernels/kernels.h"

#include <stdalign.h>
#include <string.h>

enum {
    LANES_MAX = 16,
    WINDOWS_FLOATS = 8 * 1024
}; /* windows that are turned at once: in the nearest cache */

/* What fills one lane of a block: the weights of an output channel, whose group sees `channels`
 * input channels from first_channel. */
typedef struct lane {
    const float *weights; /* of channel 0 of the group, row 0, column 0; NULL: this lane has no
                             channel of this source */
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
    const ptrdiff_t group_channels = p->channels / p->groups,
                    group_outputs = p->outputs / p->groups;
    switch (p->order) {
    case DP_WEIGHTS_ROTATED:
        return p->weights
               + (k / group_outputs * group_channels * group_outputs + k % group_outputs) * window
               + window - 1;
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
    const size_t segment =
        ((size_t)(c / p->lanes) * (size_t)p->height + (size_t)r) * (size_t)p->width + (size_t)s;
    return segment * (size_t)p->lanes + (size_t)(c % p->lanes);
}

size_t dp_packed_depth(const dp_packing *p) {
    if (p->points)
        return (size_t)p->channels * (size_t)(p->phases * p->phases)
               * (size_t)(p->points * p->points);
    const int plane = p->planar ? 1 : p->lanes,
              planes = p->band ? p->band : dp_ceil_div(p->channels, plane);
    return (size_t)(planes * plane) * (size_t)p->height * (size_t)p->width;
}

/* The place in a window's side that tap t of phase `phase` stands for; outside 0..side-1: none. */
static int tap_place(const dp_packing *p, int t, int phase) {
    return t * p->phases + phase - p->shift;
}

/* Input channels of the source. */
static int channels_of(const dp_packing *p) {
    return p->source_channels ? p->source_channels : p->channels;
}

/* The windows of input channels c..c+count-1 of the source for all lanes of a block: count x R x S
 * vectors in the order of the product. Without groups. */
static void read_windows(float *out, const dp_packing *p, int block, int c, int count) {
    const int window = p->height * p->width, k = block * p->lanes - p->first_output;
    const int channels = dp_min(p->outputs - k, p->lanes);
    if (p->order == DP_WEIGHTS_PLAIN) {
        const ptrdiff_t plane = (ptrdiff_t)channels_of(p) * window;
        p->block_row(out, p->weights + k * plane + (ptrdiff_t)c * window, plane, channels,
                     count * window);
    } else {
        for (int i = 0; i < count; i++)
            p->block_row(out + (ptrdiff_t)i * window * p->lanes,
                         p->weights + ((ptrdiff_t)(c + i) * p->outputs + k) * window, window,
                         channels, window);
        for (int i = 0; i < count * window && window > 1; i++) {
            const int t = i % window, mirror = i - t + window - 1 - t;
            for (int l = 0; l < p->lanes && t < window / 2; l++) {
                const float kept = out[i * p->lanes + l];
                out[i * p->lanes + l] = out[mirror * p->lanes + l];
                out[mirror * p->lanes + l] = kept;
            }
        }
    }
    for (int i = 0; i < count * window && p->scale; i++)
        for (int l = 0; l < channels; l++)
            out[i * p->lanes + l] *= p->scale[k + l];
}

/* Input channels whose windows are read at once. */
static int windows_at_once(const dp_packing *p) {
    const int window = p->height * p->width * p->lanes;
    return WINDOWS_FLOATS / window > p->lanes ? p->lanes : WINDOWS_FLOATS / window;
}

/* From the window of a channel the smaller one of a phase. */
static void pick_taps(float *taps, const dp_packing *p, const float *window, int row, int column) {
    for (int t = 0; t < p->taps * p->taps; t++) {
        const int r = tap_place(p, t / p->taps, row), s = tap_place(p, t % p->taps, column);
        const bool there = r >= 0 && r < p->height && s >= 0 && s < p->width;
        for (int l = 0; l < p->lanes; l++)
            taps[t * p->lanes + l] = there ? window[(r * p->width + s) * p->lanes + l] : 0;
    }
}

/* The frequencies of input channels c..c+count-1, whose windows these are. step: as in
 * pack_block. */
static void transform_windows(float *packed, size_t step, const dp_packing *p, const float *matrix,
                              const float *windows, int c, int count) {
    alignas(DP_ALIGNMENT) float taps[DP_WINOGRAD_TAPS_MAX * DP_WINOGRAD_TAPS_MAX * LANES_MAX];
    const int phases = p->phases * p->phases;
    const ptrdiff_t stride = (ptrdiff_t)((size_t)(p->channels * phases) * step);
    for (int i = 0; i < count; i++)
        for (int phase = 0; phase < phases; phase++) {
            const float *window = windows + (ptrdiff_t)i * p->height * p->width * p->lanes;
            const int row = phase / p->phases, column = phase % p->phases;
            if (phases > 1) {
                pick_taps(taps, p, window, row, column);
                window = taps;
            }
            const int channel = (row * p->channels + c + i) * p->phases + column;
            p->transform(packed + (size_t)channel * step, stride, window, matrix, p->points,
                         p->taps);
        }
}

static void place_windows(float *packed, size_t step, const dp_packing *p, const float *windows,
                          int c, int count) {
    for (int i = 0; i < count; i++)
        for (int r = 0; r < p->height; r++)
            for (int s = 0; s < p->width; s++, windows += p->lanes)
                memcpy(packed + place(p, c + i, r, s) * step, windows,
                       (size_t)p->lanes * sizeof *windows);
}

/* One block: `packed` is its first vector, the next one of its sum `step` floats on. Nothing of
 * this source may be in it. */
static void pack_block(float *packed, size_t step, const dp_packing *p, int block) {
    alignas(DP_ALIGNMENT) float windows[WINDOWS_FLOATS];
    float matrix[DP_WINOGRAD_POINTS * DP_WINOGRAD_TAPS_MAX];
    const int k = block * p->lanes - p->first_output;
    if (k < 0 || k >= p->outputs)
        return;
    if (p->points)
        dp_winograd_matrix(matrix, p->points, p->taps);
    for (int c = 0, count = windows_at_once(p); c < channels_of(p); c += count) {
        count = count < channels_of(p) - c ? count : channels_of(p) - c;
        read_windows(windows, p, block, c, count);
        if (p->points)
            transform_windows(packed, step, p, matrix, windows, p->first_channel + c, count);
        else
            place_windows(packed, step, p, windows, p->first_channel + c, count);
    }
}

/* The same for channels in groups, or a window too large to be turned at once; the sum begins with
 * channel `first`. */
static void pack_values(float *packed, size_t step, const dp_packing *p, int block, int first) {
    const int group_channels = p->channels / p->groups, band = p->band * (p->planar ? 1 : p->lanes);
    const int channels = band && band < p->channels - first ? band : p->channels - first;
    const strides at = strides_of(p);
    lane lanes[LANES_MAX];
    find_lanes(lanes, p, block);
    for (int c = 0; c < channels; c++)
        for (int r = 0; r < p->height; r++)
            for (int s = 0; s < p->width; s++) {
                float *vector = packed + place(p, c, r, s) * step;
                for (int l = 0; l < p->lanes; l++) {
                    const int group_channel = first + c - lanes[l].first_channel;
                    if (!lanes[l].weights || group_channel < 0 || group_channel >= group_channels)
                        continue;
                    vector[l] =
                        lanes[l].weights[group_channel * at.channel + r * at.row + s * at.column]
                        * lanes[l].scale;
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
    const bool whole = p->groups == 1 && windows_at_once(p);
    for (int panel = begin; panel < end; block += p->blocks_of[panel++]) {
        const int first = p->band ? p->first_of[panel] * (p->planar ? 1 : p->lanes) : 0;
        const size_t step = (size_t)p->blocks_of[panel] * (size_t)p->lanes;
        float *at = packed + dp_packed_depth(p) * (size_t)block * (size_t)p->lanes;
        for (int j = 0; j < p->blocks_of[panel]; j++, at += p->lanes)
            if (whole)
                pack_block(at, step, p, block + j);
            else
                pack_values(at, step, p, block + j, first);
    }
}
