/* safetensors_write.c - the container's writer. It refuses what the reader would: what is written
 * can be read back. */
#include "base/files.h"
#include "base/text.h"
#include "formats/safetensors/safetensors.h"
#include "model/json.h"

#include <stdlib.h>
#include <string.h>

static deeper_status check_texts(const char *path, const dp_tensor *tensors, size_t count,
                                 const dp_text *metadata, size_t metadata_count,
                                 deeper_error *error) {
    for (size_t i = 0; i < count; i++)
        if (!dp_text_clean(tensors[i].name, strlen(tensors[i].name), false))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "%s: not written: a tensor's name is not clean UTF-8: %.100s", path,
                           tensors[i].name);
    for (size_t i = 0; i < metadata_count; i++)
        if (!dp_text_clean(metadata[i].text, strlen(metadata[i].text), true))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "%s: not written: the text of %s is not clean UTF-8", path,
                           metadata[i].key);
    return DEEPER_OK;
}

static json_t *tensor_entry(const dp_tensor *tensor, size_t begin) {
    json_t *shape = json_array();
    int failed = 0;
    for (int i = 0; i < tensor->rank; i++)
        failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", dp_dtype_name(tensor->dtype), "shape", shape,
                  "data_offsets", (json_int_t)begin, (json_int_t)(begin + tensor->bytes));
    if (failed) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

/* The header as a malloc'ed text, NULL if memory is out: a json_set of NULL is jansson's failure
 * too. */
static char *header_text(const dp_tensor *tensors, size_t count, const dp_text *metadata,
                         size_t metadata_count) {
    json_t *root = json_object(), *texts = json_object();
    int failed = 0;
    for (size_t i = 0; i < metadata_count; i++)
        failed |= json_object_set_new(texts, metadata[i].key, json_string(metadata[i].text));
    failed |= json_object_set_new(root, "__metadata__", texts);
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        failed |= json_object_set_new(root, tensors[i].name, tensor_entry(&tensors[i], begin));
        begin += tensors[i].bytes;
    }
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

deeper_status dp_safetensors_write(const char *path, const dp_tensor *tensors, size_t count,
                                   const dp_text *metadata, size_t metadata_count,
                                   const deeper_allocator *allocator, deeper_error *error) {
    DP_TRY(check_texts(path, tensors, count, metadata, metadata_count, error));
    char *header = header_text(tensors, count, metadata, metadata_count);
    if (!header)
        return dp_fail_memory(error, "the header of a model file");
    size_t length = strlen(header), padded = (DP_SAFETENSORS_PREFIX + length + DP_ALIGNMENT - 1)
                                                 / DP_ALIGNMENT * DP_ALIGNMENT
                                             - DP_SAFETENSORS_PREFIX;
    dp_writer *writer = NULL;
    deeper_status status =
        padded > DP_SAFETENSORS_MAX_HEADER ? dp_fail(
            error, DEEPER_ERROR_LIMIT,
            "%s: not written: its header would take %zu bytes of the %d that deeper reads", path,
            padded, DP_SAFETENSORS_MAX_HEADER)
                                           : dp_writer_open(&writer, path, allocator, error);
    if (status == DEEPER_OK) {
        unsigned char prefix[DP_SAFETENSORS_PREFIX];
        for (int i = 0; i < DP_SAFETENSORS_PREFIX; i++)
            prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i);
        dp_writer_put(writer, prefix, DP_SAFETENSORS_PREFIX);
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
