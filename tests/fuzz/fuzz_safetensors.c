/* fuzz_safetensors.c - any bytes as a safetensors file. Checked besides what the sanitizers see: a
 * file that is taken holds what its reader promises, tensors that tile the data and texts that can
 * be printed, and a refusal says why.
 *
 * covers: src/formats/safetensors/safetensors.c src/model/json.c src/model/tensor.c */
#include "base/text.h"
#include "formats/safetensors/safetensors.h"
#include "helpers/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONVERTED = 1 << 12
}; /* bytes of a tensor that is turned into floats; larger ones only take time */

static void check_tensor(const dp_tensor *tensor) {
    size_t elements = 0;
    char shape[DP_TENSOR_SHAPE_TEXT];
    fuzz_demand(dp_text_clean(tensor->name, strlen(tensor->name), false));
    fuzz_demand(dp_tensor_elements(tensor, &elements)
                && elements * dp_dtype_bytes(tensor->dtype) == tensor->bytes);
    fuzz_demand(strlen(dp_tensor_shape_text(tensor, shape)) < sizeof shape);
    if (!dp_dtype_is_weight(tensor->dtype) || tensor->bytes > CONVERTED)
        return;
    float *values = malloc(elements * sizeof *values + 1);
    fuzz_demand(values != NULL);
    dp_tensor_read(tensor, values);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_safetensors file;
    deeper_error error = { 0 };
    deeper_status status = dp_safetensors_parse(&file, data, size, "input", NULL, &error);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !file.tensors && !file.header);
        return 0;
    }
    fuzz_demand(dp_safetensors_sniff(data, size));
    const uint8_t *next = NULL;
    for (size_t i = 0; i < file.count; i++) {
        check_tensor(&file.tensors[i]);
        fuzz_demand(i == 0 || file.tensors[i].data == next);
        next = (const uint8_t *)file.tensors[i].data + file.tensors[i].bytes;
    }
    fuzz_demand(file.count == 0 || next == data + size);
    for (size_t i = 0; i < file.metadata_count; i++)
        fuzz_demand(dp_safetensors_text(&file, file.metadata[i].key) == file.metadata[i].text);
    dp_safetensors_free(&file);
    return 0;
}
