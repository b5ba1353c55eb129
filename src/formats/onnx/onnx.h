/* onnx.h - models as ONNX files, both ways. Any classifier that onnx_import.c can read is a model:
 * one of nets/ where the graph is one, whoever exported it, else architecture "graph". Files that
 * deeper wrote say their labels and preprocessing in metadata_props (description.h); of others
 * these are unknown and stay so. */
#ifndef DP_FORMATS_ONNX_H
#define DP_FORMATS_ONNX_H

#include "formats/formats.h"
#include "model/model.h"

/* The model of a file in memory; nothing points into bytes. folder: where external data may lie,
 * NULL nowhere. answer: what is done to the file's output, see onnx_ending.h; NULL: what its graph
 * shows. Errors: those of dp_onnx_parse
 * and dp_onnx_import; UNSUPPORTED (no classifier of square pictures of 1 or 3 channels), FORMAT
 * (deeper.* texts that are bad). */
deeper_status dp_onnx_open(dp_model **model, const void *bytes, size_t size, const char *name,
                           const char *folder, const char *answer,
                           const deeper_allocator *allocator, deeper_error *error);

/* Writes a model; atomic. The network as inference runs it, without auxiliary heads, for any number
 * of images; layers and parameters keep their names. with_preprocessing: a convolution of one
 * pixel, "preprocess", in front does channel order, mean and scale, so that the input is RGB
 * 0..255. Errors: UNSUPPORTED (an average to a size that does not divide), LIMIT (2 GB), IO,
 * MEMORY. */
deeper_status dp_onnx_write(const dp_model *model, const char *path, const dp_save_options *options,
                            deeper_error *error);

/* The text beside the weights that says that preprocessing is a part of the network, and the layer
 * that it is. */
#define DP_ONNX_PREPROCESS_TEXT "deeper.preprocess_inside"
#define DP_ONNX_PREPROCESS_LAYER "preprocess"

/* Weights C x C and biases C of that layer: y = (x in the network's order - mean) * scale as a
 * product of one pixel. */
void dp_onnx_preprocess_values(const dp_preprocess *rule, float weights[9], float biases[3]);

#endif
