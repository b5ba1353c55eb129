/* columns.h - the figures of an epoch as one table, from which log.csv, the events and the page's
 * table of epochs are written. */
#ifndef DP_REPORT_COLUMNS_H
#define DP_REPORT_COLUMNS_H

#include "report/report.h"

enum { DP_COLUMNS_MAX = 8 + 2 * DP_REPORT_HEADS };

typedef struct dp_column {
    const char *name; /* in log.csv: "val_loss" */
    const char *tag;  /* in TensorBoard, which groups by what stands before the slash: "val/loss" */
    const char *head; /* whose figure it is, appended as "_main"; NULL: the whole network's */
    size_t offset;    /* of the double in dp_report_epoch */
} dp_column;

/* The columns of a report with its heads, in order; their number is returned. `epoch` and `best`
 * are not among them. */
size_t dp_columns(dp_column columns[DP_COLUMNS_MAX], const dp_report *report);

double dp_column_value(const dp_column *column, const dp_report_epoch *epoch);

/* The heads that can be had: report->heads within 0..DP_REPORT_HEADS. */
size_t dp_report_heads(const dp_report *report);

/* The epoch whose weights are kept: the last one marked best; epoch_count if none is. */
size_t dp_report_best(const dp_report *report);

#endif
