/* test_writer.c - files of the base floor: atomic writing, and what killed writers leave. */
#include "base/files.h"
#include "base/temporary.h"
#include "helpers/helpers.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder; /* a fresh one for every test */

static int begin(void **state) {
    folder = test_folder();
    return 0;
}

static int end(void **state) {
    test_folder_remove(folder);
    return 0;
}

static unsigned char *pattern(size_t size) {
    unsigned char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 31 ^ i >> 7);
    return bytes;
}

/* -------------------------------------------------------------------------------------- writing */

static void assert_holds(const char *path, const void *bytes, size_t expected) {
    size_t size = 0;
    char *content = test_read(path, &size);
    assert_non_null(content);
    assert_int_equal(size, expected);
    assert_memory_equal(content, bytes, size);
    free(content);
}

/* Pieces smaller and larger than the writer's block, in both orders, come out as they went in. */
static void test_write_pieces(void **state) {
    static const size_t pieces[][4] = { { 0, 0, 0, 0 },           { 1, 0, 262143, 1 },
                                        { 262144, 1, 0, 5 },      { 262143, 2, 7, 1 },
                                        { 5, 262145, 262144, 5 }, { 1000000, 3, 1000000, 0 } };
    char path[TEST_PATH_SIZE];
    test_path(path, folder, "모델.safetensors");
    unsigned char *bytes = pattern(2100000);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        dp_writer *writer = NULL;
        deeper_error error;
        size_t size = 0;
        assert_int_equal(dp_writer_open(&writer, path, NULL, &error), DEEPER_OK);
        for (int k = 0; k < 4; k++) {
            dp_writer_put(writer, bytes + size, pieces[i][k]);
            size += pieces[i][k];
        }
        assert_int_equal(dp_writer_commit(writer, &error), DEEPER_OK);
        assert_holds(path, bytes, size);
        assert_int_equal(test_folder_count(folder), 1);
    }
    free(bytes);
}

static void test_write_is_atomic(void **state) {
    char path[TEST_PATH_SIZE];
    struct stat status;
    dp_writer *writer = NULL;
    test_path(path, folder, "file");
    test_write(path, "old", 3);
    assert_int_equal(dp_writer_open(&writer, path, NULL, NULL), DEEPER_OK);
    dp_writer_put(writer, "new one", 7);
    assert_holds(path, "old", 3);
    assert_int_equal(test_folder_count(folder), 2); /* the temporary file is in the same folder */
    dp_writer_discard(writer);
    assert_holds(path, "old", 3);
    assert_int_equal(test_folder_count(folder), 1);
    dp_writer_discard(NULL);

    unlink(path);
    dp_writer *second = NULL; /* two at once: the last to commit wins, whole */
    mode_t mask = umask(027);
    assert_int_equal(dp_writer_open(&writer, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_writer_open(&second, path, NULL, NULL), DEEPER_OK);
    umask(mask);
    dp_writer_put(writer, "first", 5);
    dp_writer_put(second, "second", 6);
    assert_int_equal(dp_writer_commit(second, NULL), DEEPER_OK);
    assert_holds(path, "second", 6);
    assert_int_equal(dp_writer_commit(writer, NULL), DEEPER_OK);
    assert_holds(path, "first", 5);
    assert_int_equal(test_folder_count(folder), 1);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640); /* 0666 less the mask */
}

static void test_write_through_links(void **state) {
    char path[TEST_PATH_SIZE], link[TEST_PATH_SIZE], second[TEST_PATH_SIZE], inner[TEST_PATH_SIZE];
    struct stat status;
    dp_writer *writer = NULL;
    deeper_error error;
    test_path(inner, folder, "inner");
    assert_int_equal(mkdir(inner, 0777), 0);
    test_path(path, inner, "file");
    test_path(link, folder, "link");
    test_path(second, folder, "second");
    assert_int_equal(symlink("inner/file", link), 0); /* to what is not there yet */
    assert_int_equal(symlink(link, second), 0);       /* absolute, to a link */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dp_writer_open(&writer, second, NULL, &error), DEEPER_OK);
        assert_int_equal(test_folder_count(inner),
                         1 + (size_t)i); /* the temporary file is beside the target */
        dp_writer_put(writer, i ? "b" : "a", 1);
        assert_int_equal(dp_writer_commit(writer, &error), DEEPER_OK);
        assert_holds(path, i ? "b" : "a", 1);
        assert_int_equal(lstat(second, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
    }
    assert_int_equal(test_folder_count(folder), 3);
    test_path(link, folder, "circle");
    assert_int_equal(symlink("circle", link), 0);
    assert_int_equal(dp_writer_open(&writer, link, NULL, &error), DEEPER_ERROR_IO);
    assert_ptr_equal(strstr(error.message, link), error.message);
}

static void test_write_refusals(void **state) {
    char path[TEST_PATH_SIZE];
    dp_writer *writer = NULL;
    deeper_error error;
    test_path(path, folder, "none/file");
    assert_int_equal(dp_writer_open(&writer, path, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "none/file: cannot write: No such file"));
    assert_int_equal(dp_writer_open(&writer, folder, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "is a folder"));
    assert_int_equal(dp_writer_open(&writer, "/dev/null", NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "not an ordinary file"));
    assert_int_equal(dp_writer_open(&writer, "", NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "does not name a file"));
    assert_null(writer);
    assert_int_equal(test_folder_count(folder), 0);
}

/* As long a name as file systems take: the temporary name may not be longer. */
static void test_write_long_name(void **state) {
    char name[NAME_MAX + 1], path[TEST_PATH_SIZE];
    dp_writer *writer = NULL;
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    test_path(path, folder, name);
    assert_int_equal(dp_writer_open(&writer, path, NULL, NULL), DEEPER_OK);
    dp_writer_put(writer, "x", 1);
    assert_int_equal(dp_writer_commit(writer, NULL), DEEPER_OK);
    assert_holds(path, "x", 1);
}

/* In a folder without a name: the path has no slash. */
static void test_write_here(void **state) {
    char path[TEST_PATH_SIZE], before[PATH_MAX];
    dp_writer *writer = NULL;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    deeper_status opened = dp_writer_open(&writer, "here", NULL, NULL);
    deeper_status committed = opened == DEEPER_OK ? dp_writer_commit(writer, NULL) : opened;
    assert_int_equal(chdir(before), 0);
    assert_int_equal(committed, DEEPER_OK);
    test_path(path, folder, "here");
    assert_holds(path, "", 0);
}

/* A disk that fills up, as a limit on the size of files: the old file stays and nothing is left
 * behind. */
static void test_write_full_disk(void **state) {
    enum { ROOM = 300000 };
    char path[TEST_PATH_SIZE];
    struct rlimit old, small;
    deeper_error error;
    test_path(path, folder, "file");
    test_write(path, "old", 3);
    unsigned char *bytes = pattern(1 << 20);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = ROOM;
    static const size_t piece[] = { 1000, 1 << 20 };
    for (int i = 0; i < 2; i++) {
        dp_writer *writer = NULL;
        assert_int_equal(dp_writer_open(&writer, path, NULL, &error), DEEPER_OK);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        for (size_t at = 0; at + piece[i] <= 1 << 20; at += piece[i])
            dp_writer_put(writer, bytes + at, piece[i]);
        deeper_status status = dp_writer_commit(writer, &error);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, DEEPER_ERROR_IO);
        assert_ptr_equal(strstr(error.message, path), error.message);
        assert_non_null(strstr(error.message, ": cannot write: File too large"));
        assert_holds(path, "old", 3);
        assert_int_equal(test_folder_count(folder), 1);
    }
    free(bytes);
}

static void test_write_without_memory(void **state) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, "link");
    assert_int_equal(symlink("file", path), 0);
    long n = 1;
    for (bool done = false; !done; n++) {
        test_failing_allocator failing;
        dp_writer *writer = NULL;
        deeper_error error;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_writer_open(&writer, path, &failing.allocator, &error);
        if (status == DEEPER_OK) {
            dp_writer_put(writer, "x", 1);
            status = dp_writer_commit(writer, &error);
        }
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
        assert_int_equal(test_folder_count(folder), done ? 2 : 1);
    }
    assert_true(n > 4);
}

/* ------------------------------------------------------------------------------------- remains */

/* What killed writers left is removed; names that only look like it, and folders, stay. */
static void test_temporaries(void **state) {
    static const char *const left[] = { "a.tmp-1-0123abcd",
                                        "step-1.safetensors.tmp-4194304-ffffffff" };
    static const char *const stay[] = { "a",
                                        "b.tmp-12-0123abc",
                                        "c.tmp-x-01234567",
                                        "d.tmp-1-01234567.safetensors",
                                        "e.tmp--01234567",
                                        "f.tmp-1-012345678" };
    char path[TEST_PATH_SIZE];
    for (size_t i = 0; i < 2; i++) {
        test_path(path, folder, left[i]);
        test_write(path, "x", 1);
    }
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        test_path(path, folder, stay[i]);
        test_write(path, "x", 1);
    }
    test_path(path, folder, "g.tmp-1-01234567");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(dp_temporaries_remove(folder, NULL), DEEPER_OK);
    dp_listing listing;
    assert_int_equal(dp_listing_read(&listing, folder, NULL, NULL), DEEPER_OK);
    assert_int_equal(listing.count, sizeof stay / sizeof *stay + 1);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        assert_string_equal(listing.names[i], stay[i]);
    dp_listing_free(&listing, NULL);
    test_path(path, folder, "nosuch");
    assert_int_equal(dp_temporaries_remove(path, NULL), DEEPER_ERROR_IO);
}

/* Of a target's temporary files the next writer removes those that nobody writes. */
static void test_dead_writers(void **state) {
    char path[TEST_PATH_SIZE], dead[TEST_PATH_SIZE], other[TEST_PATH_SIZE];
    dp_writer *alive = NULL, *next = NULL;
    test_path(path, folder, "a.csv");
    test_path(dead, folder, "a.csv.tmp-7-0123abcd");
    test_path(other, folder, "b.csv.tmp-7-0123abcd");
    test_write(dead, "x", 1);
    test_write(other, "x", 1);
    assert_int_equal(dp_writer_open(&alive, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_writer_open(&next, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(access(dead, F_OK), -1);
    assert_int_equal(access(other, F_OK), 0);
    dp_writer_put(alive, "alive", 5);
    dp_writer_discard(next);
    assert_int_equal(dp_temporaries_remove(folder, NULL), DEEPER_OK);
    assert_int_equal(access(other, F_OK), -1);
    assert_int_equal(dp_writer_commit(alive, NULL), DEEPER_OK);
    assert_holds(path, "alive", 5);
}

static void rewrite(const char *path) {
    dp_writer *writer = NULL;
    assert_int_equal(dp_writer_open(&writer, path, NULL, NULL), DEEPER_OK);
    dp_writer_put(writer, "new", 3);
    assert_int_equal(dp_writer_commit(writer, NULL), DEEPER_OK);
    assert_holds(path, "new", 3);
}

/* A file that is written anew is whose it was, and as readable as it was. */
static void test_rights_are_kept(void **state) {
    char path[TEST_PATH_SIZE];
    struct stat status;
    test_path(path, folder, "file");
    test_write(path, "old", 3);
    assert_int_equal(chmod(path, 0604), 0);
    bool root = geteuid() == 0 && chown(path, 12345, 54321) == 0;
    rewrite(path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0604);
    assert_int_equal(status.st_uid, root ? 12345 : geteuid());
    assert_int_equal(status.st_gid == 54321, root);
}

/* In a folder where everybody may make files, a link that somebody else made is not followed. */
static void test_links_of_others(void **state) {
    char shared[TEST_PATH_SIZE], link[TEST_PATH_SIZE], target[TEST_PATH_SIZE];
    dp_writer *writer = NULL;
    deeper_error error;
    test_path(shared, folder, "shared");
    test_path(link, shared, "link");
    test_path(target, folder, "target");
    assert_int_equal(mkdir(shared, 0777), 0);
    assert_int_equal(chmod(shared, 01777), 0);
    assert_int_equal(symlink(target, link), 0);
    rewrite(link); /* our own */
    if (geteuid() != 0 || lchown(link, 12345, 12345) != 0 || chown(shared, 23456, 0) != 0)
        skip(); /* nobody else can be had */
    assert_int_equal(dp_writer_open(&writer, link, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "link: cannot write: Permission denied"));
    assert_int_equal(chown(shared, 12345, 0), 0);
    rewrite(link); /* the folder's owner may */
    assert_int_equal(chown(shared, 23456, 0), 0);
    assert_int_equal(chmod(shared, 0777), 0);
    rewrite(link); /* a folder that is not sticky */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_pieces, begin, end),
        cmocka_unit_test_setup_teardown(test_write_is_atomic, begin, end),
        cmocka_unit_test_setup_teardown(test_write_through_links, begin, end),
        cmocka_unit_test_setup_teardown(test_write_refusals, begin, end),
        cmocka_unit_test_setup_teardown(test_write_long_name, begin, end),
        cmocka_unit_test_setup_teardown(test_write_here, begin, end),
        cmocka_unit_test_setup_teardown(test_write_full_disk, begin, end),
        cmocka_unit_test_setup_teardown(test_write_without_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_temporaries, begin, end),
        cmocka_unit_test_setup_teardown(test_dead_writers, begin, end),
        cmocka_unit_test_setup_teardown(test_rights_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_links_of_others, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
