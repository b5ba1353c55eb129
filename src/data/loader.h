/* loader.h - the read-ahead pipeline: threads that turn the jobs of a source into tensors, in the
 * order of the source. Why here: classification streams, evaluation and training all wait for
 * pictures in the same way. What it does not do: say what a job is or how it becomes a tensor
 * (callbacks do), graphs, shuffling.
 *
 *     next --job--> [ring of slots: item, tensor or message] --prepare on a reader--> take
 *
 * A reader claims the next free slot, asks for a job (one reader at a time), and prepares it into
 * the slot; the consumer takes finished slots in order. Memory is bounded by the slots and by what
 * `prepare` holds in each reader. */
#ifndef DP_DATA_LOADER_H
#define DP_DATA_LOADER_H

#include "base/memory.h"

typedef struct dp_loader dp_loader;

/* What `next` gives. */
typedef struct dp_job {
    uint64_t key;  /* whatever prepare and the consumer know it by, such as an index; 0 on entry */
    int64_t label; /* -1 on entry */
    const char
        *path; /* copied before the next call of `next`; NULL (as on entry): the job needs none */
} dp_job;

/* A job and what became of it. */
typedef struct dp_item {
    uint64_t key;
    int64_t label;
    uint64_t note;        /* what prepare wants the consumer to know; 0 if it does not say */
    char *path;           /* owned by whoever holds the item; NULL if the job had none */
    deeper_status status; /* not DEEPER_OK: prepare failed, message says why */
    char message[DEEPER_MESSAGE_SIZE]; /* of prepare's error */
    const deeper_allocator *allocator;
} dp_item;

/* Frees what the item holds and zeroes it. */
void dp_item_clear(dp_item *item);

typedef struct dp_loader_options {
    /* Puts the next job and returns 1, or returns 0 at the end. Called from the readers, never from
     * two at once; may block. */
    int (*next)(void *context, dp_job *job);
    /* Fills the tensor of an item, and its note. Called from several readers at once. */
    deeper_status (*prepare)(void *context, dp_item *item, float *tensor, deeper_error *error);
    void *context;
    size_t floats; /* of a tensor */
    int readers;   /* threads, >= 1 */
    size_t slots;  /* jobs done ahead, >= 1; more readers than slots would idle */
} dp_loader_options;

/* Starts the readers at once. options is copied. Errors: MEMORY; IO if a thread cannot be
 * started. */
deeper_status dp_loader_create(dp_loader **loader, const dp_loader_options *options,
                               const deeper_allocator *allocator, deeper_error *error);

/* Waits until the next job in order is done, then takes it and those after it that are done too, up
 * to `capacity` (>= 1), without waiting for more. items[i] receives what is known of each (free
 * with dp_item_clear); the tensors of the items whose status is DEEPER_OK are copied to `tensors`
 * one after another, without gaps for the failed ones. *count is 0 once the source has ended and
 * all its jobs are taken. Error: MEMORY if a path could not be kept; what came before it has been
 * given out. One consumer. */
deeper_status dp_loader_take(dp_loader *loader, size_t capacity, dp_item *items, float *tensors,
                             size_t *count, deeper_error *error);

/* Stops the readers, waits for them (each finishes its job at most) and frees the loader; NULL is a
 * no-op. May be called at any time. The limit: a reader that is inside `next` cannot be stopped. It
 * is given a fifth of a second; a call that then still blocks (on a pipe that nobody feeds) is left
 * to return on its own thread, which then ends. What `next` uses must live until that return; the
 * allocator need not, and neither callback is called again. */
void dp_loader_free(dp_loader *loader);

#endif
