/* training.h - from the network that runs to the one that learns: the same nodes, batch norms on
 * the statistics of the batch unless they are frozen, a loss per head, and the gradients of the
 * parameters. */
#ifndef DP_GRAPH_TRAINING_H
#define DP_GRAPH_TRAINING_H

#include "graph/graph.h"

enum { DP_HEADS = 3 };

typedef struct dp_training_options {
    float head_weights[DP_HEADS]; /* of each head's loss in the sum: 1, 0.3, 0.3 in the paper
                                     (section 5) */
    float smoothing;              /* of the labels; 0: none */
    const bool *frozen; /* parameter p keeps its value (no gradient); of a batch norm all four do or
                           none; NULL: none does */
} dp_training_options;

/* What to ask of a plan of the training graph. Nodes are numbers in it; -1: there is none. */
typedef struct dp_training_nodes {
    int labels; /* INPUT 2 x 1 x 1: class and weight of each image; the picture's INPUT is the
                   network's */
    int heads;  /* losses that there are */
    dp_head head[DP_HEADS]; /* which */
    int loss[DP_HEADS];     /* unweighted loss of each image */
    int logits;             /* of the main head */
    int *gradients;    /* one per parameter of the network, of the summed loss; -1 where frozen or
                          unused */
    int batch_norms;   /* that learn */
    int *moments;      /* one each in order: its MOMENTS */
    int *running_mean; /* one each: the parameter of its running mean; that of its variance is the
                          next */
} dp_training_nodes;

/* *training: a new graph with the parameters of `network` under the same numbers and names. nodes'
 * arrays come from network->allocator and are freed by dp_training_nodes_free. A head is a softmax
 * node over class scores. Errors: a network without a softmax (ARGUMENT), those of
 * dp_graph_gradient. */
deeper_status dp_graph_training(dp_graph **training, dp_training_nodes *nodes,
                                const dp_graph *network, const dp_training_options *options,
                                deeper_error *error);
void dp_training_nodes_free(dp_training_nodes *nodes, const deeper_allocator *allocator);

#endif
