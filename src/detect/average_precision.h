/* average_precision.h - from outcomes to figures: precision over recall as each protocol averages
 * it, side by side, a row of one table each; and how far chance in the choice of the photos moves
 * them. */
#ifndef DP_DETECT_AVERAGE_PRECISION_H
#define DP_DETECT_AVERAGE_PRECISION_H

#include "detect/match.h"

/* How a list of outcomes becomes a number. With P(r) = the largest precision at a recall of r or
 * more:
 *   POINTS_11   mean of P at r = 0, .1 ... 1 (VOC 2007)
 *   AREA        area under P (VOC from 2010, ILSVRC)
 *   POINTS_101  mean of P at r = 0, .01 ... 1 (COCO)
 *   RECALL      the share of the boxes that are found */
typedef enum dp_measure { DP_POINTS_11, DP_AREA, DP_POINTS_101, DP_RECALL } dp_measure;

/* A figure: the mean over classes with boxes, and over lists, of a measure. */
typedef struct dp_figure {
    const char *name, *protocol, *rule;
    dp_measure measure;
    int list, lists; /* the first, and how many: one, or COCO's ten thresholds */
    uint32_t best;   /* detections of a photo and class that count, those of the highest score; 0:
                        all */
} dp_figure;

/* By index; NULL past the last. */
const dp_figure *dp_figure_at(size_t index);
size_t dp_figure_count(void);

/* values[figure * classes + class] = each figure of each class, NAN for a class without boxes; and
 * means[figure], over the others; NAN: there are none. Errors: MEMORY. */
deeper_status dp_average_precision(double *values, double *means, const dp_matches *matches,
                                   deeper_error *error);

/* One list of one class by a measure, with `targets` boxes to be found (>= 1) and other outcomes
 * than those of the matches, in their order. Scratch: room for a number for each right outcome,
 * twice. */
double dp_average_precision_of(const uint8_t *outcomes, size_t count, size_t targets,
                               dp_measure measure, double *scratch);

/* intervals[2 * figure]: between which bounds 95 % of the means lie when as many photos are drawn
 * from these with replacement, `resamples` times (the percentile bootstrap: Efron 1979). From
 * `seed` alone. Errors: MEMORY. */
deeper_status dp_average_precision_intervals(double *intervals, const dp_matches *matches,
                                             size_t resamples, uint64_t seed, deeper_error *error);

#endif
