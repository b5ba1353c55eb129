/* metrics.h - from probabilities to figures: the most probable classes, top-1, top-5, loss. Order
 * of classes everywhere: the larger probability first, equal ones by class index, what is not a
 * number last. */
#ifndef DP_EVAL_METRICS_H
#define DP_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* The first min(k, classes) classes in that order, into best; their number is returned. */
size_t dp_top_k(const float *probabilities, size_t classes, size_t k, size_t *best);

/* How many classes come before `target` (< classes): 0 is top-1, below 5 is top-5. */
size_t dp_rank(const float *probabilities, size_t classes, size_t target);

/* Sums over pictures; zero to begin with. */
typedef struct dp_metrics {
    uint64_t images, top1, top5;
    double loss; /* sum of -ln p(target), p held above the smallest normal float: a class given up
                    costs 87.3, not infinity */
} dp_metrics;

void dp_metrics_add(dp_metrics *metrics, const float *probabilities, size_t classes, size_t target);

#endif
