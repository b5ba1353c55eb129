/* fuzz_torchvision.c - networks by the names that torchvision and timm give their layers. The input
 * is a list of tensors, a line each: its name, a space, its shape as "64x3x7x7". A first line
 * "copy" asks for weights that are converted, not used in place. Checked: what opens has all values
 * and a source, what does not is told in one line.
 *
 * covers: src/formats/torch/torchvision.c */
#include "base/text.h"
#include "formats/torch/torchvision.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 512, SIDE_MAX = 1 << 20 };

/* "64x3x7x7" at the end of a line, which it ends. A container's reader lets no tensor through that
 * has not its bytes; here all lie at one place, which is read only where they are converted. */
static bool read_tensor(dp_tensor *tensor, char *line) {
    static unsigned char values[4 << 20];
    char *space = strrchr(line, ' '), *at = space;
    *tensor = (dp_tensor){ .name = line, .dtype = DP_DTYPE_F32, .data = values };
    while (at && (*at == ' ' || *at == 'x') && tensor->rank < DP_TENSOR_RANK) {
        unsigned long side = strtoul(at + 1, &at, 10);
        tensor->shape[tensor->rank++] = side < SIDE_MAX ? side : SIDE_MAX;
    }
    size_t elements;
    if (!at || !dp_tensor_elements(tensor, &elements)
        || !dp_size_mul(elements, sizeof(float), &tensor->bytes))
        return false;
    *space = '\0';
    return dp_text_clean(line, strlen(line), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t limit = 64 << 20;
    const deeper_allocator bounded = fuzz_bounded(&limit);
    static dp_tensor tensors[TENSORS];
    dp_contents contents = { .tensors = tensors };
    bool in_place = true;
    char *text = calloc(size + 1, 1), *next = text;
    fuzz_demand(text);
    if (size)
        memcpy(text, data, size);
    for (char *line; contents.count < TENSORS && (line = strsep(&next, "\n"));) {
        if (!contents.count && strcmp(line, "copy") == 0)
            in_place = false;
        else if (read_tensor(&tensors[contents.count], line))
            contents.count += in_place || tensors[contents.count].bytes <= 4 << 20;
    }
    dp_model *model = NULL;
    deeper_error error = { 0 };
    deeper_status status =
        dp_torchvision_open(&model, &contents, in_place, "input", &bounded, &error);
    fuzz_demand((status == DEEPER_OK) == (model != NULL));
    if (model)
        fuzz_demand(model->values && model->classes >= 1
                    && strstr(model->source, "torchvision's "));
    else
        fuzz_demand(status == error.status && error.message[0] && !strchr(error.message, '\n'));
    dp_model_free(model);
    free(text);
    return 0;
}
