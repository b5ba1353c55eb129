/* train.c - training: the arguments of a run, of the search for its rate, of a look at its
 * pictures. */
#include "api/handles.h"
#include "train/options/options.h"
#include "train/run/ensemble.h"
#include "train/run/find_rate.h"
#include "train/run/preview.h"

#include <string.h>

enum { COMMAND_LIMIT = 1 << 16 };

const deeper_option *deeper_train_option(size_t index) {
    const dp_train_row *row = dp_train_row_at(index);
    return row ? &row->option : NULL;
}

void deeper_train_defaults(deeper_train_options *options, size_t size) {
    DP_ENTRY;
    deeper_train_options taken;
    if (!options)
        return;
    dp_train_options_reset(&taken);
    taken.size = size;
    memset(options, 0, size);
    memcpy(options, &taken, size < sizeof taken ? size : sizeof taken);
}

deeper_status deeper_train_set(deeper_train_options *options, const char *name, const char *text,
                               deeper_error *error) {
    DP_ENTRY;
    deeper_train_options taken;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_need(name, "name", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_train_options", error));
    return dp_train_option_set(options, name, text, error);
}

deeper_status deeper_train(const deeper_train_options *options, const deeper_train_calls *calls,
                           deeper_train_result *result, size_t size, deeper_error *error) {
    DP_ENTRY;
    deeper_train_options taken = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_train_result reached = { 0 };
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_train_options", error));
    DP_TRY(dp_need(taken.out, "out", error));
    if (result)
        DP_TRY(dp_need_result(result, size, "result", error));
    deeper_status status = dp_train_runs(&taken, calls, &reached, NULL, error);
    if (result)
        dp_result_give(result, size, &reached, sizeof reached);
    return status;
}

deeper_status deeper_train_preview(const deeper_train_options *options, const char *path, int count,
                                   deeper_error *error) {
    DP_ENTRY;
    deeper_train_options taken = DEEPER_TRAIN_OPTIONS_INIT;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_train_options", error));
    DP_TRY(dp_need(path, "path", error));
    if (count < 1 || count > DP_PREVIEW_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "count is %d; 1 to %d pictures are", count,
                       DP_PREVIEW_MAX);
    return dp_train_preview(&taken, path, count, NULL, error);
}

deeper_status deeper_train_find_rate(const deeper_train_options *options, const char *page,
                                     const deeper_train_calls *calls, deeper_rate_search *result,
                                     size_t size, deeper_error *error) {
    DP_ENTRY;
    deeper_train_options taken = DEEPER_TRAIN_OPTIONS_INIT;
    DP_TRY(dp_need(options, "options", error));
    DP_TRY(dp_need_result(result, size, "result", error));
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_train_options", error));
    deeper_rate_search search;
    DP_TRY(dp_find_rate(&search, &taken, page, calls, NULL, error));
    dp_result_give(result, size, &search, sizeof search);
    return DEEPER_OK;
}

size_t deeper_train_command(const deeper_train_options *options, char *text, size_t size) {
    DP_ENTRY;
    deeper_train_options taken = DEEPER_TRAIN_OPTIONS_INIT;
    if (!options
        || dp_options_read(&taken, sizeof taken, options, "deeper_train_options", NULL)
               != DEEPER_OK)
        return 0;
    dp_buffer command;
    dp_buffer_init(&command, NULL, COMMAND_LIMIT);
    dp_train_options_command(&command, &taken);
    size_t all = command.failed ? 0 : command.size + 1, kept = command.size < size ? command.size
                                                               : size              ? size - 1
                                                                                   : 0;
    if (all && size && text) {
        memcpy(text, command.data, kept);
        text[kept] = '\0';
    }
    dp_buffer_free(&command);
    return all;
}
