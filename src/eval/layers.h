/* layers.h - which layer of one network is which of another, or of a recording: by name, then by
 * structure. */
#ifndef DP_EVAL_LAYERS_H
#define DP_EVAL_LAYERS_H

#include "formats/numpy/recording.h"
#include "graph/graph.h"

/* theirs[i] = the node of b that node i of a is, or -1; both lists are zero-based node numbers,
 * theirs has a->count entries. Only what the class probabilities need is matched, and neither
 * parameters nor what passes its input on (dropout, flatten). Errors: MEMORY. */
deeper_status dp_layers_match(int *theirs, const dp_graph *a, const dp_graph *b,
                              const deeper_allocator *allocator, deeper_error *error);

/* The node that a recorded array of `floats` an image is, by dp_verify_recording's rules; -1:
 * none. */
int dp_layers_find(const dp_graph *graph, const char *name, size_t floats);

/* The layer whose output the classifier reads, the picture's embedding: pool5/7x7_s1 of GoogLeNet.
 * Where no weights stand before the softmax, what it reads. -1: a network without class
 * probabilities. */
int dp_layers_features(const dp_graph *graph);

#endif
