/* spool.h - bytes that are more than memory should hold until all are there: appended to a nameless
 * file, then read as a map. Why not dp_writer: nothing of it is to last, and it is gone however the
 * process ends. */
#ifndef DP_BASE_SPOOL_H
#define DP_BASE_SPOOL_H

#include "base/memory.h"

typedef struct dp_spool {
    int file;    /* -1: none */
    int failure; /* errno of the first write that failed, 0: none */
    size_t size;
} dp_spool;

/* A file in the folder of `path`, where the result is to lie. Errors: IO. */
deeper_status dp_spool_open(dp_spool *spool, const char *path, const deeper_allocator *allocator,
                            deeper_error *error);

/* Appends; after a failure nothing more is written. False if it failed. */
bool dp_spool_put(dp_spool *spool, const void *bytes, size_t size);

/* Whether all that was put is there. path: for messages. Errors: IO, with the reason of the write
 * that failed. */
deeper_status dp_spool_check(const dp_spool *spool, const char *path, deeper_error *error);

/* All that was put, read-only: *bytes, NULL if it was nothing; given back by dp_spool_unmap, before
 * the spool is closed. Nobody else can shorten a file without a name. Errors: those of
 * dp_spool_check; IO (the map). */
deeper_status dp_spool_map(const dp_spool *spool, const void **bytes, const char *path,
                           deeper_error *error);
void dp_spool_unmap(const dp_spool *spool, const void *bytes);
void dp_spool_close(dp_spool *spool);

#endif
