/* summary.h - a run as its report shows it. */
#ifndef DP_TRAIN_SUMMARY_H
#define DP_TRAIN_SUMMARY_H

#include "train/core/learner.h"
#include "train/run/folder.h"
#include "train/run/validate.h"

/* All of it borrowed. */
typedef struct dp_run_view {
    const dp_record_options *options;
    int readers;
    const dp_pictures *pictures;
    const dp_network *network;
    const dp_learner *learner;
    const dp_progress *progress;
    const dp_validation *validation; /* of the saved model */
} dp_run_view;

/* Writes log.csv, report.html and the TensorBoard events. Errors: IO, MEMORY. */
deeper_status dp_summary_write(const dp_run_folder *folder, const dp_run_view *view,
                               deeper_error *error);

#endif
