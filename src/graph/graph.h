/* graph.h - the graph: named nodes over shaped tensors. Pure description: no memory for values, no
 * threads, no algorithm. A node's inputs are earlier nodes, so the order of nodes is an order of
 * computation. Parameters are nodes too: whatever takes a tensor takes a parameter, and what is
 * done with a parameter (folding, packing, a gradient) is done with a node. Letters: N images, C
 * channels, H W input rows and columns, P Q output rows and columns, R S window rows and columns, K
 * output channels. */
#ifndef DP_GRAPH_GRAPH_H
#define DP_GRAPH_GRAPH_H

#include "base/memory.h"

/* In the order of the operator table (operators.c), which holds name, arity, shape rule and cost of
 * each; attributes.c has their attributes. First those that networks are made of, which model files
 * keep (dp_op_is_inference). */
typedef enum dp_op {
    DP_OP_INPUT,     /* a picture, N x C x H x W */
    DP_OP_PARAMETER, /* values that a model file holds */
    DP_OP_CONV,      /* x, weight K x C/groups x R x S, [bias K] */
    DP_OP_FC, /* x of C x H x W, weight K x C x H x W (canonical: K rows of C*H*W), [bias K] */
    DP_OP_MAX_POOL,       /* x; the window is clamped to the picture */
    DP_OP_AVERAGE_POOL,   /* x; divides by the pixels inside, or by R*S if count_padding */
    DP_OP_GLOBAL_AVERAGE, /* x -> C x 1 x 1 */
    DP_OP_ADAPTIVE_POOL,  /* x -> C x P x Q, the size attribute: output p averages rows
                             floor(p H / P) .. ceil((p+1) H / P) - 1 */
    DP_OP_LRN,  /* x; y = x * (k + alpha/size * sum over size neighbouring channels of x^2)^-beta */
    DP_OP_RELU, /* x; max(x, 0) */
    DP_OP_BATCH_NORM, /* x, scale, shift, mean, variance (each C): (x - mean) / sqrt(variance +
                         epsilon) * scale + shift; in training x, scale, shift, moments of this
                         batch */
    DP_OP_AFFINE,     /* x, scale, shift (each C): x * scale + shift */
    DP_OP_CLIP,       /* x; min(max(x, low), high) */
    DP_OP_PAD,        /* x; zeros around the picture */
    DP_OP_REFLECT,    /* x; around it what lies inside, as in a mirror at the border's pixels */
    DP_OP_RESIZE,     /* x -> C x P x Q, the size attribute: row p is row floor(p H / P) */
    DP_OP_SIGMOID,    /* x; 1 / (1 + e^-x) */
    DP_OP_ERF,        /* x; the error function, 2 / sqrt(pi) * integral of e^-t^2 from 0 to x */
    DP_OP_NORMALIZE,  /* x; (x - mean) / sqrt(variance + epsilon) of each picture, over the channels
                         of each of `groups` groups and all pixels, or each pixel by itself */
    DP_OP_MULTIPLY,   /* x, y of x's shape, or C x 1 x 1: a factor per channel */
    DP_OP_SHUFFLE,    /* x; channel j * groups + i of the output is channel i * (C / groups) + j of
                         x */
    DP_OP_ADD,        /* x, y of one shape */
    DP_OP_CONCAT,     /* any number of inputs, joined along C */
    DP_OP_SLICE,      /* x: channels begin..begin+count-1; of batch sums: of n */
    DP_OP_FLATTEN,    /* C x H x W -> (C*H*W) x 1 x 1 */
    DP_OP_UNFLATTEN,  /* (C*H*W) x 1 x 1 -> C x H x W */
    DP_OP_DROPOUT, /* x; the identity at inference; in training x * (drawn ? 0 : 1 / (1 - rate)) */
    DP_OP_SOFTMAX, /* x; over C */

    /* What graph_gradient and graph_training add. g: the gradient with respect to a forward node's
     * output. Results without an image dimension (n > 0) are sums over the whole batch. */
    DP_OP_FILL,         /* a constant, one value an element */
    DP_OP_SOFTMAX_LOSS, /* x, labels (class, weight): -weight * sum over c of target[c] * log
                           softmax(x)[c]; C = 1 */
    DP_OP_SOFTMAX_LOSS_GRADIENT, /* g, x, labels: g * weight * (softmax(x) - target) */
    DP_OP_ROTATE,    /* weight K C/groups R S -> C K/groups R S, turned by 180 degrees: of the input
                        gradient; of several weights of no groups, joined along their K */
    DP_OP_TRANSPOSE, /* weight K C R S -> (C*R*S) K 1 1 */
    DP_OP_DILATE,    /* x: stride - 1 zeros between pixels */
    DP_OP_CONV_WEIGHT_GRADIENT,    /* x, g -> K C/groups R S */
    DP_OP_CHANNEL_SUM,             /* g -> C: the gradient of a bias */
    DP_OP_RELU_GRADIENT,           /* g, y: g where y > 0 */
    DP_OP_MAX_POOL_GRADIENT,       /* g, x, y: to the first maximum of each window */
    DP_OP_AVERAGE_POOL_GRADIENT,   /* g, x */
    DP_OP_GLOBAL_AVERAGE_GRADIENT, /* g, x */
    DP_OP_ADAPTIVE_POOL_GRADIENT,  /* g, x */
    DP_OP_LRN_GRADIENT,            /* g, x */
    DP_OP_MOMENTS, /* x -> 2 x C: mean and (biased) variance of each channel over the batch */
    DP_OP_BATCH_NORM_SUMS,     /* g, x, moments -> 2 x C: sum of g, sum of g * (x - mean) /
                                  sqrt(variance + epsilon) */
    DP_OP_BATCH_NORM_GRADIENT, /* g, x, scale, moments, sums: the input gradient of a training batch
                                  norm */
    DP_OP_FIXED_NORM_GRADIENT, /* g, scale, variance: that of one with fixed statistics, g * scale /
                                  sqrt(variance + epsilon) */
    DP_OP_COUNT
} dp_op;

/* The network's heads, named so that they cannot be swapped. Inference leaves the auxiliary ones
 * out. */
typedef enum dp_head { DP_HEAD_MAIN, DP_HEAD_AUX1, DP_HEAD_AUX2 } dp_head;

/* n is 0 for activations ("one image"; a plan sets the batch). Parameters and sums over the batch
 * have n >= 1: K C R S, or K 1 1 1. */
typedef struct dp_shape {
    int n, c, h, w;
} dp_shape;

/* Floats of one image of an activation, or of a whole parameter. */
size_t dp_shape_floats(dp_shape shape);
bool dp_shape_equal(dp_shape a, dp_shape b);

/* Rows and columns around a picture. */
typedef struct dp_pads {
    int top, left, bottom, right;
} dp_pads;

/* Convolutions and pools. P = (H + pads.top + pads.bottom - height) / stride_y + 1, rounded down,
 * or up if `ceil` (then the last window must still begin inside the picture or its top padding, as
 * in Caffe). Likewise Q. */
typedef struct dp_window {
    int height, width, stride_y, stride_x;
    dp_pads pads;
    int groups;         /* convolutions: channels are split into groups that do not mix */
    bool ceil;          /* pools */
    bool count_padding; /* average pools */
} dp_window;

typedef struct dp_lrn {
    int size; /* odd */
    float alpha, beta, k;
} dp_lrn;

/* stream: which of the run's random streams draws the mask; a dropout and its gradient share
 * one. */
typedef struct dp_dropout {
    float rate; /* share that training drops */
    int stream;
} dp_dropout;

typedef struct dp_fill {
    dp_shape shape;
    float value;
} dp_fill;

typedef struct dp_clip {
    float low, high; /* low <= 0 <= high; may be infinite */
} dp_clip;

typedef struct dp_slice {
    int begin, count;
} dp_slice;

typedef struct dp_size {
    int height, width;
} dp_size;

/* Groups of as many channels one after the other. */
typedef struct dp_normalize {
    int groups;
    float epsilon;
    bool pixels; /* statistics of each pixel */
} dp_normalize;

typedef struct dp_stride {
    int y, x;
} dp_stride;

/* Which member an operator has, and what its values may be, say the rows of attributes.c. The
 * attributes of an operator's gradient are those of the operator. */
typedef union dp_attributes {
    dp_shape shape;         /* INPUT (n = 0), PARAMETER, UNFLATTEN */
    dp_window window;       /* CONV, MAX_POOL, AVERAGE_POOL */
    dp_size size;           /* ADAPTIVE_POOL, RESIZE: of the output */
    dp_pads pads;           /* PAD, REFLECT */
    dp_normalize normalize; /* NORMALIZE */
    int groups;             /* SHUFFLE, ROTATE */
    dp_stride stride;       /* DILATE */
    dp_lrn lrn;             /* LRN */
    dp_dropout dropout;     /* DROPOUT */
    float epsilon;          /* BATCH_NORM */
    dp_clip clip;           /* CLIP */
    float smoothing; /* SOFTMAX_LOSS: target = 1 - smoothing for the class, plus smoothing / C for
                        every class */
    dp_fill fill;    /* FILL */
    dp_slice slice;  /* SLICE */
} dp_attributes;

typedef struct dp_node {
    char *name;    /* unique in its graph */
    uint64_t hash; /* of the name: finding one compares these first */
    dp_op op;
    dp_head head;
    int *inputs;
    int input_count;
    dp_shape shape;
    dp_attributes attributes;
    int parameter; /* PARAMETER: its number, 0, 1, ... in order of addition; -1 otherwise */
} dp_node;

/* Fields are for reading; dp_graph_add and dp_graph_create alone write them. */
typedef struct dp_graph {
    const deeper_allocator *allocator;
    dp_node *nodes;
    int count;
    size_t capacity;
    int parameters; /* PARAMETER nodes */
    dp_head head;   /* what the next nodes belong to; nets set it */
    deeper_error failure;
} dp_graph;

deeper_status dp_graph_create(dp_graph **graph, const deeper_allocator *allocator,
                              deeper_error *error);
void dp_graph_free(dp_graph *graph);

/* Adds a node and infers its shape; its number, or -1. The first failure (out of memory, a bad
 * input or attribute, shapes that do not fit, a name twice, too large) stays in the graph, later
 * calls do nothing, and dp_graph_status tells: builders need one check. */
int dp_graph_add(dp_graph *graph, dp_op op, const char *name, const int *inputs, int input_count,
                 const dp_attributes *attributes);
deeper_status dp_graph_status(const dp_graph *graph, deeper_error *error);

/* Records a failure of the builder's own (an unknown option) in the same place. Returns -1. */
int dp_graph_fail(dp_graph *graph, deeper_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The node of a name, or -1. */
int dp_graph_find(const dp_graph *graph, const char *name);

/* Gives a node another name, which must be free; the failure stays in the graph. */
void dp_graph_rename(dp_graph *graph, int node, const char *name);

/* Marks in needed[count] the nodes that the given outputs depend on (themselves included). */
void dp_graph_needed(const dp_graph *graph, const int *outputs, int output_count, bool *needed);

/* ------------------------------------------------------------------------------------ operators */

const char *dp_op_name(dp_op op);

/* Whether networks are made of it; the others belong to gradients and training. */
bool dp_op_is_inference(dp_op op);

/* Whether there is a pad on any side. */
bool dp_pads_any(const dp_pads *pads);

/* Whether a node is a convolution of each pixel by itself: window 1x1, stride 1, no padding, no
 * groups. */
bool dp_is_point(const dp_node *node);

/* What a node costs for one image; a multiply-add counts once. parameters: those that the node
 * itself reads. */
typedef struct dp_cost {
    uint64_t parameters, multiply_adds, output_bytes;
} dp_cost;
dp_cost dp_node_cost(const dp_graph *graph, int node);

/* Shape of a node of `op` on these inputs; false: *failure says why. Used by dp_graph_add. */
deeper_status dp_op_infer(dp_op op, const dp_shape *inputs, int input_count,
                          const dp_attributes *attributes, dp_shape *shape, deeper_error *failure);

#endif
