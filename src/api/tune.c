/* tune.c - deeper_tune, and what a tuning file is. */
#include "api/handles.h"
#include "formats/tuning.h"
#include "measure/tune_file.h"

#include <string.h>

deeper_status deeper_tuning_check(const char *path, deeper_error *error) {
    DP_ENTRY;
    dp_tuning tuning = { 0 };
    DP_TRY(dp_need(path, "path", error));
    deeper_status status = dp_tuning_read(&tuning, path, NULL, error);
    dp_tuning_free(&tuning);
    return status;
}

deeper_status deeper_tuning_examine(const char *path, deeper_tuning_contents *contents, size_t size,
                                    deeper_error *error) {
    DP_ENTRY;
    char here[DP_MACHINE_SIZE];
    dp_tuning tuning = { 0 };
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_need_result(contents, size, "contents", error));
    deeper_tuning_contents examined = { 0 };
    _Static_assert(sizeof examined.machine >= DP_MACHINE_SIZE
                       && sizeof examined.sets / sizeof *examined.sets >= DP_ISA_COUNT,
                   "room for what there can be");
    deeper_status status = dp_tuning_examine(&tuning, examined.machine, path, NULL, error);
    examined.here = strcmp(examined.machine, dp_machine_text(here)) == 0;
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        deeper_tuning_set *set = &examined.sets[examined.set_count];
        for (size_t i = 0; i < tuning.count; i++)
            if (tuning.items[i].key.isa == (dp_isa)isa) {
                set->choices++;
                set->direct += tuning.items[i].choice.points == 0;
            }
        set->isa = dp_isa_name((dp_isa)isa);
        examined.set_count += set->choices > 0;
    }
    dp_tuning_free(&tuning);
    if (status == DEEPER_OK)
        dp_result_give(contents, size, &examined, sizeof examined);
    return status;
}

deeper_status deeper_tune(const deeper_model *model, const char *path,
                          const deeper_tune_options *options,
                          void (*layer)(void *context, const deeper_tuned_layer *layer),
                          void *context, deeper_tuning_result *result, size_t size,
                          deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    deeper_tuning_result tuned = { 0 };
    DP_TRY(dp_need(path, "path", error));
    if (result)
        DP_TRY(dp_need_result(result, size, "result", error));
    deeper_tune_options taken = DEEPER_TUNE_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_tune_options", error));
    DP_TRY(dp_tune_file(model->model, path, &taken, layer, context, &tuned, error));
    if (result)
        dp_result_give(result, size, &tuned, sizeof tuned);
    return DEEPER_OK;
}
