/* checkpoint.h - the state of a run as a file that a kill or a full disk cannot spoil: written
 * beside and renamed, sealed with a checksum, the newest few kept. The files are safetensors: each
 * arena a tensor, the progress a text. What it does not do: knowing what the state means. */
#ifndef DP_TRAIN_CHECKPOINT_H
#define DP_TRAIN_CHECKPOINT_H

#include "base/memory.h"

/* A part of the state. */
typedef struct dp_arena {
    const char *name;
    float *values;
    size_t floats;
} dp_arena;

/* Writes FOLDER/step-NUMBER.safetensors and then removes all others but the `keep` - 1 next older
 * ones; newer ones, which a run that went back left behind, go too. Errors: IO (nothing is removed
 * then), MEMORY. */
deeper_status dp_checkpoint_write(const char *folder, uint64_t number, const dp_arena *arenas,
                                  size_t count, const char *state, int keep,
                                  const deeper_allocator *allocator, deeper_error *error);

/* Reads the newest checkpoint of the folder that is sound: fills the arenas and *state (a text,
 * freed by dp_free). Ones that are damaged or cannot be read are named in a WARNING through
 * `calls`. *state is NULL if there is no checkpoint at all. Errors: FORMAT (all of them are
 * damaged), MISMATCH (of another network), IO, MEMORY. */
deeper_status dp_checkpoint_read(const char *folder, const dp_arena *arenas, size_t count,
                                 char **state, const deeper_train_calls *calls,
                                 const deeper_allocator *allocator, deeper_error *error);

#endif
