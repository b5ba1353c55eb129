/* name_index.c - open addressing with linear steps, at most half full. The hash is mixed from the
 * whole name, so that names of a stranger's choice do not easily fall together. */
#include "base/name_index.h"

#include <string.h>

enum { FIRST = 64, NAMES = INT32_MAX }; /* entries to begin with; bytes of all names */

static uint64_t hash_of(const void *name, size_t size) {
    const unsigned char *bytes = name;
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

void dp_name_index_init(dp_name_index *index, const deeper_allocator *allocator) {
    *index = (dp_name_index){ .allocator = allocator };
    dp_buffer_init(&index->names, allocator, NAMES);
}

void dp_name_index_free(dp_name_index *index) {
    dp_buffer_free(&index->names);
    dp_free(index->allocator, index->entries);
    index->entries = NULL;
    index->count = index->capacity = 0;
}

/* The entry of the name, or the unused one where it would be. */
static dp_name_entry *find(const dp_name_index *index, const void *name, size_t size,
                           uint64_t hash) {
    size_t at = (size_t)hash & (index->capacity - 1);
    for (;; at = (at + 1) & (index->capacity - 1)) {
        dp_name_entry *entry = &index->entries[at];
        if (!entry->used
            || (entry->hash == hash && entry->size == size
                && (size == 0 || memcmp(index->names.data + entry->begin, name, size) == 0)))
            return entry;
    }
}

bool dp_name_index_get(const dp_name_index *index, const void *name, size_t size, size_t *number) {
    if (index->capacity == 0)
        return false;
    const dp_name_entry *entry = find(index, name, size, hash_of(name, size));
    if (entry->used)
        *number = entry->number;
    return entry->used;
}

static bool grow(dp_name_index *index) {
    const size_t capacity = index->capacity ? 2 * index->capacity : FIRST;
    dp_name_index larger = *index;
    larger.entries = dp_alloc(index->allocator, capacity, sizeof *larger.entries);
    larger.capacity = capacity;
    if (!larger.entries)
        return false;
    for (size_t i = 0; i < index->capacity; i++) {
        const dp_name_entry *entry = &index->entries[i];
        if (entry->used)
            *find(&larger, index->names.data + entry->begin, entry->size, entry->hash) = *entry;
    }
    dp_free(index->allocator, index->entries);
    *index = larger;
    return true;
}

bool dp_name_index_add(dp_name_index *index, const void *name, size_t size, size_t number) {
    if (2 * (index->count + 1) > index->capacity && !grow(index))
        return false;
    const uint64_t hash = hash_of(name, size);
    const size_t begin = index->names.size;
    if (size && !dp_buffer_append(&index->names, name, size))
        return false;
    *find(index, name, size, hash) = (dp_name_entry){ begin, size, number, hash, true };
    index->count++;
    return true;
}
