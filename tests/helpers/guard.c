/* guard.c - arrays against a guard page, by mmap and mprotect. Trouble of the machine itself ends
 * the test program. */
#include "helpers/guard.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

test_guard test_guard_open(size_t count, test_guard_side side) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = count * sizeof(float);
    const size_t pages = (bytes + page - 1) / page * page;
    test_guard guard = { .count = count, .map_size = pages + page };
    guard.map =
        mmap(NULL, guard.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guard.map == MAP_FAILED)
        give_up("mmap");
    char *start = guard.map;
    if (mprotect(side == TEST_GUARD_BEFORE ? start : start + pages, page, PROT_NONE))
        give_up("mprotect");
    guard.data =
        (float *)(void *)(side == TEST_GUARD_BEFORE ? start + page : start + pages - bytes);
    for (size_t i = 0; i < count; i++)
        guard.data[i] = NAN;
    return guard;
}

void test_guard_close(test_guard *guard) {
    munmap(guard->map, guard->map_size);
    *guard = (test_guard){ 0 };
}
