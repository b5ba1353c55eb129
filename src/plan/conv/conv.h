/* conv.h - what the steps of a convolution keep: shared by the algorithms, which
 * make and run them, siblings.c, which joins them, pack.c, which packs their weights, panels.c and
 * bands.c, which cut them into panels. Internal to plan/. Letters: L lanes, K output channels. */
#ifndef DP_PLAN_CONV_CONV_H
#define DP_PLAN_CONV_CONV_H

#include "plan/passes.h"

enum { DP_CONV_SOURCES = 16 }; /* convolutions that one product can join */

/* `rows` consecutive output pixels from (y, x); in: offset of the first one's window in the input
 * image. */
typedef struct dp_conv_tile {
    ptrdiff_t in;
    int y, x, rows;
} dp_conv_tile;

/* Where one channel block of the product goes. */
typedef struct dp_conv_target {
    int storage;
    ptrdiff_t offset, row_stride;
} dp_conv_target;

/* One convolution of the product, and what its packed weights are made from. */
typedef struct dp_conv_source {
    int node;         /* whose step this is part of */
    int part;         /* which of the weights that its node joins along the input channels */
    int outputs;      /* K */
    int first_output; /* of the product, a multiple of L */
    int channels, first_channel; /* of the product's input */
    dp_weight_order order;
    const float *weights, *bias; /* bias may be NULL */
    const float *scale, *shift, *mean,
        *variance; /* of a batch norm or affine (the first two) to fold; NULL: none */
    float epsilon;
} dp_conv_source;

/* What a product multiplies with. */
struct dp_conv_weights {
    dp_conv_source sources[DP_CONV_SOURCES];
    int source_count;
    int channels, height, width, groups; /* C of the input, R, S */
    bool planar;
    int points; /* of Winograd's largest tile; 0: the direct product */
    int taps;   /* of Winograd's window: height and width, or half of them where phases is 2
                   (phases.c) */
    int phases, shift;
    int blocks;  /* of output channels */
    int *panels; /* blocks of each panel */
    int panel_count;
    int band; /* of channels in groups: what each panel reads of the input, as in dp_packing; 0: all
                 of it */
    int *first_of; /* where that begins for each panel; NULL: with the first */

    /* dp_conv_pack fills: */
    size_t depth;        /* vectors per block of a panel */
    const float *packed; /* the panels, then a bias per lane: in the packs, or NULL: */
    int packed_storage;  /* where each run packs them, or -1 */
};

struct dp_conv_step {
    dp_conv_weights weights;
    ptrdiff_t *segments;
    int segment_count, run;
    ptrdiff_t in_stride;
    dp_conv_tile *tiles; /* none where images are pixels */
    int tile_count, tile_rows;
    dp_conv_target *targets;     /* one per block */
    int tile_parts, panel_parts; /* tasks = tile_parts x panel_parts */
};

/* Fills weights, bias and batch norm of a source from the node's inputs. */
void dp_conv_read_source(const dp_lowering *lowering, dp_conv_source *source);

/* siblings.c: fills the sources of a direct product with the convolution `node` and, unless it is
 * to be alone, all later ones that can be computed with it; these count as done. */
void dp_conv_collect(dp_lowering *lowering, int node, bool alone, dp_conv_weights *weights);

/* Fills panels: blocks as even as can be, at most `max_blocks` per panel, the larger ones first. */
deeper_status dp_conv_make_panels(dp_plan *plan, dp_conv_weights *weights, int max_blocks,
                                  deeper_error *error);

/* Packs the weights now and for good (the packs), or adds a step that packs them in every run. */
deeper_status dp_conv_pack(dp_lowering *lowering, dp_conv_weights *weights, deeper_error *error);

/* bands.c: fills band and first_of where channels are in groups and no panel reads all of the
 * input; and the widest band of panels of `max_blocks` blocks, in channel blocks (planar:
 * channels). The only source is there. */
deeper_status dp_conv_make_bands(dp_plan *plan, dp_conv_weights *weights, deeper_error *error);
int dp_conv_band(const dp_conv_weights *weights, int lanes, int max_blocks);

/* The packed weights and biases of a run, from output block `block` on, which must be the first of
 * a panel. */
const float *dp_conv_packed(const dp_run *run, const dp_conv_weights *weights, int block);
const float *dp_conv_packed_bias(const dp_run *run, const dp_conv_weights *weights, int block);

/* panels.c: what a product of `rows` rows and `blocks` blocks costs for one step of its depth when
 * it is cut into panels of at most `max_blocks` blocks, in vector multiply-adds about. */
double dp_panel_cost(const dp_kernels *kernels, int rows, int blocks, int max_blocks);

/* The algorithms, each in a file of its name; rows of algorithms.c. */
dp_suits dp_suits_depthwise, dp_suits_phases, dp_suits_winograd, dp_suits_images, dp_suits_all,
    dp_suits_phases_gradient, dp_suits_winograd_gradient, dp_suits_all_gradients;
dp_costs dp_cost_direct, dp_cost_winograd;
dp_lower dp_lower_depthwise, dp_lower_winograd, dp_lower_images, dp_lower_direct,
    dp_lower_winograd_gradient, dp_lower_outer;

/* Whether the first input of a node is kept as planes. */
static inline bool dp_reads_planes(const dp_lowering *lowering, int node) {
    return lowering->choices[lowering->root[lowering->graph->nodes[node].inputs[0]]].planar;
}

/* Outputs begin..begin+count-1 of a weight gradient go to an output of the call: it is one, or
 * slices of it are. */
typedef struct dp_weight_target {
    int begin, count, output;
} dp_weight_target;

typedef struct dp_weight_targets {
    dp_weight_target items[DP_CONV_SOURCES];
    int count;
} dp_weight_targets;

/* weight_gradient.c: what the step of any weight gradient begins with: all but its kind and
 * tasks. */
deeper_status dp_begin_weight_gradient(dp_lowering *lowering, int node, dp_step *step,
                                       dp_weight_targets *targets, deeper_error *error);

/* direct.c: the input of a convolution, or a copy of it, with the halo of its window. */
deeper_status dp_conv_input(dp_lowering *lowering, int node, dp_view *in, deeper_error *error);

#endif
