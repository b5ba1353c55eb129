/* caffe_zoo.c - from the layers of a caffemodel to the network that they are of, and what was
 * published with its weights. A row of the table is a network. Weights stay in Caffe's order: K x C
 * x R x S, rows of C x H x W, input channels B, G, R. */
#include "formats/caffe/caffe_zoo.h"

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
      "cccp8-1024.weight",
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
    const char *form = file->v1 ? ", caffemodel (V1 layers)" : ", caffemodel (layer form)";
    return dp_published_open(model, network, form, file->tensors, file->count, false, name,
                             file->allocator, error);
}
