/* writer.c - the half of files.h that writes. Why here: nothing above base makes a file that must
 * be whole in any other way. */
#include "base/files.h"

#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITER_BLOCK = 256 << 10,
    KEPT_NAME = 200,   /* bytes of a file's name that its temporary name keeps; 255 is what file
                          systems take */
    RANDOM_DIGITS = 8, /* of its ending */
    NAME_TRIES = 64 /* temporary names tried before giving up; two in a row taken is already a sign
                       of something else */
};

struct dp_writer {
    const deeper_allocator *allocator;
    char *path;      /* as the caller named it, for messages */
    char *target;    /* what is renamed over: path with symbolic links followed */
    char *temporary; /* in the folder of target; NULL once renamed */
    int file;
    int failure; /* errno of the first write that failed, 0: none */
    size_t used; /* bytes of block that wait to be written */
    unsigned char block[WRITER_BLOCK];
};

/* Frees the writer; removes the temporary file if it is still there. */
static void writer_end(dp_writer *writer) {
    const deeper_allocator *allocator = writer->allocator;
    if (writer->file >= 0)
        close(writer->file);
    if (writer->temporary)
        unlink(writer->temporary);
    dp_free(allocator, writer->temporary);
    dp_free(allocator, writer->target);
    dp_free(allocator, writer->path);
    dp_free(allocator, writer);
}

/* The folder part of a path, with its slash; "" if there is none. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What `path` finally names: itself, or where its symbolic links lead, also when nothing is there
 * yet. NULL with errno set if memory is out, the links are a circle or a name is too long. */
static char *follow_links(const char *path, const deeper_allocator *allocator) {
    enum { LINKS = 40 }; /* as many as Linux follows */
    char *current = dp_strdup(allocator, path);
    for (int i = 0; current && i < LINKS; i++) {
        char target[PATH_MAX];
        ssize_t length = readlink(current, target, sizeof target);
        if (length < 0)
            return current; /* not a link; any other trouble shows when the temporary file is
                               made */
        size_t folder = target[0] == '/' ? 0 : folder_length(current);
        char *next = dp_alloc_raw(allocator, folder + (size_t)length + 1, 1);
        if (next) {
            memcpy(next, current, folder);
            memcpy(next + folder, target, (size_t)length);
            next[folder + (size_t)length] = '\0';
        }
        dp_free(allocator, current);
        current = next;
    }
    errno = current ? ELOOP : ENOMEM;
    dp_free(allocator, current);
    return NULL;
}

/* Makes a file that was not there: target + ".tmp-PID-RANDOM", the name of target cut where the
 * whole would be too long for a file system. A file of the same name from another process or a
 * killed one is left alone. */
static deeper_status make_temporary(dp_writer *writer, deeper_error *error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    dp_random random =
        dp_random_at((uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)(uintptr_t)writer);
    size_t kept = folder_length(writer->target)
                  + strnlen(writer->target + folder_length(writer->target), KEPT_NAME);
    size_t size = kept + 48;
    char *name = dp_alloc_raw(writer->allocator, size, 1);
    if (!name)
        return dp_fail_memory(error, "the name of a temporary file");
    for (int i = 0; i < NAME_TRIES && writer->file < 0; i++) {
        snprintf(name, size, "%.*s.tmp-%ld-%0*lx", (int)kept, writer->target, (long)getpid(),
                 RANDOM_DIGITS, (unsigned long)(dp_random_u64(&random) >> 32));
        writer->file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->file < 0 && errno != EEXIST)
            break;
    }
    if (writer->file < 0) {
        deeper_status result = dp_fail_errno(error, writer->path, "cannot write");
        dp_free(writer->allocator, name);
        return result;
    }
    writer->temporary = name;
    return DEEPER_OK;
}

static deeper_status writer_prepare(dp_writer *writer, const char *path, deeper_error *error) {
    struct stat status;
    writer->path = dp_strdup(writer->allocator, path);
    if (!writer->path)
        return dp_fail_memory(error, "the name of a file to write");
    writer->target = follow_links(path, writer->allocator);
    if (!writer->target)
        return dp_fail_errno(error, path, "cannot write");
    if (stat(writer->target, &status) == 0 && !S_ISREG(status.st_mode))
        return dp_fail(error, DEEPER_ERROR_IO, "%s: is %s; name an ordinary file to write", path,
                       S_ISDIR(status.st_mode) ? "a folder" : "not an ordinary file");
    if (!writer->target[folder_length(writer->target)])
        return dp_fail(error, DEEPER_ERROR_IO,
                       "%s: does not name a file; give the name of one to write",
                       *path ? path : "\"\"");
    return make_temporary(writer, error);
}

deeper_status dp_writer_open(dp_writer **writer, const char *path,
                             const deeper_allocator *allocator, deeper_error *error) {
    dp_writer *fresh = dp_alloc_raw(allocator, 1, sizeof *fresh);
    if (!fresh)
        return dp_fail_memory(error, "the buffer of a file to write");
    fresh->allocator = allocator;
    fresh->path = fresh->target = fresh->temporary = NULL;
    fresh->file = -1;
    fresh->failure = 0;
    fresh->used = 0;
    deeper_status result = writer_prepare(fresh, path, error);
    if (result != DEEPER_OK) {
        writer_end(fresh);
        return result;
    }
    *writer = fresh;
    return DEEPER_OK;
}

static void write_through(dp_writer *writer, const unsigned char *bytes, size_t size) {
    while (size > 0 && !writer->failure) {
        ssize_t done = write(writer->file, bytes, size < SSIZE_MAX ? size : SSIZE_MAX);
        if (done == 0) /* no progress, and no reason given */
            writer->failure = ENOSPC;
        if (done < 0 && errno != EINTR)
            writer->failure = errno;
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
        }
    }
}

void dp_writer_put(dp_writer *writer, const void *bytes, size_t size) {
    if (size > sizeof writer->block - writer->used) {
        write_through(writer, writer->block, writer->used);
        writer->used = 0;
    }
    if (size > sizeof writer->block) {
        write_through(writer, bytes, size);
    } else if (size) {
        memcpy(writer->block + writer->used, bytes, size);
        writer->used += size;
    }
}

/* A descriptor of the folder that `target` is in, -1 if it cannot be read. Cuts `target` to it. */
static int open_folder(char *target) {
    size_t length = folder_length(target);
    target[length] = '\0';
    return open(length ? target : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes the rename to `target` itself last through a loss of power. File systems that cannot sync a
 * folder say EINVAL, which is no failure, nor is a folder that may be written but not read. The
 * file is complete in every case. */
static int sync_folder(char *target) {
    int file = open_folder(target);
    if (file < 0)
        return 0;
    int failure = fsync(file) != 0 && errno != EINVAL ? errno : 0;
    close(file);
    return failure;
}

deeper_status dp_file_rename(const char *from, const char *to, const deeper_allocator *allocator,
                             deeper_error *error) {
    char *folder = dp_strdup(allocator, to);
    if (!folder)
        return dp_fail_memory(error, "a path");
    int failure = rename(from, to) == 0 ? sync_folder(folder) : errno;
    dp_free(allocator, folder);
    errno = failure;
    return failure ? dp_fail_errno(error, to, "cannot write") : DEEPER_OK;
}

deeper_status dp_writer_commit(dp_writer *writer, deeper_error *error) {
    write_through(writer, writer->block, writer->used);
    if (!writer->failure && fsync(writer->file) != 0)
        writer->failure = errno;
    if (close(writer->file) != 0 && !writer->failure) /* where a full network disk is told */
        writer->failure = errno;
    writer->file = -1;
    if (!writer->failure && rename(writer->temporary, writer->target) != 0)
        writer->failure = errno;
    if (!writer->failure) {
        dp_free(writer->allocator, writer->temporary);
        writer->temporary = NULL;
        writer->failure = sync_folder(writer->target);
    }
    deeper_status result = DEEPER_OK;
    if (writer->failure) {
        errno = writer->failure;
        result = dp_fail_errno(error, writer->path, "cannot write");
    }
    writer_end(writer);
    return result;
}

void dp_writer_discard(dp_writer *writer) {
    if (writer)
        writer_end(writer);
}

/* ---------------------------------------------------------------------------------------- locks */

deeper_status dp_folder_lock(int *lock, const char *path, const deeper_allocator *allocator,
                             deeper_error *error) {
    int failure = 0;
    char *target = follow_links(path, allocator);
    if (!target && errno == ENOMEM)
        return dp_fail_memory(error, "the name of a file to lock");
    *lock = target ? open_folder(target) : -1;
    dp_free(allocator, target);
    while (*lock >= 0 && (failure = flock(*lock, LOCK_EX)) != 0 && errno == EINTR)
        continue;
    if (failure != 0) {
        close(*lock);
        *lock = -1;
    }
    return DEEPER_OK;
}

void dp_folder_unlock(int lock) {
    if (lock >= 0)
        close(lock);
}

/* ------------------------------------------------------------------------------------- remains */

/* Whether a name ends in .tmp-PID-RANDOM. */
static bool is_temporary(const char *name) {
    static const char infix[] = ".tmp-", digits[] = "0123456789", hex[] = "0123456789abcdef";
    const char *at = strrchr(name, '.');
    if (!at || strncmp(at, infix, sizeof infix - 1) != 0)
        return false;
    at += sizeof infix - 1;
    size_t pid = strspn(at, digits);
    return pid > 0 && at[pid] == '-' && strspn(at + pid + 1, hex) == RANDOM_DIGITS
           && !at[pid + 1 + RANDOM_DIGITS];
}

deeper_status dp_temporaries_remove(const char *folder, const deeper_allocator *allocator,
                                    deeper_error *error) {
    dp_listing listing;
    DP_TRY(dp_listing_read(&listing, folder, allocator, error));
    deeper_status result = DEEPER_OK;
    for (size_t i = 0; i < listing.count && result == DEEPER_OK; i++) {
        if (listing.folders[i] || !is_temporary(listing.names[i]))
            continue;
        char *path = dp_path_join(allocator, folder, listing.names[i]);
        result = path ? dp_file_remove(path, error) : dp_fail_memory(error, "a path");
        dp_free(allocator, path);
    }
    dp_listing_free(&listing, allocator);
    return result;
}
