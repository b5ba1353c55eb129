/* model_file.h - our own model files: safetensors or npz with the deeper.* texts that make them
 * self-sufficient (description.h). Tensors have Caffe's layer names with .weight, .bias (batch norm
 * also .running_mean, .running_var), and stand in the order of the network. */
#ifndef DP_FORMATS_MODEL_FILE_H
#define DP_FORMATS_MODEL_FILE_H

#include "formats/formats.h"
#include "model/model.h"
#include "model/tensor.h"

/* A model from what a container holds: one of deeper if it has a deeper.* text, else a network that
 * its tensors' names tell. in_place: as dp_model_fill has it. `name` stands for the file in
 * messages. Errors: those of dp_model_describe, dp_torchvision_open and dp_model_fill. */
deeper_status dp_model_from_contents(dp_model **model, const dp_contents *contents, bool in_place,
                                     const char *name, const deeper_allocator *allocator,
                                     deeper_error *error);

/* Opens a safetensors file in memory. Where it can, the model uses the weights in `bytes`, which
 * then must outlive it. Errors: those of dp_safetensors_parse and dp_model_from_contents. */
deeper_status dp_model_file_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error);

/* The same for an npz file; nothing of the model points into `bytes`. Errors: those of dp_npz_parse
 * and dp_model_from_contents. */
deeper_status dp_model_npz_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                const deeper_allocator *allocator, deeper_error *error);

/* The same for a state dict of PyTorch. Errors: those of dp_torch_parse and
 * dp_model_from_contents. */
deeper_status dp_model_torch_open(dp_model **model, const void *bytes, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error);

/* Writes a model file as safetensors or npz; atomic. Errors: those of dp_safetensors_write and
 * dp_npz_write. */
deeper_status dp_model_file_write(const dp_model *model, const char *path,
                                  const dp_save_options *options, deeper_error *error);
deeper_status dp_model_npz_write(const dp_model *model, const char *path,
                                 const dp_save_options *options, deeper_error *error);

#endif
