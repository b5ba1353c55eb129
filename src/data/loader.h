/* loader.h - the decode-ahead pipeline: threads that turn the paths of a source into network inputs, in the order of the source.
 * Why here: classification streams, evaluation and training all wait for pictures in the same way.
 * What it does not do: graphs, batches of a fixed size, shuffling.
 *
 *     source --next--> [ring of slots: path, label, tensor or message] --take--> consumer
 *
 * A reader claims the next free slot, asks the source for a path (one reader at a time), and decodes into the slot; the consumer
 * takes finished slots in order. Memory is bounded by the slots and by one decoded picture a reader; no file stays open. */
#ifndef DP_DATA_LOADER_H
#define DP_DATA_LOADER_H

#include "image/preprocess.h"

typedef struct dp_loader dp_loader;

/* One picture of the source. path is owned by whoever holds the item. */
typedef struct dp_item {
    char *path;
    int64_t label;
    deeper_status status;              /* not DEEPER_OK: the picture could not be read or prepared, message says why */
    char message[DEEPER_MESSAGE_SIZE]; /* starts with the path */
    const deeper_allocator *allocator;
} dp_item;

/* Frees what the item holds and zeroes it. */
void dp_item_clear(dp_item *item);

typedef struct dp_loader_options {
    deeper_source source;
    const dp_preprocess *preprocess; /* copied */
    int crops;                       /* as dp_preprocess_run has them */
    int min_side;                    /* as dp_decode_options has it; 0: full decode, for numbers that must be exact */
    int readers;                     /* threads, >= 1 */
    size_t slots;                    /* pictures decoded ahead, >= 1; more readers than slots would idle */
} dp_loader_options;

/* Starts the readers at once. Errors: MEMORY; IO if a thread cannot be started. */
deeper_status dp_loader_create(dp_loader **loader, const dp_loader_options *options, const deeper_allocator *allocator,
                               deeper_error *error);

/* Waits until the next picture in order is done, then takes it and those after it that are done too, up to `capacity` (>= 1),
 * without waiting for more. items[i] receives what is known of each (free with dp_item_clear); the tensors (crops x channels x size
 * x size floats) of the items whose status is DEEPER_OK are copied to `tensors` one after another, without gaps for the failed
 * ones. *count is 0 once the source has ended and all its pictures are taken. Error: MEMORY if a path could not be kept; what came
 * before it has been given out. One consumer. */
deeper_status dp_loader_take(dp_loader *loader, size_t capacity, dp_item *items, float *tensors, size_t *count,
                             deeper_error *error);

/* Stops the readers, waits for them (each finishes its picture at most) and frees the loader; NULL is a no-op. May be called at any
 * time. The limit: a reader that is inside source.next cannot be stopped. It is given a fifth of a second; a call that then still
 * blocks (on a pipe that nobody feeds) is left to return on its own thread, which then ends. The source's context must live until
 * that return; the allocator need not, and `next` is not called again. */
void dp_loader_free(dp_loader *loader);

#endif
