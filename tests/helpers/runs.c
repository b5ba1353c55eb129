/* runs.c - the patterns, the listening host, the comparisons. */
#include "helpers/runs.h"
#include "formats/formats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 36 };

const char *const run_classes[RUN_CLASSES] = { "blue", "red", "striped" };
char *run_root;
char run_data[TEST_PATH_SIZE], run_val[TEST_PATH_SIZE];

/* ------------------------------------------------------------------------------------- pictures */

static void write_picture(const char *path, int class_index, int number) {
    static char bytes[32 + 3 * SIDE * SIDE];
    int size = snprintf(bytes, 32, "P6 %d %d 255\n", SIDE, SIDE);
    unsigned noise = (unsigned)(number * 7919 + class_index * 104729 + 1);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++) {
            noise = noise * 1664525U + 1013904223U;
            int level = class_index == 2           ? 200 * ((i % SIDE + number) / 3 % 2)
                        : c == 2 - 2 * class_index ? 180
                                                   : 40;
            bytes[size++] = (char)(level + (int)(noise >> 24) / 6);
        }
    test_write(path, bytes, (size_t)size);
}

void run_picture_path(char path[TEST_PATH_SIZE], const char *set, const char *name, int number) {
    snprintf(path, TEST_PATH_SIZE, "%.2000s/%s/%d.ppm", set, name, number);
}

/* A folder of class folders with `count` pictures each, numbered from `first`. */
void run_make_set(char set[TEST_PATH_SIZE], const char *name, int classes, int first, int count) {
    char path[TEST_PATH_SIZE];
    test_path(set, run_root, name);
    assert_int_equal(mkdir(set, 0777), 0);
    for (int c = 0; c < classes; c++) {
        test_path(path, set, run_classes[c]);
        assert_int_equal(mkdir(path, 0777), 0);
        for (int i = 0; i < count; i++) {
            run_picture_path(path, set, run_classes[c], first + i);
            write_picture(path, c, first + i);
        }
    }
}

/* ----------------------------------------------------------------------------------------- runs */

static void event(void *context, const deeper_train_event *e) {
    run_host *h = context;
    switch (e->kind) {
    case DEEPER_TRAIN_STEP:
        h->steps++;
        assert_true(isfinite(e->loss) && e->rate >= 0 && e->gradient_norm > 0 && e->step >= 1
                    && e->step <= e->epoch_steps);
        break;
    case DEEPER_TRAIN_EPOCH:
        h->epochs++;
        h->last = *e;
        break;
    case DEEPER_TRAIN_WARNING:
        h->warnings++;
        snprintf(h->warning, sizeof h->warning, "%s", e->message);
        break;
    case DEEPER_TRAIN_UNREADABLE:
        h->unreadable++;
        snprintf(h->named, sizeof h->named, "%s", e->message);
        break;
    default:
        h->notes++;
    }
}

static deeper_control control(void *context) {
    run_host *h = context;
    return h->at_once || (h->at && h->steps == h->at) ? h->act(h) : DEEPER_GO_ON;
}

/* Options of a short run in folder/`name`. */
deeper_train_options run_options(const char *name) {
    static char outs[8][TEST_PATH_SIZE];
    static int next;
    char *out = outs[next++ % 8];
    deeper_train_options options = DEEPER_TRAIN_OPTIONS_INIT;
    test_path(out, run_root, name);
    options.data = run_data;
    options.val = run_val;
    options.out = out;
    options.architecture = "googlenet:stem=small,width=0.0625,norm=bn,aux=1";
    options.image_size = 32;
    options.epochs = RUN_EPOCHS;
    options.batch = 8;
    options.threads = 2;
    options.warmup_epochs = 0.5;
    options.rate = 0.02;
    return options;
}

deeper_status run_do(const deeper_train_options *options, run_host *h, deeper_train_result *result,
                     deeper_error *error) {
    const deeper_train_calls calls = { event, control, h };
    memset(result, 0, sizeof *result);
    return deeper_train(options, &calls, result, sizeof *result, error);
}

deeper_train_result run_well(const deeper_train_options *options, run_host *h) {
    deeper_train_result result;
    deeper_error error;
    memset(h, 0, sizeof *h);
    if (run_do(options, h, &result, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return result;
}

static void same_file(const char *a, const char *b, const char *name) {
    char path[TEST_PATH_SIZE];
    size_t size_a, size_b;
    test_path(path, a, name);
    char *bytes_a = test_read(path, &size_a);
    test_path(path, b, name);
    char *bytes_b = test_read(path, &size_b);
    assert_non_null(bytes_a);
    assert_non_null(bytes_b);
    if (size_a != size_b || memcmp(bytes_a, bytes_b, size_a) != 0)
        fail_msg("%s and %s have other bits in %s", a, b, name);
    free(bytes_a);
    free(bytes_b);
}

void run_same_results(const char *a, const char *b) {
    same_file(a, b, "last.safetensors");
    same_file(a, b, "model.safetensors");
}

bool run_has(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    return access(path, F_OK) == 0;
}

dp_model *run_open_model(const char *folder, const char *name) {
    char path[TEST_PATH_SIZE];
    dp_model *model = NULL;
    deeper_error error;
    test_path(path, folder, name);
    if (dp_model_open(&model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return model;
}

/* The unbroken run that others are held against; made once. */
const char *run_reference(void) {
    static char path[TEST_PATH_SIZE];
    if (!path[0]) {
        run_host h;
        deeper_train_options options = run_options("reference");
        run_well(&options, &h);
        assert_int_equal(h.steps, RUN_EPOCHS * RUN_STEPS);
        snprintf(path, sizeof path, "%s", options.out);
    }
    return path;
}

int run_setup(void **state) {
    run_root = test_folder();
    run_make_set(run_data, "data", RUN_CLASSES, 0, RUN_TRAIN);
    run_make_set(run_val, "val", RUN_CLASSES, 50, RUN_VAL);
    return 0;
}

int run_teardown(void **state) {
    test_folder_remove(run_root);
    return 0;
}
