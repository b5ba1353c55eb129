/* test_tar.c - tars as data sets: names and order as those of the folder, parts, dialects, what is
 * damaged. Pictures are 1x1 PPM files whose red tells which they are. */
#include "data/dataset.h"
#include "data/tar.h"
#include "helpers/helpers.h"
#include "helpers/tars.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef DP_HAVE_ARCHIVE
#define DP_HAVE_ARCHIVE 0
#endif

static size_t make_picture(char text[32], int red) {
    int header = snprintf(text, 32, "P6 1 1 255\n");
    text[header] = (char)red;
    text[header + 1] = text[header + 2] = 0;
    return (size_t)header + 3;
}

static void put_picture(test_bytes *tar, const char *name, int red) {
    char text[32];
    size_t size = make_picture(text, red);
    test_tar_put(tar, name, '0', NULL, text, size);
}

/* Writes and frees the tar. path: where it is. */
static void finish(test_bytes *tar, const char *folder, char path[TEST_PATH_SIZE]) {
    test_path(path, folder, "set.tar");
    test_tar_end(tar);
    test_write(path, tar->bytes, tar->size);
    free(tar->bytes);
    *tar = (test_bytes){ 0 };
}

static void open_pair(dp_dataset **train, dp_dataset **val, const char *path) {
    deeper_error error = { 0 };
    if (dp_dataset_open_pair(train, val, path, NULL, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

/* Picture `index` is path:name (or path/name), of that class, with that red. */
static void assert_picture(const dp_dataset *dataset, size_t index, const char *name,
                           size_t class_index, int red) {
    dp_image image;
    deeper_error error = { 0 };
    const char *whole = dp_dataset_name(dataset, index);
    size_t length = strlen(dataset->path);
    assert_int_equal(strncmp(whole, dataset->path, length), 0);
    assert_true(whole[length] == (strstr(dataset->path, ".tar:") ? '/' : ':'));
    assert_string_equal(whole + length + 1, name);
    assert_int_equal(dataset->images[index].class_index, class_index);
    if (dp_dataset_read(&image, dataset, index, NULL, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(image.pixels[0], red);
    dp_image_free(&image);
}

static void assert_refused(const char *path, deeper_status expected, const char *words) {
    deeper_error error = { 0 };
    dp_dataset *train = NULL, *val = NULL;
    assert_int_equal(dp_dataset_open_pair(&train, &val, path, NULL, NULL, &error), expected);
    assert_null(train);
    assert_null(val);
    if (!strstr(error.message, words))
        fail_msg("\"%s\" should say \"%s\"", error.message, words);
}

/* A folder's order, whatever that of the tar: "a" and what is in it before "a-b". Folders without
 * entries of their own count, hidden names, links and files beside the classes do not; of a name
 * that comes twice the later is meant. */
static void test_classes_and_order(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    put_picture(&tar, "./a-b/x.ppm", 1);
    put_picture(&tar, "./a/z.ppm", 2);
    put_picture(&tar, "/a/deep/er/y.ppm", 3);
    put_picture(&tar, "a/b.ppm", 4);
    put_picture(&tar, "README.txt", 5);
    put_picture(&tar, "a/.hidden.ppm", 6);
    put_picture(&tar, ".git/a.ppm", 7);
    test_tar_put(&tar, "empty/", '5', NULL, NULL, 0);
    test_tar_put(&tar, "a/link.ppm", '2', "b.ppm", NULL, 0);
    put_picture(&tar, "a/b.ppm", 8);
    put_picture(&tar, "B/q.ppm", 9);
    test_tar_put(&tar, "B/again.ppm", '1', "./a/z.ppm", NULL, 0);
    finish(&tar, folder, path);
    dp_dataset *set = NULL, *val = NULL;
    open_pair(&set, &val, path);
    assert_null(val);
    assert_false(set->numbered);
    static const struct {
        const char *name;
        size_t images;
    } classes[] = { { "B", 2 }, { "a", 3 }, { "a-b", 1 }, { "empty", 0 } };
    assert_int_equal(set->class_count, 4);
    for (size_t c = 0; c < 4; c++) {
        assert_string_equal(dp_dataset_class(set, c), classes[c].name);
        assert_int_equal(set->classes[c].images, classes[c].images);
    }
    assert_int_equal(set->image_count, 6);
    assert_picture(set, 0, "B/again.ppm", 0, 2);
    assert_picture(set, 1, "B/q.ppm", 0, 9);
    assert_picture(set, 2, "a/b.ppm", 1, 8);
    assert_picture(set, 3, "a/deep/er/y.ppm", 1, 3);
    assert_picture(set, 4, "a/z.ppm", 1, 2);
    assert_picture(set, 5, "a-b/x.ppm", 2, 1);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

/* top/ is stepped into, its train and val are parts; each can be named, the part alone too. */
static void test_parts(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], inner[TEST_PATH_SIZE + 64];
    test_bytes tar = { 0 };
    put_picture(&tar, "top/train/a/1.ppm", 1);
    put_picture(&tar, "top/train/b/2.ppm", 2);
    put_picture(&tar, "top/test/a/3.ppm", 3);
    put_picture(&tar, "top/val/b/4.ppm", 4);
    put_picture(&tar, "top/val/b/5.ppm", 5);
    put_picture(&tar, "top/README", 6);
    finish(&tar, folder, path);
    static const char *const inners[] = { "", ":top", ":top/" };
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++) {
        dp_dataset *train = NULL, *val = NULL;
        snprintf(inner, sizeof inner, "%s%s", path, inners[i]);
        open_pair(&train, &val, inner);
        assert_non_null(val);
        assert_int_equal(train->image_count, 2);
        assert_int_equal(val->image_count, 2);
        dp_dataset_free(train); /* either may go first */
        assert_picture(val, 0, "b/4.ppm", 0, 4);
        dp_dataset_free(val);
    }
    dp_dataset *train = NULL, *val = NULL;
    snprintf(inner, sizeof inner, "%s:top/test", path);
    open_pair(&train, &val, inner);
    assert_null(val);
    assert_picture(train, 0, "a/3.ppm", 0, 3);
    dp_dataset_free(train);
    snprintf(inner, sizeof inner, "%s:top/nosuch", path);
    assert_refused(inner, DEEPER_ERROR_FORMAT, "no folder top/nosuch in it");
    snprintf(inner, sizeof inner, "%s:top/train/a/1.ppm", path);
    assert_refused(inner, DEEPER_ERROR_FORMAT, "no folder");
    test_folder_remove(folder);
}

static void test_single_folders_are_stepped_into(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    put_picture(&tar, "x/y/train/a/1.ppm", 1);
    put_picture(&tar, "x/y/val/a/2.ppm", 2);
    finish(&tar, folder, path);
    dp_dataset *train = NULL, *val = NULL;
    open_pair(&train, &val, path);
    assert_non_null(val);
    assert_picture(val, 0, "a/2.ppm", 0, 2);
    dp_dataset_free(train);
    dp_dataset_free(val);
    val = NULL;
    put_picture(&tar, "cats/1.ppm", 1); /* one class: its folder holds files and is a class */
    finish(&tar, folder, path);
    open_pair(&train, &val, path);
    assert_null(val);
    assert_string_equal(dp_dataset_class(train, 0), "cats");
    assert_picture(train, 0, "cats/1.ppm", 0, 1);
    dp_dataset_free(train);
    test_folder_remove(folder);
}

/* Names longer than a header has room for, and names that are not ASCII, as pax and GNU write
 * them. */
static void test_dialects(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], name[400] = "class/", record[500];
    test_bytes tar = { 0 };
    memset(name + 6, 'n', 300);
    strcpy(name + 306, ".ppm");
    test_tar_put(&tar, "././@LongLink", 'L', NULL, name, strlen(name) + 1);
    put_picture(&tar, "class/cut", 1);
    static const char korean[] = "class/\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4.ppm";
    int length = snprintf(record, sizeof record, "%zu path=%s\n", strlen(korean) + 9, korean);
    assert_int_equal(length, strlen(korean) + 9);
    test_tar_put(&tar, "PaxHeader", 'x', NULL, record, (size_t)length);
    put_picture(&tar, "class/cut2", 2);
    static const char raw[] = "class/\xC0\xFF.ppm"; /* of no known encoding */
    put_picture(&tar, raw, 3);
    finish(&tar, folder, path);
    dp_dataset *set = NULL, *val = NULL;
    open_pair(&set, &val, path);
    assert_int_equal(set->image_count, 3);
    assert_picture(set, 0, name, 0, 1);
    assert_picture(set, 1, raw, 0, 3);
    assert_picture(set, 2, korean, 0, 2);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

/* The same files as a folder and as a tar have one fingerprint; another size, name or class has
 * another. */
static void test_fingerprint(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], set[TEST_PATH_SIZE], text[32];
    static const char *const names[] = { "b/2.ppm", "a-b/4.ppm", "a/x/3.ppm", "b/10.ppm",
                                         "a/1.ppm" };
    static const char *const folders[] = { "set", "set/a", "set/a/x", "set/a-b", "set/b" };
    uint64_t prints[5];
    for (size_t i = 0; i < 5; i++) {
        test_path(path, folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    test_path(set, folder, "set");
    for (size_t i = 0; i < 5; i++) {
        test_path(path, set, names[i]);
        test_write(path, text, make_picture(text, (int)i));
    }
    for (int change = 0; change < 5; change++) {
        dp_dataset *dataset = NULL, *val = NULL;
        test_bytes tar = { 0 };
        for (size_t i = 0; i < 5 && change > 0; i++)
            if (i == 0 && change == 2)
                put_picture(&tar, "b/2x.ppm", 0);
            else if (i == 0 && change == 3)
                put_picture(&tar, "a/2.ppm", 0);
            else if (i == 0 && change == 4)
                test_tar_put(&tar, names[i], '0', NULL, "other", 5);
            else
                put_picture(&tar, names[i], (int)i);
        if (change > 0)
            finish(&tar, folder, path);
        open_pair(&dataset, &val, change > 0 ? path : set);
        prints[change] = dp_dataset_fingerprint(dataset);
        dp_dataset_free(dataset);
        for (int other = 1; other < change; other++)
            assert_true(prints[other] != prints[change]);
    }
    assert_true(prints[0] == prints[1]);
    test_folder_remove(folder);
}

static void test_damage(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    put_picture(&tar, "a/1.ppm", 1);
    put_picture(&tar, "a/2.ppm", 2);
    test_path(path, folder, "set.tar");
    test_write(path, tar.bytes, tar.size - 512 + 5); /* inside the data of the second */
    assert_refused(path, DEEPER_ERROR_FORMAT, "cut short, it ends inside a/2.ppm");
    test_write(path, tar.bytes, tar.size - 1024 + 100); /* inside its header */
    assert_refused(path, DEEPER_ERROR_FORMAT, "damaged tar");
    test_write(path, tar.bytes,
               tar.size); /* without the blocks of zeros, as some programs leave it */
    dp_dataset *set = NULL, *val = NULL;
    open_pair(&set, &val, path);
    assert_int_equal(set->image_count, 2);
    assert_int_equal(
        truncate(path, 600),
        0); /* under an open set: the second picture is gone, which is an error and no crash */
    dp_image image;
    deeper_error error = { 0 };
    assert_int_equal(dp_dataset_read(&image, set, 1, NULL, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "set.tar:a/2.ppm: "));
    assert_null(image.pixels);
    dp_dataset_free(set);
    tar.bytes[1030]++; /* the second header's checksum no longer holds */
    test_write(path, tar.bytes, tar.size);
    assert_refused(path, DEEPER_ERROR_FORMAT, "damaged tar");
    free(tar.bytes);
    tar = (test_bytes){ 0 };
    put_picture(&tar, "a/1.ppm", 1);
    test_tar_put(&tar, "a/2.ppm", '1', "a/3.ppm", NULL, 0);
    finish(&tar, folder, path);
    assert_refused(path, DEEPER_ERROR_FORMAT,
                   "a hard link to a/3.ppm, which is no file in the tar");
    test_tar_put(&tar, "a/", '5', NULL, NULL, 0);
    finish(&tar, folder, path);
    assert_refused(path, DEEPER_ERROR_FORMAT, "no picture in any of its 1 class folders");
    put_picture(&tar, "1.ppm", 1);
    finish(&tar, folder, path);
    assert_refused(path, DEEPER_ERROR_FORMAT, "put the pictures into one folder per class");
    test_folder_remove(folder);
}

static void test_compressed(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } files[] = {
        { "\x1F\x8B\x08\x00", 4, "gunzip -k" },
        { "\xFD"
          "7zXZ\x00",
          6, "xz -dk" },
        { "BZh91AY", 7, "bunzip2 -k" },
        { "\x28\xB5\x2F\xFD", 4, "zstd -d" },
        { "PK\x03\x04", 4, "unzip" },
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "set.tar.any");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        test_write(path, files[i].bytes, files[i].size);
        assert_refused(path, DEEPER_ERROR_UNSUPPORTED, files[i].words);
    }
    test_folder_remove(folder);
}

/* Many threads on one open file. */
typedef struct work {
    const dp_dataset *dataset;
    int wrong;
} work;

static void *read_all(void *argument) {
    work *share = argument;
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < share->dataset->image_count; i++) {
            dp_image image;
            if (dp_dataset_read(&image, share->dataset, i, NULL, NULL, NULL) != DEEPER_OK
                || image.pixels[0] != i)
                share->wrong++;
            dp_image_free(&image);
        }
    return NULL;
}

static void test_threads(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], name[32];
    test_bytes tar = { 0 };
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "c/%02d.ppm", i);
        put_picture(&tar, name, i);
    }
    finish(&tar, folder, path);
    dp_dataset *set = NULL, *val = NULL;
    open_pair(&set, &val, path);
    pthread_t threads[4];
    work works[4] = { { 0 } };
    for (int i = 0; i < 4; i++) {
        works[i].dataset = set;
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &works[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(works[i].wrong, 0);
    }
    dp_dataset_free(set);
    test_folder_remove(folder);
}

static void test_every_allocation_may_fail(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    put_picture(&tar, "top/train/a/1.ppm", 1);
    put_picture(&tar, "top/val/a/2.ppm", 2);
    test_tar_put(&tar, "top/val/b/3.ppm", '1', "top/train/a/1.ppm", NULL, 0);
    finish(&tar, folder, path);
    test_failing_allocator failing;
    for (long n = 1, done = 0; !done; n++) {
        dp_dataset *train = NULL, *val = NULL;
        dp_image image = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_dataset_open_pair(&train, &val, path, NULL, &failing.allocator, NULL);
        if (status == DEEPER_OK)
            status = dp_dataset_read(&image, val, 1, NULL, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_image_free(&image);
        dp_dataset_free(train);
        dp_dataset_free(val);
        assert_int_equal(failing.outstanding, 0);
    }
    test_folder_remove(folder);
}

/* A build without libarchive says so. */
static void test_refused_without_libarchive(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    put_picture(&tar, "a/1.ppm", 1);
    finish(&tar, folder, path);
    assert_refused(path, DEEPER_ERROR_UNSUPPORTED, "no libarchive");
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_and_order),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_single_folders_are_stepped_into),
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_compressed),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(test_refused_without_libarchive),
        cmocka_unit_test(test_compressed),
    };
    return DP_HAVE_ARCHIVE ? cmocka_run_group_tests_name("tar", tests, NULL, NULL)
                           : cmocka_run_group_tests_name("tar", without, NULL, NULL);
}
