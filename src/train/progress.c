/* progress.c - the history grows an epoch at a time. */
#include "train/progress.h"

bool dp_progress_add(dp_progress *progress, const dp_report_epoch *epoch, const deeper_allocator *allocator) {
    void *items = progress->history;
    if (!dp_reserve(allocator, &items, &progress->history_capacity, progress->history_count + 1, sizeof *epoch))
        return false;
    progress->history = items;
    progress->history[progress->history_count++] = *epoch;
    return true;
}

void dp_progress_free(dp_progress *progress, const deeper_allocator *allocator) {
    dp_free(allocator, progress->history);
    *progress = (dp_progress){ 0 };
}
