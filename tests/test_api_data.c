/* test_api_data.c - data sets through the public calls: both parts of one, its soundness, the same
 * figures from a folder and from the tar of it, and the preview of training. */
#include "helpers/helpers.h"
#include "helpers/small.h"
#include "helpers/tars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { CLASSES = 3, EACH = 4 };

/* FOLDER/train and FOLDER/val, CLASSES folders "0" ... in each. */
static char *make_set(void) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], name[64];
    static const char *const parts[] = { "train", "val" };
    for (int p = 0, number = 0; p < 2; p++) {
        test_path(path, folder, parts[p]);
        assert_int_equal(mkdir(path, 0700), 0);
        for (int c = 0; c < CLASSES; c++) {
            snprintf(name, sizeof name, "%s/c%d", parts[p], c);
            test_path(path, folder, name);
            assert_int_equal(mkdir(path, 0700), 0);
            for (int i = 0; i < EACH; i++) {
                snprintf(name, sizeof name, "%s/c%d/%d.ppm", parts[p], c, i);
                test_path(path, folder, name);
                small_picture(path, number++);
            }
        }
    }
    return folder;
}

/* The part as a tar beside it; false: this build reads none. */
static bool make_tar(const char *folder, const char *part, char path[TEST_PATH_SIZE]) {
    test_bytes tar = { 0 };
    char name[64];
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < EACH; i++) {
            size_t size = 0;
            snprintf(name, sizeof name, "%s/c%d/%d.ppm", part, c, i);
            test_path(path, folder, name);
            char *bytes = test_read(path, &size);
            assert_non_null(bytes);
            test_tar_put(&tar, name, '0', NULL, bytes, size);
            free(bytes);
        }
    test_tar_end(&tar);
    test_path(path, folder, "set.tar");
    test_write(path, tar.bytes, tar.size);
    free(tar.bytes);
#ifdef DP_HAVE_ARCHIVE
    return true;
#else
    return false;
#endif
}

static void test_pair(void **state) {
    char *folder = make_set();
    test_failing_allocator failing;
    deeper_dataset *train = NULL, *val = NULL;
    size_t class_index = 9, images = 0;
    test_failing_allocator_init(&failing, 0);
    assert_int_equal(deeper_dataset_open_pair(&train, &val, folder, NULL, &failing.allocator, NULL),
                     DEEPER_OK);
    assert_int_equal(deeper_dataset_images(train), CLASSES * EACH);
    assert_int_equal(deeper_dataset_images(val), CLASSES * EACH);
    assert_int_equal(deeper_dataset_numbered(train), 0);
    assert_true(deeper_dataset_fingerprint(train) != deeper_dataset_fingerprint(val));
    assert_int_equal(deeper_dataset_fingerprint(NULL), 0);
    deeper_dataset_close(train); /* the other stays */
    assert_non_null(strstr(deeper_dataset_image(val, EACH, &class_index), "/val/c1/0.ppm"));
    assert_int_equal(class_index, 1);
    assert_string_equal(deeper_dataset_class(val, 2, &images), "c2");
    assert_int_equal(images, EACH);
    deeper_dataset_close(val);
    assert_int_equal(failing.outstanding, 0);
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            deeper_dataset_open_pair(&train, &val, folder, NULL, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_true((train != NULL) == done && (val != NULL) == done);
        deeper_dataset_close(train);
        deeper_dataset_close(val);
        assert_int_equal(failing.outstanding, 0);
    }
    assert_int_equal(deeper_dataset_open_pair(NULL, &val, folder, NULL, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_dataset_open_pair(&train, NULL, folder, NULL, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_dataset_open_pair(&train, &val, NULL, NULL, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    test_folder_remove(folder);
}

static void count_problem(void *context, const char *name, const char *message) {
    ++*(int *)context;
}

static void test_check(void **state) {
    char *folder = make_set(), path[TEST_PATH_SIZE];
    deeper_dataset *train = NULL, *val = NULL;
    deeper_dataset_soundness soundness;
    int problems = 0;
    deeper_dataset_check_options options = DEEPER_DATASET_CHECK_OPTIONS_INIT;
    options.problem = count_problem;
    options.context = &problems;
    test_path(path, folder, "val/c1/2.ppm");
    test_write(path, "P6 what", 7);
    assert_int_equal(deeper_dataset_open_pair(&train, &val, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_dataset_check(train, val, &options, &soundness, sizeof soundness, NULL),
                     DEEPER_OK);
    assert_int_equal(soundness.images, 2 * CLASSES * EACH);
    assert_int_equal(soundness.unreadable, 1);
    assert_int_equal(problems, 1);
    assert_int_equal(deeper_dataset_check(train, NULL, NULL, &soundness, sizeof soundness, NULL),
                     DEEPER_OK);
    assert_int_equal(soundness.images, CLASSES * EACH);
    assert_int_equal(soundness.unreadable, 0);
    assert_int_equal(deeper_dataset_check(NULL, val, NULL, &soundness, sizeof soundness, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_dataset_check(train, val, NULL, NULL, 0, NULL), DEEPER_ERROR_ARGUMENT);
    options.readers = -1;
    assert_int_equal(deeper_dataset_check(train, val, &options, &soundness, sizeof soundness, NULL),
                     DEEPER_ERROR_ARGUMENT);
    options.readers = 0;
    options.size = 1;
    assert_int_equal(deeper_dataset_check(train, val, &options, &soundness, sizeof soundness, NULL),
                     DEEPER_ERROR_ARGUMENT);
    deeper_dataset_close(train);
    deeper_dataset_close(val);
    test_folder_remove(folder);
}

/* Counts and loss, to the bit, of a set. */
static void evaluate(deeper_evaluation *result, deeper_session *session, const char *path) {
    deeper_dataset *set = NULL;
    deeper_error error = { 0 };
    if (deeper_dataset_open(&set, path, NULL, NULL, &error)
        || deeper_evaluate(session, set, NULL, result, sizeof *result, &error))
        fail_msg("%s", error.message);
    result->seconds = 0;
    deeper_dataset_close(set);
}

static void test_evaluation_of_a_tar(void **state) {
    char *folder = make_set(), path[TEST_PATH_SIZE], labels[TEST_PATH_SIZE];
    deeper_evaluation of_folder, of_tar;
    deeper_session *session = NULL;
    if (!make_tar(folder, "val", path)) {
        test_folder_remove(folder);
        skip();
    }
    test_path(labels, folder, "labels");
    static const char text[] = "c0 a\nc1 b\nc2 c\nc3 d\nc4 e\nc5 f\nc6 g\n";
    test_write(labels, text, sizeof text - 1);
    deeper_model *model = small_model(3, labels);
    assert_int_equal(deeper_session_create(&session, model, NULL, NULL), DEEPER_OK);
    evaluate(&of_folder, session, folder);
    evaluate(&of_tar, session, path);
    assert_int_equal(of_folder.images, CLASSES * EACH);
    assert_memory_equal(&of_folder, &of_tar, sizeof of_tar);
    deeper_session_free(session);
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* The sheet has a row a picture; its first column is the centre crop, the others what the seed
 * gives. */
static void test_preview(void **state) {
    enum { MARGIN = 4, COLUMNS = 8 };
    char *folder = make_set(), path[TEST_PATH_SIZE];
    deeper_train_options options = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_image *sheet = NULL;
    deeper_error error = { 0 };
    options.data = folder;
    options.architecture = SMALL_ARCHITECTURE;
    options.image_size = SMALL_SIDE;
    test_path(path, folder, "sheet.png");
    if (deeper_train_preview(&options, path, 3, &error)
        || deeper_image_open(&sheet, path, NULL, &error))
        fail_msg("%s", error.message);
    int step = SMALL_SIDE + MARGIN, width = deeper_image_width(sheet);
    assert_int_equal(width, COLUMNS * step + MARGIN);
    assert_int_equal(deeper_image_height(sheet), 3 * step + MARGIN);
    /* Rows begin with different pictures, and a row's cells are not alike. */
    const uint8_t *pixels = deeper_image_pixels(sheet);
    for (int row = 0; row < 3; row++)
        for (int column = 1; column < COLUMNS; column++) {
            int different = 0;
            for (int y = 0; y < SMALL_SIDE; y++) {
                const uint8_t *line = pixels + 3 * ((MARGIN + row * step + y) * width + MARGIN);
                different += memcmp(line, line + 3 * column * step, 3 * SMALL_SIDE) != 0;
            }
            assert_true(different > 0);
        }
    deeper_image_close(sheet);
    size_t size = 0, again = 0;
    char *first = test_read(path, &size);
    assert_int_equal(deeper_train_preview(&options, path, 3, NULL), DEEPER_OK);
    char *second = test_read(path, &again);
    assert_int_equal(size, again);
    assert_memory_equal(first, second, size);
    free(first);
    free(second);
    assert_int_equal(deeper_train_preview(&options, path, 0, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_train_preview(&options, path, 65, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_train_preview(&options, NULL, 1, NULL), DEEPER_ERROR_ARGUMENT);
    options.augment = "blur";
    assert_int_equal(deeper_train_preview(&options, path, 1, NULL), DEEPER_ERROR_ARGUMENT);
    options.augment = "none"; /* then all cells of a row are the centre crop */
    assert_int_equal(deeper_train_preview(&options, path, 64, NULL), DEEPER_OK);
    assert_int_equal(deeper_image_open(&sheet, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_image_height(sheet),
                     CLASSES * EACH * step + MARGIN); /* as many as there are */
    pixels = deeper_image_pixels(sheet) + 3 * (MARGIN * width + MARGIN);
    for (int column = 1; column < COLUMNS; column++)
        assert_memory_equal(pixels, pixels + 3 * column * step, 3 * SMALL_SIDE);
    deeper_image_close(sheet);
    deeper_train_options none = options, wrong = options;
    none.data = NULL;
    wrong.epochs = -1; /* the options of a preview are those of a run */
    assert_int_equal(deeper_train_preview(&none, path, 1, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_train_preview(&wrong, path, 1, NULL), DEEPER_ERROR_ARGUMENT);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_evaluation_of_a_tar),
        cmocka_unit_test(test_preview),
    };
    return cmocka_run_group_tests_name("api_data", tests, NULL, NULL);
}
