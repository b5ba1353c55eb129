/* check.h - whether a data set is sound, before a run is spent on it: every picture is decoded, and
 * its pixels compared with all others'. */
#ifndef DP_DATA_CHECK_H
#define DP_DATA_CHECK_H

#include "data/dataset.h"

enum {
    DP_CHECK_TINY = 16
}; /* a picture whose shorter side has fewer pixels says little to a network */

typedef struct dp_check_calls {
    void (*progress)(void *context, uint64_t done, uint64_t total); /* may be NULL */
    void (*problem)(void *context, const char *name,
                    const char *message); /* may be NULL; message begins with the name */
    void *context;
} dp_check_calls;

/* Decodes every picture of both parts (val may be NULL) on `readers` threads and counts what
 * deeper_dataset_soundness has. Calls are made on the calling thread: unreadable and tiny pictures
 * in order, then those that are alike, then classes. Same pixels count as alike (a 64-bit hash of
 * them), however they are stored. Memory: 16 bytes a picture. Errors: MEMORY, IO (threads). */
deeper_status dp_dataset_check(deeper_dataset_soundness *result, const dp_dataset *train,
                               const dp_dataset *val, int readers, const dp_picture_limits *limits,
                               const dp_check_calls *calls, const deeper_allocator *allocator,
                               deeper_error *error);

#endif
