/* random.h - all randomness of deeper: a counter-based generator, so that a number depends on
 * (seed, stream, index) alone and a run can be repeated or resumed from the middle bit for bit.
 * splitmix64's finaliser over the counter (Steele, Lea, Flood 2014). */
#ifndef DP_BASE_RANDOM_H
#define DP_BASE_RANDOM_H

#include <stdint.h>

typedef struct dp_random {
    uint64_t key, counter;
} dp_random;

/* A stream of its own for (seed, a, b), such as (seed, epoch, index). */
dp_random dp_random_at(uint64_t seed, uint64_t a, uint64_t b);

uint64_t dp_random_u64(dp_random *random); /* uniform, 64 bits */
uint32_t dp_random_below(dp_random *random,
                         uint32_t limit);  /* uniform 0..limit-1 without bias; limit >= 1 */
float dp_random_unit(dp_random *random);   /* uniform [0, 1), 24 bits */
float dp_random_normal(dp_random *random); /* mean 0, deviation 1 (Box-Muller) */

#endif
