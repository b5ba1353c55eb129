/* test_dataset.c - folders of class folders and lists of lines, and what is wrong with them; parts,
 * splits and fingerprints. Mostly no picture is needed: only names count. Tars and IDX files have
 * tests of their own. */
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
static void assert_image(const dp_dataset *dataset, size_t index, const char *folder,
                         const char *name, size_t class_index) {
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
static void assert_refused(const char *path, const char *root, deeper_status expected,
                           const char *words) {
    deeper_error error = { 0 };
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, path, root, NULL, &error), expected);
    assert_null(dataset);
    assert_int_equal(error.status, expected);
    if (!strstr(error.message, words) || strncmp(error.message, path, strlen(path)) != 0)
        fail_msg("\"%s\" should start with %s and say \"%s\"", error.message, path, words);
}

/* -------------------------------------------------------------------------------------- folders */

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
    make_link(
        folder, "b/y.jpg",
        "nowhere"); /* dangling: a picture that will not open, which whoever opens it reports */
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

static void test_links_are_followed(void **state) {
    char *folder = test_folder();
    make_folder(folder, "a");
    make_file(folder, "a/1.jpg");
    make_folder(folder, "other");
    make_file(folder, "other/2.jpg");
    make_link(folder, "a/other", "../other"); /* a link that leads nowhere up is followed */
    dp_dataset *dataset = NULL;
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(dataset->classes[0].images, 2);
    dp_dataset_free(dataset);
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

/* ---------------------------------------------------------------------------------------- lists */

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
    test_write("list.txt", "\xEF\xBB\xBFx/a.jpg 0\n", 13); /* a byte order mark is skipped */
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

/* --------------------------------------------------------------------------------------- tables */

/* Writes a table, opens it, and says "class:pictures" of the set to train on and the other. */
static void assert_table(const char *text, const char *train, const char *val) {
    char *folder = test_folder(), path[TEST_PATH_SIZE], seen[2][TEST_PATH_SIZE] = { "", "" };
    dp_dataset *sets[2] = { NULL, NULL };
    deeper_error error = { 0 };
    test_path(path, folder, "list.csv");
    test_write(path, text, strlen(text));
    if (dp_dataset_open_pair(&sets[0], &sets[1], path, NULL, NULL, &error) != DEEPER_OK)
        fail_msg("%s: %s", text, error.message);
    for (int s = 0; s < 2 && sets[s]; s++)
        for (size_t c = 0; c < sets[s]->class_count; c++)
            snprintf(seen[s] + strlen(seen[s]), TEST_PATH_SIZE - strlen(seen[s]), "%s%s:%zu",
                     c ? " " : "", dp_dataset_class(sets[s], c), sets[s]->classes[c].images);
    assert_string_equal(seen[0], train);
    assert_string_equal(seen[1], val);
    dp_dataset_free(sets[0]);
    dp_dataset_free(sets[1]);
    test_folder_remove(folder);
}

static void test_tables(void **state) {
    assert_table("a.jpg,cat\nb.jpg,dog\nc.jpg,cat\n", "cat:2 dog:1", "");
    assert_table("path,label\na.jpg,cat\nb.jpg,dog", "cat:1 dog:1", "");
    assert_table("\xEF\xBB\xBF"
                 "Label;Image\r\ncat;a.jpg\r\n\r\n",
                 "cat:1", "");
    assert_table("id\tclass\nx/1.png\ta big cat\n", "a big cat:1", "");
    assert_table("\"a, b.jpg\",\"the \"\"cat\"\"\"\nc.jpg, dog \n", "dog:1 the \"cat\":1", "");
    assert_table("files,animals\na.jpg,cat\n", "cat:1", "");
    assert_table("a.jpg,2\nb.jpg,0\n", "0:1 1:0 2:1", "");
    assert_table("width,filename,label\n3,a.jpg,x\n", "x:1", "");
    assert_table("path,label,part\na,x,train\nb,y,Training\nc,x,valid\nd,y,test\n", "x:1 y:1",
                 "x:1 y:0");
    assert_table("a.jpg,x,train\nb.jpg,y,test\n", "x:1 y:0", "x:0 y:1");
}

static void test_parts_of_tables(void **state) {
    static const char text[] = "path,label,split\na,x,train\nb,y,train\nc,x,test\n";
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_dataset *set = NULL;
    test_path(path, folder, "list.csv");
    test_write(path, text, sizeof text - 1);
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(set->image_count, 1);
    assert_image(set, 0, folder, "c", 0);
    test_path(path, folder, "list.csv:test");
    assert_string_equal(set->path, path);
    dp_dataset_free(set);
    test_path(path, folder, "list.csv:train");
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(set->image_count, 2);
    dp_dataset_free(set);
    test_path(path, folder, "list.csv:val");
    deeper_error error = { 0 };
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "has no part 'val'"));
    test_folder_remove(folder);
}

static void test_tables_that_are_wrong(void **state) {
    static const struct {
        const char *text, *words;
    } tables[] = {
        { "a.jpg,cat\nb.jpg\n", ":2: has no path or no label" },
        { "a.jpg,cat\n,dog\n", ":2: has no path or no label" },
        { "a.jpg,cat,3,4\n", ":1: 4 columns without a heading" },
        { "path,label,part\na,x,middle\n", ":2: 'middle' is no part" },
        { "path,label\n", "a list without pictures" },
        { "a.jpg,\"cat\n", "a quotation mark is not closed" },
    };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "list.csv");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        test_write(path, tables[i].text, strlen(tables[i].text));
        assert_refused(path, NULL, DEEPER_ERROR_FORMAT, tables[i].words);
    }
    test_folder_remove(folder);
}

/* ---------------------------------------------------------------------------------------- parts */

static void make_picture(const char *folder, const char *name, int red) {
    char path[TEST_PATH_SIZE], text[32];
    int header = snprintf(text, sizeof text, "P6 1 1 255\n");
    text[header] = (char)red;
    text[header + 1] = text[header + 2] = 0;
    test_path(path, folder, name);
    test_write(path, text, (size_t)header + 3);
}

static void test_parts_of_a_folder(void **state) {
    static const char *const folders[] = { "train",   "test",   "validation",  "train/a",
                                           "train/b", "test/a", "validation/b" };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_dataset *train = NULL, *val = NULL, *one = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make_folder(folder, folders[i]);
    make_file(folder, "README");
    make_file(folder, "train/a/1");
    make_file(folder, "train/b/2");
    make_file(folder, "test/a/3");
    make_file(folder, "validation/b/4");
    assert_int_equal(dp_dataset_open_pair(&train, &val, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_non_null(val);
    assert_int_equal(train->image_count, 2);
    assert_image(train, 1, folder, "train/b/2", 1);
    assert_int_equal(val->image_count, 1);
    assert_image(val, 0, folder, "validation/b/4", 0); /* before test */
    test_path(path, folder, "train");
    assert_string_equal(train->path, path);
    dp_dataset_free(train);
    dp_dataset_free(val);
    assert_int_equal(dp_dataset_open(&one, folder, NULL, NULL, NULL),
                     DEEPER_OK); /* one set: the one to measure on */
    assert_int_equal(one->image_count, 1);
    dp_dataset_free(one);
    test_folder_remove(folder);
}

static void test_reads_files(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_dataset *set = NULL;
    dp_image image;
    deeper_error error = { 0 };
    make_folder(folder, "a");
    make_picture(folder, "a/1.ppm", 77);
    make_file(folder, "a/2.ppm");
    assert_int_equal(dp_dataset_open(&set, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_dataset_read(&image, set, 0, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(image.pixels[0], 77);
    dp_image_free(&image);
    assert_int_equal(dp_dataset_read(&image, set, 1, NULL, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_null(image.pixels);
    test_path(path, folder, "a/2.ppm");
    assert_int_equal(strncmp(error.message, path, strlen(path)), 0);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

/* A list moved with its pictures keeps its fingerprint; a size, a label or the order changes it. */
static void test_fingerprint_of_lists(void **state) {
    static const char *const texts[] = { "a 0\nb 1\n", "b 1\na 0\n", "a 1\nb 1\n", "a 0\nb 2\n" };
    uint64_t prints[6];
    for (size_t i = 0; i < 6; i++) {
        char *folder = test_folder(), path[TEST_PATH_SIZE];
        dp_dataset *set = NULL;
        make_file(folder, "a");
        make_file(folder, "b");
        test_path(path, folder, "b");
        if (i == 5)
            test_write(path, "xx", 2);
        test_path(path, folder, "list");
        test_write(path, texts[i < 4 ? i : 0], strlen(texts[0]));
        assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, NULL), DEEPER_OK);
        prints[i] = dp_dataset_fingerprint(set);
        assert_true(prints[i] == dp_dataset_fingerprint(set));
        dp_dataset_free(set);
        test_folder_remove(folder);
    }
    assert_true(prints[0] == prints[4]);
    for (int i = 1; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_true(prints[i] != prints[j] || (i == 4 && j == 0));
}

/* ---------------------------------------------------------------------------------------- split */

/* 10 pictures of class 0, none of 1, 1 of 2, 2 of 3, 25 of 4. */
static dp_dataset *make_uneven(const char *folder) {
    static const int counts[] = { 10, 0, 1, 2, 25 };
    char path[TEST_PATH_SIZE], text[4096] = "";
    dp_dataset *set = NULL;
    for (int c = 0; c < 5; c++)
        for (int i = 0; i < counts[c]; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%d/%d.jpg %d\n", c, i, c);
    test_path(path, folder, "list");
    test_write(path, text, strlen(text));
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, NULL), DEEPER_OK);
    return set;
}

static void test_split(void **state) {
    static const size_t wanted[] = {
        3, 0, 0, 1, 6
    }; /* a quarter: 2.5 and 6.25 rounded, at least 1 of 2, none of 1 */
    char *folder = test_folder();
    dp_dataset *set = make_uneven(folder), *train = NULL, *val = NULL;
    assert_int_equal(dp_dataset_split(&train, &val, set, 0.25, 7, NULL), DEEPER_OK);
    assert_int_equal(train->image_count + val->image_count, set->image_count);
    for (size_t c = 0; c < 5; c++) {
        assert_int_equal(val->classes[c].images, wanted[c]);
        assert_int_equal(train->classes[c].images, set->classes[c].images - wanted[c]);
        assert_string_equal(dp_dataset_class(val, c), dp_dataset_class(set, c));
    }
    assert_true(train->numbered && val->numbered);
    /* Merged they are the whole in its order. */
    for (size_t i = 0, t = 0, v = 0; i < set->image_count; i++) {
        const char *name = dp_dataset_name(set, i);
        if (t < train->image_count && strcmp(dp_dataset_name(train, t), name) == 0)
            assert_int_equal(train->images[t++].class_index, set->images[i].class_index);
        else
            assert_string_equal(dp_dataset_name(val, v++), name);
    }
    dp_dataset_free(set); /* the parts live on */
    assert_non_null(strstr(dp_dataset_name(val, 0), "0/"));
    dp_dataset_free(train);
    dp_dataset_free(val);
    test_folder_remove(folder);
}

/* The same seed gives the same parts; over many seeds each picture of a class is chosen equally
 * often: of 2000 draws of 6 out of 25 a mean of 480, deviation 19. */
static void test_split_by_seed(void **state) {
    char *folder = test_folder();
    dp_dataset *set = make_uneven(folder);
    int chosen[25] = { 0 };
    for (uint64_t seed = 0; seed < 2000; seed++) {
        dp_dataset *train = NULL, *val = NULL, *train2 = NULL, *val2 = NULL;
        assert_int_equal(dp_dataset_split(&train, &val, set, 0.25, seed, NULL), DEEPER_OK);
        if (seed < 20) {
            assert_int_equal(dp_dataset_split(&train2, &val2, set, 0.25, seed, NULL), DEEPER_OK);
            assert_true(dp_dataset_fingerprint(val) == dp_dataset_fingerprint(val2));
            dp_dataset_free(train2);
            dp_dataset_free(val2);
        }
        for (size_t i = 0; i < val->image_count; i++)
            if (val->images[i].class_index == 4)
                chosen[atoi(strstr(dp_dataset_name(val, i) + strlen(folder), "/4/") + 3)]++;
        dp_dataset_free(train);
        dp_dataset_free(val);
    }
    for (int i = 0; i < 25; i++)
        assert_in_range(chosen[i], 480 - 95, 480 + 95);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

static void test_split_refusals(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_dataset *set = make_uneven(folder), *train = NULL, *val = NULL;
    static const double wrong[] = { 0, 1, -0.5, 2 };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dp_dataset_split(&train, &val, set, wrong[i], 1, NULL),
                         DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_dataset_split(&train, &val, set, strtod("nan", NULL), 1, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_dataset_split(&train, &val, set, 0.999, 1, NULL),
                     DEEPER_OK); /* one of each class is left */
    assert_int_equal(train->classes[3].images, 1);
    assert_int_equal(train->classes[4].images, 1);
    dp_dataset_free(train);
    dp_dataset_free(val);
    train = val = NULL;
    dp_dataset_free(set);
    test_path(path, folder, "list");
    test_write(path, "a 0\nb 1\n", 8);
    assert_int_equal(dp_dataset_open(&set, path, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_dataset_split(&train, &val, set, 0.5, 1, NULL), DEEPER_ERROR_FORMAT);
    assert_null(train);
    assert_null(val);
    dp_dataset_free(set);
    test_folder_remove(folder);
}

/* --------------------------------------------------------------------------------------- memory */

static void assert_clean_without_memory(const char *path) {
    test_failing_allocator failing;
    for (long n = 1, done = 0; !done; n++) {
        deeper_error error = { 0 };
        dp_dataset *dataset = NULL;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_dataset_open(&dataset, path, NULL, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_dataset_free(dataset);
        assert_int_equal(failing.outstanding, 0);
    }
}

static void test_split_without_memory(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_failing_allocator failing;
    test_path(path, folder, "list");
    test_write(path, "a 0\nb 0\nc 1\nd 1\n", 16);
    for (long n = 1, done = 0; !done; n++) {
        dp_dataset *set = NULL, *train = NULL, *val = NULL;
        test_failing_allocator_init(&failing, n);
        {
            deeper_allocator copy = failing.allocator; /* gone before the sets are */
            deeper_status status = dp_dataset_open(&set, path, NULL, &copy, NULL);
            if (status == DEEPER_OK)
                status = dp_dataset_split(&train, &val, set, 0.5, 3, NULL);
            done = failing.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            memset(&copy, 0, sizeof copy);
        }
        dp_dataset_free(set);
        dp_dataset_free(val);
        dp_dataset_free(train);
        assert_int_equal(failing.outstanding, 0);
    }
    test_folder_remove(folder);
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
        cmocka_unit_test(test_links_are_followed),
        cmocka_unit_test(test_folders_too_deep),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_without_a_folder),
        cmocka_unit_test(test_lists_that_are_wrong),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_parts_of_tables),
        cmocka_unit_test(test_tables_that_are_wrong),
        cmocka_unit_test(test_parts_of_a_folder),
        cmocka_unit_test(test_reads_files),
        cmocka_unit_test(test_fingerprint_of_lists),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_by_seed),
        cmocka_unit_test(test_split_refusals),
        cmocka_unit_test(test_split_without_memory),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
