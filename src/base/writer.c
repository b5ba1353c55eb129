/* writer.c - the half of files.h that writes. Why here: nothing above base makes a file that must
 * be whole in any other way. */
#include "base/files.h"

#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITER_BLOCK = 256 << 10 };

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

/* Whether a writer is led by a link: in a folder where everybody may make files (/tmp), one that
 * somebody else made is a trap (EACCES; ENOMEM: out of memory). It is Linux's own rule, which does
 * not see links that a program follows by itself. */
static bool may_follow(const char *link, const deeper_allocator *allocator) {
    struct stat made, place;
    char *folder = dp_strdup(allocator, link);
    errno = ENOMEM;
    if (!folder)
        return false;
    folder[folder_length(link)] = '\0';
    bool known = lstat(link, &made) == 0 && stat(*folder ? folder : ".", &place) == 0;
    dp_free(allocator, folder);
    errno = EACCES;
    return known
           && (!(place.st_mode & S_ISVTX) || !(place.st_mode & S_IWOTH) || made.st_uid == geteuid()
               || made.st_uid == place.st_uid);
}

/* What `path` finally names: itself, or where its symbolic links lead, also when nothing is there
 * yet. NULL with errno set if memory is out, the links are a circle, one of them is a trap or a
 * name is too long. */
static char *follow_links(const char *path, const deeper_allocator *allocator) {
    enum { LINKS = 40 }; /* as many as Linux follows */
    char *current = dp_strdup(allocator, path);
    for (int i = 0; current && i < LINKS; i++) {
        char target[PATH_MAX];
        ssize_t length = readlink(current, target, sizeof target);
        if (length < 0)
            return current; /* not a link; any other trouble shows when the temporary file is
                               made */
        if (!may_follow(current, allocator)) {
            int failure = errno;
            dp_free(allocator, current);
            errno = failure;
            return NULL;
        }
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

/* Gives the new file owner and rights of the one that it will replace, as far as this process may.
 * A group that cannot be kept gets the rights of all others. */
static void keep_rights(int file, const struct stat *old) {
    mode_t mode = old->st_mode & 0777;
    bool group =
        fchown(file, old->st_uid, old->st_gid) == 0 || fchown(file, (uid_t)-1, old->st_gid) == 0;
    fchmod(file, group ? mode : (mode & ~(mode_t)070) | (mode & 07) << 3);
}

static deeper_status writer_prepare(dp_writer *writer, const char *path, deeper_error *error) {
    struct stat status;
    writer->path = dp_strdup(writer->allocator, path);
    if (!writer->path)
        return dp_fail_memory(error, "the name of a file to write");
    writer->target = follow_links(path, writer->allocator);
    if (!writer->target)
        return errno == ENOMEM ? dp_fail_memory(error, "the name of a file to write")
                               : dp_fail_errno(error, path, "cannot write");
    bool replaces = stat(writer->target, &status) == 0;
    if (replaces && !S_ISREG(status.st_mode))
        return dp_fail(error, DEEPER_ERROR_IO, "%s: is %s; name an ordinary file to write", path,
                       S_ISDIR(status.st_mode) ? "a folder" : "not an ordinary file");
    if (!writer->target[folder_length(writer->target)])
        return dp_fail(error, DEEPER_ERROR_IO,
                       "%s: does not name a file; give the name of one to write",
                       *path ? path : "\"\"");
    if (!dp_temporary_make(&writer->file, &writer->temporary, writer->target, writer->allocator))
        return errno == ENOMEM ? dp_fail_memory(error, "the name of a temporary file")
                               : dp_fail_errno(error, path, "cannot write");
    if (replaces)
        keep_rights(writer->file, &status);
    return DEEPER_OK;
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

deeper_status dp_folder_hold(int *lock, bool *taken, const char *folder, deeper_error *error) {
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return dp_fail_errno(error, folder, "cannot open");
    *taken = flock(*lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    return DEEPER_OK;
}

void dp_folder_unlock(int lock) {
    if (lock >= 0)
        close(lock);
}
