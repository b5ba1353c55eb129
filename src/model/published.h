/* published.h - weights that were published in files which say nothing of auxiliary heads,
 * preprocessing or labels: what Caffe's model zoo (caffe/caffe_zoo.h) and torchvision
 * (torch/torchvision.h) have in common once their tensors have our names. */
#ifndef DP_MODEL_PUBLISHED_H
#define DP_MODEL_PUBLISHED_H

#include "model/model.h"
#include "model/tensor.h"

typedef struct dp_published {
    const char *title, *spec;
    const char *heads_spec; /* with auxiliary heads; NULL: it has none */
    const char *classifier; /* the tensor whose rows are the classes */
    int image_size;
    const char *recipe;    /* recipes.h: the preprocessing that was published with it */
    bool recipe_for_tuned; /* it holds for other classes than ImageNet's thousand too */
} dp_published;

/* The tensor of that name; NULL: there is none. The first `skip` bytes of the tensors' names, which
 * all have them, do not count. */
const dp_tensor *dp_published_find(const dp_tensor *tensors, size_t count, size_t skip,
                                   const char *name);

/* The model that the tensors are the weights of: with the auxiliary heads where they are whole,
 * else without, their tensors then taken out of the list. Any number of classes; with ImageNet's
 * thousand also its labels. The model's source is the title, `form` and what became of the heads.
 * in_place, name: as dp_model_fill has them. Errors: those of dp_model_fill; *model may then be
 * half made, for the caller to free. */
deeper_status dp_published_open(dp_model **model, const dp_published *network, const char *form,
                                dp_tensor *tensors, size_t count, bool in_place, const char *name,
                                const deeper_allocator *allocator, deeper_error *error);

#endif
