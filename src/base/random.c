/* random.c - the counter-based generator. Number i of a stream is mix(key + i * GOLDEN): any number
 * can be had without those before. */
#include "base/random.h"

#include <math.h>

#define GOLDEN                                                                                     \
    UINT64_C(                                                                                      \
        0x9E3779B97F4A7C15) /* 2^64 / golden ratio, odd: the counter visits every 64-bit value */

/* splitmix64's finaliser: a bijection of 64 bits in which every input bit changes every output bit
 * with probability near 1/2. */
static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

dp_random dp_random_at(uint64_t seed, uint64_t a, uint64_t b) {
    /* Each word is mixed before the next is added, so that (1, 2) and (2, 1), or neighbours, share
     * nothing. */
    uint64_t key = mix(seed + GOLDEN);
    key = mix(key + a + GOLDEN);
    key = mix(key + b + GOLDEN);
    return (dp_random){ .key = key, .counter = 0 };
}

uint64_t dp_random_u64(dp_random *random) {
    return mix(random->key + ++random->counter * GOLDEN);
}

uint32_t dp_random_below(dp_random *random, uint32_t limit) {
    /* The high half of a 32 x 32 product is the number; products whose low half is below 2^32 mod
     * limit are the surplus that would favour some numbers, and are drawn again. */
    uint32_t surplus = (uint32_t)(0 - limit) % limit;
    uint64_t product;
    do
        product = (dp_random_u64(random) >> 32) * limit;
    while ((uint32_t)product < surplus);
    return (uint32_t)(product >> 32);
}

float dp_random_unit(dp_random *random) {
    return (float)(dp_random_u64(random) >> 40) * 0x1p-24f;
}

float dp_random_normal(dp_random *random) {
    static const double two_pi = 6.283185307179586;
    /* In double: the radius needs a number in (0, 1], of which 53 bits keep the tail up to 8.5
     * deviations. */
    double radius = ((double)(dp_random_u64(random) >> 11) + 1.0) * 0x1p-53;
    double angle = (double)(dp_random_u64(random) >> 11) * 0x1p-53;
    return (float)(sqrt(-2.0 * log(radius)) * cos(two_pi * angle));
}
