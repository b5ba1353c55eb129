/* npz.c - reader: every entry of the zip is unpacked once and stays where it is; only an array in
 * Fortran order is copied again. The writer is npz_write.c. */
#include "formats/numpy/npz.h"

#include "base/text.h"
#include "formats/numpy/npy.h"

#include <stdlib.h>
#include <string.h>

static const char ending[] = ".npy";

enum {
    ENDING = sizeof ending - 1,
    BLOCKS_AN_ENTRY = 3
}; /* name, bytes, a copy in C order or a text */

static bool ends_so(const char *entry, size_t length) {
    return length >= ENDING && memcmp(entry + length - ENDING, ending, ENDING) == 0;
}

bool dp_npz_sniff(const unsigned char *bytes, size_t size) {
    const char *entry;
    size_t length;
    return dp_zip_begins(bytes, size, &entry, &length) && ends_so(entry, length);
}

static void *keep(dp_npz *file, void *block) {
    if (block)
        file->blocks[file->block_count++] = block;
    return block;
}

/* An array's code points or bytes as UTF-8. */
static deeper_status take_text(dp_npz *file, const dp_npy *array, const char *entry,
                               const char *name, deeper_error *error) {
    const unsigned char *from = array->tensor.data;
    size_t step = array->kind == DP_NPY_UNICODE ? 4 : 1, units = array->element / step, length = 0;
    char *text = keep(file, dp_alloc_raw(file->allocator, array->element + 1,
                                         1)); /* UTF-8 takes at most 4 bytes too */
    if (!text)
        return dp_fail_memory(error, "a text of an npz file");
    bool sound = true;
    for (size_t i = 0; i < units && sound; i++, from += step) {
        if (step == 1) {
            text[length++] = (char)*from;
            continue;
        }
        uint32_t code =
            from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        size_t bytes = dp_utf8_encode(text + length, code);
        sound = bytes > 0;
        length += bytes;
    }
    while (length && text[length - 1] == '\0')
        length--;
    text[length] = '\0';
    if (!sound || !dp_text_clean(text, length, true))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: array %.100s: its text is not clean UTF-8",
                       name, entry);
    file->texts[file->text_count++] = (dp_text){ entry, text };
    return DEEPER_OK;
}

/* The same elements with the last index fastest. */
static deeper_status take_fortran(dp_npz *file, const dp_npy *array, dp_tensor *tensor,
                                  deeper_error *error) {
    size_t strides[DP_TENSOR_RANK], stride = 1;
    for (int i = 0; i < tensor->rank; i++) {
        strides[i] = stride;
        stride *= tensor->shape[i]; /* dp_npy_parse has multiplied the same */
    }
    void *copy = keep(file, dp_alloc_raw(file->allocator, tensor->bytes, 1));
    if (!copy)
        return dp_fail_memory(error, "an array of an npz file");
    dp_tensor_gather(copy, tensor->data, array->element, tensor->rank, tensor->shape, strides);
    tensor->data = copy;
    return DEEPER_OK;
}

static deeper_status read_entry(dp_npz *file, dp_zip *zip, size_t index, deeper_error *error) {
    const char *entry = dp_zip_entry(zip, index);
    size_t length = strlen(entry), size;
    if (!ends_so(entry, length))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: entry %.100s is not an array (.npy); an npz file holds nothing else",
                       zip->name, entry);
    if (!dp_text_clean(entry, length, false))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: an array's name is not clean UTF-8: %.100s",
                       zip->name, entry);
    char *name = keep(file, dp_strdup(file->allocator, entry));
    if (!name)
        return dp_fail_memory(error, "the names of an npz file");
    name[length - ENDING] = '\0';
    unsigned char *bytes;
    DP_TRY(dp_zip_read(zip, index, &bytes, &size, error));
    keep(file, bytes);
    dp_npy array;
    DP_TRY(dp_npy_parse(&array, bytes, size, zip->name, name, error));
    if (array.kind != DP_NPY_NUMBERS)
        return array.tensor.rank == 0 ? take_text(file, &array, name, zip->name, error) : DEEPER_OK;
    dp_tensor *tensor = &file->tensors[file->count++];
    *tensor = array.tensor;
    tensor->name = name;
    return array.fortran && tensor->rank > 1 ? take_fortran(file, &array, tensor, error)
                                             : DEEPER_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static deeper_status check_unique(const dp_zip *zip, deeper_error *error) {
    const char **names = dp_alloc_raw(zip->allocator, zip->count, sizeof *names);
    const char *twice = NULL;
    if (!names)
        return dp_fail_memory(error, "the names of an npz file");
    for (size_t i = 0; i < zip->count; i++)
        names[i] = dp_zip_entry(zip, i);
    if (zip->count)
        qsort(names, zip->count, sizeof *names, by_name);
    for (size_t i = 1; i < zip->count && !twice; i++)
        twice = strcmp(names[i - 1], names[i]) == 0 ? names[i] : NULL;
    dp_free(zip->allocator, names);
    return twice ? dp_fail(error, DEEPER_ERROR_FORMAT, "%s: two arrays are named %.100s", zip->name,
                           twice)
                 : DEEPER_OK;
}

static deeper_status read_all(dp_npz *file, dp_zip *zip, deeper_error *error) {
    file->tensors = dp_alloc(file->allocator, zip->count, sizeof *file->tensors);
    file->texts = dp_alloc(file->allocator, zip->count, sizeof *file->texts);
    file->blocks = dp_alloc(file->allocator, zip->count, BLOCKS_AN_ENTRY * sizeof *file->blocks);
    if (!file->tensors || !file->texts || !file->blocks)
        return dp_fail_memory(error, "the arrays of an npz file");
    DP_TRY(check_unique(zip, error));
    for (size_t i = 0; i < zip->count; i++)
        DP_TRY(read_entry(file, zip, i, error));
    return DEEPER_OK;
}

deeper_status dp_npz_parse(dp_npz *file, const void *bytes, size_t size, const char *name,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_zip zip;
    *file = (dp_npz){ .allocator = allocator };
    DP_TRY(dp_zip_open(&zip, bytes, size, name, allocator, error));
    deeper_status status = read_all(file, &zip, error);
    dp_zip_close(&zip);
    if (status != DEEPER_OK)
        dp_npz_free(file);
    return status;
}

void dp_npz_free(dp_npz *file) {
    for (size_t i = 0; i < file->block_count; i++)
        dp_free(file->allocator, file->blocks[i]);
    dp_free(file->allocator, file->blocks);
    dp_free(file->allocator, file->tensors);
    dp_free(file->allocator, file->texts);
    *file = (dp_npz){ .allocator = file->allocator };
}
