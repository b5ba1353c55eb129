/* test_layout.c - which folders of a set are its classes and which its parts: trees as people have
 * them, opened as a folder and as the tar of it. Only names count; every file holds "x". */
#include "data/dataset.h"
#include "data/names.h"
#include "helpers/helpers.h"
#include "helpers/tars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Makes the folders on the way to a file, then the file; a path that ends in a slash is a folder.
 */
static void make(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - name), name);
        mkdir(path, 0700);
    }
    test_path(path, folder, name);
    if (name[strlen(name) - 1] != '/')
        test_write(path, "x", 1);
}

/* A folder "set" with all files of a list with blanks between them. */
static char *make_tree(char set[TEST_PATH_SIZE], const char *files) {
    char *folder = test_folder(), name[TEST_PATH_SIZE];
    test_path(set, folder, "set");
    mkdir(set, 0700);
    for (int length = 0; sscanf(files, "%4095s%n", name, &length) == 1; files += length)
        make(set, name);
    return folder;
}

/* The classes that have pictures, "a:2 b:1". */
static void describe(char text[TEST_PATH_SIZE], const dp_dataset *set) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t c = 0; set && c < set->class_count; c++)
        if (set->classes[c].images > 0)
            used +=
                (size_t)snprintf(text + used, TEST_PATH_SIZE - used, "%s%s:%zu", used ? " " : "",
                                 dp_dataset_class(set, c), set->classes[c].images);
}

/* Opens path; what is found must be as said. */
static void open_as(const char *path, const char *train, const char *val, const char *refused) {
    char text[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_dataset *sets[2] = { NULL, NULL };
    deeper_status status = dp_dataset_open_pair(&sets[0], &sets[1], path, NULL, NULL, &error);
    if (refused) {
        assert_int_equal(status, DEEPER_ERROR_FORMAT);
        assert_null(sets[0]);
        if (!strstr(error.message, refused))
            fail_msg("\"%s\" should say \"%s\"", error.message, refused);
        return;
    }
    if (status != DEEPER_OK)
        fail_msg("%s", error.message);
    describe(text, sets[0]);
    assert_string_equal(text, train);
    describe(text, sets[1]);
    assert_string_equal(text, val);
    dp_dataset_free(sets[0]);
    dp_dataset_free(sets[1]);
}

/* refused: a part of the message, in which the set's path stands before it; else the classes of the
 * two sets. */
static const struct {
    const char *files, *train, *val, *refused;
} trees[] = {
    { "cat/1.jpg dog/1.jpg", "cat:1 dog:1", "", NULL },
    /* Parts, in any case and by their usual names. */
    { "train/a/1.jpg train/b/1.jpg val/a/2.jpg", "a:1 b:1", "a:1", NULL },
    { "Training/a/1.jpg Training/b/1.jpg Testing/a/2.jpg", "a:1 b:1", "a:1", NULL },
    { "TRAIN/a/1.jpg TRAIN/b/1.jpg Dev/b/2.jpg Test/a/3.jpg", "a:1 b:1", "b:1", NULL },
    { "train_set/a/1.jpg train_set/b/1.jpg test_set/a/2.jpg", "a:1 b:1", "a:1", NULL },
    { "train2017/a/1.jpg train2017/b/1.jpg val2017/a/2.jpg", "a:1 b:1", "a:1", NULL },
    { "train/a/1.jpg train/b/1.jpg", "a:1 b:1", "", NULL },
    { "train/a/1.jpg train/b/1.jpg docs/ labels/a.txt", "a:1 b:1", "", NULL },
    /* A part without labels is left aside. */
    { "train/a/1.jpg train/b/1.jpg test/1.jpg test/2.jpg", "a:1 b:1", "", NULL },
    { "train/a/1.jpg train/b/1.jpg valid/a/3.jpg test/1.jpg", "a:1 b:1", "a:1", NULL },
    /* Parts by name without class folders. */
    { "train/1.jpg test/2.jpg", NULL, NULL, "set/test: a part of the set by its name" },
    { "train/1.jpg test1/2.jpg sample.csv", NULL, NULL, "set/test1: a part" },
    { "test/1.jpg", NULL, NULL, "set/test: a part" },
    { "train/1.jpg val/a/2.jpg val/b/2.jpg", NULL, NULL, "set/train: a part" },
    { "val/a/1.jpg test/a/2.jpg", NULL, NULL, "no part 'train'" },
    /* Classes that are named like parts. */
    { "train/1.jpg plane/1.jpg car/1.jpg", "car:1 plane:1 train:1", "", NULL },
    { "test_tube/1.jpg flask/1.jpg", "flask:1 test_tube:1", "", NULL },
    /* Parts beside what is none. */
    { "train/a/1.jpg train/b/1.jpg test/a/2.jpg papers/1.jpg", NULL, NULL, "set/train)" },
    { "xray/train/a/1.jpg train/a/1.jpg train/b/2.jpg __MACOSX/x/1.jpg", NULL, NULL, "set/train)" },
    /* What systems leave is no class and no part. */
    { "__MACOSX/train/1.jpg train/a/1.jpg train/b/2.jpg train/b/Thumbs.db train/b/list.csv",
      "a:1 b:1", "", NULL },
    { "cat/1.jpg cat/Thumbs.db cat/desktop.ini cat/notes.txt cat/1 dog/2.heic", "cat:2 dog:1", "",
      NULL },
    /* One level too high. */
    { "colour/cat/1.jpg colour/dog/1.jpg grey/cat/1.jpg grey/dog/1.jpg", NULL, NULL,
      "set/colour, else" },
    { "seg_train/seg_train/a/1.jpg seg_train/seg_train/b/1.jpg seg_pred/seg_pred/1.jpg", NULL, NULL,
      "set/seg_train/seg_train, else" },
    { "train/train/a/1.jpg train/train/b/1.jpg test/a/1.jpg", NULL, NULL, "set/train/train, else" },
    /* Folders inside class folders. */
    { "n01/images/1.jpg n01/boxes.txt n02/images/2.jpg", "n01:1 n02:1", "", NULL },
    { "cat/1.jpg cat/2020/1.jpg cat/2021/1.jpg dog/1.jpg", "cat:3 dog:1", "", NULL },
    { "cat/1.jpg dog/1.jpg fox/red/1.jpg fox/grey/1.jpg", "cat:1 dog:1 fox:2", "", NULL },
};

static void test_trees(void **state) {
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        char set[TEST_PATH_SIZE];
        char *folder = make_tree(set, trees[i].files);
        open_as(set, trees[i].train, trees[i].val, trees[i].refused);
        test_folder_remove(folder);
    }
}

/* The files of a list as a tar "set". */
static char *make_tar(char set[TEST_PATH_SIZE], const char *files) {
    char *folder = test_folder(), name[TEST_PATH_SIZE];
    test_bytes tar = { 0 };
    test_path(set, folder, "set");
    for (int length = 0; sscanf(files, "%4095s%n", name, &length) == 1; files += length)
        test_tar_put(&tar, name, name[strlen(name) - 1] == '/' ? '5' : '0', NULL, "x",
                     name[strlen(name) - 1] != '/');
    test_tar_end(&tar);
    test_write(set, tar.bytes, tar.size);
    free(tar.bytes);
    return folder;
}

static void test_tars_of_trees(void **state) {
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        char set[TEST_PATH_SIZE], refused[TEST_PATH_SIZE] = "";
        char *folder = make_tar(set, trees[i].files);
        if (trees[i].refused)
            snprintf(refused, sizeof refused, "%s", trees[i].refused);
        if (strncmp(refused, "set/", 4) == 0)
            refused[3] = ':';
        open_as(set, trees[i].train, trees[i].val, *refused ? refused : NULL);
        test_folder_remove(folder);
    }
}

/* A lone folder is refused in a folder; a tar that was made of one is stepped into. */
static void test_lone_folder(void **state) {
    char set[TEST_PATH_SIZE];
    char *folder = make_tree(set, "flowers/rose/1.jpg flowers/tulip/1.jpg __MACOSX/flowers/1.jpg");
    open_as(set, NULL, NULL, "set/flowers, else");
    test_folder_remove(folder);
    folder = make_tar(set, "flowers/rose/1.jpg flowers/tulip/1.jpg __MACOSX/flowers/1.jpg");
    open_as(set, "rose:1 tulip:1", "", NULL);
    test_folder_remove(folder);
}

/* The set to measure on: "val", else "test"; never the one that was trained on. */
static void test_measured(void **state) {
    char set[TEST_PATH_SIZE], part[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    dp_dataset *one = NULL;
    char *folder = make_tree(set, "train/a/1.jpg train/b/1.jpg Test/a/2.jpg");
    assert_int_equal(dp_dataset_open(&one, set, NULL, NULL, NULL), DEEPER_OK);
    test_path(part, set, "Test");
    assert_string_equal(one->path, part);
    dp_dataset_free(one);
    test_folder_remove(folder);
    folder = make_tree(set, "train/a/1.jpg train/b/1.jpg test/2.jpg");
    assert_int_equal(dp_dataset_open(&one, set, NULL, NULL, &error), DEEPER_ERROR_FORMAT);
    test_path(part, set, "train");
    assert_non_null(strstr(error.message, part));
    dp_dataset *val = NULL;
    assert_int_equal(dp_dataset_open_pair(&one, &val, set, NULL, NULL, NULL), DEEPER_OK);
    assert_non_null(
        strstr(dp_dataset_note(one, 0), "set/test: holds pictures but no class folders"));
    assert_null(dp_dataset_note(one, 1));
    dp_dataset_free(one);
    test_folder_remove(folder);
    folder = make_tree(set, "val/a/1.jpg");
    assert_int_equal(dp_dataset_open(&one, set, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(one->image_count, 1);
    dp_dataset_free(one);
    test_folder_remove(folder);
}

static void test_names(void **state) {
    static const char *const ignored[] = { ".DS_Store", "._1.jpg", "Thumbs.db", "THUMBS.DB",
                                           "a.txt",     "a.CSV",   "README",    "x.jpg.part" };
    static const char *const kept[] = {
        "a.jpg", "a", "a.heic", "a.tiff", "a.txt.jpg", "2020", "csv"
    };
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        assert_true(dp_name_ignored(ignored[i], strlen(ignored[i]), false));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_false(dp_name_ignored(kept[i], strlen(kept[i]), false));
    assert_true(dp_name_ignored("__MACOSX", 8, true));
    assert_false(dp_name_ignored("photos.db", 9, true));
}

/* Links to a folder that they lie in, from a class folder and from the set itself. */
static void test_loops(void **state) {
    char set[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    dp_dataset *one = NULL;
    char *folder = make_tree(set, "cat/1.jpg cat/in/2.jpg dog/1.jpg");
    test_path(path, set, "cat/in/up");
    assert_int_equal(symlink("../..", path), 0);
    test_path(path, set, "self");
    assert_int_equal(symlink(".", path), 0);
    assert_int_equal(dp_dataset_open(&one, set, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(one->class_count, 2);
    assert_int_equal(one->image_count, 3);
    assert_non_null(strstr(dp_dataset_note(one, 0), "set/cat/in/up: a link to a folder"));
    assert_non_null(strstr(dp_dataset_note(one, 1), "set/self: a link to a folder"));
    assert_null(dp_dataset_note(one, 2));
    dp_dataset_free(one);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),       cmocka_unit_test(test_tars_of_trees),
        cmocka_unit_test(test_lone_folder), cmocka_unit_test(test_measured),
        cmocka_unit_test(test_names),       cmocka_unit_test(test_loops),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
