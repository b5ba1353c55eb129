/* description.h - what a model file says of its model besides the tensors, for any container that
 * holds pairs of key and text (safetensors' metadata, ONNX's metadata_props, a field of our
 * caffemodels): with it a file of any format is self-sufficient.
 *
 *   deeper.version       "1"
 *   deeper.architecture  "googlenet", or "graph": a network that is none of nets/
 *   deeper.options       "norm=lrn,stem=full,..."; may be empty
 *   deeper.classes       "1000"
 *   deeper.preprocess    see metadata.h
 *   deeper.labels        [[ID, NAME], ...], one a class; absent: none
 *   deeper.source, deeper.training   texts; absent: none
 *   deeper.graph         of "graph" alone, see graph_json.h
 *   deeper.sum           16 hex digits, in containers without checksums of their own (safetensors):
 *                        dp_description_sum of all tensors and all other texts. Files without it
 * are of versions before 0.2, or another program wrote them anew. */
#ifndef DP_MODEL_DESCRIPTION_H
#define DP_MODEL_DESCRIPTION_H

#include "model/model.h"
#include "model/tensor.h"

#define DP_DESCRIPTION_VERSION "1"

/* The key of a text that checkpoints have (train/record/checkpoint.h): such a file is no model. */
#define DP_CHECKPOINT_TEXT "deeper.progress"

enum { DP_DESCRIPTION_TEXTS = 9 };

typedef struct dp_description {
    dp_text texts[DP_DESCRIPTION_TEXTS]; /* those that there are, in the order above; live with the
                                            model and this structure */
    size_t count;
    char classes[16];
    char *preprocess, *labels, *graph; /* malloc'ed, by jansson */
    char *options;                     /* without heads; the model's allocator's */
    const deeper_allocator *allocator;
} dp_description;

/* Errors: MEMORY; *description is then empty. */
deeper_status dp_description_make(dp_description *description, const dp_model *model,
                                  deeper_error *error);
void dp_description_free(dp_description *description);

/* What a file holds, in any order, as one number that any damage changes. */
#define DP_DESCRIPTION_SUM "deeper.sum"
enum { DP_DESCRIPTION_SUM_TEXT = 17 };
uint64_t dp_description_sum(const dp_tensor *tensors, size_t count, const dp_text *texts,
                            size_t text_count);

/* Says that the file is of the network without its auxiliary heads, for formats that leave them
 * out. Errors: MEMORY. */
deeper_status dp_description_drop_heads(dp_description *description, deeper_error *error);

/* The model that the texts describe, without parameter values; other keys are ignored. `name`
 * stands for the file in messages. Errors: FORMAT (a deeper.* text that is missing or bad),
 * UNSUPPORTED (another version, an unknown network), LIMIT, MEMORY; *model is then NULL. */
deeper_status dp_model_describe(dp_model **model, const dp_text *texts, size_t count,
                                const char *name, const deeper_allocator *allocator,
                                deeper_error *error);

#endif
