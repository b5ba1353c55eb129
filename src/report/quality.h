/* quality.h - how far an answer can be trusted, as parts of a page: calibration, and models
 * compared. */
#ifndef DP_REPORT_QUALITY_H
#define DP_REPORT_QUALITY_H

#include "report/report.h"

/* Appends the table of models and crops, if the report has one of several rows. */
void dp_quality_scores(dp_buffer *buffer, const dp_report *report);

/* Appends the reliability diagram with its table, if the report has measured pictures. */
void dp_quality_calibration(dp_buffer *buffer, const dp_report *report);

/* "62.1 to 74.3 %", Wilson's interval of 95 %. */
void dp_quality_interval(dp_buffer *buffer, uint64_t hits, uint64_t images);

#endif
