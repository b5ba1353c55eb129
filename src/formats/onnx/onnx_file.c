/* onnx_file.c - the message and its tensors. Names of external files are checked before anything is
 * opened: a model may not point out of its own folder. */
#include "formats/onnx/onnx_file.h"

#include "base/files.h"
#include "base/number.h"
#include "formats/formats.h"
#include "formats/protobuf_heap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RAW = 0, EXTERNAL = 1, MAX_BESIDE = 64, MAX_LOCATION = 255 };

bool dp_onnx_sniff(const unsigned char *bytes, size_t size) {
    /* The first field: the version, the graph or an operator set. Writers begin with the
     * version. */
    return size >= 2 && (bytes[0] == 0x08 || bytes[0] == 0x3A || bytes[0] == 0x42);
}

void *dp_onnx_keep(dp_onnx_file *file, size_t count, size_t size) {
    void *kept = file->kept;
    bool room = dp_reserve(file->allocator, &kept, &file->kept_capacity, file->kept_count + 1,
                           sizeof *file->kept);
    file->kept = kept;
    void *memory = room ? dp_alloc(file->allocator, count, size) : NULL;
    if (memory)
        file->kept[file->kept_count++] = memory;
    return memory;
}

void dp_onnx_free(dp_onnx_file *file) {
    dp_protobuf_free((ProtobufCMessage *)file->model);
    for (size_t i = 0; i < file->beside_count; i++) {
        dp_free(file->allocator, file->beside[i].bytes);
        dp_free(file->allocator, file->beside[i].name);
    }
    for (size_t i = 0; i < file->kept_count; i++)
        dp_free(file->allocator, file->kept[i]);
    dp_free(file->allocator, file->beside);
    dp_free(file->allocator, file->kept);
    *file = (dp_onnx_file){ .allocator = file->allocator };
}

/* -------------------------------------------------------------------------------------- message */

static deeper_status find_opset(dp_onnx_file *file, deeper_error *error) {
    int64_t version = 0;
    for (size_t i = 0; i < file->model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = file->model->opset_import[i];
        if (!set->domain || !*set->domain || strcmp(set->domain, "ai.onnx") == 0)
            version = set->version;
    }
    if (version < DP_ONNX_OLDEST || version > DP_ONNX_NEWEST)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: its operators are of set %lld; sets %d to %d are read: export it again "
                       "with one of these",
                       file->name, (long long)version, DP_ONNX_OLDEST, DP_ONNX_NEWEST);
    file->opset = (int)version;
    return DEEPER_OK;
}

deeper_status dp_onnx_parse(dp_onnx_file *file, const void *bytes, size_t size, const char *name,
                            const char *folder, const deeper_allocator *allocator,
                            deeper_error *error) {
    *file = (dp_onnx_file){ .allocator = allocator, .name = name, .folder = folder };
    ProtobufCMessage *message = NULL;
    deeper_status status = dp_protobuf_unpack(&message, &onnx__model_proto__descriptor, bytes, size,
                                              name, "ONNX model", error);
    file->model = (Onnx__ModelProto *)message;
    if (status == DEEPER_OK && (!file->model->graph || file->model->graph->n_node == 0))
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: no graph with nodes in it, so not an ONNX model", name);
    if (status == DEEPER_OK)
        status = find_opset(file, error);
    if (status == DEEPER_OK)
        file->graph = file->model->graph;
    else
        dp_onnx_free(file);
    return status;
}

/* -------------------------------------------------------------------------------- external data */

static const char *text_of(const Onnx__TensorProto *proto, const char *key) {
    for (size_t i = 0; i < proto->n_external_data; i++)
        if (proto->external_data[i]->key && strcmp(proto->external_data[i]->key, key) == 0)
            return proto->external_data[i]->value ? proto->external_data[i]->value : "";
    return NULL;
}

/* A relative path without "..", an empty part or a backslash: it cannot leave the folder but
 * through a link, which is asked for. */
static bool stays_inside(const char *location) {
    size_t length = strlen(location);
    if (length == 0 || length > MAX_LOCATION || strchr(location, '\\'))
        return false;
    for (const char *part = location;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 2 && memcmp(part, "..", 2) == 0))
            return false;
        part += size;
        if (!*part)
            return true;
    }
}

/* Whether no part of the path below the folder is a symbolic link. path: FOLDER/LOCATION, which is
 * put back as it was. */
static bool without_links(char *path, size_t folder) {
    for (char *at = path + folder + 1;; at++) {
        struct stat status;
        char *end = at + strcspn(at, "/"), kept = *end;
        *end = '\0';
        bool link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
        *end = kept;
        if (link)
            return false;
        if (!kept)
            return true;
        at = end;
    }
}

/* Reads the file at `path` as the next of those beside the model, of that name. */
static deeper_status read_beside(dp_onnx_file *file, const char *path, const char *name,
                                 deeper_error *error) {
    void *list = file->beside, *bytes = NULL;
    if (file->beside_count == MAX_BESIDE)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: external data in more than %d files",
                       file->name, MAX_BESIDE);
    bool room = dp_reserve(file->allocator, &list, &file->beside_capacity, file->beside_count + 1,
                           sizeof *file->beside);
    file->beside = list;
    char *copy = room ? dp_strdup(file->allocator, name) : NULL;
    if (!copy)
        return dp_fail_memory(error, "the list of external files");
    dp_onnx_beside *next = &file->beside[file->beside_count];
    deeper_status status =
        dp_file_read(&bytes, &next->size, path, DP_MODEL_BYTES, file->allocator, error);
    if (status != DEEPER_OK) {
        dp_free(file->allocator, copy);
        return status;
    }
    next->bytes = bytes;
    next->name = copy;
    file->beside_count++;
    return DEEPER_OK;
}

static deeper_status open_beside(dp_onnx_file *file, const char *location,
                                 const dp_onnx_beside **beside, deeper_error *error) {
    for (size_t i = 0; i < file->beside_count; i++)
        if (strcmp(file->beside[i].name, location) == 0) {
            *beside = &file->beside[i];
            return DEEPER_OK;
        }
    if (!file->folder)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: its values lie in another file, %.100s; open it by its path",
                       file->name, location);
    bool inside = stays_inside(location);
    char *path = inside ? dp_path_join(file->allocator, file->folder, location) : NULL;
    deeper_status status;
    if (inside && !path)
        status = dp_fail_memory(error, "a path");
    else if (!inside || !without_links(path, strlen(path) - strlen(location) - 1))
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: external data at %.100s: not a file in the model's own folder",
                         file->name, location);
    else
        status = read_beside(file, path, location, error);
    dp_free(file->allocator, path);
    if (status == DEEPER_OK)
        *beside = &file->beside[file->beside_count - 1];
    return status;
}

/* A whole number of bytes; `otherwise` where the key is missing. */
static bool read_bytes(const Onnx__TensorProto *proto, const char *key, size_t otherwise,
                       size_t *value) {
    const char *text = text_of(proto, key);
    double number = 0;
    *value = otherwise;
    if (!text)
        return true;
    if (!dp_number_parse(text, strlen(text), &number) || !(number >= 0 && number <= 0x1p52)
        || number != (double)(size_t)number)
        return false;
    *value = (size_t)number;
    return true;
}

static deeper_status take_external(dp_onnx_file *file, const Onnx__TensorProto *proto,
                                   dp_tensor *tensor, deeper_error *error) {
    const char *location = text_of(proto, "location");
    const dp_onnx_beside *beside = NULL;
    size_t offset, length;
    if (!location || !read_bytes(proto, "offset", 0, &offset)
        || !read_bytes(proto, "length", tensor->bytes, &length) || length != tensor->bytes)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: tensor %.100s: where its external data lies is not said soundly",
                       file->name, tensor->name);
    DP_TRY(open_beside(file, location, &beside, error));
    if (offset > beside->size || length > beside->size - offset)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: tensor %.100s: its external data runs past the end of %.100s",
                       file->name, tensor->name, location);
    tensor->data = beside->bytes + offset;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- tensors */

static const struct {
    int number;
    dp_dtype dtype;
    char field; /* where typed values lie: f float, i int32, l int64, d double, u uint64 */
} types[] = {
    { DP_ONNX_FLOAT, DP_DTYPE_F32, 'f' },     { DP_ONNX_UINT8, DP_DTYPE_U8, 'i' },
    { DP_ONNX_INT8, DP_DTYPE_I8, 'i' },       { DP_ONNX_UINT16, DP_DTYPE_U16, 'i' },
    { DP_ONNX_INT16, DP_DTYPE_I16, 'i' },     { DP_ONNX_INT32, DP_DTYPE_I32, 'i' },
    { DP_ONNX_INT64, DP_DTYPE_I64, 'l' },     { DP_ONNX_BOOL, DP_DTYPE_BOOL, 'i' },
    { DP_ONNX_FLOAT16, DP_DTYPE_F16, 'i' },   { DP_ONNX_DOUBLE, DP_DTYPE_F64, 'd' },
    { DP_ONNX_UINT32, DP_DTYPE_U32, 'u' },    { DP_ONNX_UINT64, DP_DTYPE_U64, 'u' },
    { DP_ONNX_BFLOAT16, DP_DTYPE_BF16, 'i' },
};

static int type_of(int number) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == number)
            return (int)i;
    return -1;
}

bool dp_onnx_dtype(dp_dtype *dtype, int number) {
    int type = type_of(number);
    if (type >= 0)
        *dtype = types[type].dtype;
    return type >= 0;
}

static deeper_status read_shape(const dp_onnx_file *file, const Onnx__TensorProto *proto,
                                dp_tensor *tensor, size_t *elements, deeper_error *error) {
    if (proto->n_dims > DP_TENSOR_RANK)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: tensor %.100s has %zu dimensions; %d are read", file->name,
                       tensor->name, proto->n_dims, DP_TENSOR_RANK);
    tensor->rank = (int)proto->n_dims;
    for (int i = 0; i < tensor->rank; i++) {
        if (proto->dims[i] < 0 || proto->dims[i] > INT_MAX)
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: tensor %.100s has a side of %lld",
                           file->name, tensor->name, (long long)proto->dims[i]);
        tensor->shape[i] = (size_t)proto->dims[i];
    }
    if (!dp_tensor_elements(tensor, elements)
        || !dp_size_mul(*elements, dp_dtype_bytes(tensor->dtype), &tensor->bytes))
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: tensor %.100s is larger than memory can hold", file->name,
                       tensor->name);
    return DEEPER_OK;
}

/* Elements of one or two bytes that the file holds one in 32 bits, in their own type. */
static deeper_status narrow(dp_onnx_file *file, const Onnx__TensorProto *proto, dp_tensor *tensor,
                            deeper_error *error) {
    size_t size = dp_dtype_bytes(tensor->dtype);
    unsigned char *elements = dp_onnx_keep(file, proto->n_int32_data, size);
    if (!elements)
        return dp_fail_memory(error, "the values of a tensor");
    for (size_t i = 0; i < proto->n_int32_data; i++) {
        uint32_t bits = (uint32_t)proto->int32_data[i];
        elements[i * size] = (unsigned char)bits;
        if (size == 2)
            elements[i * size + 1] = (unsigned char)(bits >> 8);
    }
    tensor->data = elements;
    return DEEPER_OK;
}

/* Values in the field of their type: *count of them. */
static deeper_status take_typed(dp_onnx_file *file, const Onnx__TensorProto *proto, char field,
                                dp_tensor *tensor, size_t *count, deeper_error *error) {
    switch (field) {
    case 'f':
        *count = proto->n_float_data;
        tensor->data = proto->float_data;
        return DEEPER_OK;
    case 'd':
        *count = proto->n_double_data;
        tensor->data = proto->double_data;
        return DEEPER_OK;
    case 'l':
        *count = proto->n_int64_data;
        tensor->data = proto->int64_data;
        return DEEPER_OK;
    case 'u':
        *count = proto->n_uint64_data;
        tensor->data = proto->uint64_data;
        tensor->dtype = DP_DTYPE_U64;
        return DEEPER_OK;
    default:
        *count = proto->n_int32_data;
        tensor->data = proto->int32_data;
        return dp_dtype_bytes(tensor->dtype) < sizeof(int32_t) ? narrow(file, proto, tensor, error)
                                                               : DEEPER_OK;
    }
}

deeper_status dp_onnx_tensor(dp_onnx_file *file, const Onnx__TensorProto *proto, dp_tensor *tensor,
                             deeper_error *error) {
    int type = type_of(proto->data_type);
    size_t elements = 0, count = 0;
    *tensor = (dp_tensor){ .name = proto->name ? proto->name : "" };
    if (type < 0)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: tensor %.100s holds elements of type %d, which is not read", file->name,
                       tensor->name, (int)proto->data_type);
    tensor->dtype = types[type].dtype;
    DP_TRY(read_shape(file, proto, tensor, &elements, error));
    if (proto->data_location == EXTERNAL)
        return take_external(file, proto, tensor, error);
    if (proto->data_location != RAW)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: tensor %.100s: its values are nowhere",
                       file->name, tensor->name);
    if (proto->has_raw_data) {
        tensor->data = proto->raw_data.data;
        if (proto->raw_data.len == tensor->bytes)
            return DEEPER_OK;
        count = proto->raw_data.len / dp_dtype_bytes(tensor->dtype);
    } else {
        DP_TRY(take_typed(file, proto, types[type].field, tensor, &count, error));
        tensor->bytes = count * dp_dtype_bytes(tensor->dtype);
        if (count == elements)
            return DEEPER_OK;
    }
    char shape[DP_TENSOR_SHAPE_TEXT];
    return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: tensor %.100s has %zu values for a shape of %s",
                   file->name, tensor->name, count, dp_tensor_shape_text(tensor, shape));
}
