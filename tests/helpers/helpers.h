/* helpers.h - what several test programs need: recorded data, folders to write in, an allocator
 * that fails on demand. Trouble of the machine itself (no temporary folder) ends the test program
 * with a message: that is no result of a test. */
#ifndef TEST_HELPERS_H
#define TEST_HELPERS_H

#include <deeper/deeper.h>

#include <stdatomic.h>
#include <stdbool.h>

enum { TEST_PATH_SIZE = 4096 };

/* path: where `name` of the recorded data is ("models/bvlc_googlenet.caffemodel"), under
 * DEEPER_TEST_DATA or else ../shared beside the source root. False, said on stderr, if it is not
 * there; the test then calls skip(). */
bool test_data(char path[TEST_PATH_SIZE], const char *name);

/* A fresh empty folder of this test's own, to be ended with test_folder_remove, which removes all
 * that is in it. Freed by that too. */
char *test_folder(void);
void test_folder_remove(char *folder);

/* path: folder/name. */
void test_path(char path[TEST_PATH_SIZE], const char *folder, const char *name);

/* Writes a file whole; reads one whole (malloc, a zero byte after it; NULL if it cannot be
 * read). */
void test_write(const char *path, const void *bytes, size_t size);
char *test_read(const char *path, size_t *size);

/* Names in a folder, "." and ".." not counted: what a failed write may not leave behind. */
size_t test_folder_count(const char *folder);

/* An allocator that fails at its `fail_at`-th call (from 1; 0: never) and counts. Pass
 * &it.allocator. Typical use:
 *     for (long n = 1, done = 0; !done; n++) {
 *         test_failing_allocator_init(&it, n);
 *         status = call(..., &it.allocator, &error);
 *         done = it.calls < n; // the call needed fewer allocations than n: none failed
 *         assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
 *         ... free what a good call gave ...
 *         assert_int_equal(it.outstanding, 0);
 *     } */
typedef struct test_failing_allocator {
    deeper_allocator allocator;
    long fail_at;
    atomic_long calls, outstanding; /* calls of allocate; blocks not yet released */
} test_failing_allocator;

void test_failing_allocator_init(test_failing_allocator *failing, long fail_at);

#endif
