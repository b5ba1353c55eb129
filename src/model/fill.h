/* fill.h - how the named tensors of a file become the parameter values of a model; the same for
 * every format. The one place that compares names and shapes, so that "another network" reads the
 * same whatever the file. */
#ifndef DP_MODEL_FILL_H
#define DP_MODEL_FILL_H

#include "model/model.h"
#include "model/tensor.h"

/* *tensor = name, type F32 and shape of the parameter that `node` is, as files hold it: K x C x R x
 * S for the weight of a convolution, K x (C*H*W) for that of a fully connected layer, K for all
 * others that are one value a row. data stays NULL. */
void dp_parameter_tensor(const dp_graph *graph, int node, dp_tensor *tensor);

/* *tensors = a list of the model's parameters with their values, in their order, graph->parameters
 * of them; freed by dp_free. The model must have values, and outlive the list. Errors: MEMORY. */
deeper_status dp_model_tensors(dp_tensor **tensors, const dp_model *model, deeper_error *error);

/* Whether a tensor's shape is a parameter's: that of dp_parameter_tensor, but for ones at its front
 * and end, or a fully connected weight as K x C x H x W. */
bool dp_parameter_fits(const dp_graph *graph, int node, const dp_tensor *tensor);

/* Whether the tensors have every parameter of the graph's auxiliary heads, in its shape: files of
 * fine-tuned networks often keep heads of another number of classes. */
bool dp_heads_fit(const dp_graph *graph, const dp_tensor *tensors, size_t count);

/* Gives the model, which has no values yet, the values of all its parameters. in_place: where all
 * tensors are F32 and lie on whole floats they are used where they are, and must outlive the model;
 * else they are converted into the model's arena. Errors: MISMATCH, one line that counts what is
 * missing, unknown and of other shape and names the first of each; UNSUPPORTED (an element type
 * that is no weight); FORMAT (a name twice); MEMORY. */
deeper_status dp_model_fill(dp_model *model, const dp_tensor *tensors, size_t count, bool in_place,
                            const char *name, deeper_error *error);

#endif
