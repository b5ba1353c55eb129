/* report.h - what a training run leaves for people to look at, log.csv, report.html and TensorBoard
 * events, and the page of an evaluation, which is the same one without epochs. What it does not do:
 * training, measuring. It is given numbers and pictures and writes files, each atomically. */
#ifndef DP_REPORT_REPORT_H
#define DP_REPORT_REPORT_H

#include "base/memory.h"
#include "base/statistics.h"
#include "image/image.h"

enum { DP_REPORT_HEADS = 3 };

/* One epoch. Losses are means over images; main head first. */
typedef struct dp_report_epoch {
    int epoch;
    double seconds; /* since the run began */
    double rate, images_per_second, gradient_norm;
    double train_losses[DP_REPORT_HEADS], train_loss, train_top1;
    double val_losses[DP_REPORT_HEADS], val_top1, val_top5;
    bool best;
} dp_report_epoch;

/* What the watch over a run said, during an epoch. */
typedef struct dp_report_warning {
    int epoch;
    const char *text;
} dp_report_warning;

/* A validation picture that the network got wrong with confidence. */
typedef struct dp_report_mistake {
    const char *path;
    size_t label, predicted;
    double probability; /* of the predicted class */
    dp_image thumbnail; /* borrowed, any size up to 256 */
} dp_report_mistake;

/* What the pictures that were measured gave: of a run, by its saved model. */
typedef struct dp_report_measured {
    uint64_t images, top1, top5;
    double loss;
    dp_calibration calibration;
} dp_report_measured;

typedef struct dp_report {
    const char *title;             /* "flowers, fine-tuned from bvlc.safetensors" */
    const char *command;           /* how to do it again */
    const char *const (*facts)[2]; /* rows of name and value: options, data, fingerprint, machine */
    size_t fact_count;
    int heads;
    const char *head_names[DP_REPORT_HEADS];
    const dp_report_epoch *epochs;
    size_t epoch_count;
    const char *const *classes;
    size_t class_count;
    uint64_t probe_images; /* that the linear probe saw, the line to beat; 0: none */
    double probe_top1;
    const dp_report_warning *warnings; /* in the order of epochs */
    size_t warning_count;
    const uint64_t *confusion; /* class_count x class_count, row: true class; NULL: none yet */
    const dp_report_mistake *mistakes;
    size_t mistake_count;
    const dp_report_measured *measured; /* NULL: nothing yet */
    const deeper_score *scores;         /* rows of an evaluation */
    size_t score_count;
} dp_report;

/* A page complete in itself (SVG curves, PNG thumbnails inside, no script from elsewhere). */
deeper_status dp_report_write_html(const dp_report *report, const char *path,
                                   const deeper_allocator *allocator, deeper_error *error);
/* A header line, then a line an epoch; its warnings are one cell, the last. */
deeper_status dp_report_write_csv(const dp_report *report, const char *path,
                                  const deeper_allocator *allocator, deeper_error *error);
/* A TensorBoard event file with one scalar series a column, wall time from `started` (seconds since
 * 1970) + epoch seconds. */
deeper_status dp_report_write_events(const dp_report *report, double started, const char *path,
                                     const deeper_allocator *allocator, deeper_error *error);

/* The page of a learning-rate range test: its curve, the suggestion, the command to go on with,
 * every point. */
deeper_status dp_report_write_rates(const deeper_rate_search *search, const char *title,
                                    const char *command, const char *path,
                                    const deeper_allocator *allocator, deeper_error *error);

#endif
