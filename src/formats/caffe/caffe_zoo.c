/* caffe_zoo.c - from the layers of a caffemodel to the network that they are of, and what was
 * published with its weights. A row of the table is a network. Whoever fine-tunes in Caffe has to
 * give the last layers other names, for others of the same name would be loaded into them: a layer
 * of no known name is then a classifier, told by the layer before it in the file. Weights stay in
 * Caffe's order: K x C x R x S, rows of C x H x W, input channels B, G, R. */
#include "formats/caffe/caffe_zoo.h"

#include "model/labels.h"
#include "model/published.h"

#include <stdio.h>
#include <string.h>

/* A network and how a file of it is known: by a layer that no other row before it has, or by the
 * order of two layers, which the order of the file keeps. */
typedef struct known {
    dp_published network;
    const char *mark;            /* a tensor that the file must have */
    const char *earlier, *later; /* two layers that it must have in this order; NULL: any */
} known;

static const known networks[] = {
    { { "BVLC GoogLeNet", "googlenet", "googlenet:aux=1", "loss3/classifier.weight", 224, "bvlc",
        true },
      "conv1/7x7_s2.weight",
      NULL,
      NULL },
    { { "VGG-16 (VGG_ILSVRC_16_layers)", "vgg16", NULL, "fc8.weight", 224, "vgg", true },
      "conv5_3.weight",
      NULL,
      NULL },
    { { "Network in Network (nin_imagenet)", "nin", NULL, "cccp8-1024.weight", 224, "bvlc", true },
      "cccp7-1024.weight",
      NULL,
      NULL },
    { { "BVLC CaffeNet", "alexnet:form=caffenet", NULL, "fc8.weight", 227, "bvlc", true },
      "conv5.weight",
      "pool1",
      "norm1" },
    { { "BVLC AlexNet", "alexnet", NULL, "fc8.weight", 227, "bvlc", true },
      "conv5.weight",
      NULL,
      NULL },
};

static bool is_of(const dp_caffemodel *file, const known *network) {
    if (!dp_published_find(file->tensors, file->count, 0, network->mark))
        return false;
    if (!network->earlier)
        return true;
    size_t earlier = dp_caffemodel_layer(file, network->earlier),
           later = dp_caffemodel_layer(file, network->later);
    return earlier < later && later < SIZE_MAX;
}

/* Classifiers by the layer before them; the first row that fits holds. */
static const struct {
    const char *before; /* NULL: any */
    const char *weight, *bias;
} classifiers[] = {
    { "loss1/fc.weight", "loss1/classifier.weight", "loss1/classifier.bias" },
    { "loss2/fc.weight", "loss2/classifier.weight", "loss2/classifier.bias" },
    { NULL, "loss3/classifier.weight", "loss3/classifier.bias" },
    { NULL, "fc8.weight", "fc8.bias" },
    { NULL, "cccp8-1024.weight", "cccp8-1024.bias" },
};

/* The row of a layer of no known name after the weights called `before` in a network whose
 * parameters `graph` has; -1: the network has no such classifier, or the file has it. */
static int classifier_after(const dp_caffemodel *file, const dp_graph *graph, const char *before) {
    for (size_t i = 0; i < sizeof classifiers / sizeof *classifiers; i++)
        if ((!classifiers[i].before || (before && strcmp(classifiers[i].before, before) == 0))
            && dp_graph_find(graph, classifiers[i].weight) >= 0)
            return dp_published_find(file->tensors, file->count, 0, classifiers[i].weight) ? -1
                                                                                           : (int)i;
    return -1;
}

/* Gives classifiers of other names their own back. other: the name that the last one had, "" its
 * own. */
static deeper_status restore_classifiers(dp_caffemodel *file, const dp_published *network,
                                         char other[96], deeper_error *error) {
    dp_model *like = NULL;
    const char *before = NULL;
    other[0] = '\0';
    DP_TRY(dp_model_create(&like, network->heads_spec ? network->heads_spec : network->spec, 2,
                           network->image_size, file->allocator, error));
    for (size_t i = 0; i < file->count; i++) {
        dp_tensor *weight = &file->tensors[i], *bias = weight + 1;
        size_t length = strlen(weight->name), tail = strlen(".weight");
        if (length < tail || strcmp(weight->name + length - tail, ".weight") != 0)
            continue;
        int row = dp_graph_find(like->graph, weight->name) >= 0
                      ? -1
                      : classifier_after(file, like->graph, before);
        before = weight->name;
        if (row < 0 || i + 1 == file->count
            || strncmp(weight->name, bias->name, length - tail) != 0)
            continue;
        if (strcmp(classifiers[row].weight, network->classifier) == 0)
            snprintf(other, 96, "%.*s", (int)(length - tail < 95 ? length - tail : 95),
                     weight->name);
        weight->name = classifiers[row].weight;
        bias->name = classifiers[row].bias;
    }
    dp_model_free(like);
    return DEEPER_OK;
}

static const dp_published *recognise(const dp_caffemodel *file, const char *name,
                                     deeper_error *error) {
    char titles[256] = "", shape[DP_TENSOR_SHAPE_TEXT];
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (is_of(file, &networks[i]))
            return &networks[i].network;
        size_t used = strlen(titles);
        snprintf(titles + used, sizeof titles - used, "%s%s", used ? ", " : "",
                 networks[i].network.title);
    }
    dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
            "%s: the weights of no network that is known (%s); %zu tensors, the first %.80s %.60s",
            name, titles, file->count, file->tensors[0].name,
            dp_tensor_shape_text(&file->tensors[0], shape));
    return NULL;
}

deeper_status dp_caffe_zoo_open(dp_model **model, dp_caffemodel *file, const char *name,
                                deeper_error *error) {
    const dp_published *network = recognise(file, name, error);
    if (!network)
        return DEEPER_ERROR_UNSUPPORTED;
    char form[200], other[96];
    DP_TRY(restore_classifiers(file, network, other, error));
    snprintf(form, sizeof form, ", caffemodel (%s)%s%s", file->v1 ? "V1 layers" : "layer form",
             other[0] ? ", last layer " : "", other);
    DP_TRY(dp_published_open(model, network, form, file->tensors, file->count, false, name,
                             file->allocator, error));
    if (other[0]) /* its classes are others, though there may be a thousand of them */
        dp_labels_free(&(*model)->labels, file->allocator);
    return DEEPER_OK;
}
