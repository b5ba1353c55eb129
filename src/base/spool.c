/* spool.c - see spool.h. */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

deeper_status dp_spool_open(dp_spool *spool, const char *path, const deeper_allocator *allocator,
                            deeper_error *error) {
    static const char pattern[] = "deeper-XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    *spool = (dp_spool){ .file = -1 };
    char *name = dp_alloc_raw(allocator, folder + sizeof pattern, 1);
    if (!name)
        return dp_fail_memory(error, "the name of a temporary file");
    memcpy(name, path, folder);
    name[folder] = '\0';
    spool->file = open(folder ? name : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    bool named = spool->file < 0; /* a file system without nameless files */
    memcpy(name + folder, pattern, sizeof pattern);
    if (named)
        spool->file = mkostemp(name, O_CLOEXEC);
    deeper_status status =
        spool->file < 0 ? dp_fail_errno(error, path, "cannot write a temporary file beside it")
                        : DEEPER_OK;
    if (named && spool->file >= 0)
        unlink(name);
    dp_free(allocator, name);
    return status;
}

bool dp_spool_put(dp_spool *spool, const void *bytes, size_t size) {
    const char *next = bytes;
    while (size > 0 && !spool->failure) {
        ssize_t written = write(spool->file, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            spool->failure = written < 0 ? errno : ENOSPC;
            break;
        }
        next += written;
        size -= (size_t)written;
        spool->size += (size_t)written;
    }
    return !spool->failure;
}

deeper_status dp_spool_check(const dp_spool *spool, const char *path, deeper_error *error) {
    errno = spool->failure;
    return errno ? dp_fail_errno(error, path, "cannot write a temporary file beside it")
                 : DEEPER_OK;
}

deeper_status dp_spool_map(const dp_spool *spool, const void **bytes, const char *path,
                           deeper_error *error) {
    *bytes = NULL;
    DP_TRY(dp_spool_check(spool, path, error));
    if (spool->size == 0)
        return DEEPER_OK;
    void *map = mmap(NULL, spool->size, PROT_READ, MAP_SHARED, spool->file, 0);
    if (map == MAP_FAILED)
        return dp_fail_errno(error, path, "cannot map a temporary file beside it");
    *bytes = map;
    return DEEPER_OK;
}

void dp_spool_unmap(const dp_spool *spool, const void *bytes) {
    if (bytes)
        munmap((void *)bytes, spool->size);
}

void dp_spool_close(dp_spool *spool) {
    if (spool->file >= 0)
        close(spool->file);
    spool->file = -1;
}
