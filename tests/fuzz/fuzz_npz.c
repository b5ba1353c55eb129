/* fuzz_npz.c - the reader of npz files. First byte, lowest bit: 0: the rest is the file; 1: it is
 * one .npy array, which is put into a sound zip (the checksum of a zip keeps mutations of what is
 * in it out), deflated where the second bit is set.
 *
 * covers: src/formats/numpy/zip.c src/formats/numpy/npz.c src/formats/numpy/npy.c */
#include "base/text.h"
#include "formats/numpy/npy.h"
#include "formats/numpy/npz.h"
#include "helpers/fuzz.h"
#include "helpers/zips.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Every byte of what was read is there, and what it says of itself holds. */
static void check(const dp_npz *file) {
    volatile unsigned char sum = 0;
    char header[DP_NPY_HEADER];
    for (size_t i = 0; i < file->count; i++) {
        const dp_tensor *tensor = &file->tensors[i];
        size_t elements = 0, bytes = 0;
        fuzz_demand(dp_tensor_elements(tensor, &elements)
                    && dp_size_mul(elements, dp_dtype_bytes(tensor->dtype), &bytes));
        fuzz_demand(dp_npy_header(header, tensor) % 64 == 0 && dp_npy_header(header, tensor) > 0);
        fuzz_demand(bytes == tensor->bytes
                    && dp_text_clean(tensor->name, strlen(tensor->name), false));
        for (size_t k = 0; k < bytes; k++)
            sum = (unsigned char)(sum + ((const unsigned char *)tensor->data)[k]);
    }
    for (size_t i = 0; i < file->text_count; i++)
        fuzz_demand(dp_text_clean(file->texts[i].text, strlen(file->texts[i].text), true)
                    && dp_text_find(file->texts, file->text_count, file->texts[i].key));
}

static void parse(const void *bytes, size_t size) {
    dp_npz file;
    deeper_error error = { 0 };
    deeper_status status = dp_npz_parse(&file, bytes, size, "input", NULL, &error);
    if (status == DEEPER_OK)
        check(&file);
    else
        fuzz_demand(status == error.status && memchr(error.message, 0, sizeof error.message)
                    && !strchr(error.message, '\n') && !file.tensors);
    dp_npz_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    test_bytes zip = { 0 };
    if (size == 0)
        return 0;
    if (data[0] & 1) {
        const test_zip_entry entries[] = {
            { .name = "a.npy",
              .data = data + 1,
              .size = size - 1,
              .method = data[0] & 2 ? TEST_ZIP_DEFLATE : 0 },
            { .name = data[0] & 4   ? "a.npy"
                      : data[0] & 8 ? "b"
                                    : "b.npy",
              .data = data + 1,
              .size = size - 1,
              .flags = data[0] >> 4 & 1 },
        };
        test_zip_put(&zip, entries, data[0] & 32 ? 2 : 1);
        parse(zip.bytes, zip.size);
        free(zip.bytes);
    } else {
        (void)dp_npz_sniff(data + 1, size - 1);
        parse(data + 1, size - 1);
    }
    return 0;
}
