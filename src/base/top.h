/* top.h - the order of classes by their values, the one that everything ranks by: the larger value
 * first, equal ones by index, what is not a number last. */
#ifndef DP_BASE_TOP_H
#define DP_BASE_TOP_H

#include <stddef.h>

/* The indices of the k first values in that order, into best; how many there are: fewer than k
 * where `count` values have fewer numbers among them. Takes up to k x count comparisons. */
size_t dp_top_k(const float *values, size_t count, size_t k, size_t *best);

/* How many values come before number `target` (< count): 0 is top-1, below 5 is top-5; SIZE_MAX if
 * it is not a number, which is no answer. */
size_t dp_rank(const float *values, size_t count, size_t target);

#endif
