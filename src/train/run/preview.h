/* preview.h - a look at what a run would show its network, before it is spent.
 * What it does not do: training; nothing of the run's folder is touched. */
#ifndef DP_TRAIN_PREVIEW_H
#define DP_TRAIN_PREVIEW_H

#include "base/memory.h"

enum { DP_PREVIEW_COLUMNS = 8, DP_PREVIEW_MAX = 64 }; /* pictures of a row, and rows */

/* deeper_train_preview has the contract. count: 1..DP_PREVIEW_MAX. */
deeper_status dp_train_preview(const deeper_train_options *options, const char *path, int count,
                               const deeper_allocator *allocator, deeper_error *error);

#endif
