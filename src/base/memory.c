/* memory.c - allocation through the caller's allocator, and the growing buffer and array built on
 * it. It does not pool or cache: the large buffers are few and live long, the small ones are not on
 * the path of a run. */
#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST_BUFFER = 256, SMALLEST_ARRAY = 8, HUGE_PAGE = 2 << 20 };

bool dp_size_mul(size_t a, size_t b, size_t *result) {
    return !__builtin_mul_overflow(a, b, result);
}

/* Weights and activations of megabytes should take fewer page faults and address translations in
 * huge pages; a system without them says no, which costs nothing. docs/PERF.md has what it did and
 * did not change. */
static void ask_for_huge_pages(void *pointer, size_t bytes) {
#ifdef MADV_HUGEPAGE
    int saved = errno;
    madvise(pointer, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    errno = saved;
#endif
}

static void *allocate(const deeper_allocator *allocator, size_t bytes) {
    if (allocator)
        return allocator->allocate(allocator->context, bytes, DP_ALIGNMENT);
    void *pointer = NULL;
    bool large = bytes >= HUGE_PAGE;
    if (posix_memalign(&pointer, large ? HUGE_PAGE : DP_ALIGNMENT, bytes) != 0)
        return NULL;
    if (large)
        ask_for_huge_pages(pointer, bytes);
    return pointer;
}

void *dp_alloc_raw(const deeper_allocator *allocator, size_t count, size_t size) {
    size_t bytes = 0;
    if (!dp_size_mul(count, size, &bytes))
        return NULL;
    return allocate(allocator, bytes ? bytes : 1);
}

void *dp_alloc(const deeper_allocator *allocator, size_t count, size_t size) {
    void *pointer = dp_alloc_raw(allocator, count, size);
    if (pointer)
        memset(pointer, 0, count * size);
    return pointer;
}

void dp_free(const deeper_allocator *allocator, void *pointer) {
    if (!pointer)
        return;
    if (allocator)
        allocator->release(allocator->context, pointer);
    else
        free(pointer);
}

char *dp_strdup(const deeper_allocator *allocator, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = dp_alloc_raw(allocator, size, 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void dp_buffer_init(dp_buffer *buffer, const deeper_allocator *allocator, size_t limit) {
    /* one byte is the zero byte's, also of all that a size_t counts */
    *buffer =
        (dp_buffer){ .allocator = allocator, .limit = limit < SIZE_MAX ? limit : SIZE_MAX - 1 };
}

void dp_buffer_free(dp_buffer *buffer) {
    dp_free(buffer->allocator, buffer->data);
    dp_buffer_init(buffer, buffer->allocator, buffer->limit);
}

/* Makes room for `extra` bytes and the zero byte after them. */
static bool buffer_grow(dp_buffer *buffer, size_t extra) {
    if (buffer->failed)
        return false;
    buffer->failed = true;
    if (extra > buffer->limit - buffer->size)
        return false;
    size_t need = buffer->size + extra + 1;
    if (need > buffer->capacity) {
        size_t capacity = buffer->capacity > SIZE_MAX / 2 ? need : buffer->capacity * 2;
        if (capacity > buffer->limit)
            capacity = buffer->limit + 1;
        if (capacity < SMALLEST_BUFFER)
            capacity = SMALLEST_BUFFER;
        if (capacity < need)
            capacity = need;
        char *data = dp_alloc_raw(buffer->allocator, capacity, 1);
        if (!data)
            return false;
        if (buffer->data)
            memcpy(data, buffer->data, buffer->size);
        dp_free(buffer->allocator, buffer->data);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    buffer->failed = false;
    return true;
}

bool dp_buffer_append(dp_buffer *buffer, const void *bytes, size_t size) {
    if (!buffer_grow(buffer, size))
        return false;
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return true;
}

void dp_buffer_sink(void *buffer, const char *bytes, size_t size) {
    dp_buffer_append(buffer, bytes, size);
}

bool dp_buffer_printf(dp_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return false;
    }
    if (!buffer_grow(buffer, (size_t)length))
        return false;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
    return true;
}

bool dp_reserve(const deeper_allocator *allocator, void **items, size_t *capacity, size_t need,
                size_t size) {
    if (need <= *capacity)
        return true;
    size_t grown = *capacity > SIZE_MAX / 2 ? need : *capacity * 2;
    if (grown < SMALLEST_ARRAY)
        grown = SMALLEST_ARRAY;
    if (grown < need)
        grown = need;
    void *fresh = dp_alloc(allocator, grown, size);
    if (!fresh)
        return false;
    if (*items)
        memcpy(fresh, *items, *capacity * size);
    dp_free(allocator, *items);
    *items = fresh;
    *capacity = grown;
    return true;
}
