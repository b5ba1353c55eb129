/* metrics.c - running sums. */
#include "eval/metrics.h"

#include "base/top.h"

#include <float.h>
#include <math.h>

void dp_metrics_add(dp_metrics *metrics, const float *probabilities, size_t classes,
                    size_t target) {
    size_t rank = dp_rank(probabilities, classes, target);
    metrics->images++;
    metrics->top1 += rank < 1;
    metrics->top5 += rank < 5;
    float p = probabilities[target];
    metrics->loss -= log((double)(p < FLT_MIN ? FLT_MIN : p)); /* NaN stays NaN */
}
