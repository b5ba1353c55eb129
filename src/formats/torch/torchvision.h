/* torchvision.h - networks by the names that torchvision and timm give their layers, whatever
 * container holds them: a state dict of PyTorch, safetensors, npz. The files say nothing of
 * preprocessing or labels; where the classifier has ImageNet's thousand classes, those of the
 * published weights are set. */
#ifndef DP_FORMATS_TORCHVISION_H
#define DP_FORMATS_TORCHVISION_H

#include "model/model.h"
#include "model/tensor.h"

/* The model that the tensors are the weights of. in_place: as dp_model_fill has it. `name` stands
 * for the file in messages. Errors: UNSUPPORTED (the names of no network that is known), those of
 * dp_model_fill. */
deeper_status dp_torchvision_open(dp_model **model, const dp_contents *contents, bool in_place,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error);

#endif
