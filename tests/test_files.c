/* test_files.c - files of the base floor: reading and listing; test_writer.c has writing. */
#include "base/files.h"
#include "base/temporary.h"
#include "helpers/helpers.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/* -------------------------------------------------------------------------------------- reading */

/* Sizes around a page, the first read of a pipe and nothing. */
static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65534, 65535, 65536, 65537, 300000 };
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_read_whole(void **state) {
    char path[TEST_PATH_SIZE];
    deeper_error error;
    test_path(path, folder, "사진 1.bin");
    for (size_t i = 0; i < SIZES; i++) {
        size_t size = 0;
        void *data = NULL;
        unsigned char *bytes = pattern(sizes[i]);
        test_write(path, bytes, sizes[i]);
        for (size_t limit = 0; limit <= sizes[i];
             limit += sizes[i] ? sizes[i] : 1) { /* none, and just enough */
            assert_int_equal(dp_file_read(&data, &size, path, limit, NULL, &error), DEEPER_OK);
            assert_int_equal(size, sizes[i]);
            assert_memory_equal(data, bytes, size);
            assert_int_equal(((char *)data)[size], 0);
            dp_free(NULL, data);
        }
        if (sizes[i] > 1) {
            assert_int_equal(dp_file_read(&data, &size, path, sizes[i] - 1, NULL, &error),
                             DEEPER_ERROR_LIMIT);
            assert_ptr_equal(strstr(error.message, path), error.message);
        }
        free(bytes);
    }
}

/* What is asked of a map: the same bytes, also after the pages were given back. */
static void test_map(void **state) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, "file");
    for (size_t i = 0; i < SIZES; i++) {
        dp_map map;
        unsigned char *bytes = pattern(sizes[i]);
        test_write(path, bytes, sizes[i]);
        assert_int_equal(dp_map_open(&map, path, sizes[i], NULL), DEEPER_OK);
        assert_int_equal(map.size, sizes[i]);
        assert_true((map.data == NULL) == (sizes[i] == 0));
        if (sizes[i])
            assert_memory_equal(map.data, bytes, sizes[i]);
        dp_map_release_pages(&map);
        if (sizes[i])
            assert_memory_equal(map.data, bytes, sizes[i]);
        dp_map_close(&map);
        assert_null(map.data);
        dp_map_close(&map);
        if (sizes[i] > 1)
            assert_int_equal(dp_map_open(&map, path, sizes[i] - 1, NULL), DEEPER_ERROR_LIMIT);
        free(bytes);
    }
}

static void expect_refused(const char *path, const char *why) {
    void *data = NULL;
    size_t size = 0;
    int file = 0;
    deeper_error error;
    assert_int_equal(dp_file_read(&data, &size, path, 0, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, why));
    assert_null(data);
    assert_int_equal(dp_file_open(&file, path, NULL), DEEPER_ERROR_IO);
    assert_int_equal(file, -1);
}

/* A reader that waits for a pipe's writer ends this program by the alarm. */
static void test_only_ordinary_files_are_read(void **state) {
    char path[TEST_PATH_SIZE];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
    alarm(60);
    expect_refused("", "cannot open");
    test_path(path, folder, "none");
    expect_refused(path, "none: cannot open: No such file");
    expect_refused(folder, "is a folder");
    expect_refused("/dev/null", "/dev/null: is not an ordinary file");
    expect_refused("/dev/zero", "/dev/zero: is not an ordinary file");
    expect_refused("/dev/tty", "/dev/tty: ");
    test_path(path, folder, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(path, "pipe: is not an ordinary file");
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/socket", folder);
    assert_int_equal(bind(socket_file, (struct sockaddr *)&address, sizeof address), 0);
    expect_refused(address.sun_path, "socket: is not an ordinary file");
    close(socket_file);
    test_path(path, folder, "link");
    assert_int_equal(symlink("pipe", path), 0);
    expect_refused(path, "link: is not an ordinary file");
    alarm(0);
}

typedef struct feed {
    int end;
    const unsigned char *bytes;
    size_t size;
} feed;

static void *feed_pipe(void *argument) {
    const feed *to = argument;
    usleep(1000); /* the reader waits, though it opened without waiting */
    for (size_t done = 0; done < to->size;) {
        ssize_t now = write(to->end, to->bytes + done, to->size - done);
        if (now < 0)
            break; /* the reader has had enough */
        done += (size_t)now;
    }
    close(to->end);
    return NULL;
}

/* A pipe that this process was started with, as `deeper classify /dev/stdin` or <(...) has it. */
static void read_pipe(size_t bytes_sent, size_t limit, deeper_status expected) {
    char path[32];
    int ends[2];
    unsigned char *bytes = pattern(bytes_sent);
    void *data = NULL;
    size_t size = 0;
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    feed to = { ends[1], bytes, bytes_sent };
    assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &to), 0);
    deeper_status status = dp_file_read(&data, &size, path, limit, NULL, NULL);
    close(ends[0]);
    pthread_join(thread, NULL);
    assert_int_equal(status, expected);
    if (status == DEEPER_OK) {
        assert_int_equal(size, bytes_sent);
        assert_memory_equal(data, bytes, size);
        assert_int_equal(((char *)data)[size], 0);
    } else {
        assert_null(data);
    }
    dp_free(NULL, data);
    free(bytes);
}

/* /dev/fd/N of /dev/zero: no end, and no size to be known before. */
static int endless(char path[32]) {
    int file = open("/dev/zero", O_RDONLY);
    snprintf(path, 32, "/dev/fd/%d", file);
    return file;
}

static void test_read_pipes(void **state) {
    char path[32];
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIZES; i++)
        read_pipe(sizes[i], 0, DEEPER_OK);
    read_pipe(300000, 300000, DEEPER_OK);
    read_pipe(
        300000, 299999,
        DEEPER_ERROR_LIMIT); /* the size is not known before: it stops when it sees too much */
    void *data = NULL;
    size_t size = 1;
    int file = endless(path);
    assert_int_equal(dp_file_read(&data, &size, path, 1 << 20, NULL, NULL),
                     DEEPER_ERROR_LIMIT); /* bounded memory */
    close(file);
}

static void test_read_without_memory(void **state) {
    char path[TEST_PATH_SIZE], zeros[32];
    int file = endless(zeros);
    test_path(path, folder, "file");
    test_write(path, "bytes", 5);
    for (int i = 0; i < 2; i++) {
        long n = 1;
        for (bool done = false; !done; n++) {
            test_failing_allocator failing;
            void *data = NULL;
            size_t size = 0;
            deeper_error error;
            test_failing_allocator_init(&failing, n);
            deeper_status status =
                dp_file_read(&data, &size, i ? zeros : path, 1 << 18, &failing.allocator, &error);
            done = failing.calls < n;
            assert_int_equal(status, !done ? DEEPER_ERROR_MEMORY
                                     : i   ? DEEPER_ERROR_LIMIT
                                           : DEEPER_OK);
            dp_free(&failing.allocator, data);
            assert_int_equal(failing.outstanding, 0);
        }
        assert_true(n > 2 + i);
    }
    close(file);
}

/* -------------------------------------------------------------------------------------- folders */

static void fill_folder(void) {
    static const char *const names[] = { "b.jpg", "a.jpg", ".hidden", "\xEA\xB3\xA0.jpg",
                                         "B.jpg", "a",     "z\n" };
    char path[TEST_PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        test_path(path, folder, names[i]);
        test_write(path, "", 0);
    }
    test_path(path, folder, "inner");
    mkdir(path, 0777);
    test_path(path, folder, "to-folder");
    assert_int_equal(symlink("inner", path), 0);
    test_path(path, folder, "to-nothing");
    assert_int_equal(symlink("gone", path), 0);
}

static void test_listing(void **state) {
    static const char *const expected[] = { "B.jpg",      "a",     "a.jpg",
                                            "b.jpg",      "inner", "to-folder",
                                            "to-nothing", "z\n",   "\xEA\xB3\xA0.jpg" };
    enum { EXPECTED = sizeof expected / sizeof *expected };
    dp_listing listing;
    deeper_error error;
    assert_int_equal(dp_listing_read(&listing, folder, NULL, &error), DEEPER_OK);
    assert_int_equal(listing.count, 0);
    dp_listing_free(&listing, NULL);
    fill_folder();
    assert_int_equal(dp_listing_read(&listing, folder, NULL, &error), DEEPER_OK);
    assert_int_equal(listing.count, EXPECTED);
    for (size_t i = 0; i < EXPECTED; i++) {
        assert_string_equal(listing.names[i], expected[i]);
        assert_int_equal(listing.folders[i], strcmp(expected[i], "inner") == 0
                                                 || strcmp(expected[i], "to-folder") == 0);
    }
    dp_listing_free(&listing, NULL);
    assert_int_equal(listing.count, 0);
    dp_listing_free(&listing, NULL);

    char path[TEST_PATH_SIZE];
    test_path(path, folder, "none");
    assert_int_equal(dp_listing_read(&listing, path, NULL, &error), DEEPER_ERROR_IO);
    assert_ptr_equal(strstr(error.message, path), error.message);
    test_path(path, folder, "a");
    assert_int_equal(dp_listing_read(&listing, path, NULL, &error), DEEPER_ERROR_IO);
    assert_int_equal(listing.count, 0);
}

static void test_listing_without_memory(void **state) {
    fill_folder();
    long n = 1;
    for (bool done = false; !done; n++) {
        test_failing_allocator failing;
        dp_listing listing;
        deeper_error error;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_listing_read(&listing, folder, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(listing.count == 0, !done);
        dp_listing_free(&listing, &failing.allocator);
        assert_int_equal(failing.outstanding, 0);
    }
    assert_true(n > 10);
}

static void test_paths(void **state) {
    static const char *const cases[][3] = { { "a", "b", "a/b" },
                                            { "a/", "b", "a/b" },
                                            { "/", "b", "/b" },
                                            { "", "b", "b" },
                                            { "가", "나.jpg", "가/나.jpg" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = dp_path_join(NULL, cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        dp_free(NULL, path);
    }
    char path[TEST_PATH_SIZE];
    assert_int_equal(dp_is_folder(folder), 1);
    test_path(path, folder, "file");
    assert_int_equal(dp_is_folder(path), -1);
    test_write(path, "", 0);
    assert_int_equal(dp_is_folder(path), 0);
}

static void test_open(void **state) {
    char path[TEST_PATH_SIZE], text[4] = "";
    deeper_error error = { 0 };
    int file = 5;
    test_path(path, folder, "a");
    assert_int_equal(dp_file_open(&file, path, &error), DEEPER_ERROR_IO);
    assert_int_equal(file, -1);
    file = 5;
    assert_int_equal(dp_file_open(&file, folder, &error), DEEPER_ERROR_IO);
    assert_int_equal(file, -1);
    assert_int_equal(strncmp(error.message, folder, strlen(folder)), 0);
    test_write(path, "abc", 3);
    assert_int_equal(dp_file_open(&file, path, &error), DEEPER_OK);
    assert_int_equal(pread(file, text, 2, 1), 2);
    assert_string_equal(text, "bc");
    assert_int_equal(close(file), 0);
}

static void test_new_folder(void **state) {
    char path[TEST_PATH_SIZE], inside[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    test_path(path, folder, "new");
    test_path(inside, folder, "new/file");
    assert_int_equal(dp_folder_make_new(path, "run", NULL, &error), DEEPER_OK);
    assert_int_equal(dp_folder_make_new(path, "run", NULL, &error),
                     DEEPER_OK); /* there, but empty */
    assert_int_equal(dp_folder_make(inside, &error), DEEPER_OK);
    assert_int_equal(dp_folder_make(inside, &error), DEEPER_OK);
    assert_int_equal(dp_folder_make_new(path, "run", NULL, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(
        strstr(error.message, "new: the folder of a new run is not empty; resume the run"));
    assert_int_equal(dp_file_remove(inside, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "new/file: cannot remove: "));
    test_path(path, folder, "nosuch/folder");
    assert_int_equal(dp_folder_make_new(path, "run", NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "nosuch/folder: cannot make the folder: "));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_whole, begin, end),
        cmocka_unit_test_setup_teardown(test_open, begin, end),
        cmocka_unit_test_setup_teardown(test_map, begin, end),
        cmocka_unit_test_setup_teardown(test_only_ordinary_files_are_read, begin, end),
        cmocka_unit_test_setup_teardown(test_read_pipes, begin, end),
        cmocka_unit_test_setup_teardown(test_read_without_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_listing, begin, end),
        cmocka_unit_test_setup_teardown(test_listing_without_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_paths, begin, end),
        cmocka_unit_test_setup_teardown(test_new_folder, begin, end),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
