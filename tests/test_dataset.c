/* test_dataset.c - folders of class folders and lists of lines, and what is wrong with them. No picture is needed: only names
 * count.
 */
#include "data/dataset.h"
#include "helpers/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void make_folder(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_file(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    test_write(path, "x", 1);
}

static void make_link(const char *folder, const char *name, const char *target) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    assert_int_equal(symlink(target, path), 0);
}

/* Image `index` is `name` under `folder`, of that class. */
static void assert_image(const dp_dataset *dataset, size_t index, const char *folder, const char *name, size_t class_index) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    assert_string_equal(dp_dataset_name(dataset, index), path);
    assert_int_equal(dataset->images[index].class_index, class_index);
}

static void assert_class(const dp_dataset *dataset, size_t index, const char *name, size_t images) {
    assert_string_equal(dp_dataset_class(dataset, index), name);
    assert_int_equal(dataset->classes[index].images, images);
}

/* Opens what must fail; the message must start with the path and hold `words`. */
static void assert_refused(const char *path, const char *root, deeper_status expected, const char *words) {
    deeper_error error = { 0 };
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, path, root, NULL, &error), expected);
    assert_null(dataset);
    assert_int_equal(error.status, expected);
    if (!strstr(error.message, words) || strncmp(error.message, path, strlen(path)) != 0)
        fail_msg("\"%s\" should start with %s and say \"%s\"", error.message, path, words);
}

/* ----------------------------------------------------------------------------------------------------------- folders */

static void test_folders_are_classes_in_byte_order(void **state) {
    char *folder = test_folder();
    make_folder(folder, "b");
    make_folder(folder, "B");
    make_folder(folder, "\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4"); /* Korean for cat */
    make_folder(folder, "a b");
    make_folder(folder, ".hidden");
    make_folder(folder, "b/deep");
    make_folder(folder, "b/deep/er");
    make_file(folder, "README.txt"); /* beside the class folders: not looked at */
    make_file(folder, ".hidden/x.jpg");
    make_file(folder, "b/z.jpg");
    make_file(folder, "b/a 1.png");
    make_file(folder, "b/.x.jpg");
    make_file(folder, "b/deep/er/c");
    make_file(folder, "\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4/\xEB\x83\xA5.jpg");
    make_link(folder, "b/y.jpg", "nowhere"); /* dangling: a picture that will not open, which whoever opens it reports */
    deeper_error error = { 0 };
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, &error), DEEPER_OK);
    assert_false(dataset->numbered);
    assert_int_equal(dataset->class_count, 4);
    assert_class(dataset, 0, "B", 0);
    assert_class(dataset, 1, "a b", 0);
    assert_class(dataset, 2, "b", 4);
    assert_class(dataset, 3, "\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4", 1);
    assert_int_equal(dataset->image_count, 5);
    assert_image(dataset, 0, folder, "b/a 1.png", 2);
    assert_image(dataset, 1, folder, "b/deep/er/c", 2);
    assert_image(dataset, 2, folder, "b/y.jpg", 2);
    assert_image(dataset, 3, folder, "b/z.jpg", 2);
    assert_image(dataset, 4, folder, "\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4/\xEB\x83\xA5.jpg", 3);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

static void test_folder_with_a_slash_at_its_end(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    make_folder(folder, "a");
    make_file(folder, "a/1.jpg");
    test_path(path, folder, "");
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, path, NULL, NULL, NULL), DEEPER_OK);
    assert_image(dataset, 0, folder, "a/1.jpg", 0);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

static void test_folders_that_are_no_data_set(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    assert_refused(folder, NULL, DEEPER_ERROR_FORMAT, "an empty folder");
    make_file(folder, "a.jpg");
    assert_refused(folder, NULL, DEEPER_ERROR_FORMAT, "put the pictures into one folder per class");
    make_folder(folder, "cat");
    make_folder(folder, "dog");
    assert_refused(folder, NULL, DEEPER_ERROR_FORMAT, "no picture in any of its 2 class folders");
    make_file(folder, "cat/a.jpg");
    assert_refused(folder, "/tmp", DEEPER_ERROR_ARGUMENT, "root");
    test_path(path, folder, "missing");
    assert_refused(path, NULL, DEEPER_ERROR_IO, "No such file");
    test_folder_remove(folder);
}

static void test_links_in_a_circle_end(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    make_folder(folder, "a");
    make_file(folder, "a/1.jpg");
    make_folder(folder, "other");
    make_file(folder, "other/2.jpg");
    make_link(folder, "a/other", "../other"); /* a link that leads nowhere up is followed */
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(dataset->classes[0].images, 2);
    dp_dataset_free(dataset);
    make_link(folder, "a/up", "..");
    test_path(path, folder, "a/up");
    deeper_error error = { 0 };
    dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_null(dataset);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, "a link to a folder that it is in"));
    test_folder_remove(folder);
}

static void test_folders_too_deep(void **state) {
    char *folder = test_folder(), name[TEST_PATH_SIZE] = "class";
    make_folder(folder, name);
    for (int depth = 1; depth <= DP_DATASET_DEPTH; depth++) {
        strcat(name, "/d");
        make_folder(folder, name);
        if (depth == DP_DATASET_DEPTH - 1) {
            char file[TEST_PATH_SIZE];
            test_path(file, name, "x.jpg");
            make_file(folder, file);
            dp_dataset *dataset = NULL;
            assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, NULL), DEEPER_OK);
            assert_int_equal(dataset->image_count, 1);
            dp_dataset_free(dataset);
        }
    }
    assert_refused(folder, NULL, DEEPER_ERROR_LIMIT, "folders deep");
    test_folder_remove(folder);
}

/* ------------------------------------------------------------------------------------------------------------- lists */

static void test_list(void **state) {
    static const char text[] = "a.jpg 2\r\n"
                               "\n"
                               "  \t\n"
                               "sub folder/b 7.png\t 0  \n"
                               "/absolute/c.jpg 02\n"
                               "last.jpg 2";
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "list.txt");
    test_write(path, text, sizeof text - 1);
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, path, NULL, NULL, NULL), DEEPER_OK);
    assert_true(dataset->numbered);
    assert_int_equal(dataset->class_count, 3);
    assert_class(dataset, 0, "0", 1);
    assert_class(dataset, 1, "1", 0);
    assert_class(dataset, 2, "2", 3);
    assert_int_equal(dataset->image_count, 4);
    assert_image(dataset, 0, folder, "a.jpg", 2);
    assert_image(dataset, 1, folder, "sub folder/b 7.png", 0);
    assert_image(dataset, 2, "/absolute", "c.jpg", 2);
    assert_image(dataset, 3, folder, "last.jpg", 2);
    dp_dataset_free(dataset);
    assert_int_equal(dp_dataset_open(&dataset, path, "/some/root", NULL, NULL), DEEPER_OK);
    assert_image(dataset, 0, "/some/root", "a.jpg", 2);
    assert_image(dataset, 2, "/absolute", "c.jpg", 2);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

/* A list in the current folder: paths stay as they are written. */
static void test_list_without_a_folder(void **state) {
    char *folder = test_folder(), old[TEST_PATH_SIZE];
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(folder), 0);
    test_write("list.txt", "x/a.jpg 0\n", 10);
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, "list.txt", NULL, NULL, NULL), DEEPER_OK);
    assert_string_equal(dp_dataset_name(dataset, 0), "x/a.jpg");
    dp_dataset_free(dataset);
    assert_int_equal(chdir(old), 0);
    test_folder_remove(folder);
}

static void test_lists_that_are_wrong(void **state) {
    static const struct {
        const char *text;
        size_t size;
        const char *words;
    } lists[] = {
        { "", 0, "a list without lines" },
        { "\n \n", 3, "a list without lines" },
        { "a.jpg 0\nb.jpg\n", 14, ":2: not of the form `PATH LABEL`" },
        { "a.jpg 0\n\n 7\n", 12, ":3: not of the form" },
        { "7\n", 2, ":1: not of the form" },
        { "a.jpg cat\n", 10, ":1: the last word is not a label" },
        { "a.jpg -1\n", 9, ":1: the last word is not a label" },
        { "a.jpg 1.0\n", 10, ":1: the last word is not a label" },
        { "a.jpg 1000000\n", 14, ":1: the last word is not a label" },
        { "a.jpg 99999999999999999999999\n", 30, ":1: the last word is not a label" },
        { "a\0b.jpg 1\n", 10, ":1: not of the form" },
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "list.txt");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        test_write(path, lists[i].text, lists[i].size);
        assert_refused(path, NULL, DEEPER_ERROR_FORMAT, lists[i].words);
    }
    deeper_error error = { 0 };
    dp_dataset *dataset = NULL;
    test_write(path, "a.jpg 0\nb.jpg x\n", 16);
    assert_int_equal(dp_dataset_open(&dataset, path, NULL, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_int_equal(error.offset, 8); /* where the line begins */
    test_write(path, "a.jpg 999999\n", 13);
    assert_int_equal(dp_dataset_open(&dataset, path, NULL, NULL, &error), DEEPER_OK);
    assert_class(dataset, 999999, "999999", 1);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

/* ------------------------------------------------------------------------------------------------------------ memory */

static void assert_clean_without_memory(const char *path) {
    test_failing_allocator it;
    for (long n = 1, done = 0; !done; n++) {
        deeper_error error = { 0 };
        dp_dataset *dataset = NULL;
        test_failing_allocator_init(&it, n);
        deeper_status status = dp_dataset_open(&dataset, path, NULL, &it.allocator, &error);
        done = it.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_dataset_free(dataset);
        assert_int_equal(it.outstanding, 0);
    }
}

static void test_every_allocation_may_fail(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    make_folder(folder, "a");
    make_folder(folder, "a/deep");
    make_folder(folder, "b");
    make_file(folder, "a/1");
    make_file(folder, "a/deep/2");
    make_file(folder, "b/3");
    assert_clean_without_memory(folder);
    test_path(path, folder, "list.txt");
    test_write(path, "a 0\nb 1\nc 20\n", 13);
    assert_clean_without_memory(path);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders_are_classes_in_byte_order),
        cmocka_unit_test(test_folder_with_a_slash_at_its_end),
        cmocka_unit_test(test_folders_that_are_no_data_set),
        cmocka_unit_test(test_links_in_a_circle_end),
        cmocka_unit_test(test_folders_too_deep),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_without_a_folder),
        cmocka_unit_test(test_lists_that_are_wrong),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
