/* verify.c - deeper_verify. */
#include "api/handles.h"
#include "eval/verify_against.h"

deeper_status deeper_verify(const deeper_model *model, const char *against,
                            const deeper_verify_options *options,
                            void (*difference)(void *context, const deeper_difference *difference),
                            void *context, int *inputs, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(against, "against", error));
    if (!difference)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "difference is NULL");
    deeper_verify_options taken = DEEPER_VERIFY_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_verify_options", error));
    if (taken.pictures ? taken.picture_count < 1 || taken.picture_count > INT32_MAX
                       : taken.picture_count != 0)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "picture_count is %zu; it is the number of paths in pictures, or 0 with NULL",
            taken.picture_count);
    return dp_verify_against(model->model, model->packs, against, &taken, difference, context,
                             inputs, error);
}
