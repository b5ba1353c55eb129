/* bvlc_googlenet.c - from the layers of a caffemodel to the model that BVLC published, and what is known of it besides its weights.
 * Weights stay in Caffe's order: K x C x R x S, input channels B, G, R. */
#include "formats/bvlc_googlenet.h"

#include "formats/caffemodel.h"
#include "formats/fill.h"
#include "formats/ilsvrc2012.h"
#include "formats/labels.h"
#include "formats/recipes.h"

#include <stdio.h>
#include <string.h>

enum { IMAGE_SIZE = 224 };

typedef enum heads { HEADS_NONE, HEADS_WHOLE, HEADS_PARTLY } heads;

static bool of_auxiliary_head(const dp_tensor *tensor) {
    return strncmp(tensor->name, "loss1/", 6) == 0 || strncmp(tensor->name, "loss2/", 6) == 0;
}

static bool has_auxiliary(const dp_caffemodel *file) {
    for (size_t i = 0; i < file->count; i++)
        if (of_auxiliary_head(&file->tensors[i]))
            return true;
    return false;
}

static void drop_auxiliary(dp_caffemodel *file) {
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++)
        if (!of_auxiliary_head(&file->tensors[i]))
            file->tensors[kept++] = file->tensors[i];
    file->count = kept;
}

/* Whether the file has every parameter of the graph's auxiliary heads, in its shape. */
static bool auxiliary_whole(const dp_caffemodel *file, const dp_graph *graph) {
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].parameter < 0 || graph->nodes[i].head == DP_HEAD_MAIN)
            continue;
        bool found = false;
        for (size_t j = 0; j < file->count && !found; j++)
            found = strcmp(file->tensors[j].name, graph->nodes[i].name) == 0 && dp_parameter_fits(graph, i, &file->tensors[j]);
        if (!found)
            return false;
    }
    return true;
}

/* The variant of the network that the file can fill. */
static deeper_status create_network(dp_model **model, dp_caffemodel *file, heads *found, deeper_error *error) {
    *found = HEADS_NONE;
    if (has_auxiliary(file)) {
        DP_TRY(dp_model_create(model, "googlenet:aux=1", DP_ILSVRC2012_CLASSES, IMAGE_SIZE, file->allocator, error));
        *found = HEADS_WHOLE;
        if (auxiliary_whole(file, (*model)->graph))
            return DEEPER_OK;
        *found = HEADS_PARTLY;
        drop_auxiliary(file);
        dp_model_free(*model);
        *model = NULL;
    }
    return dp_model_create(model, "googlenet", DP_ILSVRC2012_CLASSES, IMAGE_SIZE, file->allocator, error);
}

/* What BVLC published with the weights: pictures squashed to 256x256, channel means of ILSVRC-2012, its labels. */
static deeper_status set_published(dp_model *model, bool v1, heads found, deeper_error *error) {
    static const char *const heads_texts[] = {
        [HEADS_NONE] = "without auxiliary heads",
        [HEADS_WHOLE] = "with both auxiliary heads",
        [HEADS_PARTLY] = "auxiliary heads left out, for they are not whole",
    };
    char source[128];
    snprintf(source, sizeof source, "BVLC GoogLeNet, caffemodel (%s), %s", v1 ? "V1 layers" : "layer form", heads_texts[found]);
    model->has_preprocess = true;
    dp_recipe_apply(&model->preprocess, dp_recipe_find("bvlc"), IMAGE_SIZE, 3);
    model->source = dp_strdup(model->allocator, source);
    if (!model->source)
        return dp_fail_memory(error, "the source of a model");
    return dp_labels_ilsvrc2012(&model->labels, model->allocator, error);
}

static deeper_status open_parsed(dp_model **model, dp_caffemodel *file, const char *name, deeper_error *error) {
    heads found;
    DP_TRY(create_network(model, file, &found, error));
    DP_TRY(dp_model_fill(*model, file->tensors, file->count, false, name, error));
    return set_published(*model, file->v1, found, error);
}

deeper_status dp_bvlc_googlenet_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                     const deeper_allocator *allocator, deeper_error *error) {
    dp_caffemodel file;
    *model = NULL;
    DP_TRY(dp_caffemodel_parse(&file, bytes, size, name, allocator, error));
    deeper_status status = open_parsed(model, &file, name, error);
    dp_caffemodel_free(&file);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}
