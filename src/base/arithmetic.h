/* arithmetic.h - the small sums of every loop that cuts a size into parts, written once. Why here:
 * kernels, planner and file formats all need them; the compiler inlines them. Products of sizes
 * that come from outside go through dp_size_mul (memory.h). */
#ifndef DP_BASE_ARITHMETIC_H
#define DP_BASE_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

static inline int dp_min(int a, int b) {
    return a < b ? a : b;
}

static inline int dp_max(int a, int b) {
    return a > b ? a : b;
}

/* How many parts of size `part` (>= 1) cover `whole`: whole / part, rounded up. */
static inline int64_t dp_ceil_div64(int64_t whole, int64_t part) {
    return whole / part + (whole % part > 0);
}
static inline int dp_ceil_div(int whole, int part) {
    return (int)dp_ceil_div64(whole, part);
}

/* The smallest multiple of `step` (>= 1) that is not below `size`. */
static inline size_t dp_round_up(size_t size, size_t step) {
    return (size + step - 1) / step * step;
}

#endif
