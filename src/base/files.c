/* files.c - files read whole, folders listed in a stable order. Why here: every message about a
 * file is made in one place. It knows nothing of what is in a file. */
#include "base/files.h"

#include "base/open.h"
#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes asked for where the size of a file is not known (pipes, /proc). */
enum { FIRST_READ = 64 << 10 };

/* -------------------------------------------------------------------------------------- reading */

static deeper_status fail_limit(const char *path, size_t limit, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_LIMIT,
                   "%s: larger than the %zu bytes that are read of such a file", path, limit);
}

static deeper_status open_file(int *file, struct stat *status, const char *path,
                               deeper_error *error) {
    const char *why;
    *file = dp_open(path, status, &why);
    if (*file >= 0)
        return DEEPER_OK;
    return why ? dp_fail(error, DEEPER_ERROR_IO, "%s: %s", path, why)
               : dp_fail_errno(error, path, "cannot open");
}

deeper_status dp_file_open(int *file, const char *path, deeper_error *error) {
    struct stat status;
    return open_file(file, &status, path, error);
}

/* Reads to the end of `file` into *data of *capacity bytes, which grows by doubling; `size` is what
 * was read. */
static deeper_status read_all(char **data, size_t *size, size_t capacity, int file,
                              const char *path, size_t limit, const deeper_allocator *allocator,
                              deeper_error *error) {
    for (;;) {
        if (*size + 1 >= capacity) {
            size_t grown = 0;
            char *fresh =
                dp_size_mul(capacity, 2, &grown) ? dp_alloc_raw(allocator, grown, 1) : NULL;
            if (!fresh)
                return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to read it", path);
            memcpy(fresh, *data, *size);
            dp_free(allocator, *data);
            *data = fresh;
            capacity = grown;
        }
        size_t room = capacity - 1 - *size;
        ssize_t got = read(file, *data + *size, room < SSIZE_MAX ? room : SSIZE_MAX);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dp_fail_errno(error, path, "cannot read");
        if (got == 0)
            return DEEPER_OK;
        *size += (size_t)got;
        if (limit && *size > limit)
            return fail_limit(path, limit, error);
    }
}

deeper_status dp_file_read(void **data, size_t *size, const char *path, size_t limit,
                           const deeper_allocator *allocator, deeper_error *error) {
    int file;
    struct stat status;
    DP_TRY(open_file(&file, &status, path, error));
    uint64_t expected =
        S_ISREG(status.st_mode) && status.st_size > 0 ? (uint64_t)status.st_size : 0;
    if (limit && expected > limit) {
        close(file);
        return fail_limit(path, limit, error);
    }
    /* One byte for the zero at the end and one to see the end of the file without growing. */
    uint64_t capacity = expected ? expected + 2 : FIRST_READ;
    char *bytes = capacity <= SIZE_MAX ? dp_alloc_raw(allocator, (size_t)capacity, 1) : NULL;
    size_t count = 0;
    deeper_status result =
        bytes ? read_all(&bytes, &count, (size_t)capacity, file, path, limit, allocator, error)
              : dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to read it", path);
    close(file);
    if (result != DEEPER_OK) {
        dp_free(allocator, bytes);
        return result;
    }
    bytes[count] = '\0';
    *data = bytes;
    *size = count;
    return DEEPER_OK;
}

static deeper_status map_file(dp_map *map, int file, const struct stat *status, const char *path,
                              size_t limit, deeper_error *error) {
    if ((uint64_t)status->st_size > SIZE_MAX || (limit && (uint64_t)status->st_size > limit))
        return fail_limit(path, limit ? limit : SIZE_MAX, error);
    if (status->st_size == 0)
        return DEEPER_OK;
    void *data = mmap(NULL, (size_t)status->st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED)
        return dp_fail_errno(error, path, "cannot map");
    *map = (dp_map){ .data = data, .size = (size_t)status->st_size };
    return DEEPER_OK;
}

deeper_status dp_map_open(dp_map *map, const char *path, size_t limit, deeper_error *error) {
    int file;
    struct stat status;
    *map = (dp_map){ 0 };
    DP_TRY(open_file(&file, &status, path, error));
    deeper_status result = map_file(map, file, &status, path, limit, error);
    close(file);
    return result;
}

void dp_map_close(dp_map *map) {
    if (map->data)
        munmap((void *)map->data, map->size);
    *map = (dp_map){ 0 };
}

void dp_map_release_pages(const dp_map *map) {
    if (map->data)
        madvise((void *)map->data, map->size, MADV_DONTNEED);
}

deeper_status dp_file_remove(const char *path, deeper_error *error) {
    return unlink(path) == 0 ? DEEPER_OK : dp_fail_errno(error, path, "cannot remove");
}

/* -------------------------------------------------------------------------------------- folders */

int dp_is_folder(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return -1;
    return S_ISDIR(status.st_mode);
}

deeper_status dp_folder_make(const char *path, deeper_error *error) {
    return mkdir(path, 0777) == 0 || errno == EEXIST
               ? DEEPER_OK
               : dp_fail_errno(error, path, "cannot make the folder");
}

deeper_status dp_folder_make_new(const char *path, const char *what,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_listing listing;
    DP_TRY(dp_folder_make(path, error));
    DP_TRY(dp_temporaries_remove(path, error));
    DP_TRY(dp_listing_read(&listing, path, allocator, error));
    size_t count = listing.count;
    dp_listing_free(&listing, allocator);
    if (count == 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                   "%s: the folder of a new %s is not empty; resume the %s in it, or name another",
                   path, what, what);
}

char *dp_path_join(const deeper_allocator *allocator, const char *folder, const char *name) {
    size_t length = strlen(folder);
    size_t size = length + strlen(name) + 2;
    char *path = dp_alloc_raw(allocator, size, 1);
    if (path)
        snprintf(path, size, "%s%s%s", folder, length && folder[length - 1] != '/' ? "/" : "",
                 name);
    return path;
}

/* One name of a folder while it is read; folders come out as pairs of arrays once they are
 * sorted. */
typedef struct entry {
    char *name;
    bool folder;
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static bool entry_is_folder(DIR *folder, const struct dirent *item) {
    struct stat status;
    if (item->d_type != DT_UNKNOWN && item->d_type != DT_LNK)
        return item->d_type == DT_DIR;
    return fstatat(dirfd(folder), item->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static deeper_status read_entries(entries *list, DIR *folder, const char *path,
                                  const deeper_allocator *allocator, deeper_error *error) {
    for (;;) {
        errno = 0;
        const struct dirent *item = readdir(folder);
        if (!item)
            return errno ? dp_fail_errno(error, path, "cannot read the folder") : DEEPER_OK;
        if (item->d_name[0] == '.')
            continue;
        void *items = list->items;
        char *name = dp_strdup(allocator, item->d_name);
        if (!name
            || !dp_reserve(allocator, &items, &list->capacity, list->count + 1,
                           sizeof *list->items)) {
            dp_free(allocator, name);
            return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to list the folder",
                           path);
        }
        list->items = items;
        list->items[list->count++] =
            (entry){ .name = name, .folder = entry_is_folder(folder, item) };
    }
}

static deeper_status entries_to_listing(dp_listing *listing, const entries *list, const char *path,
                                        const deeper_allocator *allocator, deeper_error *error) {
    char **names = dp_alloc_raw(allocator, list->count, sizeof *names);
    bool *folders = dp_alloc_raw(allocator, list->count, sizeof *folders);
    if (!names || !folders) {
        dp_free(allocator, names);
        dp_free(allocator, folders);
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to list the folder", path);
    }
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare_entries);
    for (size_t i = 0; i < list->count; i++) {
        names[i] = list->items[i].name;
        folders[i] = list->items[i].folder;
    }
    *listing = (dp_listing){ .names = names, .folders = folders, .count = list->count };
    return DEEPER_OK;
}

deeper_status dp_listing_read(dp_listing *listing, const char *path,
                              const deeper_allocator *allocator, deeper_error *error) {
    entries list = { 0 };
    *listing = (dp_listing){ 0 };
    DIR *folder = opendir(path);
    if (!folder)
        return dp_fail_errno(error, path, "cannot open the folder");
    deeper_status result = read_entries(&list, folder, path, allocator, error);
    closedir(folder);
    if (result == DEEPER_OK)
        result = entries_to_listing(listing, &list, path, allocator, error);
    if (result != DEEPER_OK)
        for (size_t i = 0; i < list.count; i++)
            dp_free(allocator, list.items[i].name);
    dp_free(allocator, list.items);
    return result;
}

void dp_listing_free(dp_listing *listing, const deeper_allocator *allocator) {
    for (size_t i = 0; i < listing->count; i++)
        dp_free(allocator, listing->names[i]);
    dp_free(allocator, listing->names);
    dp_free(allocator, listing->folders);
    *listing = (dp_listing){ 0 };
}
