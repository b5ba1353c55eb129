/* idx.h - the IDX files of the MNIST family, plain or gzipped: big-endian sizes, then bytes.
 *     pictures   0x00000803, count, rows, columns, then count x rows x columns grey levels
 *     labels     0x00000801, count, then count numbers
 * What it does not do: other element types and ranks, finding the file of labels (open_idx.c). */
#ifndef DP_DATA_IDX_H
#define DP_DATA_IDX_H

#include "base/memory.h"

enum {
    DP_IDX_SIDE = 4096,
    DP_IDX_PICTURES = 1 << 28
}; /* a side, and a count, larger than this is refused */

typedef struct dp_idx {
    size_t count;
    int rows, columns; /* 1 and 1 for labels */
    uint8_t *bytes;    /* count x rows x columns; freed by dp_free */
} dp_idx;

/* Whether the first bytes, after any compression, are those of such a file. */
bool dp_idx_begins(const unsigned char *bytes, size_t size);

/* Reads a file whole. pictures: of rank 3 (else 1). path: for messages; the open `file` is left
 * open, at any position. Memory is taken only for what a file of its size can hold. Errors: IO,
 * FORMAT (not such a file, damaged, cut short, longer than it says, no element), LIMIT, MEMORY.
 * zlib allocates with malloc. */
deeper_status dp_idx_read(dp_idx *idx, int file, bool pictures, const char *path,
                          const deeper_allocator *allocator, deeper_error *error);

#endif
