/* checkpoint.c - writing, finding, verifying. */
#include "train/record/checkpoint.h"

#include "base/checksum.h"
#include "base/files.h"
#include "formats/safetensors/safetensors.h"
#include "model/description.h"
#include "train/core/news.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ARENAS = 8, NUMBER_DIGITS = 12 };

static const char PREFIX[] = "step-", SUFFIX[] = ".safetensors", STATE[] = DP_CHECKPOINT_TEXT,
                  SUM[] = "deeper.checksum";

/* A name of the form step-000000001234.safetensors. */
static bool is_checkpoint(const char *name) {
    size_t prefix = sizeof PREFIX - 1;
    return strncmp(name, PREFIX, prefix) == 0
           && strspn(name + prefix, "0123456789") == NUMBER_DIGITS
           && strcmp(name + prefix + NUMBER_DIGITS, SUFFIX) == 0;
}

/* Keeps the checkpoints of a listing, which stay in the order of their numbers, the newest last. */
static deeper_status list(dp_listing *listing, const char *folder,
                          const deeper_allocator *allocator, deeper_error *error) {
    DP_TRY(dp_listing_read(listing, folder, allocator, error));
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++) {
        char *name = listing->names[i];
        if (listing->folders[i] || !is_checkpoint(name))
            continue;
        listing->names[i] = listing->names[kept];
        listing->folders[i] = listing->folders[kept];
        listing->names[kept++] = name;
    }
    for (size_t i = kept; i < listing->count; i++)
        dp_free(allocator, listing->names[i]);
    listing->count = kept;
    return DEEPER_OK;
}

static uint64_t checksum(const dp_tensor *tensors, size_t count, const char *state) {
    uint64_t sum = dp_checksum(0, state, strlen(state));
    for (size_t i = 0; i < count; i++) {
        sum = dp_checksum(sum, tensors[i].name, strlen(tensors[i].name));
        sum = dp_checksum(sum, tensors[i].data, tensors[i].bytes);
    }
    return sum;
}

/* ---------------------------------------------------------------------------------------- write */

/* Removes all checkpoints but `name` and the keep - 1 before it. */
static deeper_status prune(const char *folder, const char *name, int keep,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_listing listing;
    DP_TRY(list(&listing, folder, allocator, error));
    deeper_status status = DEEPER_OK;
    for (size_t i = listing.count; i-- > 0 && status == DEEPER_OK;) {
        int order = strcmp(listing.names[i], name);
        if (order <= 0 && keep-- > 0)
            continue;
        char *path = dp_path_join(allocator, folder, listing.names[i]);
        if (!path)
            status = dp_fail_memory(error, "a path");
        else
            status = dp_file_remove(path, error);
        dp_free(allocator, path);
    }
    dp_listing_free(&listing, allocator);
    return status;
}

deeper_status dp_checkpoint_write(const char *folder, uint64_t number, const dp_arena *arenas,
                                  size_t count, const char *state, int keep,
                                  const deeper_allocator *allocator, deeper_error *error) {
    char name[sizeof PREFIX + NUMBER_DIGITS + sizeof SUFFIX + 16], sum[24];
    dp_tensor tensors[MAX_ARENAS];
    for (size_t i = 0; i < count; i++)
        tensors[i] = (dp_tensor){ .name = arenas[i].name,
                                  .dtype = DP_DTYPE_F32,
                                  .rank = 1,
                                  .shape = { arenas[i].floats },
                                  .data = arenas[i].values,
                                  .bytes = arenas[i].floats * sizeof(float) };
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)checksum(tensors, count, state));
    snprintf(name, sizeof name, "%s%0*llu%s", PREFIX, NUMBER_DIGITS, (unsigned long long)number,
             SUFFIX);
    const dp_text texts[] = { { STATE, state }, { SUM, sum } };
    char *path = dp_path_join(allocator, folder, name);
    deeper_status status =
        path ? dp_safetensors_write(path, tensors, count, texts, 2, allocator, error)
             : dp_fail_memory(error, "a path");
    dp_free(allocator, path);
    return status == DEEPER_OK ? prune(folder, name, keep, allocator, error) : status;
}

/* ----------------------------------------------------------------------------------------- read */

/* FORMAT if the file is not what was sealed. */
static deeper_status verify(const dp_safetensors *file, const char *path, deeper_error *error) {
    const char *state = dp_safetensors_text(file, STATE), *sum = dp_safetensors_text(file, SUM);
    char computed[24];
    if (!state || !sum)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: not a checkpoint: no %s in its metadata",
                       path, state ? SUM : STATE);
    snprintf(computed, sizeof computed, "%016llx",
             (unsigned long long)checksum(file->tensors, file->count, state));
    if (strcmp(computed, sum) != 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: damaged: its checksum is %s, not %.16s",
                       path, computed, sum);
    return DEEPER_OK;
}

/* Copies a verified file's arenas. */
static deeper_status take(const dp_safetensors *file, const char *path, const dp_arena *arenas,
                          size_t count, deeper_error *error) {
    for (size_t i = 0; i < count; i++) {
        const dp_tensor *tensor = NULL;
        for (size_t k = 0; k < file->count; k++)
            if (strcmp(file->tensors[k].name, arenas[i].name) == 0)
                tensor = &file->tensors[k];
        if (!tensor)
            return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: has no %s: it is of another run",
                           path, arenas[i].name);
        if (tensor->dtype != DP_DTYPE_F32 || tensor->bytes != arenas[i].floats * sizeof(float))
            return dp_fail(error, DEEPER_ERROR_MISMATCH,
                           "%s: its %s has %zu bytes, this network's %zu: it is of another run",
                           path, arenas[i].name, tensor->bytes, arenas[i].floats * sizeof(float));
        memcpy(arenas[i].values, tensor->data, tensor->bytes);
    }
    return DEEPER_OK;
}

/* One file. FORMAT, LIMIT, UNSUPPORTED: it is damaged. */
static deeper_status read_file(const char *path, const dp_arena *arenas, size_t count, char **state,
                               const deeper_allocator *allocator, deeper_error *error) {
    void *bytes = NULL;
    size_t size = 0;
    dp_safetensors file;
    DP_TRY(dp_file_read(&bytes, &size, path, 0, allocator, error));
    deeper_status status = dp_safetensors_parse(&file, bytes, size, path, allocator, error);
    if (status == DEEPER_OK) {
        status = verify(&file, path, error);
        if (status == DEEPER_OK)
            status = take(&file, path, arenas, count, error);
        if (status == DEEPER_OK) {
            *state = dp_strdup(allocator, dp_safetensors_text(&file, STATE));
            if (!*state)
                status = dp_fail_memory(error, "the progress of the run");
        }
        dp_safetensors_free(&file);
    }
    dp_free(allocator, bytes);
    return status;
}

deeper_status dp_checkpoint_read(const char *folder, const dp_arena *arenas, size_t count,
                                 char **state, const deeper_train_calls *calls,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_listing listing;
    *state = NULL;
    DP_TRY(list(&listing, folder, allocator, error));
    deeper_status status = DEEPER_OK;
    deeper_error why = { 0 };
    bool damaged = true;
    for (size_t i = listing.count; i-- > 0 && damaged;) {
        char *path = dp_path_join(allocator, folder, listing.names[i]);
        status = path ? read_file(path, arenas, count, state, allocator, &why)
                      : dp_fail_memory(&why, "a path");
        dp_free(allocator, path);
        damaged = status == DEEPER_ERROR_FORMAT || status == DEEPER_ERROR_LIMIT
                  || status == DEEPER_ERROR_UNSUPPORTED || status == DEEPER_ERROR_IO;
        if (damaged)
            dp_tell(calls, DEEPER_TRAIN_WARNING, "%s", why.message);
    }
    dp_listing_free(&listing, allocator);
    return status == DEEPER_OK ? status : dp_fail(error, status, "%s", why.message);
}
