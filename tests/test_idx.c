/* test_idx.c - IDX pairs as data sets: levels, labels, names, gzip, and what is damaged or does not
 * fit together. */
#include "data/dataset.h"
#include "data/idx.h"
#include "helpers/helpers.h"
#include "helpers/tars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { COUNT = 7, ROWS = 3, COLUMNS = 5, STEP = 3 };

/* Writes bytes as they are or gzipped. */
static void write_file(const char *folder, const char *name, const void *bytes, size_t size) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    if (!strstr(name, ".gz")) {
        test_write(path, bytes, size);
        return;
    }
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

/* COUNT pictures, byte i of them all 3 i; or COUNT labels, label i = step x i. */
static void write_idx(const char *folder, const char *name, int rank, unsigned count,
                      unsigned step) {
    test_bytes out = { 0 };
    test_idx_put(&out, rank, count, ROWS, COLUMNS, step);
    write_file(folder, name, out.bytes, out.size);
    free(out.bytes);
}

static dp_dataset *open_set(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_dataset *set = NULL, *val = NULL;
    test_path(path, folder, name);
    if (dp_dataset_open_pair(&set, &val, path, NULL, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_null(val);
    return set;
}

static void assert_refused(const char *folder, const char *name, deeper_status expected,
                           const char *words) {
    char path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_dataset *set = NULL;
    test_path(path, folder, name);
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, &error), expected);
    assert_null(set);
    if (!strstr(error.message, words) || strncmp(error.message, folder, strlen(folder)) != 0)
        fail_msg("\"%s\" should start with %s and say \"%s\"", error.message, folder, words);
}

static void assert_pictures(const dp_dataset *set) {
    assert_int_equal(set->image_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        dp_image image;
        assert_int_equal(dp_dataset_read(&image, set, i, NULL, NULL, NULL), DEEPER_OK);
        assert_int_equal(image.width, COLUMNS);
        assert_int_equal(image.height, ROWS);
        for (size_t p = 0; p < ROWS * COLUMNS; p++)
            for (size_t c = 0; c < 3; c++)
                assert_int_equal(image.pixels[3 * p + c], (i * ROWS * COLUMNS + p) * STEP % 256);
        dp_image_free(&image);
    }
}

/* The labels are found with other dots, other words around, and other packing than the pictures. */
static void test_pairs(void **state) {
    static const char *const names[][2] = {
        { "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz" },
        { "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" },
        { "train-images.idx3-ubyte", "train-labels.idx1-ubyte" },
        { "a-images-idx3-ubyte", "a-labels-idx1-ubyte.gz" },
        { "b-images-idx3-ubyte.gz", "b-labels-idx1-ubyte" },
        { "images", "labels" },
    };
    char *folder = test_folder();
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        write_idx(folder, names[n][0], 3, COUNT, STEP);
        write_idx(folder, names[n][1], 1, COUNT, 2);
        dp_dataset *set = open_set(folder, names[n][0]);
        char name[TEST_PATH_SIZE];
        assert_true(set->numbered);
        assert_int_equal(set->class_count, 2 * (COUNT - 1) + 1);
        for (size_t c = 0; c < set->class_count; c++) {
            snprintf(name, sizeof name, "%zu", c);
            assert_string_equal(dp_dataset_class(set, c), name);
            assert_int_equal(set->classes[c].images, c % 2 == 0);
        }
        for (size_t i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "%s/%s:%zu", folder, names[n][0], i);
            assert_string_equal(dp_dataset_name(set, i), name);
            assert_int_equal(set->images[i].class_index, 2 * i);
        }
        assert_pictures(set);
        dp_dataset_free(set);
    }
    test_folder_remove(folder);
}

/* A folder of both pairs is two sets; in one that is called so the classes have names. */
static void test_fashion(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_dataset *train = NULL, *val = NULL;
    test_path(path, folder, "Fashion-MNIST");
    assert_int_equal(mkdir(path, 0700), 0);
    write_idx(path, "train-images-idx3-ubyte.gz", 3, COUNT, STEP);
    write_idx(path, "train-labels-idx1-ubyte.gz", 1, COUNT, 1);
    write_idx(path, "t10k-images-idx3-ubyte.gz", 3, COUNT, STEP);
    write_idx(path, "t10k-labels-idx1-ubyte.gz", 1, COUNT, 0);
    assert_int_equal(dp_dataset_open_pair(&train, &val, path, NULL, NULL, NULL), DEEPER_OK);
    assert_non_null(val);
    assert_false(train->numbered);
    assert_int_equal(train->class_count, COUNT);
    assert_string_equal(dp_dataset_class(train, 0), "T-shirt/top");
    assert_string_equal(dp_dataset_class(train, 6), "Shirt");
    assert_int_equal(val->class_count, 1);
    assert_int_equal(val->classes[0].images, COUNT);
    assert_true(dp_dataset_fingerprint(train) != dp_dataset_fingerprint(val));
    dp_dataset_free(train);
    assert_pictures(val);
    dp_dataset_free(val);
    write_idx(path, "train-labels-idx1-ubyte.gz", 1, COUNT,
              40); /* more classes than there are names */
    assert_int_equal(dp_dataset_open_pair(&train, &val, path, NULL, NULL, NULL), DEEPER_OK);
    assert_true(train->numbered);
    assert_string_equal(dp_dataset_class(train, 240), "240");
    dp_dataset_free(train);
    dp_dataset_free(val);
    test_folder_remove(folder);
}

static void test_pairs_that_are_wrong(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    write_idx(folder, "x-images-idx3-ubyte", 3, COUNT, STEP);
    assert_refused(folder, "x-images-idx3-ubyte", DEEPER_ERROR_IO,
                   "its labels are not beside it: no file ");
    write_idx(folder, "x-labels-idx1-ubyte", 1, COUNT + 1, 1);
    assert_refused(folder, "x-images-idx3-ubyte", DEEPER_ERROR_MISMATCH,
                   "7 pictures, but 8 labels beside them");
    assert_refused(folder, "x-labels-idx1-ubyte", DEEPER_ERROR_FORMAT, "give the file of pictures");
    write_idx(folder, "x-labels-idx1-ubyte", 3, COUNT, 1);
    assert_refused(folder, "x-images-idx3-ubyte", DEEPER_ERROR_FORMAT,
                   "not the IDX file of labels");
    write_idx(folder, "pictures", 3, COUNT, STEP);
    assert_refused(folder, "pictures", DEEPER_ERROR_FORMAT, "whose name has no \"images\" in it");
    deeper_error error = { 0 };
    dp_dataset *set = NULL;
    test_path(path, folder, "x-images-idx3-ubyte");
    assert_int_equal(dp_dataset_open(&set, path, "/root", NULL, &error), DEEPER_ERROR_ARGUMENT);
    test_folder_remove(folder);
}

/* A header's words, then what is there of the rest. */
static void test_files_that_are_damaged(void **state) {
    static const struct {
        unsigned char words[16];
        size_t size;
        deeper_status status;
        const char *message;
    } files[] = {
        { { 0, 0, 8, 3 }, 4, DEEPER_ERROR_FORMAT, "cut short" },
        { { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0 }, 14, DEEPER_ERROR_FORMAT, "cut short" },
        { { 0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2 },
          16,
          DEEPER_ERROR_FORMAT,
          "an IDX file of nothing" },
        { { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 },
          16,
          DEEPER_ERROR_FORMAT,
          "an IDX file of nothing" },
        { { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 },
          16,
          DEEPER_ERROR_FORMAT,
          "cut short" },
        { { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 16, 1, 0, 0, 0, 1 }, 16, DEEPER_ERROR_LIMIT, "at most" },
        { { 0, 0, 8, 3, 0x7F, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 },
          16,
          DEEPER_ERROR_LIMIT,
          "at most" },
        { { 0, 0, 8, 3, 0x0F, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0 },
          16,
          DEEPER_ERROR_FORMAT,
          "cut short" }, /* of 2^52 bytes */
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int gz = 0; gz < 2; gz++) {
            const char *name = gz ? "images.gz" : "images";
            write_file(folder, name, files[i].words, files[i].size);
            assert_refused(folder, name, files[i].status, files[i].message);
        }
    test_bytes plain = { 0 };
    test_idx_put(&plain, 3, COUNT, ROWS, COLUMNS, STEP);
    test_put(&plain, "x", 1);
    write_file(folder, "images", plain.bytes, plain.size);
    assert_refused(folder, "images", DEEPER_ERROR_FORMAT, "longer than the 7 elements");
    write_file(folder, "images.gz", plain.bytes, plain.size - 1);
    free(plain.bytes);
    size_t size = 0;
    test_path(path, folder, "images.gz");
    char *packed = test_read(path, &size);
    test_write(path, packed, size - 1); /* in the length after the checksum */
    assert_refused(folder, "images.gz", DEEPER_ERROR_FORMAT, "cut short");
    packed[size - 6] ^= 1; /* the checksum */
    test_write(path, packed, size);
    assert_refused(folder, "images.gz", DEEPER_ERROR_FORMAT, "damaged");
    free(packed);
    test_folder_remove(folder);
}

static void test_limit_of_pixels(void **state) {
    char *folder = test_folder();
    write_idx(folder, "images", 3, COUNT, STEP);
    write_idx(folder, "labels", 1, COUNT, 0);
    dp_dataset *set = open_set(folder, "images");
    dp_image image;
    dp_decode_options options = { .limits.max_pixels = ROWS * COLUMNS };
    assert_int_equal(dp_dataset_read(&image, set, 0, &options, NULL, NULL), DEEPER_OK);
    dp_image_free(&image);
    options.limits.max_pixels--;
    assert_int_equal(dp_dataset_read(&image, set, 0, &options, NULL, NULL), DEEPER_ERROR_LIMIT);
    assert_null(image.pixels);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

static void test_every_allocation_may_fail(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    write_idx(folder, "images", 3, COUNT, STEP);
    write_idx(folder, "labels.gz", 1, COUNT, 3);
    test_path(path, folder, "images");
    test_failing_allocator failing;
    for (long n = 1, done = 0; !done; n++) {
        dp_dataset *set = NULL;
        dp_image image = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_dataset_open(&set, path, NULL, &failing.allocator, NULL);
        if (status == DEEPER_OK)
            status = dp_dataset_read(&image, set, 2, NULL, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_image_free(&image);
        dp_dataset_free(set);
        assert_int_equal(failing.outstanding, 0);
    }
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_fashion),
        cmocka_unit_test(test_pairs_that_are_wrong),
        cmocka_unit_test(test_files_that_are_damaged),
        cmocka_unit_test(test_limit_of_pixels),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("idx", tests, NULL, NULL);
}
