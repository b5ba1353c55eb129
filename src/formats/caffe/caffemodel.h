/* caffemodel.h - Caffe's binary model format, in its older form (V1 `layers`) and its newer
 * (`layer`): named layers and their blobs (caffemodel.c, which knows nothing of networks), a model
 * from it (caffemodel_open.c), a model written in it (caffemodel_write.c). What of a file is read
 * is in caffemodel.proto. */
#ifndef DP_FORMATS_CAFFEMODEL_H
#define DP_FORMATS_CAFFEMODEL_H

#include "formats/formats.h"
#include "model/model.h"
#include "model/tensor.h"

/* The batch norm of node NAME is two layers: NAME with this ending holds mean, variance and a
 * factor, NAME scales and shifts. */
#define DP_CAFFE_STATISTICS "/statistics"

typedef struct dp_caffemodel {
    const deeper_allocator *allocator;
    dp_tensor *tensors; /* LAYER.weight, LAYER.bias, LAYER.blob2, ... in the order of the file */
    size_t count;
    bool v1;        /* the older form */
    dp_text *texts; /* what deeper wrote beside the layers (description.h), clean UTF-8; live with
                       the message */
    size_t text_count;
    char *names; /* the block that holds the tensors' names */
    void *message;
} dp_caffemodel;

/* Whether the bytes begin as such a file does; it may still be damaged, or something else. */
bool dp_caffemodel_sniff(const unsigned char *bytes, size_t size);

/* Reads the layers of a file in memory; the tensors are copies. Ones at the front of a shape
 * (1x1xNxM of the older form) are dropped. protobuf-c takes at most 4 x size + 16 MB, with malloc.
 * Errors: FORMAT, LIMIT, MEMORY; *file is then empty. */
deeper_status dp_caffemodel_parse(dp_caffemodel *file, const void *bytes, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error);

/* The place of a layer, with or without blobs, in the order of the file; SIZE_MAX: there is none of
 * that name. */
size_t dp_caffemodel_layer(const dp_caffemodel *file, const char *name);

void dp_caffemodel_free(dp_caffemodel *file);

/* The model of a file in memory: the one that deeper wrote, or one of caffe_zoo.h's. Nothing points
 * into bytes. Errors: those of dp_caffemodel_parse, dp_model_describe, dp_model_fill. */
deeper_status dp_caffemodel_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error);

/* Writes PATH and, with the ending .prototxt, the deploy form beside it: layers of the newer form,
 * blobs with full shapes; without auxiliary heads where Caffe cannot compute them (pools of uneven
 * windows, on small pictures). Errors: UNSUPPORTED (a layer that Caffe cannot compute, named),
 * LIMIT (2 GB), MEMORY, IO. */
deeper_status dp_caffemodel_write(const dp_model *model, const char *path,
                                  const dp_save_options *options, deeper_error *error);

#endif
