/* sampler.h - the order in which an epoch shows the training pictures. */
#ifndef DP_TRAIN_SAMPLER_H
#define DP_TRAIN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

/* order[count] = a permutation of 0..count-1 that depends on (seed, epoch, count) alone, all
 * equally likely. count < 2^32. */
void dp_sampler_shuffle(size_t *order, size_t count, uint64_t seed, uint64_t epoch);

#endif
