/* name_index.h - from a name (any bytes) to a number: a hash table for the sets whose files name
 * photos, classes and ids in any order, a million times. */
#ifndef DP_BASE_NAME_INDEX_H
#define DP_BASE_NAME_INDEX_H

#include "base/memory.h"

typedef struct dp_name_entry {
    size_t begin, size; /* its bytes, in `names` */
    size_t number;
    uint64_t hash;
    bool used;
} dp_name_entry;

/* Begins with dp_name_index_init; freed by dp_name_index_free. */
typedef struct dp_name_index {
    const deeper_allocator *allocator;
    dp_buffer names;
    dp_name_entry *entries;
    size_t count, capacity; /* a power of two, or 0 */
} dp_name_index;

void dp_name_index_init(dp_name_index *index, const deeper_allocator *allocator);
void dp_name_index_free(dp_name_index *index);

/* *number = what the name was added with; false: it was not. */
bool dp_name_index_get(const dp_name_index *index, const void *name, size_t size, size_t *number);

/* Adds a name that is not there. False: out of memory. */
bool dp_name_index_add(dp_name_index *index, const void *name, size_t size, size_t number);

#endif
