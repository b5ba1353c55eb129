/* metrics.h - from probabilities to figures: top-1, top-5, loss. Classes are ranked as base/top.h
 * orders them. */
#ifndef DP_EVAL_METRICS_H
#define DP_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* Sums over pictures; zero to begin with. */
typedef struct dp_metrics {
    uint64_t images, top1, top5;
    double loss; /* sum of -ln p(target), p held above the smallest normal float: a class given up
                    costs 87.3, not infinity; NaN once a p was NaN */
} dp_metrics;

void dp_metrics_add(dp_metrics *metrics, const float *probabilities, size_t classes, size_t target);

#endif
