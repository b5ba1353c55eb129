/* files.h - files as the library needs them: read whole, written atomically, folders listed in a
 * stable order. Paths are bytes as POSIX has them; nothing is re-encoded. */
#ifndef DP_BASE_FILES_H
#define DP_BASE_FILES_H

#include "base/memory.h"

/* A descriptor for reading at random by any number of threads (pread); the caller closes it.
 * Errors: missing, unreadable, no ordinary file (open.h); *file is then -1. */
deeper_status dp_file_open(int *file, const char *path, deeper_error *error);

/* A whole file read into memory from `allocator` (followed by a zero byte, not counted; freed by
 * dp_free), which is the reader's own: what becomes of the file changes none of it. Why not a map:
 * a file that shrinks under one kills the process. Errors: those of dp_file_open; larger than limit
 * bytes (0: no limit); MEMORY. */
deeper_status dp_file_read(void **data, size_t *size, const char *path, size_t limit,
                           const deeper_allocator *allocator, deeper_error *error);

/* An ordinary file mapped read-only; data is NULL for an empty one. A file that is shortened while
 * its map is read ends the process by SIGBUS: for callers that asked for this. Errors: those of
 * dp_file_read. */
typedef struct dp_map {
    const unsigned char *data;
    size_t size;
} dp_map;
deeper_status dp_map_open(dp_map *map, const char *path, size_t limit, deeper_error *error);
void dp_map_close(dp_map *map);

/* Tells the system that the mapped pages will not be read again soon (they come back from the file
 * if they are). */
void dp_map_release_pages(const dp_map *map);

/* A file being written: bytes go to a temporary name in the same folder (temporary.h); commit syncs
 * it, renames it over `path` and syncs the folder; discard (or a failed commit) removes it. A file
 * that is replaced hands on its owner and rights. Where `path` is a symbolic link, the file it
 * leads to is replaced, unless somebody else made the link in a folder like /tmp. A folder or a
 * device is refused. Writes after a failed write are ignored and the failure is told by commit. */
typedef struct dp_writer dp_writer;
deeper_status dp_writer_open(dp_writer **writer, const char *path,
                             const deeper_allocator *allocator, deeper_error *error);
void dp_writer_put(dp_writer *writer, const void *bytes, size_t size);
deeper_status dp_writer_commit(dp_writer *writer,
                               deeper_error *error); /* frees the writer in every case */
void dp_writer_discard(dp_writer *writer);           /* NULL is a no-op */

/* Makes a folder, or finds it there. Errors: IO. */
deeper_status dp_folder_make(const char *path, deeper_error *error);

/* Makes the folder of a new run or comparison (`what`): one that is there must be empty but for
 * what a killed writer left. Errors: IO; ARGUMENT, naming resume. */
deeper_status dp_folder_make_new(const char *path, const char *what,
                                 const deeper_allocator *allocator, deeper_error *error);

/* The lock of the folder that `path` is in (symbolic links followed as a writer does): waits until
 * nobody else holds it. For files that several processes read, change and write anew; a file itself
 * cannot be locked for that, since a writer replaces it. It ends with its process at the latest and
 * leaves nothing behind. Where it cannot be had (a file system without locks, a folder that cannot
 * be read) one does without: *lock is then -1. Errors: MEMORY. */
deeper_status dp_folder_lock(int *lock, const char *path, const deeper_allocator *allocator,
                             deeper_error *error);
void dp_folder_unlock(int lock);

/* The lock of a folder itself, without waiting; *taken: somebody else has it. Errors: IO. */
deeper_status dp_folder_hold(int *lock, bool *taken, const char *folder, deeper_error *error);

/* Gives a file another name in its folder, durably; what has that name is replaced. Errors: IO,
 * MEMORY. */
deeper_status dp_file_rename(const char *from, const char *to, const deeper_allocator *allocator,
                             deeper_error *error);

/* Removes a file. Errors: IO, naming the path. */
deeper_status dp_file_remove(const char *path, deeper_error *error);

/* Names in a folder, sorted by bytes, without "." and ".." and without hidden names. */
typedef struct dp_listing {
    char **names;
    bool *folders; /* names[i] is a folder (symbolic links followed) */
    size_t count;
} dp_listing;
deeper_status dp_listing_read(dp_listing *listing, const char *path,
                              const deeper_allocator *allocator, deeper_error *error);
void dp_listing_free(dp_listing *listing, const deeper_allocator *allocator);

/* 1: a folder, 0: something else that exists, -1: nothing there. */
int dp_is_folder(const char *path);

/* "a/b" from "a" and "b" (no doubled slash); NULL if memory is out. */
char *dp_path_join(const deeper_allocator *allocator, const char *folder, const char *name);

#endif
