/* fuzz.c - see fuzz.h. */
#include "helpers/fuzz.h"

#include <stdlib.h>

void fuzz_demand(bool holds) {
    if (!holds)
        abort();
}

static void *allocate(void *context, size_t size, size_t alignment) {
    const size_t *limit = context;
    void *block = NULL;
    return size <= *limit && posix_memalign(&block, alignment, size ? size : 1) == 0 ? block : NULL;
}

static void release(void *context, void *block) {
    free(block);
}

deeper_allocator fuzz_bounded(const size_t *limit) {
    return (deeper_allocator){ allocate, release, (void *)(uintptr_t)limit };
}
