/* output.h - how the report's files come to disk: filled in memory, then written at once. */
#ifndef DP_REPORT_OUTPUT_H
#define DP_REPORT_OUTPUT_H

#include "base/memory.h"

/* Appends a whole file to `buffer`. Failed appends need no check: the buffer remembers them. Other
 * failures fill `error`. */
typedef deeper_status dp_report_fill(dp_buffer *buffer, const void *context, deeper_error *error);

/* Calls fill(buffer, context) with this thread's numbers printed as C prints them (a decimal point,
 * whatever the caller's locale), then writes the buffer to `path` atomically. Errors: MEMORY, IO,
 * those of fill; the old file then stays. */
deeper_status dp_report_output(const char *path, dp_report_fill *fill, const void *context,
                               const deeper_allocator *allocator, deeper_error *error);

#endif
