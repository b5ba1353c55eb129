/* caffemodel.h - the published GoogLeNet weights: Caffe's binary model format, in its older form (V1 `layers`) and its newer
 * (`layer`). What of a file is read is in caffemodel.proto. The format says nothing of preprocessing or labels; those of BVLC
 * GoogLeNet are known and set. The weights of other networks are refused by the difference in names and shapes. */
#ifndef DP_FORMATS_CAFFEMODEL_H
#define DP_FORMATS_CAFFEMODEL_H

#include "formats/model.h"
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
void dp_caffemodel_free(dp_caffemodel *file);

/* The BVLC GoogLeNet of a file in memory as a model: with its auxiliary heads where the file has them whole, else without (the
 * model's source says which). The input's channels stay B, G, R. Nothing points into bytes. Errors: those above and of
 * dp_model_fill. */
deeper_status dp_caffemodel_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error);

#endif
