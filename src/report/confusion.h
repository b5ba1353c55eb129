/* confusion.h - the confusion matrix as parts of a page: a heat table, the pairs most often
 * confused, figures of every class. */
#ifndef DP_REPORT_CONFUSION_H
#define DP_REPORT_CONFUSION_H

#include "report/report.h"

/* Images in the matrix, and those of them on its diagonal. The report has a matrix. */
uint64_t dp_confusion_total(const dp_report *report, uint64_t *right);

/* Appends the name of a class, escaped; "class 17" where there is none. */
void dp_confusion_name(dp_buffer *buffer, const dp_report *report, size_t index);

/* Appends the sections. Nothing is appended if the report has no matrix. Errors: MEMORY. */
deeper_status dp_confusion_write(dp_buffer *buffer, const dp_report *report, deeper_error *error);

#endif
