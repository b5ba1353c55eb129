/* fuzz_recipe.c - what --preprocess takes, a name or JSON, for a network of one channel (first byte
 * even) or three. Checked: a rule that is taken is sound, and comes back from its own JSON the
 * same.
 *
 * covers: src/model/recipes.c src/model/preprocess_json.c */
#include "helpers/fuzz.h"
#include "model/preprocess_json.h"
#include "model/recipes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_preprocess rule, again;
    deeper_error error = { 0 };
    if (size == 0)
        return 0;
    char *text = calloc(size, 1); /* the bytes after the first, and a zero */
    fuzz_demand(text != NULL);
    memcpy(text, data + 1, size - 1);
    const dp_shape input = { 0, data[0] % 2 ? 3 : 1, 32, 32 };
    deeper_status status = dp_recipe_read(&rule, text, input, "input", &error);
    free(text);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !strchr(error.message, '\n'));
        return 0;
    }
    fuzz_demand(dp_preprocess_check(&rule, NULL) == DEEPER_OK && rule.size == input.h
                && rule.channels == input.c);
    char *json = dp_preprocess_to_json(&rule, true);
    fuzz_demand(json && dp_recipe_read(&again, json, input, "input", NULL) == DEEPER_OK
                && dp_recipe_of(&again) == dp_recipe_of(&rule));
    char *same = dp_preprocess_to_json(&again, true);
    fuzz_demand(same && strcmp(json, same) == 0);
    free(same);
    free(json);
    return 0;
}
