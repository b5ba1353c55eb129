/* caffemodel.c - Caffe's layers to tensors. protobuf-c reads the message; here are the checks of
 * what it found. */
#include "formats/caffe/caffemodel.h"

#include "base/text.h"
#include "caffemodel.pb-c.h"
#include "formats/protobuf_heap.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_BLOBS = 8, /* of a layer; Caffe's have up to 3 */
    MAX_NAME = 320,
    MAX_TEXTS = 64 /* of deeper's; it writes up to 9 */
};

/* -------------------------------------------------------------------------------------- parsing */

bool dp_caffemodel_sniff(const unsigned char *bytes, size_t size) {
    /* The first field: name, a V1 layer, an input, or a layer. */
    return size >= 2
           && (bytes[0] == 0x0A || bytes[0] == 0x12 || bytes[0] == 0x1A
               || (bytes[0] == 0xA2 && bytes[1] == 0x06));
}

/* Both forms of a layer, as far as they matter. */
typedef struct layer {
    const char *name;
    size_t count;
    Caffe__BlobProto **blobs;
} layer;

static size_t layer_count(const Caffe__NetParameter *net) {
    return net->n_layers + net->n_layer;
}

static layer layer_at(const Caffe__NetParameter *net, size_t index) {
    layer result;
    if (index < net->n_layers) {
        const Caffe__V1LayerParameter *v1 = net->layers[index];
        result = (layer){ v1->name, v1->n_blobs, v1->blobs };
    } else {
        const Caffe__LayerParameter *now = net->layer[index - net->n_layers];
        result = (layer){ now->name, now->n_blobs, now->blobs };
    }
    if (!result.name)
        result.name = "";
    return result;
}

static deeper_status fail_blob(const layer *from, size_t index, const char *what, const char *name,
                               deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: layer %.100s: blob %zu %s", name, from->name,
                   index, what);
}

/* Shape of a blob: the newer list or the older four numbers, without the ones at its front. False:
 * a size below 0, or too many. */
static bool blob_shape(const Caffe__BlobProto *blob, dp_tensor *tensor) {
    const int64_t older[] = { blob->num, blob->channels, blob->height, blob->width };
    const int64_t *sizes = blob->shape ? blob->shape->dim : older;
    size_t rank = blob->shape ? blob->shape->n_dim : 4;
    for (; rank > 1 && sizes[0] == 1; rank--)
        sizes++;
    if (rank > DP_TENSOR_RANK)
        return false;
    tensor->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        if (sizes[i] < 0 || (uint64_t)sizes[i] > SIZE_MAX)
            return false;
        tensor->shape[i] = (size_t)sizes[i];
    }
    return true;
}

static deeper_status blob_tensor(const layer *from, size_t index, dp_tensor *tensor,
                                 const char *name, deeper_error *error) {
    const Caffe__BlobProto *blob = from->blobs[index];
    size_t elements = 0;
    if (!blob_shape(blob, tensor) || !dp_tensor_elements(tensor, &elements))
        return fail_blob(from, index, "has a shape that cannot be", name, error);
    bool wide = blob->n_data == 0 && blob->n_double_data > 0;
    size_t count = wide ? blob->n_double_data : blob->n_data;
    tensor->dtype = wide ? DP_DTYPE_F64 : DP_DTYPE_F32;
    tensor->data = wide ? (const void *)blob->double_data : (const void *)blob->data;
    tensor->bytes = count * dp_dtype_bytes(tensor->dtype);
    if (count == elements)
        return DEEPER_OK;
    char what[DP_TENSOR_SHAPE_TEXT + 64], shape[DP_TENSOR_SHAPE_TEXT];
    snprintf(what, sizeof what, "has %zu values for a shape of %s", count,
             dp_tensor_shape_text(tensor, shape));
    return fail_blob(from, index, what, name, error);
}

/* "conv1/7x7_s2.weight" into the block of names; returns its bytes with the zero at its end. to
 * NULL: only counts. */
static size_t blob_name(char *to, size_t room, const char *layer_name, size_t index) {
    static const char *const suffixes[] = { "weight", "bias" };
    int length = index < 2 ? snprintf(to, room, "%s.%s", layer_name, suffixes[index])
                           : snprintf(to, room, "%s.blob%zu", layer_name, index);
    return (size_t)length + 1;
}

static deeper_status count_blobs(const Caffe__NetParameter *net, size_t *tensors, size_t *bytes,
                                 const char *name, deeper_error *error) {
    for (size_t i = 0; i < layer_count(net); i++) {
        layer from = layer_at(net, i);
        if (from.count > MAX_BLOBS || strlen(from.name) > MAX_NAME)
            return dp_fail(
                error, DEEPER_ERROR_LIMIT,
                "%s: layer %.100s has %zu blobs and a name of %zu bytes; %d and %d are read", name,
                from.name, from.count, strlen(from.name), MAX_BLOBS, MAX_NAME);
        for (size_t j = 0; j < from.count; j++)
            *bytes += blob_name(NULL, 0, from.name, j);
        *tensors += from.count;
    }
    if (*tensors == 0)
        return dp_fail(
            error, DEEPER_ERROR_FORMAT,
            "%s: no layer with weights in it; not a caffemodel, or one of the net's shape alone",
            name);
    return DEEPER_OK;
}

static deeper_status collect(dp_caffemodel *file, const char *name, deeper_error *error) {
    const Caffe__NetParameter *net = file->message;
    size_t tensors = 0, bytes = 0;
    DP_TRY(count_blobs(net, &tensors, &bytes, name, error));
    file->v1 = net->n_layers > 0;
    file->tensors = dp_alloc(file->allocator, tensors, sizeof *file->tensors);
    file->names = dp_alloc(file->allocator, bytes, 1);
    if (!file->tensors || !file->names)
        return dp_fail_memory(error, "the layers of a caffemodel");
    char *next = file->names;
    for (size_t i = 0; i < layer_count(net); i++) {
        layer from = layer_at(net, i);
        for (size_t j = 0; j < from.count; j++) {
            dp_tensor *tensor = &file->tensors[file->count++];
            tensor->name = next;
            next += blob_name(next, bytes - (size_t)(next - file->names), from.name, j);
            DP_TRY(blob_tensor(&from, j, tensor, name, error));
        }
    }
    return DEEPER_OK;
}

/* The texts that deeper wrote. */
static deeper_status collect_texts(dp_caffemodel *file, const char *name, deeper_error *error) {
    const Caffe__NetParameter *net = file->message;
    if (net->n_deeper == 0)
        return DEEPER_OK;
    if (net->n_deeper > MAX_TEXTS)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: %zu texts of deeper; %d are read", name,
                       net->n_deeper, MAX_TEXTS);
    file->texts = dp_alloc(file->allocator, net->n_deeper, sizeof *file->texts);
    if (!file->texts)
        return dp_fail_memory(error, "the texts of a caffemodel");
    for (size_t i = 0; i < net->n_deeper; i++) {
        const char *key = net->deeper[i]->key, *text = net->deeper[i]->text;
        if (!key || !text || !dp_text_clean(key, strlen(key), false)
            || !dp_text_clean(text, strlen(text), true))
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: text %zu of deeper is not clean UTF-8",
                           name, i);
        file->texts[file->text_count++] = (dp_text){ key, text };
    }
    return DEEPER_OK;
}

deeper_status dp_caffemodel_parse(dp_caffemodel *file, const void *bytes, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error) {
    *file = (dp_caffemodel){ .allocator = allocator };
    ProtobufCMessage *message = NULL;
    deeper_status status = dp_protobuf_unpack(&message, &caffe__net_parameter__descriptor, bytes,
                                              size, name, "caffemodel", error);
    file->message = message;
    if (status == DEEPER_OK)
        status = collect(file, name, error);
    if (status == DEEPER_OK)
        status = collect_texts(file, name, error);
    if (status != DEEPER_OK)
        dp_caffemodel_free(file);
    return status;
}

size_t dp_caffemodel_layer(const dp_caffemodel *file, const char *name) {
    for (size_t i = 0; i < layer_count(file->message); i++)
        if (strcmp(layer_at(file->message, i).name, name) == 0)
            return i;
    return SIZE_MAX;
}

void dp_caffemodel_free(dp_caffemodel *file) {
    dp_protobuf_free(file->message);
    dp_free(file->allocator, file->tensors);
    dp_free(file->allocator, file->names);
    dp_free(file->allocator, file->texts);
    *file = (dp_caffemodel){ .allocator = file->allocator };
}
