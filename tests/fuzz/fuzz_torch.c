/* fuzz_torch.c - the reader of PyTorch's files. First byte, lowest bit: 0: the rest is the file; 1:
 * it is a pickle, which is put into a sound zip beside four storages of 64 bytes (without one, or
 * with a byte order, where further bits are set).
 *
 * covers: src/formats/torch/torch.c src/formats/torch/torch_file.c */
#include "base/text.h"
#include "formats/torch/torch.h"
#include "helpers/fuzz.h"
#include "helpers/zips.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void parse(const void *bytes, size_t size) {
    dp_torch file;
    deeper_error error = { 0 };
    volatile unsigned char sum = 0;
    deeper_status status = dp_torch_parse(&file, bytes, size, "input", NULL, &error);
    for (size_t i = 0; status == DEEPER_OK && i < file.count; i++) {
        const dp_tensor *tensor = &file.tensors[i];
        size_t elements = 0;
        fuzz_demand(dp_tensor_elements(tensor, &elements)
                    && tensor->bytes == elements * dp_dtype_bytes(tensor->dtype));
        fuzz_demand(dp_text_clean(tensor->name, strlen(tensor->name), false));
        for (size_t k = 0; k < tensor->bytes; k++)
            sum = (unsigned char)(sum + ((const unsigned char *)tensor->data)[k]);
    }
    if (status != DEEPER_OK)
        fuzz_demand(status == error.status && memchr(error.message, 0, sizeof error.message)
                    && !strchr(error.message, '\n') && !file.tensors);
    dp_torch_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const unsigned char storage[64] = { 1, 2, 3 };
    test_bytes zip = { 0 };
    if (size == 0)
        return 0;
    if (!(data[0] & 1)) {
        (void)dp_torch_sniff(data + 1, size - 1);
        parse(data + 1, size - 1);
        return 0;
    }
    const test_zip_entry entries[] = {
        { .name = "m/data/0", .data = storage, .size = sizeof storage },
        { .name = "m/data.pkl", .data = data + 1, .size = size - 1 },
        { .name = "m/data/1", .data = storage, .size = sizeof storage },
        { .name = "m/data/2", .data = storage, .size = sizeof storage },
        { .name = "m/data/3", .data = storage, .size = sizeof storage },
        { .name = "m/byteorder", .data = data[0] & 2 ? "biggest" : "little", .size = 6 },
    };
    size_t without = data[0] >> 2 & 1;
    test_zip_put(&zip, entries + without, 5 - without + (data[0] >> 3 & 1));
    parse(zip.bytes, zip.size);
    free(zip.bytes);
    return 0;
}
