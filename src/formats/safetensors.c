/* safetensors.c - reader and writer of the container; the format is in the header. Every offset, shape and name of a file is
 * checked here, so that what comes out can be used without a look back. */
#include "formats/safetensors.h"

#include "base/files.h"
#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX = 8,       /* bytes of the header's length */
    HEADER_DEPTH = 3, /* {tensor: {shape: [ */
};

static const char metadata_key[] = "__metadata__";

/* What the helpers of one parse share. */
typedef struct reader {
    dp_safetensors *file;
    const char *name;
    const unsigned char *data; /* where offsets count from */
    size_t data_size;
    deeper_error *error;
} reader;

bool dp_safetensors_sniff(const unsigned char *bytes, size_t size) {
    return size > PREFIX && bytes[PREFIX] == '{';
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
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensor %.100s has no shape", r->name, tensor->name);
    if (json_array_size(shape) > DP_TENSOR_RANK)
        return dp_fail_at(r->error, DEEPER_ERROR_LIMIT, PREFIX, "%s: tensor %.100s has %zu dimensions; deeper reads up to %d",
                          r->name, tensor->name, json_array_size(shape), DP_TENSOR_RANK);
    tensor->rank = (int)json_array_size(shape);
    for (int i = 0; i < tensor->rank; i++)
        if (!read_size(json_array_get(shape, (size_t)i), &tensor->shape[i]))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensor %.100s: dimension %d is not a whole number >= 0",
                              r->name, tensor->name, i);
    return DEEPER_OK;
}

static deeper_status read_offsets(const reader *r, dp_tensor *tensor, const json_t *offsets) {
    size_t begin = 0, end = 0, elements = 0, bytes = 0;
    if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin)
        || !read_size(json_array_get(offsets, 1), &end) || begin > end)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensor %.100s: data_offsets are not [BEGIN, END]", r->name,
                          tensor->name);
    if (end > r->data_size)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX,
                          "%s: cut short: tensor %.100s ends at byte %zu of the data and the file has %zu; fetch or write it again",
                          r->name, tensor->name, end, r->data_size);
    char shape[DP_TENSOR_SHAPE_TEXT];
    dp_tensor_shape_text(tensor, shape);
    if (!dp_tensor_elements(tensor, &elements) || !dp_size_mul(elements, dp_dtype_bytes(tensor->dtype), &bytes))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensor %.100s: %s is more than memory can hold", r->name,
                          tensor->name, shape);
    if (bytes != end - begin)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX,
                          "%s: tensor %.100s: %s of %s takes %zu bytes, its offsets span %zu", r->name, tensor->name, shape,
                          dp_dtype_name(tensor->dtype), bytes, end - begin);
    tensor->data = r->data + begin;
    tensor->bytes = bytes;
    return DEEPER_OK;
}

static deeper_status read_tensor(const reader *r, dp_tensor *tensor, const char *name, const json_t *entry) {
    *tensor = (dp_tensor){ .name = name };
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensor %.100s has no dtype", r->name, name);
    if (!dp_dtype_from_name(&tensor->dtype, dtype))
        return dp_fail_at(r->error, DEEPER_ERROR_UNSUPPORTED, PREFIX,
                          "%s: tensor %.100s is of type %.40s, which deeper does not know", r->name, name, dtype);
    DP_TRY(read_shape(r, tensor, json_object_get(entry, "shape")));
    return read_offsets(r, tensor, json_object_get(entry, "data_offsets"));
}

static deeper_status read_metadata(const reader *r, const json_t *metadata) {
    if (!json_is_object(metadata))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: __metadata__ is not an object", r->name);
    dp_safetensors *file = r->file;
    file->metadata = dp_alloc(file->allocator, json_object_size(metadata), sizeof *file->metadata);
    if (!file->metadata)
        return dp_fail_memory(r->error, "the metadata of a model file");
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!dp_text_clean(key, strlen(key), false))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: __metadata__ has a key with control characters: %.100s",
                              r->name, key);
        if (!json_is_string(value) || !dp_text_clean(json_string_value(value), json_string_length(value), true))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX,
                              "%s: __metadata__ %.100s is not a text, or has control characters in it", r->name, key);
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

/* The tensors, in order of place, must follow one another from the first byte of the data to its last. */
static deeper_status check_tiling(const reader *r) {
    dp_safetensors *file = r->file;
    if (file->count)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_place);
    const unsigned char *next = r->data;
    for (size_t i = 0; i < file->count; i++) {
        const dp_tensor *tensor = &file->tensors[i];
        const unsigned char *begin = tensor->data;
        if (begin < next) /* never the first, so there is one before it */
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: tensors %.100s and %.100s overlap", r->name,
                              file->tensors[i - 1].name, tensor->name);
        if (begin > next)
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: %zu bytes before tensor %.100s belong to none", r->name,
                              (size_t)(begin - next), tensor->name);
        next = begin + tensor->bytes;
    }
    size_t used = (size_t)(next - r->data);
    if (used != r->data_size)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: the last %zu bytes belong to no tensor", r->name,
                          r->data_size - used);
    return DEEPER_OK;
}

static deeper_status read_header(const reader *r) {
    dp_safetensors *file = r->file;
    file->tensors = dp_alloc(file->allocator, json_object_size(file->header), sizeof *file->tensors);
    if (!file->tensors)
        return dp_fail_memory(r->error, "the tensor list of a model file");
    const char *key;
    const json_t *value;
    json_object_foreach(file->header, key, value) {
        if (strcmp(key, metadata_key) == 0) {
            DP_TRY(read_metadata(r, value));
            continue;
        }
        if (!dp_text_clean(key, strlen(key), false))
            return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: a tensor's name has control characters: %.100s", r->name,
                              key);
        DP_TRY(read_tensor(r, &file->tensors[file->count], key, value));
        file->count++;
    }
    return check_tiling(r);
}

static deeper_status parse(reader *r, const unsigned char *bytes, size_t size) {
    if (size < PREFIX)
        return dp_fail(r->error, DEEPER_ERROR_FORMAT, "%s: %zu bytes are no safetensors file", r->name, size);
    uint64_t length = 0;
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > DP_SAFETENSORS_MAX_HEADER)
        return dp_fail_at(r->error, DEEPER_ERROR_LIMIT, 0, "%s: a header of %llu bytes; deeper reads up to %d (8 MB)", r->name,
                          (unsigned long long)length, DP_SAFETENSORS_MAX_HEADER);
    if (length > size - PREFIX)
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, 0,
                          "%s: cut short: a header of %llu bytes in a file of %zu; fetch or write it again", r->name,
                          (unsigned long long)length, size);
    if (!dp_safetensors_sniff(bytes, PREFIX + (size_t)length))
        return dp_fail_at(r->error, DEEPER_ERROR_FORMAT, PREFIX, "%s: its header does not begin with {", r->name);
    DP_TRY(dp_json_parse(&r->file->header, bytes + PREFIX, (size_t)length, HEADER_DEPTH, r->name, "the header", PREFIX, r->error));
    r->data = bytes + PREFIX + length;
    r->data_size = size - PREFIX - (size_t)length;
    return read_header(r);
}

deeper_status dp_safetensors_parse(dp_safetensors *file, const void *bytes, size_t size, const char *name,
                                   const deeper_allocator *allocator, deeper_error *error) {
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
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].text;
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- writing */

static deeper_status check_texts(const char *path, const dp_tensor *tensors, size_t count, const dp_text *metadata,
                                 size_t metadata_count, deeper_error *error) {
    for (size_t i = 0; i < count; i++)
        if (!dp_text_clean(tensors[i].name, strlen(tensors[i].name), false))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: not written: a tensor's name is not clean UTF-8: %.100s", path,
                           tensors[i].name);
    for (size_t i = 0; i < metadata_count; i++)
        if (!dp_text_clean(metadata[i].text, strlen(metadata[i].text), true))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: not written: the text of %s is not clean UTF-8", path,
                           metadata[i].key);
    return DEEPER_OK;
}

static json_t *tensor_entry(const dp_tensor *tensor, size_t begin) {
    json_t *shape = json_array();
    int failed = 0;
    for (int i = 0; i < tensor->rank; i++)
        failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dp_dtype_name(tensor->dtype), "shape", shape, "data_offsets",
                              (json_int_t)begin, (json_int_t)(begin + tensor->bytes));
    if (failed) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

/* The header as a malloc'ed text, NULL if memory is out: a json_set of NULL is jansson's failure too. */
static char *header_text(const dp_tensor *tensors, size_t count, const dp_text *metadata, size_t metadata_count) {
    json_t *root = json_object(), *texts = json_object();
    int failed = 0;
    for (size_t i = 0; i < metadata_count; i++)
        failed |= json_object_set_new(texts, metadata[i].key, json_string(metadata[i].text));
    failed |= json_object_set_new(root, metadata_key, texts);
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        failed |= json_object_set_new(root, tensors[i].name, tensor_entry(&tensors[i], begin));
        begin += tensors[i].bytes;
    }
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

deeper_status dp_safetensors_write(const char *path, const dp_tensor *tensors, size_t count, const dp_text *metadata,
                                   size_t metadata_count, const deeper_allocator *allocator, deeper_error *error) {
    DP_TRY(check_texts(path, tensors, count, metadata, metadata_count, error));
    char *header = header_text(tensors, count, metadata, metadata_count);
    if (!header)
        return dp_fail_memory(error, "the header of a model file");
    size_t length = strlen(header), padded = (PREFIX + length + DP_ALIGNMENT - 1) / DP_ALIGNMENT * DP_ALIGNMENT - PREFIX;
    dp_writer *writer = NULL;
    deeper_status status =
        padded > DP_SAFETENSORS_MAX_HEADER
            ? dp_fail(error, DEEPER_ERROR_LIMIT, "%s: not written: its header would take %zu bytes of the %d that deeper reads",
                      path, padded, DP_SAFETENSORS_MAX_HEADER)
            : dp_writer_open(&writer, path, allocator, error);
    if (status == DEEPER_OK) {
        unsigned char prefix[PREFIX];
        for (int i = 0; i < PREFIX; i++)
            prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i);
        dp_writer_put(writer, prefix, PREFIX);
        dp_writer_put(writer, header, length);
        for (size_t i = length; i < padded; i++)
            dp_writer_put(writer, " ", 1);
        for (size_t i = 0; i < count; i++)
            dp_writer_put(writer, tensors[i].data, tensors[i].bytes);
        status = dp_writer_commit(writer, error);
    }
    free(header);
    return status;
}
