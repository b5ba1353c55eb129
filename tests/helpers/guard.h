/* guard.h - arrays that lie against a page which can be neither read nor written: a kernel that
 * goes past its contract faults. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <stddef.h>

/* Where the guard page lies: straight before the first float, or straight after the last. */
typedef enum test_guard_side {
    TEST_GUARD_BEFORE,
    TEST_GUARD_AFTER,
    TEST_GUARD_SIDES
} test_guard_side;

typedef struct test_guard {
    float *data;
    size_t count;
    void *map;
    size_t map_size;
} test_guard;

/* `count` floats that each hold a quiet NaN, which spoils any result it gets into. AFTER aligns as
 * far as count does: a multiple of 16 floats gives 64 bytes. */
test_guard test_guard_open(size_t count, test_guard_side side);
void test_guard_close(test_guard *guard);

#endif
