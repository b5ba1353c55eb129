/* helpers.c - see helpers.h. It uses nothing of the library's internals, so that it cannot hide
 * their faults. */
#include "helpers/helpers.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void give_up(const char *what, const char *name) {
    perror(what);
    fprintf(stderr, "the test cannot go on: %s %s\n", what, name);
    exit(1);
}

void test_path(char path[TEST_PATH_SIZE], const char *folder, const char *name) {
    int length = snprintf(path, TEST_PATH_SIZE, "%s/%s", folder, name);
    if (length < 0 || length >= TEST_PATH_SIZE)
        give_up("too long a path:", name);
}

bool test_data(char path[TEST_PATH_SIZE], const char *name) {
    const char *folder = getenv("DEEPER_TEST_DATA");
    test_path(path, folder && *folder ? folder : TEST_SOURCE_DIR "/../shared", name);
    if (access(path, R_OK) == 0)
        return true;
    fprintf(stderr, "skipped: %s is not here (set DEEPER_TEST_DATA)\n", path);
    return false;
}

char *test_folder(void) {
    const char *parent = getenv("TMPDIR");
    char path[TEST_PATH_SIZE];
    test_path(path, parent && *parent ? parent : "/tmp", "deeper-test-XXXXXX");
    char *folder = mkdtemp(path) ? strdup(path) : NULL;
    if (!folder)
        give_up("cannot make a folder", path);
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    return remove(path);
}

void test_folder_remove(char *folder) {
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        give_up("cannot remove", folder);
    free(folder);
}

void test_write(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        give_up("cannot write", path);
}

char *test_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    size_t capacity = 1 << 16, count = 0;
    char *bytes = malloc(capacity);
    while (bytes && (count += fread(bytes + count, 1, capacity - 1 - count, file)) == capacity - 1)
        bytes = realloc(bytes, capacity *= 2);
    if (!bytes || ferror(file))
        give_up("cannot read", path);
    fclose(file);
    bytes[count] = '\0';
    *size = count;
    return bytes;
}

size_t test_folder_count(const char *folder) {
    DIR *list = opendir(folder);
    size_t count = 0;
    if (!list)
        give_up("cannot list", folder);
    for (const struct dirent *entry; (entry = readdir(list));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return count;
}

static void *allocate(void *context, size_t size, size_t alignment) {
    test_failing_allocator *failing = context;
    void *pointer = NULL;
    if (atomic_fetch_add(&failing->calls, 1) + 1 == failing->fail_at
        || posix_memalign(&pointer, alignment, size) != 0)
        return NULL;
    memset(pointer, 0xA5, size); /* what is not written before it is read shows */
    atomic_fetch_add(&failing->outstanding, 1);
    return pointer;
}

static void release(void *context, void *pointer) {
    test_failing_allocator *failing = context;
    atomic_fetch_sub(&failing->outstanding, 1);
    free(pointer);
}

void test_failing_allocator_init(test_failing_allocator *failing, long fail_at) {
    failing->allocator =
        (deeper_allocator){ .allocate = allocate, .release = release, .context = failing };
    failing->fail_at = fail_at;
    atomic_init(&failing->calls, 0);
    atomic_init(&failing->outstanding, 0);
}
