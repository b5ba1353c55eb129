/* fuzz_pickle.c - the unpickler, with a state dict's names to call.
 *
 * covers: src/formats/torch/pickle.c */
#include "formats/torch/pickle.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Every number in a value leads to a value, every text lies in the pickle. */
static void check(const dp_pickle *pickle, const uint8_t *data, size_t size) {
    int count = (int)pickle->value_count;
    fuzz_demand(pickle->root >= 0 && pickle->root < count && pickle->size <= size
                && count <= DP_PICKLE_VALUES);
    for (int i = 0; i < count; i++) {
        const dp_pickle_value *value = &pickle->values[i];
        bool list = value->kind == DP_PICKLE_TUPLE || value->kind == DP_PICKLE_LIST
                    || value->kind == DP_PICKLE_DICT;
        if (value->kind == DP_PICKLE_TEXT)
            fuzz_demand((const uint8_t *)value->text >= data && value->size <= size
                        && (size_t)((const uint8_t *)value->text - data) <= size - value->size);
        fuzz_demand(!(value->kind == DP_PICKLE_DICT && value->count % 2));
        if (!list)
            continue;
        int left = value->count;
        for (int link = value->first; link >= 0; link = pickle->links[link].next, left--)
            fuzz_demand(pickle->links[link].value >= 0 && pickle->links[link].value < count);
        fuzz_demand(left == 0);
        if (value->count > 0 && value->count < 64)
            fuzz_demand(dp_pickle_element(pickle, i, value->count - 1) >= 0
                        && dp_pickle_element(pickle, i, value->count) < 0);
        (void)dp_pickle_is_text(pickle, i, "state_dict");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const dp_pickle_global globals[] = { { "collections", "OrderedDict", true },
                                                { "torch._utils", "_rebuild_tensor_v2", false },
                                                { "torch", "FloatStorage", false } };
    dp_pickle pickle;
    deeper_error error = { 0 };
    deeper_status status = dp_pickle_parse(&pickle, data, size, globals,
                                           sizeof globals / sizeof *globals, "input", NULL, &error);
    if (status == DEEPER_OK)
        check(&pickle, data, size);
    else
        fuzz_demand(status == error.status && memchr(error.message, 0, sizeof error.message)
                    && !strchr(error.message, '\n') && !pickle.values);
    dp_pickle_free(&pickle);
    return 0;
}
