/* test_train_trouble.c - training when something is wrong: rates that diverge, bad options, bad or
 * vanishing data, folders and disks that cannot be written. */
#include "helpers/runs.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_divergence(void **state) {
    run_host h = { 0 };
    deeper_train_options options = run_options("diverges");
    deeper_train_result result;
    deeper_error error;
    options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
    options.rate = 1000;
    options.decay = 1; /* weights grow to (1 - rate) times themselves in every step */
    options.epochs = 40;
    options.clip = 0;
    options.warmup_epochs = 0;
    options.schedule = "constant";
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "rate"));
    assert_int_equal(h.warnings, 10); /* 8 ways back, and 2 epochs whose validation was NaN */
    assert_true(isnan(h.last.val_losses[0]) && h.last.val_top1 == 0 && !h.last.best);
    assert_non_null(strstr(h.warning, "went back to the weights of step "));
    assert_non_null(strstr(h.warning, "halved the rate"));

    /* One step too far, and no later one to notice it: there is no best epoch. */
    memset(&h, 0, sizeof h);
    options = run_options("too far");
    options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
    options.rate = 1000;
    options.decay = 1; /* weights become -999 times themselves */
    options.clip = 0;
    options.warmup_epochs = 0;
    options.schedule = "constant";
    options.average = "none";
    options.batch = RUN_CLASSES * RUN_TRAIN;
    options.epochs = 1;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_NUMBER);
    assert_non_null(strstr(error.message, "the run diverged"));
    assert_non_null(strstr(h.warning, "epoch 1: the run diverges"));
    assert_false(run_has(options.out, "model.safetensors"));

    /* From a rate that is some halvings too high the run comes to one that goes well. */
    memset(&h, 0, sizeof h);
    options = run_options("recovers");
    options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
    options.rate = 4;
    options.clip = 0;
    options.warmup_epochs = 0;
    options.schedule = "constant";
    options.epochs = 10;
    if (run_do(&options, &h, &result, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_true(h.warnings > 0);
    assert_true(isfinite(h.last.losses[0]) && isfinite(h.last.val_losses[0]));
    dp_model *model = run_open_model(options.out, "last.safetensors");
    for (int p = 0; p < model->graph->parameters; p++)
        for (size_t i = 0; i < dp_shape_floats(dp_model_parameter(model, p)->shape); i++)
            assert_true(isfinite(model->values[p][i]));
    dp_model_free(model);
}

/* Confusion, figures of the classes, calibration and mistakes of a run's page (malloc'ed). */
static char *measured_part(const char *run) {
    char path[TEST_PATH_SIZE];
    size_t size;
    test_path(path, run, "report.html");
    char *page = test_read(path, &size);
    assert_non_null(page);
    char *begin = strstr(page, "<h2>Confusion"), *end = strstr(page, "<h2>To do it again");
    assert_true(begin && end && strstr(begin, "Calibration") && strstr(begin, "Worst mistakes"));
    *end = '\0';
    memmove(page, begin, strlen(begin) + 1);
    return page;
}

static deeper_control stop(run_host *h) {
    return DEEPER_STOP;
}

/* The second epoch of this run diverges: the page is about the first, whose model is saved, also
 * when another process finished the run; it and the log have the warnings. */
static void test_report_of_the_best(void **state) {
    run_host h;
    char *parts[3], path[TEST_PATH_SIZE];
    for (int i = 0; i < 3; i++) { /* one epoch; two; two, interrupted */
        static const char *const names[] = { "one epoch", "best is first", "best is first again" };
        deeper_train_options options = run_options(names[i]);
        options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
        options.rate = 1000;
        options.decay = 1;
        options.clip = 0;
        options.warmup_epochs = 0;
        options.schedule = "constant";
        options.epochs = i == 0 ? 1 : 2;
        if (i == 2) {
            deeper_train_result result;
            h = (run_host){ .at = 5, .act = stop };
            assert_int_equal(run_do(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
            assert_int_equal(result.epochs, 1);
            options.resume = 1;
        }
        assert_int_equal(run_well(&options, &h).best_epoch, 1);
        assert_true(i == 0 || isnan(h.last.val_losses[0]));
        parts[i] = measured_part(options.out);
        test_path(path, options.out, i == 2 ? "report.html" : "log.csv");
        size_t size;
        char *log = test_read(path, &size);
        assert_non_null(strstr(log, "went back to the weights of step 0"));
        assert_true(i == 0 || strstr(log, "the run diverges"));
        free(log);
    }
    assert_string_equal(parts[1], parts[0]);
    assert_string_equal(parts[2], parts[0]);
    for (int i = 0; i < 3; i++)
        free(parts[i]);
}

static void test_bad_options(void **state) {
    const deeper_train_options good = run_options("never");
    deeper_train_options bad[16];
    static const char *const words[] = { "data",    "epochs",   "batch",        "schedule",
                                         "average", "momentum", "val_fraction", "rate",
                                         "freeze",  "rates",    "architecture", "nosuch",
                                         "initial", "augment",  "keep",         "out" };
    int count = (int)(sizeof words / sizeof *words);
    for (int i = 0; i < count; i++)
        bad[i] = good;
    bad[0].data = NULL;
    bad[1].epochs = -1;
    bad[2].batch = -1;
    bad[3].schedule = "linear";
    bad[4].average = "mean";
    bad[5].momentum = 1;
    bad[6].val_fraction = (double)NAN;
    bad[7].rate = -1;
    bad[8].freeze = "conv1,nosuch";
    bad[9].rates = "conv1=x";
    bad[10].init = "model.safetensors";
    bad[11].architecture = "nosuch";
    bad[12].initial = "zero";
    bad[13].augment = "paper,nosuch";
    bad[14].keep = 0;
    bad[15].out = NULL;
    for (int i = 0; i < count; i++) {
        run_host h = { 0 };
        deeper_train_result result;
        deeper_error error;
        assert_int_equal(run_do(&bad[i], &h, &result, &error), DEEPER_ERROR_ARGUMENT);
        if (!strstr(error.message, words[i]))
            fail_msg("option %d: %s", i, error.message);
        assert_false(run_has(run_root, "never"));
    }
    assert_int_equal(deeper_train(NULL, NULL, NULL, 0, NULL), DEEPER_ERROR_ARGUMENT);
}

static void fails(deeper_train_options *options, const char *name, const char *set,
                  deeper_status wanted, const char *word) {
    run_host h = { 0 };
    deeper_train_result result;
    deeper_error error;
    *options = run_options(name);
    options->data = set;
    if (run_do(options, &h, &result, &error) != wanted || !strstr(error.message, word))
        fail_msg("%s: status %d, %s", name, error.status, error.message);
}

static void test_bad_data(void **state) {
    deeper_train_options options;
    char empty[TEST_PATH_SIZE], one[TEST_PATH_SIZE], broken[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    run_make_set(empty, "empty", 0, 0, 0);
    run_make_set(one, "one class", 1, 0, 4);
    run_make_set(broken, "broken", RUN_CLASSES, 0, 4);
    for (int c = 0; c < RUN_CLASSES; c++)
        for (int i = 0; i < 4; i++) {
            run_picture_path(path, broken, run_classes[c], i);
            test_write(path, "P6 9 9 255\n...", 14);
        }
    fails(&options, "bad", empty, DEEPER_ERROR_FORMAT, "empty");
    fails(&options, "bad", one, DEEPER_ERROR_FORMAT, "one class");
    fails(&options, "bad", "/nowhere/at/all", DEEPER_ERROR_IO, "/nowhere/at/all");
    fails(&options, "bad", broken, DEEPER_ERROR_FORMAT, "could not be read");
}

/* A few corrupt pictures are named, counted and left out; the rest is learnt from. An empty class
 * gets no output. */
static void test_some_corrupt(void **state) {
    run_host h;
    char set[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    run_make_set(set, "some corrupt", RUN_CLASSES, 0, RUN_TRAIN);
    run_picture_path(path, set, "red", 3);
    test_write(path, "not a picture", 13);
    test_path(path, set, "an empty class");
    assert_int_equal(mkdir(path, 0777), 0);
    deeper_train_options options = run_options("corrupt");
    options.data = set;
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.unreadable, 1); /* named once, not once an epoch */
    assert_int_equal(h.unreadable, 1);
    assert_non_null(strstr(h.named, "red/3.ppm"));
    assert_int_equal(result.images, RUN_EPOCHS * (RUN_CLASSES * RUN_TRAIN - 1));
    dp_model *model = run_open_model(options.out, "last.safetensors");
    assert_int_equal(model->classes, RUN_CLASSES);
    dp_model_free(model);
}

static char moved[TEST_PATH_SIZE], moving[TEST_PATH_SIZE];

static deeper_control move_data(run_host *h) {
    assert_int_equal(rename(moving, moved), 0);
    return DEEPER_GO_ON;
}

/* The data goes away in the middle of a run; once it is back, resume leads to the bits of an
 * unbroken run. */
static void test_data_disappears(void **state) {
    run_host h = { .at = RUN_STEPS + 2, .act = move_data };
    deeper_train_result result;
    deeper_error error;
    run_make_set(moving, "moving", RUN_CLASSES, 0, RUN_TRAIN);
    test_path(moved, run_root, "moved");
    deeper_train_options options = run_options("disappears");
    options.data = moving;
    options.readers = 1;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "still there"));
    options.resume = 1;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_IO);
    options.data = moved; /* the same pictures in another place */
    run_well(&options, &h);
    run_same_results(run_reference(), options.out);
    options.data = run_val; /* other pictures */
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_MISMATCH);
}

static struct rlimit old_limit;

static deeper_control fill_disk(run_host *h) {
    struct rlimit limit = old_limit;
    limit.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limit);
    return DEEPER_SAVE;
}

/* A disk that fills while a checkpoint is written: an error, nothing half-written, and the last
 * good checkpoint leads on. */
static void test_disk_full(void **state) {
    run_host h = { .at = RUN_STEPS + 2, .act = fill_disk };
    deeper_train_result result;
    deeper_error error;
    char checkpoints[TEST_PATH_SIZE];
    deeper_train_options options = run_options("full disk");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_limit);
    deeper_status status = run_do(&options, &h, &result, &error);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "checkpoints/step-"));
    test_path(checkpoints, options.out, "checkpoints");
    assert_int_equal(test_folder_count(checkpoints), 2); /* the first epoch's; run.json's copy */
    options.resume = 1;
    run_well(&options, &h);
    assert_int_equal(h.warnings, 0);
    run_same_results(run_reference(), options.out);
}

static void test_run_folder(void **state) {
    run_host h = { 0 };
    deeper_train_result result;
    deeper_error error;
    char file[TEST_PATH_SIZE], inside[TEST_PATH_SIZE];
    test_path(file, run_root, "a file");
    test_write(file, "x", 1);
    test_path(inside, file, "run");
    deeper_train_options options = run_options("x");
    options.out = inside;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_IO);
    options.out = run_data; /* not empty */
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "not empty"));
    options.resume = 1; /* no run in it */
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "run.json"));
}

static void test_early_stop(void **state) {
    run_host h;
    deeper_train_options options = run_options("patience");
    options.epochs = 40;
    options.patience = 2;
    options.rate = 1e-7; /* nothing will get better */
    options.average = "none";
    deeper_train_result result = run_well(&options, &h);
    assert_true(result.epochs < 40);
    assert_int_equal(result.epochs, result.best_epoch + 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_divergence),         cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_bad_data),           cmocka_unit_test(test_some_corrupt),
        cmocka_unit_test(test_data_disappears),    cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_report_of_the_best), cmocka_unit_test(test_run_folder),
        cmocka_unit_test(test_early_stop),
    };
    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
