/* model_file.h - our own model files: safetensors with the deeper.* metadata that makes them self-sufficient.
 * (description.h).
 * Tensors have Caffe's layer names with .weight, .bias (batch norm also .running_mean, .running_var), and stand in the order of the
 * network. */
#ifndef DP_FORMATS_MODEL_FILE_H
#define DP_FORMATS_MODEL_FILE_H

#include "formats/model.h"

/* Opens a model file in memory. Where it can, the model uses the weights in `bytes`, which then must outlive it. `name` stands for
 * the file in messages. Errors: those of dp_safetensors_parse and dp_model_fill; FORMAT (a deeper.* text that is missing or bad),
 * UNSUPPORTED (another version, an unknown network). */
deeper_status dp_model_file_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error);

/* Writes a model file; atomic. Errors: those of dp_safetensors_write. */
deeper_status dp_model_file_write(const dp_model *model, const char *path, const dp_save_options *options, deeper_error *error);

#endif
