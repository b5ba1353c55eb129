/* npz_write.c - tensors and texts to an npz file. It refuses what the reader would: what is written
 * can be read back. */
#include "base/text.h"
#include "formats/numpy/npy.h"
#include "formats/numpy/npz.h"

#include <stdio.h>
#include <string.h>

deeper_status dp_npz_create(dp_npz_writer *npz, const char *path, const deeper_allocator *allocator,
                            deeper_error *error) {
    *npz = (dp_npz_writer){ .allocator = allocator };
    return dp_zip_create(&npz->zip, path, allocator, error);
}

/* An array under its name. */
static void add(dp_npz_writer *npz, const char *name, const char *header, size_t header_size,
                const void *data, size_t size) {
    dp_buffer entry;
    dp_buffer_init(&entry, npz->allocator, UINT16_MAX);
    if (npz->failure.status != DEEPER_OK)
        return;
    if (!dp_text_clean(name, strlen(name), false))
        dp_fail(&npz->failure, DEEPER_ERROR_ARGUMENT,
                "%s: not written: a tensor's name is not clean UTF-8: %.100s", npz->zip.path, name);
    else if (!dp_buffer_printf(&entry, "%s.npy", name))
        dp_fail_memory(&npz->failure, "a name in an npz file");
    else
        dp_zip_add(&npz->zip, entry.data, header, header_size, data, size);
    dp_buffer_free(&entry);
}

void dp_npz_put(dp_npz_writer *npz, const dp_tensor *tensor) {
    char header[DP_NPY_HEADER];
    size_t size = dp_npy_header(header, tensor);
    if (size == 0 && npz->failure.status == DEEPER_OK)
        dp_fail(&npz->failure, DEEPER_ERROR_ARGUMENT,
                "%s: not written: %.100s is %s, which NumPy does not have", npz->zip.path,
                tensor->name, dp_dtype_name(tensor->dtype));
    add(npz, tensor->name, header, size, tensor->data, tensor->bytes);
}

/* Code points of a clean text. */
static size_t points(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0U) != 0x80U;
    return count;
}

void dp_npz_put_texts(dp_npz_writer *npz, const char *name, int rank, const char *const *texts,
                      size_t count) {
    size_t width = 1, size = 0;
    for (size_t i = 0; i < count; i++) {
        if (!dp_text_clean(texts[i], strlen(texts[i]), true) && npz->failure.status == DEEPER_OK)
            dp_fail(&npz->failure, DEEPER_ERROR_ARGUMENT,
                    "%s: not written: a text of %.100s is not clean UTF-8", npz->zip.path, name);
        size_t length = points(texts[i]);
        width = length > width ? length : width;
    }
    if (npz->failure.status != DEEPER_OK)
        return;
    uint32_t *codes =
        dp_size_mul(count, width, &size) ? dp_alloc(npz->allocator, size, sizeof *codes) : NULL;
    if (!codes) {
        dp_fail_memory(&npz->failure, "the texts of an npz file");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *from = texts[i], *end = from + strlen(from);
        for (uint32_t *to = codes + i * width; from < end; to++)
            from += dp_utf8_decode(from, (size_t)(end - from), to);
    }
    char header[DP_NPY_HEADER];
    dp_tensor shape = { .rank = rank, .shape = { count } };
    add(npz, name, header, dp_npy_text_header(header, &shape, width), codes, size * sizeof *codes);
    dp_free(npz->allocator, codes);
}

deeper_status dp_npz_commit(dp_npz_writer *npz, deeper_error *error) {
    if (npz->failure.status == DEEPER_OK)
        return dp_zip_commit(&npz->zip, error);
    dp_npz_discard(npz);
    return dp_fail(error, npz->failure.status, "%s", npz->failure.message);
}

void dp_npz_discard(dp_npz_writer *npz) {
    dp_zip_discard(&npz->zip);
}

deeper_status dp_npz_write(const char *path, const dp_tensor *tensors, size_t count,
                           const dp_text *texts, size_t text_count,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_npz_writer npz;
    DP_TRY(dp_npz_create(&npz, path, allocator, error));
    for (size_t i = 0; i < count; i++)
        dp_npz_put(&npz, &tensors[i]);
    for (size_t i = 0; i < text_count; i++)
        dp_npz_put_texts(&npz, texts[i].key, 0, &texts[i].text, 1);
    return dp_npz_commit(&npz, error);
}
