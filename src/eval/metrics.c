/* metrics.c - ranks and running sums. */
#include "eval/metrics.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Whether class a comes before class b, for a before b in index or not. */
static bool before(const float *probabilities, size_t a, size_t b) {
    float x = isnan(probabilities[a]) ? -INFINITY : probabilities[a];
    float y = isnan(probabilities[b]) ? -INFINITY : probabilities[b];
    return x > y || (x == y && a < b);
}

size_t dp_top_k(const float *probabilities, size_t classes, size_t k, size_t *best) {
    size_t count = 0;
    for (size_t i = 0; i < classes; i++) {
        size_t place = count;
        while (place > 0 && before(probabilities, i, best[place - 1]))
            place--;
        if (place == k)
            continue;
        count += count < k;
        for (size_t j = count - 1; j > place; j--)
            best[j] = best[j - 1];
        best[place] = i;
    }
    return count;
}

size_t dp_rank(const float *probabilities, size_t classes, size_t target) {
    size_t rank = 0;
    for (size_t i = 0; i < classes; i++)
        rank += before(probabilities, i, target);
    return rank;
}

void dp_metrics_add(dp_metrics *metrics, const float *probabilities, size_t classes,
                    size_t target) {
    size_t rank = dp_rank(probabilities, classes, target);
    metrics->images++;
    metrics->top1 += rank < 1;
    metrics->top5 += rank < 5;
    metrics->loss -= log(fmax((double)probabilities[target], (double)FLT_MIN));
}
