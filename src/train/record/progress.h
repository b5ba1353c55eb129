/* progress.h - where a run stands: all that a checkpoint holds besides the arenas. Plain
 * numbers. */
#ifndef DP_TRAIN_PROGRESS_H
#define DP_TRAIN_PROGRESS_H

#include "graph/training.h"
#include "report/report.h"
#include "train/core/length.h"

/* Sums over pictures since the epoch began. */
typedef struct dp_sums {
    uint64_t images, top1, steps;
    double weight, losses[DP_HEADS];
    double norm; /* sum of the steps' gradient norms */
} dp_sums;

typedef struct dp_progress {
    uint64_t step;     /* updates since the run began, those that a divergence took back included */
    int epoch;         /* under way, from 0 */
    uint64_t position; /* pictures of its order that are done */
    int epochs;        /* that the run will have */
    dp_length length;  /* of a run whose length is in steps */
    dp_length extended; /* of one that was given more epochs when it had ended: in epochs; no
                           stages: never */
    double planned;     /* seconds when a run by the clock was last planned; 0: not yet */
    double rate;        /* of the last step */
    double factor;      /* on the rate, halved by every divergence */
    int divergences;    /* since the last good state */
    uint64_t kept_step; /* of the last good state */
    dp_sums sums;
    uint64_t images, unreadable, epoch_unreadable;
    double seconds;        /* that the run has taken, interruptions not counted */
    double started;        /* seconds since 1970 */
    uint64_t probe_images; /* that the linear probe saw; 0: there is none */
    double probe_top1;
    int best_epoch; /* from 1; 0: none yet, or the probe */
    double best_top1, best_top5, best_loss;
    dp_report_epoch *history;
    size_t history_count, history_capacity;
    dp_report_warning *warnings; /* what the watch said; the texts are the run's */
    size_t warning_count, warning_capacity;
} dp_progress;

/* Appends an epoch to the history, or a copy of a warning of the epoch under way to the warnings
 * (past DP_MAX_WARNINGS it is dropped); false: out of memory. */
bool dp_progress_add(dp_progress *progress, const dp_report_epoch *epoch,
                     const deeper_allocator *allocator);
enum { DP_MAX_WARNINGS = 100 };
bool dp_progress_warn(dp_progress *progress, int epoch, const char *text,
                      const deeper_allocator *allocator);

/* As JSON text (malloc'ed; free() it; NULL: out of memory) and back, to the same bits. Errors:
 * FORMAT, naming the field; MEMORY. `name` stands for the file in messages. */
char *dp_progress_to_json(const dp_progress *progress);
deeper_status dp_progress_from_json(dp_progress *progress, const char *json, const char *name,
                                    const deeper_allocator *allocator, deeper_error *error);

void dp_progress_free(dp_progress *progress, const deeper_allocator *allocator);

#endif
