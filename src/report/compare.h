/* compare.h - what a comparison leaves to look at: compare.csv and compare.html. */
#ifndef DP_REPORT_COMPARE_H
#define DP_REPORT_COMPARE_H

#include "base/memory.h"

typedef struct dp_comparison_page {
    const deeper_compared *const *rows;
    size_t count, total; /* rows so far; members */
    const deeper_compare_options *options;
} dp_comparison_page;

/* A header line, then a line a member; what was not measured is empty. */
deeper_status dp_report_write_comparison_csv(const dp_comparison_page *comparison, const char *path,
                                             const deeper_allocator *allocator,
                                             deeper_error *error);

/* A page complete in itself: accuracy (or speed) over multiply-adds and parameters, the table, how
 * it was measured. */
deeper_status dp_report_write_comparison(const dp_comparison_page *comparison, const char *path,
                                         const deeper_allocator *allocator, deeper_error *error);

#endif
