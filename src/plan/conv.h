/* conv.h - what a convolution's step keeps: shared by step_conv.c, which makes and runs it, and conv_pack.c, which packs its
 * weights. Internal to plan/. Letters: L lanes, K output channels. */
#ifndef DP_PLAN_CONV_H
#define DP_PLAN_CONV_H

#include "plan/lower.h"

enum { DP_CONV_SOURCES = 16 }; /* convolutions that one product can join */

/* `rows` consecutive output pixels from (y, x); in: offset of the first one's window in the input image. */
typedef struct dp_conv_tile {
    ptrdiff_t in;
    int y, x, rows;
} dp_conv_tile;

/* Where one channel block of the product goes. */
typedef struct dp_conv_target {
    int storage;
    ptrdiff_t offset, row;
} dp_conv_target;

/* One convolution of the product, and what its packed weights are made from. */
typedef struct dp_conv_source {
    int node;         /* whose step this is part of */
    int outputs;      /* K */
    int first_output; /* of the product, a multiple of L */
    dp_weight_order order;
    const float *weights, *bias;                  /* bias may be NULL */
    const float *scale, *shift, *mean, *variance; /* of a batch norm to fold; NULL: none */
    float epsilon;
} dp_conv_source;

struct dp_conv_step {
    ptrdiff_t *segments;
    int segment_count, run;
    ptrdiff_t in_stride;
    dp_conv_tile *tiles; /* none where images are pixels */
    int tile_count, tile_rows;
    dp_conv_target *targets; /* a block */
    int blocks;
    int *panels; /* blocks of each panel */
    int panel_count;
    int tile_parts, panel_parts; /* tasks = tile_parts x panel_parts */
    const char *algorithm;

    dp_conv_source sources[DP_CONV_SOURCES];
    int source_count;
    int channels, height, width, groups; /* C of the input, R, S */
    bool planar;
    const float *packed; /* the panels, then a bias a lane: in the packs, or NULL: */
    int packed_storage;  /* where each run packs them, or -1 */
};

/* Fills weights, bias and batch norm of a source from the node's inputs. */
void dp_conv_read_source(const dp_lowering *lowering, dp_conv_source *source);

/* Packs the weights now and for good (the packs), or adds a step that packs them in every run. Needs everything but targets. */
deeper_status dp_conv_pack(dp_lowering *lowering, dp_conv_step *conv, deeper_error *error);

/* The packed product of a run, and the biases behind it. */
const float *dp_conv_packed(const dp_run *run, const dp_conv_step *conv);
size_t dp_conv_packed_bias(const dp_conv_step *conv, int lanes);

#endif
