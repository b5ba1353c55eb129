/* train.c - deeper_train: the arguments of a run checked before anything is opened. */
#include "api/handles.h"
#include "train/options.h"
#include "train/trainer.h"

deeper_status deeper_train(const deeper_train_options *options, const deeper_train_calls *calls, deeper_train_result *result,
                           deeper_error *error) {
    deeper_train_options mine = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_train_result unused;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&mine, sizeof mine, options, "deeper_train_options", error));
    DP_TRY(dp_need(mine.out, "out", error));
    DP_TRY(dp_train_options_check(&mine, error));
    return dp_train(&mine, calls, result ? result : &unused, NULL, error);
}
