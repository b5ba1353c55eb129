/* test_check.c - the soundness of a data set: each kind of trouble is found, named once and
 * counted; nothing else is. */
#include "data/check.h"
#include "helpers/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { SIDE = 16, LINES = 32 };

static void make_folder(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* A PPM of width x SIDE pixels of that level. */
static void make_picture(const char *folder, const char *name, int width, int level) {
    char path[TEST_PATH_SIZE];
    unsigned char bytes[32 + 3 * SIDE * SIDE];
    int header = snprintf((char *)bytes, sizeof bytes, "P6 %d %d 255\n", width, SIDE);
    memset(bytes + header, level, (size_t)(3 * width * SIDE));
    test_path(path, folder, name);
    test_write(path, bytes, (size_t)(header + 3 * width * SIDE));
}

/* What was told, in order. */
typedef struct told {
    char lines[LINES][DEEPER_MESSAGE_SIZE];
    int count;
    uint64_t done, total;
} told;

static void problem(void *context, const char *name, const char *message) {
    told *notes = context;
    assert_int_equal(strncmp(message, name, strlen(name)), 0);
    assert_true(notes->count < LINES);
    strcpy(notes->lines[notes->count++], message);
}

static void progress(void *context, uint64_t done, uint64_t total) {
    told *notes = context;
    assert_true(done >= notes->done && done <= total);
    notes->done = done;
    notes->total = total;
}

static void assert_told(const told *notes, int line, const char *name, const char *words) {
    assert_true(line < notes->count);
    if (!strstr(notes->lines[line], name) || !strstr(notes->lines[line], words))
        fail_msg("\"%s\" should name %s and say \"%s\"", notes->lines[line], name, words);
}

static void check(deeper_dataset_soundness *soundness, told *notes, const char *path) {
    dp_dataset *train = NULL, *val = NULL;
    const dp_check_calls calls = { .progress = progress, .problem = problem, .context = notes };
    *notes = (told){ 0 };
    assert_int_equal(dp_dataset_open_pair(&train, &val, path, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(
        dp_dataset_check(soundness, train, val, 2, &(dp_picture_limits){ 0 }, &calls, NULL, NULL),
        DEEPER_OK);
    assert_int_equal(notes->done, soundness->images);
    assert_int_equal(notes->total, soundness->images);
    dp_dataset_free(train);
    dp_dataset_free(val);
}

static void test_sound(void **state) {
    char *folder = test_folder(), name[32];
    deeper_dataset_soundness soundness;
    static told notes;
    make_folder(folder, "a");
    make_folder(folder, "b");
    for (int i = 0; i < 200; i++) { /* more than are taken at a time */
        snprintf(name, sizeof name, "%s/%d.ppm", i % 2 ? "a" : "b", i);
        make_picture(folder, name, SIDE, i);
    }
    check(&soundness, &notes, folder);
    const deeper_dataset_soundness wanted = { .images = 200 };
    assert_memory_equal(&soundness, &wanted, sizeof soundness);
    assert_int_equal(notes.count, 0);
    test_folder_remove(folder);
}

static void test_each_trouble(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_dataset_soundness soundness;
    static told notes;
    static const char *const folders[] = { "train", "train/a", "train/b", "train/none",
                                           "val",   "val/a",   "val/b" };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make_folder(folder, folders[i]);
    make_picture(folder, "train/a/1.ppm", SIDE, 1);
    make_picture(folder, "train/a/again.ppm", SIDE, 1); /* repeated in its class: counted only */
    make_picture(folder, "train/b/2.ppm", SIDE, 2);
    make_picture(folder, "train/b/one.ppm", SIDE, 1); /* of another class */
    make_picture(folder, "val/a/3.ppm", SIDE, 3);
    make_picture(folder, "val/b/two.ppm", SIDE, 2); /* trained on */
    make_picture(folder, "val/a/two.ppm", SIDE, 2); /* trained on, in another class */
    make_picture(folder, "val/a/thin.ppm", SIDE - 1, 4);
    test_path(path, folder, "train/a/text.jpg");
    test_write(path, "text", 4);
    check(&soundness, &notes, folder);
    const deeper_dataset_soundness wanted = { .images = 9,
                                              .unreadable = 1,
                                              .tiny = 1,
                                              .conflicting = 2,
                                              .leaked = 2,
                                              .repeated = 1,
                                              .empty_classes = 1 };
    assert_memory_equal(&soundness, &wanted, sizeof soundness);
    assert_int_equal(notes.count, 7);
    assert_told(&notes, 0, "train/a/text.jpg: ", "not a picture");
    assert_told(&notes, 1, "val/a/thin.ppm: ", "only 15x16 pixels");
    int seen = 0;
    for (int i = 2; i < 6; i++) { /* in the order of their hashes */
        seen |= strstr(notes.lines[i], "train/b/one.ppm: the same picture as ")
                        && strstr(notes.lines[i], "of class a, not b")
                    ? 1
                    : 0;
        seen |= strstr(notes.lines[i], "val/b/two.ppm: to validate with")
                        && strstr(notes.lines[i], "train/b/2.ppm")
                    ? 2
                    : 0;
        seen |= strstr(notes.lines[i], "val/a/two.ppm: to validate with") ? 4 : 0;
        seen |= strstr(notes.lines[i], "val/a/two.ppm: the same picture as ")
                        && strstr(notes.lines[i], "of class b, not a")
                    ? 8
                    : 0;
    }
    assert_int_equal(seen, 15);
    assert_told(&notes, 6, "train", "class 'none' has no pictures");
    test_folder_remove(folder);
}

/* Same pixels in another shape or another file are told apart or together as they should. */
static void test_what_counts_as_the_same(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_dataset_soundness soundness;
    static told notes;
    make_folder(folder, "a");
    make_folder(folder, "b");
    test_path(path, folder, "a/wide.pgm");
    test_write(path, "P2 2 1 255 7 7", 14);
    test_path(path, folder, "b/tall.pgm"); /* the same levels in the same order, another shape */
    test_write(path, "P2 1 2 255 7 7", 14);
    check(&soundness, &notes, folder);
    assert_int_equal(soundness.conflicting, 0);
    test_path(path, folder, "b/same.ppm"); /* another format */
    test_write(path, "P3 2 1 255 7 7 7 7 7 7", 22);
    check(&soundness, &notes, folder);
    assert_int_equal(soundness.conflicting, 1);
    test_folder_remove(folder);
}

static void test_every_allocation_may_fail(void **state) {
    char *folder = test_folder();
    test_failing_allocator failing;
    dp_dataset *set = NULL;
    const dp_check_calls calls = { 0 };
    make_folder(folder, "a");
    make_picture(folder, "a/1.ppm", SIDE, 1);
    make_picture(folder, "a/2.ppm", SIDE, 2);
    assert_int_equal(dp_dataset_open(&set, folder, NULL, NULL, NULL), DEEPER_OK);
    for (long n = 1, done = 0; !done; n++) {
        deeper_dataset_soundness soundness;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_dataset_check(&soundness, set, NULL, 1, &(dp_picture_limits){ 0 },
                                                &calls, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
    }
    dp_dataset_free(set);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_each_trouble),
        cmocka_unit_test(test_what_counts_as_the_same),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
