/* caffe_zoo.h - published weights out of a caffemodel. The format names layers and holds their
 * blobs; it says nothing of what a layer does, of preprocessing or of labels. So a file is
 * recognised by its layers, and what was published with the weights is set. */
#ifndef DP_FORMATS_CAFFE_ZOO_H
#define DP_FORMATS_CAFFE_ZOO_H

#include "formats/caffe/caffemodel.h"

/* The network of a parsed file as a model: GoogLeNet, AlexNet, CaffeNet, Network in Network,
 * VGG-16, as dp_published_open has it; the file's list of tensors is used up. The input's channels
 * stay B, G, R. Nothing points into the file. Errors: those of dp_model_fill; UNSUPPORTED (layers
 * of no network that is known); *model may then be half made, for the caller to free. */
deeper_status dp_caffe_zoo_open(dp_model **model, dp_caffemodel *file, const char *name,
                                deeper_error *error);

#endif
