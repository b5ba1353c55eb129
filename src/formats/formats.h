/* formats.h - the registry of model files: every format that is read is a row of open.c, every
 * format that is written a row of save.c, each with a folder of its own beside them. */
#ifndef DP_FORMATS_FORMATS_H
#define DP_FORMATS_FORMATS_H

#include "model/model.h"

/* The largest file that is read as a model or beside one: what protobuf takes, and three times the
 * weights of the largest network in nets/. Others would fill memory before their headers are
 * looked at. */
#define DP_MODEL_BYTES ((size_t)INT32_MAX)

/* Opens a file of any format that deeper reads, found by content. */
deeper_status dp_model_open(dp_model **model, const char *path, const deeper_allocator *allocator,
                            deeper_error *error);

typedef struct dp_open_options {
    const char *answer; /* what makes class probabilities of an ONNX file's output ("softmax",
                           "sigmoid", "as-is"); NULL: what its graph shows */
    bool mapped;        /* without a copy: the file must keep its bytes while the model is open
                           (dp_map_open) */
} dp_open_options;

/* The same in another way. Error more: ARGUMENT (an answer for another format). */
deeper_status dp_model_open_as(dp_model **model, const char *path, const dp_open_options *options,
                               const deeper_allocator *allocator, deeper_error *error);

/* The same for a file in memory; `name` stands for it in messages. folder: where values may lie in
 * other files; NULL: nowhere. The model may use weights in `bytes`, which must outlive it. */
deeper_status dp_model_open_bytes(dp_model **model, const void *bytes, size_t size,
                                  const char *name, const char *folder, const char *answer,
                                  const deeper_allocator *allocator, deeper_error *error);

typedef struct dp_save_options {
    bool with_preprocessing; /* the rule's channel order, mean and scale as a part of the network,
                                whose input is then RGB 0..255 */
    bool *heads_left_out;    /* NULL, or set to whether the file is without the model's auxiliary
                                heads */
} dp_save_options;

/* Writes the format that the ending of `path` says; atomic. options may be NULL. Errors: ARGUMENT
 * (an ending without a format, a model without values, an option that the format does not have),
 * and those of the format. */
deeper_status dp_model_save(const dp_model *model, const char *path, const dp_save_options *options,
                            deeper_error *error);

/* The ending of written format `index`: ".safetensors" ..., and one line on what the file holds and
 * who reads it; NULL past the last. */
const char *dp_model_ending(size_t index, const char **about);

#endif
