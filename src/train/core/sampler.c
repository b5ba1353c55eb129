/* sampler.c - Fisher and Yates' shuffle on the run's own random stream. */
#include "train/core/sampler.h"

#include "base/random.h"

enum { STREAM = 0x5a }; /* keeps the order apart from what else is drawn from (seed, epoch) */

void dp_sampler_shuffle(size_t *order, size_t count, uint64_t seed, uint64_t epoch) {
    dp_random random = dp_random_at(seed, epoch, STREAM);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t left = count; left > 1; left--) {
        size_t chosen = dp_random_below(&random, (uint32_t)left), last = order[left - 1];
        order[left - 1] = order[chosen];
        order[chosen] = last;
    }
}
