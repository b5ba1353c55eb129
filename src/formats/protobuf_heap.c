/* protobuf_heap.c - an allocator for protobuf-c that counts: each block has its size in front. */
#include "formats/protobuf_heap.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAP_FACTOR = 4, /* values once more, and room for protobuf-c's bookkeeping */
    HEAP_BASE = 16 << 20,
    MALLOC_COST = 32 /* counted for every block on top of its bytes, so that many small ones meet
                        the limit too */
};

typedef struct heap {
    size_t used, limit;
    bool refused; /* the limit was met */
    bool failed;  /* malloc has no more */
} heap;

/* Before every block its size stands, in a space that keeps the block aligned. */
enum { BLOCK_FRONT = sizeof(max_align_t) };

static void *heap_allocate(void *context, size_t size) {
    heap *h = context;
    if (size > h->limit - h->used || h->limit - h->used - size < MALLOC_COST) {
        h->refused = true;
        return NULL;
    }
    unsigned char *block = malloc(size + BLOCK_FRONT);
    if (!block) {
        h->failed = true;
        return NULL;
    }
    h->used += size + MALLOC_COST;
    memcpy(block, &size, sizeof size);
    return block + BLOCK_FRONT;
}

static void heap_release(void *context, void *pointer) {
    heap *h = context;
    if (!pointer)
        return;
    unsigned char *block = (unsigned char *)pointer - BLOCK_FRONT;
    size_t size;
    memcpy(&size, block, sizeof size);
    h->used -= size + MALLOC_COST;
    free(block);
}

static ProtobufCAllocator heap_allocator(heap *h) {
    return (
        ProtobufCAllocator){ .alloc = heap_allocate, .free = heap_release, .allocator_data = h };
}

deeper_status dp_protobuf_unpack(ProtobufCMessage **message, const ProtobufCMessageDescriptor *type,
                                 const void *bytes, size_t size, const char *name, const char *what,
                                 deeper_error *error) {
    heap h = { .limit = SIZE_MAX };
    size_t scaled = 0;
    if (dp_size_mul(size, HEAP_FACTOR, &scaled) && scaled < SIZE_MAX - HEAP_BASE)
        h.limit = scaled + HEAP_BASE;
    ProtobufCAllocator allocator = heap_allocator(&h);
    *message = protobuf_c_message_unpack(type, &allocator, size, bytes);
    if (*message)
        return DEEPER_OK;
    if (h.failed)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to read it", name);
    if (h.refused)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: would take more than the %zu bytes of memory that a file of %zu may",
                       name, h.limit, size);
    return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: not a sound %s, or cut short; fetch it again",
                   name, what);
}

void dp_protobuf_free(ProtobufCMessage *message) {
    heap h = { 0 }; /* counts downwards from nothing, which nobody reads */
    ProtobufCAllocator allocator = heap_allocator(&h);
    if (message)
        protobuf_c_message_free_unpacked(message, &allocator);
}
