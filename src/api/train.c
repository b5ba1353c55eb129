/* train.c - deeper_train: the arguments of a run. */
#include "api/handles.h"
#include "train/preview.h"
#include "train/trainer.h"

deeper_status deeper_train(const deeper_train_options *options, const deeper_train_calls *calls, deeper_train_result *result,
                           deeper_error *error) {
    deeper_train_options mine = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_train_result unused;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_train_options", error));
    DP_TRY(dp_need(mine.out, "out", error));
    return dp_train(&mine, calls, result ? result : &unused, NULL, error);
}

deeper_status deeper_train_preview(const deeper_train_options *options, const char *path, int count, deeper_error *error) {
    deeper_train_options mine = DEEPER_TRAIN_OPTIONS_INIT;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_train_options", error));
    DP_TRY(dp_need(path, "path", error));
    DP_TRY(dp_need(mine.data, "data", error));
    if (count < 1 || count > DP_PREVIEW_MOST)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "count is %d; 1 to %d pictures are", count, DP_PREVIEW_MOST);
    return dp_train_preview(&mine, path, count, NULL, error);
}
