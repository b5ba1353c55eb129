/* fuzz_caffemodel.c - any bytes as a caffemodel: parsed, and what can be parsed held against
 * GoogLeNet. A whole GoogLeNet is 28 MB, so none is ever found here; filling a model is
 * fuzz_model_file's.
 *
 * covers: src/formats/caffe/caffemodel.c src/formats/caffe/caffemodel_open.c */
#include "formats/caffe/caffemodel.h"
#include "helpers/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_caffemodel file;
    deeper_error error = { 0 };
    deeper_status status = dp_caffemodel_parse(&file, data, size, "input", NULL, &error);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !file.tensors && !file.message);
        return 0;
    }
    fuzz_demand(file.count > 0);
    for (size_t i = 0; i < file.count; i++) {
        size_t elements = 0;
        const dp_tensor *tensor = &file.tensors[i];
        fuzz_demand(strchr(tensor->name, '.') && dp_tensor_elements(tensor, &elements));
        fuzz_demand(elements * dp_dtype_bytes(tensor->dtype) == tensor->bytes);
        if (elements) {
            float *values = malloc(elements * sizeof *values);
            fuzz_demand(values != NULL);
            dp_tensor_read(tensor, values);
            free(values);
        }
    }
    dp_caffemodel_free(&file);

    dp_model *model;
    dp_caffemodel_sniff(data, size);
    status = dp_caffemodel_open(&model, data, size, "input", NULL, &error);
    fuzz_demand(status == error.status && (status == DEEPER_OK) == (model != NULL));
    dp_model_free(model);
    return 0;
}
