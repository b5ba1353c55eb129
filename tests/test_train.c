/* test_train.c - whole runs of a tiny network: that it learns, that the bits do not depend on
 * threads or interruptions, that what is frozen stays. What goes wrong is
 * test_train_trouble.c's. */
#include "helpers/runs.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------------- learning */

static void test_learns(void **state) {
    static const char *const files[] = { "model.safetensors", "last.safetensors",
                                         "log.csv",           "report.html",
                                         "run.json",          "events.out.tfevents.deeper",
                                         "checkpoints" };
    run_host h;
    char path[TEST_PATH_SIZE];
    deeper_train_options options = run_options("learns");
    options.epochs = 12;
    options.augment = "mirror";
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.epochs, 12);
    assert_int_equal(result.steps, 12 * RUN_STEPS);
    assert_int_equal(result.images, 12 * RUN_CLASSES * RUN_TRAIN);
    assert_int_equal(h.epochs, 12);
    assert_int_equal(h.last.heads, 3);
    assert_string_equal(h.last.head_names[0], "main");
    assert_string_equal(h.last.head_names[1], "aux1");
    if (!(result.best_top1 >= 0.9)) /* chance: a third */
        fail_msg("top-1 %g", result.best_top1);
    double sum = h.last.losses[0] + 0.3 * h.last.losses[1] + 0.3 * h.last.losses[2];
    assert_true(fabs(sum - h.last.loss) < 1e-6);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!run_has(options.out, files[i]))
            fail_msg("no %s", files[i]);

    /* The file says the same of itself as the run did. */
    deeper_model *model;
    deeper_session *session;
    deeper_dataset *set;
    deeper_evaluation evaluation;
    test_path(path, options.out, "model.safetensors");
    assert_int_equal(deeper_model_open(&model, path, NULL, NULL), DEEPER_OK);
    assert_string_equal(deeper_model_class_id(model, 1), "red");
    assert_int_equal(deeper_session_create(&session, model, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_dataset_open(&set, run_val, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_evaluate(session, set, NULL, &evaluation, sizeof evaluation, NULL),
                     DEEPER_OK);
    assert_int_equal(evaluation.images, RUN_CLASSES * RUN_VAL);
    assert_true(fabs((double)evaluation.top1 / RUN_CLASSES / RUN_VAL - result.best_top1) < 1e-9);
    assert_true(fabs(evaluation.loss - result.best_loss) < 1e-5 * (1 + evaluation.loss));
    deeper_dataset_close(set);
    deeper_session_free(session);
    deeper_model_close(model);
}

/* Every way of averaging, scheduling and weighing runs and gives a result of its own. */
static void test_choices_matter(void **state) {
    run_host h;
    const char *reference = run_reference();
    for (int choice = 0; choice < 7; choice++) {
        char name[16];
        snprintf(name, sizeof name, "choice%d", choice);
        deeper_train_options options = run_options(name);
        options.average = choice == 0 ? "none" : choice == 1 ? "polyak" : NULL;
        options.schedule = choice == 2 ? "poly" : NULL;
        options.augment = choice == 3 ? "none" : NULL;
        options.smoothing = choice == 4 ? 0.1 : 0;
        options.seed = choice == 5 ? 2 : 1;
        options.accumulate = choice == 6 ? 2 : 1;
        run_well(&options, &h);
        assert_int_equal(h.steps,
                         choice == 6 ? RUN_EPOCHS * RUN_STEPS / 2 : RUN_EPOCHS * RUN_STEPS);
        dp_model *a = run_open_model(reference, "last.safetensors"),
                 *b = run_open_model(options.out, "last.safetensors");
        bool other = false;
        for (int p = 0; p < a->graph->parameters && !other; p++)
            other = memcmp(a->values[p], b->values[p],
                           dp_shape_floats(dp_model_parameter(a, p)->shape) * sizeof(float))
                    != 0;
        if (!other)
            fail_msg("choice %d changes nothing", choice);
        dp_model_free(a);
        dp_model_free(b);
    }
}

/* Every picture in one step: there is a speed all the same. From scratch the network has its heads
 * unless the user says no. */
static void test_one_step(void **state) {
    run_host h;
    deeper_train_options options = run_options("one step");
    options.architecture = "googlenet:stem=small,width=0.0625";
    options.epochs = 1;
    options.batch = RUN_CLASSES * RUN_TRAIN;
    assert_int_equal(run_well(&options, &h).steps, 1);
    assert_int_equal(h.last.heads, 3);
    assert_true(h.last.images_per_second > 0);
    options = run_options("no heads");
    options.architecture = "googlenet:stem=small,aux=0,width=0.0625";
    options.epochs = 1;
    run_well(&options, &h);
    assert_int_equal(h.last.heads, 1);
    dp_model *model = run_open_model(options.out, "model.safetensors");
    assert_non_null(strstr(model->options, "aux=0"));
    dp_model_free(model);
}

/* -------------------------------------------------------------------------------- the same bits */

static void test_threads(void **state) {
    run_host h;
    for (int threads = 1; threads <= 3; threads += 2) {
        deeper_train_options options = run_options(threads == 1 ? "thread" : "threads");
        options.threads = threads;
        options.readers = 4 - threads;
        run_well(&options, &h);
        run_same_results(run_reference(), options.out);
    }
}

static deeper_control stop(run_host *h) {
    return DEEPER_STOP;
}

/* Stopped after a step in the middle of an epoch, the last of one, the first of one; resumed with
 * other threads. */
static void test_stop_and_resume(void **state) {
    static const int at[] = { 2, RUN_STEPS, RUN_STEPS + 1, RUN_EPOCHS * RUN_STEPS };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        char name[16];
        snprintf(name, sizeof name, "stopped%d", at[i]);
        deeper_train_options options = run_options(name), again = DEEPER_TRAIN_OPTIONS_INIT;
        run_host h = { .at = at[i], .act = stop };
        deeper_train_result result;
        deeper_error error;
        assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_STOPPED);
        assert_int_equal(h.steps, at[i]);
        assert_int_equal(result.steps, at[i]); /* how far it came */
        assert_int_equal(result.images, at[i] * options.batch);
        assert_int_equal(result.epochs, (at[i] - 1) / RUN_STEPS);
        again.out = options.out;
        again.resume = 1;
        again.threads = 1;
        result = run_well(&again, &h);
        assert_int_equal(h.steps, RUN_EPOCHS * RUN_STEPS - at[i]);
        assert_int_equal(result.steps, RUN_EPOCHS * RUN_STEPS);
        run_same_results(run_reference(), options.out);
    }
}

/* A run that has ended is given more epochs: to the same bits, stopped on the way or not. */
static void test_extended(void **state) {
    static char outs[2][TEST_PATH_SIZE];
    run_host h;
    deeper_train_result result;
    deeper_error error;
    for (int i = 0; i < 2; i++) {
        deeper_train_options options = run_options(i ? "extended, stopped" : "extended");
        snprintf(outs[i], TEST_PATH_SIZE, "%s", options.out);
        options.epochs = 2;
        h = (run_host){ .at = RUN_STEPS, .act = stop };
        assert_int_equal(run_do(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
        options.resume = 1;
        options.epochs = 4;
        assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "has not ended"));
        options.epochs = 0;
        run_well(&options, &h);
        options.epochs = 1;
        assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "has had 2"));
        options.epochs = 4;
        if (i == 1) {
            h = (run_host){ .at = 3, .act = stop };
            assert_int_equal(run_do(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
            options.epochs = 0;
        }
        assert_int_equal(run_well(&options, &h).epochs, 4);
        assert_true(h.last.rate > 0);
    }
    run_same_results(outs[0], outs[1]);
    char path[TEST_PATH_SIZE];
    size_t size;
    test_path(path, outs[1], "run.json");
    char *json = test_read(path, &size);
    assert_non_null(strstr(json, "--epochs 2 "));
    assert_non_null(strstr(json, " && deeper train --resume --epochs 4 --out "));
    free(json);
}

static deeper_control die(run_host *h) {
    raise(SIGKILL);
    return DEEPER_GO_ON;
}

/* Killed again and again, with a checkpoint after every step; accumulation and a plain average of
 * values among the state. */
static void test_kill_and_resume(void **state) {
    run_host h;
    deeper_train_options whole = run_options("unkilled"), options = run_options("killed");
    whole.accumulate = options.accumulate = 2;
    whole.average = options.average = "none";
    options.checkpoint_minutes = 0;
    run_well(&whole, &h);
    fflush(NULL);
    for (int kill_at = 2; kill_at < 7; kill_at++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            run_host host = { .at = kill_at, .act = die };
            deeper_train_result result;
            run_do(&options, &host, &result, NULL);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        options.resume = 1;
        if (!WIFSIGNALED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            break;
        }
    }
    run_well(&options, &h);
    run_same_results(whole.out, options.out);
}

/* The newest checkpoint is damaged: it is named, and the one before it leads to the same bits. */
static void test_damaged_checkpoint(void **state) {
    run_host h = { .at = RUN_STEPS + 2, .act = stop };
    deeper_train_options options = run_options("damaged");
    deeper_train_result result;
    char path[TEST_PATH_SIZE], name[64];
    assert_int_equal(run_do(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
    snprintf(name, sizeof name, "checkpoints/step-%012d.safetensors", RUN_STEPS + 2);
    test_path(path, options.out, name);
    size_t size;
    char *bytes = test_read(path, &size);
    assert_non_null(bytes);
    bytes[size / 2] ^= 1;
    test_write(path, bytes, size);
    free(bytes);
    options.resume = 1;
    run_well(&options, &h);
    assert_int_equal(h.warnings, 1);
    assert_non_null(strstr(h.warning, path));
    assert_int_equal(h.steps, (RUN_EPOCHS - 1) * RUN_STEPS);
    run_same_results(run_reference(), options.out);
}

/* ---------------------------------------------------------------------------------- fine-tuning */

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* A run from the reference's network, with part of it frozen and the same or other classes. */
static void tune(const char *name, const char *set, int classes, const char *freeze) {
    run_host h;
    char init[TEST_PATH_SIZE];
    deeper_train_options options = run_options(name);
    test_path(init, run_reference(), "last.safetensors");
    options.architecture = NULL;
    options.image_size = 0;
    options.init = init;
    options.data = set;
    options.val = NULL;
    options.val_fraction = 0.25;
    options.freeze = freeze;
    options.epochs = 1;
    run_well(&options, &h);
    dp_model *before = run_open_model(run_reference(), "last.safetensors"),
             *after = run_open_model(options.out, "last.safetensors");
    assert_int_equal(after->classes, classes);
    assert_string_equal(after->options, before->options);
    int same = 0, other = 0;
    for (int p = 0; p < before->graph->parameters; p++) {
        const dp_node *a = dp_model_parameter(before, p), *b = dp_model_parameter(after, p);
        assert_string_equal(a->name, b->name);
        size_t bytes = dp_shape_floats(b->shape) * sizeof(float);
        bool equal = dp_shape_equal(a->shape, b->shape)
                     && memcmp(before->values[p], after->values[p], bytes) == 0;
        bool frozen = begins(a->name, "conv") || begins(a->name, "inception_3");
        if (frozen && !equal)
            fail_msg("%s is frozen, but changed", a->name);
        same += frozen;
        other += !frozen && !equal;
    }
    assert_true(same > 50 && other > 50);
    dp_model_free(before);
    dp_model_free(after);
}

static void test_fine_tune(void **state) {
    char two[TEST_PATH_SIZE];
    run_make_set(two, "two classes", 2, 100, 8);
    tune("tuned same", run_data, RUN_CLASSES, "conv,inception_3");
    tune("tuned other", two, 2, "conv1,conv2,inception_3a,inception_3b");
}

/* The part of a file of values that is not the header. */
static void same_values(const dp_model *a, const dp_model *b, const char *unlike) {
    for (int p = 0; p < a->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(a, p);
        if (begins(node->name, unlike))
            continue;
        if (memcmp(a->values[p], b->values[p], dp_shape_floats(node->shape) * sizeof(float)) != 0)
            fail_msg("%s has other bits", node->name);
    }
}

/* A probe alone changes the last layer and nothing else, and says of itself what evaluating its
 * file does; fine-tuning begins with it, stopped in it or not, and does not end below it. */
static void test_probe(void **state) {
    run_host h;
    char init[TEST_PATH_SIZE], two[TEST_PATH_SIZE];
    run_make_set(two, "two for a probe", 2, 100, 12);
    test_path(init, run_reference(), "last.safetensors");
    deeper_train_options options = run_options("probe alone");
    options.architecture = NULL;
    options.image_size = 0;
    options.init = init;
    options.data = two;
    options.val = NULL;
    options.val_fraction = 0.25;
    options.epochs = 1;
    options.rate = 1e-9; /* an epoch that cannot be better than the probe */
    options.probe = 1;
    deeper_train_result alone = run_well(&options, &h);
    assert_int_equal(alone.epochs, 0);
    assert_int_equal(h.steps, 0);
    assert_int_equal(alone.probe_images, 18);
    assert_true(alone.best_top1 == alone.probe_top1 && alone.probe_top1 > 0.9);
    dp_model *before = run_open_model(run_reference(), "last.safetensors"),
             *after = run_open_model(options.out, "model.safetensors");
    same_values(before, after, "loss"); /* other classes: all heads are new */
    options.probe = 0;
    options.out = run_options("from a probe").out;
    options.epochs = 0; /* 10, which end early: nothing gets better */
    deeper_train_result tuned = run_well(&options, &h);
    assert_true(tuned.probe_top1 == alone.probe_top1 && tuned.best_top1 >= tuned.probe_top1);
    assert_int_equal(tuned.epochs, tuned.best_epoch + 3);
    dp_model *best = run_open_model(options.out, "model.safetensors");
    if (tuned.best_epoch == 0)
        same_values(after, best, "no name");
    options.out = run_options("stopped in a probe").out;
    options.checkpoint_minutes = 0;
    deeper_train_result result;
    h = (run_host){ .at = 0, .act = stop, .at_once = true };
    assert_int_equal(run_do(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
    assert_int_equal(result.probe_images, 0);
    options.resume = 1;
    run_well(&options, &h);
    dp_model *resumed = run_open_model(options.out, "last.safetensors"),
             *unbroken = run_open_model(run_options("from a probe").out, "last.safetensors");
    same_values(resumed, unbroken, "no name");
    dp_model_free(before);
    dp_model_free(after);
    dp_model_free(best);
    dp_model_free(resumed);
    dp_model_free(unbroken);
    options = run_options("no probe from scratch");
    options.probe = 1;
    deeper_error error;
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "probe"));
    assert_false(run_has(run_root, "no probe from scratch"));
}

/* A time in which not one epoch fits ends the epoch early: after a whole number of steps,
 * validated, and resumed as what it is. */
static void test_less_than_an_epoch(void **state) {
    run_host h;
    deeper_train_options options = run_options("short");
    options.minutes = 1e-5;
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.epochs, 1);
    assert_in_range(result.images, 8, RUN_CLASSES * RUN_TRAIN - 8);
    assert_int_equal(result.images, 8 * result.steps);
    assert_int_equal(h.epochs, 1);
    assert_true(run_has(options.out, "model.safetensors"));
    options.resume = 1;
    deeper_train_result again = run_well(&options, &h);
    assert_int_equal(again.steps, result.steps);
    assert_true(again.best_top1 == result.best_top1);
}

static deeper_control stop_slowly(run_host *h) {
    usleep(50000); /* the machine is slower for a while: the run is planned anew */
    return DEEPER_STOP;
}

/* Copies what follows "--steps " in a run's run.json up to the next blank. */
static void read_steps(const char *run, char *steps, size_t size) {
    char path[TEST_PATH_SIZE];
    size_t bytes;
    test_path(path, run, "run.json");
    char *json = test_read(path, &bytes), *begin = strstr(json, "--steps ");
    assert_non_null(begin);
    begin += strlen("--steps ");
    snprintf(steps, size, "%.*s", (int)strcspn(begin, " "), begin);
    assert_null(strstr(json, "--minutes"));
    free(json);
}

/* What run.json says that a run by the clock decided, stopped and resumed, leads to the same bits,
 * stopped and resumed too. */
static void test_run_by_the_clock(void **state) {
    static char steps[4096];
    deeper_train_result result;
    run_host h = { .at = 1, .act = stop_slowly };
    deeper_train_options clock = run_options("by the clock"), again = run_options("by steps");
    clock.minutes = 0.04;
    assert_int_equal(run_do(&clock, &h, &result, NULL), DEEPER_ERROR_STOPPED);
    clock.resume = 1;
    result = run_well(&clock, &h);
    int epochs = result.epochs;
    read_steps(clock.out, steps, sizeof steps);
    assert_non_null(strchr(steps, ':'));
    again.steps = steps;
    h = (run_host){ .at = 1, .act = stop };
    assert_int_equal(run_do(&again, &h, &result, NULL), DEEPER_ERROR_STOPPED);
    again.resume = 1;
    assert_int_equal(run_well(&again, &h).epochs, epochs);
    run_same_results(clock.out, again.out);
    clock.steps = steps;
    clock.resume = 0;
    clock.out = run_options("neither").out;
    deeper_error error;
    assert_int_equal(run_do(&clock, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "steps and minutes"));
    clock.minutes = 0;
    clock.steps = "9,4:3";
    assert_int_equal(run_do(&clock, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "steps: '9,4:3'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_by_the_clock), cmocka_unit_test(test_less_than_an_epoch),
        cmocka_unit_test(test_learns),           cmocka_unit_test(test_choices_matter),
        cmocka_unit_test(test_one_step),         cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stop_and_resume),  cmocka_unit_test(test_kill_and_resume),
        cmocka_unit_test(test_extended),         cmocka_unit_test(test_damaged_checkpoint),
        cmocka_unit_test(test_fine_tune),        cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
