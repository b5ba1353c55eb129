/* caffe_zoo.c - from the layers of a caffemodel to the network that they are of, and what was published with its weights. A row of
 * the table is a network. Weights stay in Caffe's order: K x C x R x S, rows of C x H x W, input channels B, G, R. */
#include "formats/caffe/caffe_zoo.h"

#include "formats/fill.h"
#include "formats/ilsvrc2012.h"
#include "formats/labels.h"
#include "formats/recipes.h"

#include <stdio.h>
#include <string.h>

/* A network and how a file of it is known: by a layer that no other row before it has, or by the order of two layers, which the
 * order of the file keeps. */
typedef struct published {
    const char *title, *spec, *heads_spec; /* heads_spec NULL: it has no auxiliary heads */
    const char *mark;                      /* a tensor that the file must have */
    const char *earlier, *later;           /* two layers that it must have in this order; NULL: any */
    const char *classifier;                /* the tensor whose rows are the classes */
    int image_size;
    const char *recipe; /* formats/recipes.h */
} published;

static const published networks[] = {
    { "BVLC GoogLeNet", "googlenet", "googlenet:aux=1", "conv1/7x7_s2.weight", NULL, NULL, "loss3/classifier.weight", 224, "bvlc" },
    { "VGG-16 (VGG_ILSVRC_16_layers)", "vgg16", NULL, "conv5_3.weight", NULL, NULL, "fc8.weight", 224, "vgg" },
    { "Network in Network (nin_imagenet)", "nin", NULL, "cccp8-1024.weight", NULL, NULL, "cccp8-1024.weight", 224, "bvlc" },
    { "BVLC CaffeNet", "alexnet:form=caffenet", NULL, "conv5.weight", "pool1", "norm1", "fc8.weight", 227, "bvlc" },
    { "BVLC AlexNet", "alexnet", NULL, "conv5.weight", NULL, NULL, "fc8.weight", 227, "bvlc" },
};

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

static const dp_tensor *find_tensor(const dp_caffemodel *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

static bool is_of(const dp_caffemodel *file, const published *network) {
    if (!find_tensor(file, network->mark))
        return false;
    if (!network->earlier)
        return true;
    size_t earlier = dp_caffemodel_layer(file, network->earlier), later = dp_caffemodel_layer(file, network->later);
    return earlier < later && later < SIZE_MAX;
}

static const published *recognise(const dp_caffemodel *file, const char *name, deeper_error *error) {
    char known[256] = "", shape[DP_TENSOR_SHAPE_TEXT];
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (is_of(file, &networks[i]))
            return &networks[i];
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", networks[i].title);
    }
    dp_fail(error, DEEPER_ERROR_UNSUPPORTED, "%s: the weights of no network that is known (%s); %zu tensors, the first %.80s %.60s",
            name, known, file->count, file->tensors[0].name, dp_tensor_shape_text(&file->tensors[0], shape));
    return NULL;
}

/* As many as the classifier has rows. */
static int classes_of(const dp_caffemodel *file, const published *network) {
    const dp_tensor *classifier = find_tensor(file, network->classifier);
    if (!classifier || classifier->shape[0] < 1 || classifier->shape[0] > INT32_MAX)
        return DP_ILSVRC2012_CLASSES; /* filling will say what is wrong */
    return (int)classifier->shape[0];
}

/* The variant of the network that the file can fill. */
static deeper_status create_network(dp_model **model, dp_caffemodel *file, const published *network, heads *found,
                                    deeper_error *error) {
    int classes = classes_of(file, network), size = network->image_size;
    *found = HEADS_NONE;
    if (network->heads_spec && has_auxiliary(file)) {
        DP_TRY(dp_model_create(model, network->heads_spec, classes, size, file->allocator, error));
        *found = HEADS_WHOLE;
        if (dp_heads_fit((*model)->graph, file->tensors, file->count))
            return DEEPER_OK;
        *found = HEADS_PARTLY;
        drop_auxiliary(file);
        dp_model_free(*model);
        *model = NULL;
    }
    return dp_model_create(model, network->spec, classes, size, file->allocator, error);
}

/* What was published with the weights: the preprocessing, and where there are its thousand classes, the labels of ILSVRC-2012. The
 * crop is cut from pictures of the recipe's own size, whatever the crop's. */
static deeper_status set_published(dp_model *model, const published *network, bool v1, heads found, deeper_error *error) {
    static const char *const heads_texts[] = {
        [HEADS_NONE] = ", without auxiliary heads",
        [HEADS_WHOLE] = ", with both auxiliary heads",
        [HEADS_PARTLY] = ", auxiliary heads left out, for they are not whole",
    };
    const dp_recipe *recipe = dp_recipe_find(network->recipe);
    char source[160];
    snprintf(source, sizeof source, "%s, caffemodel (%s)%s", network->title, v1 ? "V1 layers" : "layer form",
             network->heads_spec ? heads_texts[found] : "");
    model->has_preprocess = true;
    dp_recipe_apply(&model->preprocess, recipe, network->image_size, 3);
    model->preprocess.side = recipe->side;
    model->source = dp_strdup(model->allocator, source);
    if (!model->source)
        return dp_fail_memory(error, "the source of a model");
    return model->classes == DP_ILSVRC2012_CLASSES ? dp_labels_ilsvrc2012(&model->labels, model->allocator, error) : DEEPER_OK;
}

deeper_status dp_caffe_zoo_open(dp_model **model, dp_caffemodel *file, const char *name, deeper_error *error) {
    heads found;
    const published *network = recognise(file, name, error);
    if (!network)
        return DEEPER_ERROR_UNSUPPORTED;
    DP_TRY(create_network(model, file, network, &found, error));
    DP_TRY(dp_model_fill(*model, file->tensors, file->count, false, name, error));
    return set_published(*model, network, file->v1, found, error);
}
