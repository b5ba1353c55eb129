/* safetensors.c - reader of the container; the format is in the header, the writer in
 * safetensors_write.c. Every offset, shape and name of a file is checked here, so that what comes
 * out can be used without a look back. */
#include "formats/safetensors/safetensors.h"

#include "base/text.h"
#include "model/json.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_DEPTH = 3 }; /* {tensor: {shape: [ */

/* What the helpers of one parse share. */
typedef struct reader {
    dp_safetensors *file;
    const char *name;
    const unsigned char *data; /* where offsets count from */
    size_t data_size;
    deeper_error *error;
} reader;

bool dp_safetensors_sniff(const unsigned char *bytes, size_t size) {
    return size > DP_SAFETENSORS_PREFIX && bytes[DP_SAFETENSORS_PREFIX] == '{';
}

/* A number 0..SIZE_MAX of the header. */
static bool read_size(const json_t *value, size_t *size) {
    json_int_t number = json_integer_value(value); /* 0 for anything else */
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > SIZE_MAX)
        return false;
    *size = (size_t)number;
    return true;
}

static deeper_status read_shape(const reader *r, dp_tensor *tensor, const json_t *shape) {
    if (!json_is_array(shape))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s has no shape", r->name, tensor->name);
    if (json_array_size(shape) > DP_TENSOR_RANK)
        return dp_fail_at(r->error, DEEPER_ERROR_LIMIT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s has %zu dimensions; deeper reads up to %d", r->name,
                          tensor->name, json_array_size(shape), DP_TENSOR_RANK);
    tensor->rank = (int)json_array_size(shape);
    for (int i = 0; i < tensor->rank; i++)
        if (!read_size(json_array_get(shape, (size_t)i), &tensor->shape[i]))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                              "%s: tensor %.100s: dimension %d is not a whole number >= 0", r->name,
                              tensor->name, i);
    return DEEPER_OK;
}

static deeper_status read_offsets(const reader *r, dp_tensor *tensor, const json_t *offsets) {
    size_t begin = 0, end = 0, elements = 0, bytes = 0;
    if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin)
        || !read_size(json_array_get(offsets, 1), &end) || begin > end)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s: data_offsets are not [BEGIN, END]", r->name,
                          tensor->name);
    if (end > r->data_size)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: cut short: tensor %.100s ends at byte %zu of the data and the file "
                          "has %zu; fetch or write it again",
                          r->name, tensor->name, end, r->data_size);
    char shape[DP_TENSOR_SHAPE_TEXT];
    dp_tensor_shape_text(tensor, shape);
    if (!dp_tensor_elements(tensor, &elements)
        || !dp_size_mul(elements, dp_dtype_bytes(tensor->dtype), &bytes))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s: %s is more than memory can hold", r->name,
                          tensor->name, shape);
    if (bytes != end - begin)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s: %s of %s takes %zu bytes, its offsets span %zu",
                          r->name, tensor->name, shape, dp_dtype_name(tensor->dtype), bytes,
                          end - begin);
    tensor->data = r->data + begin;
    tensor->bytes = bytes;
    return DEEPER_OK;
}

static deeper_status read_tensor(const reader *r, dp_tensor *tensor, const char *name,
                                 const json_t *entry) {
    *tensor = (dp_tensor){ .name = name };
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s has no dtype", r->name, name);
    if (!dp_dtype_from_name(&tensor->dtype, dtype))
        return dp_fail_at(r->error, DEEPER_ERROR_UNSUPPORTED, DP_SAFETENSORS_PREFIX,
                          "%s: tensor %.100s is of type %.40s, which deeper does not know", r->name,
                          name, dtype);
    DP_TRY(read_shape(r, tensor, json_object_get(entry, "shape")));
    return read_offsets(r, tensor, json_object_get(entry, "data_offsets"));
}

static deeper_status read_metadata(const reader *r, const json_t *metadata) {
    if (!json_is_object(metadata))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: __metadata__ is not an object", r->name);
    dp_safetensors *file = r->file;
    file->metadata = dp_alloc(file->allocator, json_object_size(metadata), sizeof *file->metadata);
    if (!file->metadata)
        return dp_fail_memory(r->error, "the metadata of a model file");
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!dp_text_clean(key, strlen(key), false))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                              "%s: __metadata__ has a key with control characters: %.100s", r->name,
                              key);
        if (!json_is_string(value)
            || !dp_text_clean(json_string_value(value), json_string_length(value), true))
            return dp_fail_at(
                r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                "%s: __metadata__ %.100s is not a text, or has control characters in it", r->name,
                key);
        file->metadata[file->metadata_count++] = (dp_text){ key, json_string_value(value) };
    }
    return DEEPER_OK;
}

static int by_place(const void *a, const void *b) {
    const dp_tensor *first = a, *second = b;
    if (first->data != second->data)
        return (const unsigned char *)first->data < (const unsigned char *)second->data ? -1 : 1;
    if (first->bytes != second->bytes)
        return first->bytes < second->bytes ? -1 : 1;
    return strcmp(first->name, second->name);
}

/* The tensors, in order of place, must follow one another from the first byte of the data to its
 * last. */
static deeper_status check_tiling(const reader *r) {
    dp_safetensors *file = r->file;
    if (file->count)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
    const unsigned char *next = r->data;
    for (size_t i = 0; i < file->count; i++) {
        const dp_tensor *tensor = &file->tensors[i];
        const unsigned char *begin = tensor->data;
        if (begin < next) /* never the first, so there is one before it */
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                              "%s: tensors %.100s and %.100s overlap", r->name,
                              file->tensors[i - 1].name, tensor->name);
        if (begin > next)
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                              "%s: %zu bytes before tensor %.100s belong to none", r->name,
                              (size_t)(begin - next), tensor->name);
        next = begin + tensor->bytes;
    }
    size_t used = (size_t)(next - r->data);
    if (used != r->data_size)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: the last %zu bytes belong to no tensor", r->name,
                          r->data_size - used);
    return DEEPER_OK;
}

static deeper_status read_header(const reader *r) {
    dp_safetensors *file = r->file;
    file->tensors =
        dp_alloc(file->allocator, json_object_size(file->header), sizeof *file->tensors);
    if (!file->tensors)
        return dp_fail_memory(r->error, "the tensor list of a model file");
    const char *key;
    const json_t *value;
    json_object_foreach(file->header, key, value) {
        if (strcmp(key, "__metadata__") == 0) {
            DP_TRY(read_metadata(r, value));
            continue;
        }
        if (!dp_text_clean(key, strlen(key), false))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                              "%s: a tensor's name has control characters: %.100s", r->name, key);
        DP_TRY(read_tensor(r, &file->tensors[file->count], key, value));
        file->count++;
    }
    return check_tiling(r);
}

static deeper_status parse(reader *r, const unsigned char *bytes, size_t size) {
    if (size < DP_SAFETENSORS_PREFIX)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT, "%s: %zu bytes are no safetensors file",
                       r->name, size);
    uint64_t length = 0;
    for (int i = DP_SAFETENSORS_PREFIX - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > DP_SAFETENSORS_MAX_HEADER)
        return dp_fail_at(r->error, DEEPER_ERROR_LIMIT, 0,
                          "%s: a header of %llu bytes; deeper reads up to %d (8 MB)", r->name,
                          (unsigned long long)length, DP_SAFETENSORS_MAX_HEADER);
    if (length > size - DP_SAFETENSORS_PREFIX)
        return dp_fail_at(
            r->error, DEEPER_ERROR_FORMAT, 0,
            "%s: cut short: a header of %llu bytes in a file of %zu; fetch or write it again",
            r->name, (unsigned long long)length, size);
    if (!dp_safetensors_sniff(bytes, DP_SAFETENSORS_PREFIX + (size_t)length))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, DP_SAFETENSORS_PREFIX,
                          "%s: its header does not begin with {", r->name);
    DP_TRY(dp_json_parse(&r->file->header, bytes + DP_SAFETENSORS_PREFIX, (size_t)length,
                         HEADER_DEPTH, r->name, "the header", DP_SAFETENSORS_PREFIX, r->error));
    r->data = bytes + DP_SAFETENSORS_PREFIX + length;
    r->data_size = size - DP_SAFETENSORS_PREFIX - (size_t)length;
    return read_header(r);
}

deeper_status dp_safetensors_parse(dp_safetensors *file, const void *bytes, size_t size,
                                   const char *name, const deeper_allocator *allocator,
                                   deeper_error *error) {
    *file = (dp_safetensors){ .allocator = allocator };
    reader r = { .file = file, .name = name, .error = error };
    deeper_status status = parse(&r, bytes, size);
    if (status != DEEPER_OK)
        dp_safetensors_free(file);
    return status;
}

void dp_safetensors_free(dp_safetensors *file) {
    dp_free(file->allocator, file->tensors);
    dp_free(file->allocator, file->metadata);
    json_decref(file->header);
    *file = (dp_safetensors){ .allocator = file->allocator };
}

const char *dp_safetensors_text(const dp_safetensors *file, const char *key) {
    return dp_text_find(file->metadata, file->metadata_count, key);
}
