/* conv.h - what the steps of a convolution keep: shared by the algorithms, which
 * make and run them, siblings.c, which joins them, pack.c, which packs their weights, panels.c and
 * bands.c, which cut them into panels. Internal to plan/. Letters: L lanes, K output channels. */
#ifndef DP_PLAN_CONV_CONV_H
#define DP_PLAN_CONV_CONV_H

#include "plan/passes.h"

enum { DP_CONV_SOURCES = 16 }; /* convolutions that one product can join */

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

/* The ways to compute a convolution or linear layer, and the gradient of their weights, in the
 * order in which choose asks: of two that cost the same it takes the earlier one. For each
 * precision the last takes every shape. Each is the constant dp_algorithm_NAME of a file here. */
#define DP_CONV_ALGORITHMS(X) X(depthwise) X(phases) X(winograd) X(images) X(direct)
#define DP_WEIGHT_GRADIENT_ALGORITHMS(X) X(phases_gradient) X(winograd_gradient) X(outer)

#define DP_DECLARE_ALGORITHM(name) extern const dp_algorithm dp_algorithm_##name;
DP_CONV_ALGORITHMS(DP_DECLARE_ALGORITHM)
DP_WEIGHT_GRADIENT_ALGORITHMS(DP_DECLARE_ALGORITHM)

/* panels.c: the cost of an algorithm that does the multiply-adds of choice->product. */
dp_costs dp_cost_direct;

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
