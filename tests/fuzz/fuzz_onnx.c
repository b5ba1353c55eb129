/* fuzz_onnx.c - any bytes as an ONNX model: imported and opened; what opens has values. Memory is
 * bounded as a caller could bound it: a block above 16 MB is refused.
 *
 * covers: src/formats/onnx/onnx_file.c src/formats/onnx/onnx_import.c src/formats/onnx/onnx_add.c
 *   src/formats/onnx/onnx_constants.c src/formats/onnx/onnx_moves.c
 *   src/formats/onnx/onnx_arithmetic.c src/formats/onnx/onnx_layers.c
 *   src/formats/onnx/onnx_elements.c src/formats/onnx/onnx_shapes.c */
#include "formats/formats.h"
#include "formats/onnx/onnx_import.h"
#include "helpers/fuzz.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t limit = 16 << 20;
    const deeper_allocator bounded = fuzz_bounded(&limit);
    dp_onnx_file file;
    deeper_error error = { 0 };
    dp_onnx_sniff(data, size);
    deeper_status status = dp_onnx_parse(&file, data, size, "input", "/nowhere", &bounded, &error);
    if (status == DEEPER_OK) {
        dp_onnx_network network;
        status = dp_onnx_import(&network, &file, &error);
        fuzz_demand((status == DEEPER_OK) == (network.graph != NULL));
        if (status == DEEPER_OK)
            fuzz_demand(network.output >= 0 && network.output < network.graph->count);
        dp_onnx_network_free(&network, &bounded);
        dp_onnx_free(&file);
    }
    fuzz_demand(status == DEEPER_OK || (error.status == status && error.message[0]));

    dp_model *model = NULL;
    status = dp_model_open_bytes(&model, data, size, "input", NULL, NULL, &bounded, &error);
    fuzz_demand((status == DEEPER_OK) == (model != NULL));
    if (model && strcmp(model->format, "onnx") == 0)
        for (int p = 0; p < model->graph->parameters; p++)
            fuzz_demand(model->values[p] != NULL);
    dp_model_free(model);
    return 0;
}
