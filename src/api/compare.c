/* compare.c - deeper_compare and its presets. */
#include "measure/compare.h"
#include "api/handles.h"
#include "train/options/options.h"

deeper_status deeper_compare(const deeper_compare_options *options,
                             const deeper_compare_calls *calls, size_t *failed,
                             deeper_error *error) {
    DP_ENTRY;
    deeper_compare_options taken = DEEPER_COMPARE_OPTIONS_INIT;
    deeper_train_options train;
    const deeper_compare_calls none = { 0 };
    size_t unused = 0;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_compare_options", error));
    dp_train_options_reset(&train);
    DP_TRY(dp_options_read(&train, sizeof train, taken.train, "deeper_train_options", error));
    taken.train = taken.train ? &train : NULL;
    train.epochs = dp_train_epochs(&train);
    return dp_compare(&taken, calls ? calls : &none, failed ? failed : &unused, error);
}

const char *deeper_compare_preset(size_t index, const char **description) {
    const char *unused;
    return dp_compare_preset(index, description ? description : &unused);
}
