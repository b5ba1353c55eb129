/* onnx_ending.h - from what a file's graph ends in to one probability a class. */
#ifndef DP_FORMATS_ONNX_ENDING_H
#define DP_FORMATS_ONNX_ENDING_H

#include "formats/onnx/onnx_import.h"

/* Makes the network's output the layer "prob": what ends in probabilities stays as it is (a mean of
 * some, or some times a number, becomes a mean), scores get a softmax, one probability p becomes 1
 * - p and p. answer: "softmax", "sigmoid" or "as-is" says what is done to the output; NULL: what
 * the graph shows. Errors: ARGUMENT (another answer), UNSUPPORTED (no value a class; the graph does
 * not show what its output is, and answer is NULL), MEMORY. */
deeper_status dp_onnx_end_in_prob(dp_onnx_network *network, dp_onnx_file *file, const char *answer,
                                  deeper_error *error);

#endif
