/* published.c - see published.h. */
#include "model/published.h"

#include "model/fill.h"
#include "model/ilsvrc2012.h"
#include "model/labels.h"
#include "model/recipes.h"

#include <stdio.h>
#include <string.h>

const dp_tensor *dp_published_find(const dp_tensor *tensors, size_t count, size_t skip,
                                   const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name + skip, name) == 0)
            return &tensors[i];
    return NULL;
}

static bool of_auxiliary_head(const dp_tensor *tensor) {
    return strncmp(tensor->name, "loss1/", 6) == 0 || strncmp(tensor->name, "loss2/", 6) == 0;
}

static bool has_auxiliary(const dp_tensor *tensors, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (of_auxiliary_head(&tensors[i]))
            return true;
    return false;
}

/* Keeps the order; returns how many are left. */
static size_t drop_auxiliary(dp_tensor *tensors, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!of_auxiliary_head(&tensors[i]))
            tensors[kept++] = tensors[i];
    return kept;
}

/* As many as the classifier has rows. */
static int classes_of(const dp_published *network, const dp_tensor *tensors, size_t count) {
    const dp_tensor *classifier = dp_published_find(tensors, count, 0, network->classifier);
    if (!classifier || classifier->rank < 1 || classifier->shape[0] < 1
        || classifier->shape[0] > INT32_MAX)
        return DP_ILSVRC2012_CLASSES; /* filling will say what is wrong */
    return (int)classifier->shape[0];
}

/* The variant of the network that the tensors can fill; *heads = what became of the heads, for the
 * model's source. */
static deeper_status create(dp_model **model, const dp_published *network, dp_tensor *tensors,
                            size_t *count, const char **heads, const deeper_allocator *allocator,
                            deeper_error *error) {
    int classes = classes_of(network, tensors, *count), size = network->image_size;
    *heads = network->heads_spec ? ", without auxiliary heads" : "";
    if (network->heads_spec && has_auxiliary(tensors, *count)) {
        DP_TRY(dp_model_create(model, network->heads_spec, classes, size, allocator, error));
        *heads = ", with both auxiliary heads";
        if (dp_heads_fit((*model)->graph, tensors, *count))
            return DEEPER_OK;
        *heads = ", auxiliary heads left out, for they are not whole";
        *count = drop_auxiliary(tensors, *count);
        dp_model_free(*model);
        *model = NULL;
    }
    return dp_model_create(model, network->spec, classes, size, allocator, error);
}

/* The crop is cut from pictures of the recipe's own size, whatever the crop's. */
static deeper_status set_published(dp_model *model, const dp_published *network, const char *form,
                                   const char *heads, deeper_error *error) {
    const dp_recipe *recipe = dp_recipe_find(network->recipe);
    bool imagenet = model->classes == DP_ILSVRC2012_CLASSES;
    char source[160];
    snprintf(source, sizeof source, "%s%s%s", network->title, form, heads);
    model->source = dp_strdup(model->allocator, source);
    if (!model->source)
        return dp_fail_memory(error, "the source of a model");
    if (imagenet || network->recipe_for_tuned) {
        model->has_preprocess = true;
        dp_recipe_apply(&model->preprocess, recipe, network->image_size, 3);
        model->preprocess.side = recipe->side;
    }
    return imagenet ? dp_labels_ilsvrc2012(&model->labels, model->allocator, error) : DEEPER_OK;
}

deeper_status dp_published_open(dp_model **model, const dp_published *network, const char *form,
                                dp_tensor *tensors, size_t count, bool in_place, const char *name,
                                const deeper_allocator *allocator, deeper_error *error) {
    const char *heads;
    DP_TRY(create(model, network, tensors, &count, &heads, allocator, error));
    DP_TRY(dp_model_fill(*model, tensors, count, in_place, name, error));
    return set_published(*model, network, form, heads, error);
}
