/* verify.c - deeper_verify. */
#include "api/handles.h"
#include "eval/verify_against.h"

deeper_status deeper_verify(const deeper_model *model, const char *against,
                            const deeper_verify_options *options,
                            void (*difference)(void *context, const deeper_difference *difference),
                            void *context, int *inputs, deeper_error *error) {
    DP_TRY(dp_need(model, "model", error));
    DP_TRY(dp_need(against, "against", error));
    if (!difference)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "difference is NULL");
    deeper_verify_options mine = DEEPER_VERIFY_OPTIONS_INIT;
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_verify_options", error));
    if (mine.pictures ? mine.picture_count < 1 || mine.picture_count > INT32_MAX
                      : mine.picture_count != 0)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "picture_count is %zu; it is the number of paths in pictures, or 0 with NULL",
            mine.picture_count);
    return dp_verify_against(model->model, model->packs, against, &mine, difference, context,
                             inputs, error);
}
