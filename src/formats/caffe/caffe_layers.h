/* caffe_layers.h - a network as Caffe's layers, with its weights: the message that a caffemodel and
 * its deploy prototxt are written from (caffemodel_write.c). What Caffe cannot say is refused by
 * the layer's name. */
#ifndef DP_FORMATS_CAFFE_LAYERS_H
#define DP_FORMATS_CAFFE_LAYERS_H

#include "caffemodel.pb-c.h"
#include "model/model.h"

/* One layer with room for all that it points to. Texts and weights are the model's. */
typedef struct dp_caffe_layer dp_caffe_layer;

typedef struct dp_caffe_net {
    const deeper_allocator *allocator;
    dp_caffe_layer *rooms;
    Caffe__LayerParameter **layers; /* in order of computation */
    int *nodes;                     /* the node that each belongs to */
    size_t count;
    char **bottoms;      /* the lists of all layers' inputs */
    bool heads_left_out; /* Caffe cannot compute the auxiliary heads: none of them is there */
} dp_caffe_net;

/* Layers of every node, auxiliary heads included where Caffe can compute all of them; the model
 * must have values and outlive *net. Each layer's output bears its node's name. What Caffe does
 * otherwise is said with more layers where that gives the same numbers: pools that round down and
 * windows that Caffe would have more of are cut with Slice. `path` stands for the file in messages.
 * Errors: UNSUPPORTED (a layer that Caffe cannot compute, named), MEMORY; *net is then empty. */
deeper_status dp_caffe_net_make(dp_caffe_net *net, const dp_model *model, const char *path,
                                deeper_error *error);
void dp_caffe_net_free(dp_caffe_net *net);

#endif
