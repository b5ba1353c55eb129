/* top.c - the k largest values, and the rank of one. */
#include "base/top.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether value a comes before value b. */
static bool before(const float *values, size_t a, size_t b) {
    float x = values[a], y = values[b];
    if (isnan(x) || isnan(y))
        return isnan(x) == isnan(y) ? a < b : isnan(y);
    return x > y || (x == y && a < b);
}

size_t dp_top_k(const float *values, size_t count, size_t k, size_t *best) {
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        size_t place = taken;
        while (place > 0 && before(values, i, best[place - 1]))
            place--;
        if (place == k || isnan(values[i]))
            continue;
        taken += taken < k;
        for (size_t j = taken - 1; j > place; j--)
            best[j] = best[j - 1];
        best[place] = i;
    }
    return taken;
}

size_t dp_rank(const float *values, size_t count, size_t target) {
    size_t rank = 0;
    if (isnan(values[target]))
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        rank += before(values, i, target);
    return rank;
}
