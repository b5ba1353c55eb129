/* caffemodel.h - Caffe's binary model format, in its older form (V1 `layers`) and its newer (`layer`): named layers and their
 * blobs. What of a file is read is in caffemodel.proto. It knows nothing of networks (caffe_zoo.c does). */
#ifndef DP_FORMATS_CAFFEMODEL_H
#define DP_FORMATS_CAFFEMODEL_H

#include "formats/tensor.h"

typedef struct dp_caffemodel {
    const deeper_allocator *allocator;
    dp_tensor *tensors; /* LAYER.weight, LAYER.bias, LAYER.blob2, ... in the order of the file */
    size_t count;
    bool v1;     /* the older form */
    char *names; /* the block that holds the tensors' names */
    void *message;
} dp_caffemodel;

/* Whether the bytes begin as such a file does; it may still be damaged, or something else. */
bool dp_caffemodel_sniff(const unsigned char *bytes, size_t size);

/* Reads the layers of a file in memory; the tensors are copies. Ones at the front of a shape (1x1xNxM of the older form) are
 * dropped. protobuf-c takes at most 4 x size + 16 MB, with malloc. Errors: FORMAT, LIMIT, MEMORY; *file is then empty. */
deeper_status dp_caffemodel_parse(dp_caffemodel *file, const void *bytes, size_t size, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error);

/* The place of a layer, with or without blobs, in the order of the file; SIZE_MAX: there is none of that name. */
size_t dp_caffemodel_layer(const dp_caffemodel *file, const char *name);

void dp_caffemodel_free(dp_caffemodel *file);

#endif
