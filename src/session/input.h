/* input.h - what goes into a network: what a picture needs to become its input, and the one input
 * that needs no picture. */
#ifndef DP_SESSION_INPUT_H
#define DP_SESSION_INPUT_H

#include "model/model.h"

/* MISMATCH if the model does not say how a picture becomes its input. */
deeper_status dp_need_preprocess(const dp_model *model, deeper_error *error);

/* The fixed input of `count` floats: x[i] = (h(i) / 2^31 - 1) * 64 for the number i of a float, h a
 * 32-bit hash. Its range is about that of a photo less its mean. */
void dp_fixed_input(float *input, size_t count);

#endif
