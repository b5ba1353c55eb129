/* memory.h - the library's allocations: the caller's allocator behind one handle, checked sizes, a
 * bounded growing buffer. Why here: nothing above base calls malloc, so that a failing allocation
 * anywhere is a status and tests can fail each in turn. A `const deeper_allocator *` is passed down
 * by whoever owns memory; NULL means malloc. */
#ifndef DP_BASE_MEMORY_H
#define DP_BASE_MEMORY_H

#include "base/status.h"

#include <stdbool.h>

enum { DP_ALIGNMENT = 64 }; /* a cache line and the widest vector: what dp_alloc aligns to */

/* *result = a * b, or false if it does not fit. The one way sizes are multiplied. */
bool dp_size_mul(size_t a, size_t b, size_t *result);

/* count x size bytes, zeroed, aligned to DP_ALIGNMENT; NULL if the product overflows or memory is
 * out. A zero product gives a pointer that may only be freed. */
void *dp_alloc(const deeper_allocator *allocator, size_t count, size_t size);

/* The same without zeroing, for buffers that are filled at once. */
void *dp_alloc_raw(const deeper_allocator *allocator, size_t count, size_t size);

/* Frees what dp_alloc gave; NULL is a no-op. */
void dp_free(const deeper_allocator *allocator, void *pointer);

/* A copy of a string, NULL if memory is out. */
char *dp_strdup(const deeper_allocator *allocator, const char *text);

/* A byte buffer that grows by doubling up to `limit` bytes (set at init). After a failed append the
 * buffer keeps what it had and `failed` stays set, so a run of appends needs one check at its end.
 * data is always followed by a zero byte once something was appended. */
typedef struct dp_buffer {
    const deeper_allocator *allocator;
    char *data;
    size_t size, capacity, limit;
    bool failed;
} dp_buffer;

void dp_buffer_init(dp_buffer *buffer, const deeper_allocator *allocator, size_t limit);
void dp_buffer_free(dp_buffer *buffer);
bool dp_buffer_append(dp_buffer *buffer, const void *bytes, size_t size);
bool dp_buffer_printf(dp_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* dp_buffer_append as a dp_text_sink (text.h); the context is the dp_buffer. */
void dp_buffer_sink(void *buffer, const char *bytes, size_t size);

/* Makes `*items` (a dp_alloc'ed array of `*capacity` elements of `size` bytes) hold at least `need`
 * elements, growing by doubling and zeroing the new part. False if memory is out: the array is
 * unchanged. `items` must be a void * of the caller's, copied from and to its own pointer: another
 * type of pointer may not be written through it. */
bool dp_reserve(const deeper_allocator *allocator, void **items, size_t *capacity, size_t need,
                size_t size);

#endif
