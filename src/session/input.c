/* input.c - see input.h. */
#include "session/input.h"

#include "model/recipes.h"

deeper_status dp_need_preprocess(const dp_model *model, deeper_error *error) {
    if (model->has_preprocess)
        return DEEPER_OK;
    char names[DP_RECIPE_NAMES_SIZE];
    return dp_fail(error, DEEPER_ERROR_MISMATCH,
                   "preprocess: %s: the model does not say how a picture becomes its input; name "
                   "what its weights were made with: %s, or JSON",
                   model->architecture, dp_recipe_names(names));
}

void dp_fixed_input(float *input, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t h = (uint32_t)i * 2654435761u;
        h = (h ^ h >> 16) * 2246822519u;
        h ^= h >> 13;
        input[i] = ((float)(h >> 8) * 0x1p-23f - 1) * 64;
    }
}
