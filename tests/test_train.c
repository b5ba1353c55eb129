/* test_train.c - whole runs of a tiny network on coloured patterns: that it learns, that the bits do not depend on threads or
 * interruptions, that what is frozen stays, and what becomes of bad options, bad data and full disks. */
#include "formats/model.h"
#include "helpers/helpers.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLASSES = 3, TRAIN = 16, VAL = 6, SIDE = 36, EPOCHS = 3, STEPS = 6 /* an epoch's, of 8 pictures each */ };

static const char *const class_names[] = { "blue", "red", "striped" };
static char *folder; /* data and runs of this program */
static char data[TEST_PATH_SIZE], val[TEST_PATH_SIZE];

/* ---------------------------------------------------------------- pictures */

static void write_picture(const char *path, int class_index, int number) {
    static char bytes[32 + 3 * SIDE * SIDE];
    int size = snprintf(bytes, 32, "P6 %d %d 255\n", SIDE, SIDE);
    unsigned noise = (unsigned)(number * 7919 + class_index * 104729 + 1);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++) {
            noise = noise * 1664525U + 1013904223U;
            int level = class_index == 2 ? 200 * ((i % SIDE + number) / 3 % 2) : c == 2 - 2 * class_index ? 180 : 40;
            bytes[size++] = (char)(level + (int)(noise >> 24) / 6);
        }
    test_write(path, bytes, (size_t)size);
}

static void picture_path(char path[TEST_PATH_SIZE], const char *set, const char *name, int number) {
    snprintf(path, TEST_PATH_SIZE, "%.2000s/%s/%d.ppm", set, name, number);
}

/* A folder of class folders with `count` pictures each, numbered from `first`. */
static void make_set(char set[TEST_PATH_SIZE], const char *name, int classes, int first, int count) {
    char path[TEST_PATH_SIZE];
    test_path(set, folder, name);
    assert_int_equal(mkdir(set, 0777), 0);
    for (int c = 0; c < classes; c++) {
        test_path(path, set, class_names[c]);
        assert_int_equal(mkdir(path, 0777), 0);
        for (int i = 0; i < count; i++) {
            picture_path(path, set, class_names[c], first + i);
            write_picture(path, c, first + i);
        }
    }
}

/* ---------------------------------------------------------------- runs */

/* What a run told, and what its host does. */
typedef struct host {
    int steps, epochs, warnings, unreadable, notes;
    char warning[DEEPER_MESSAGE_SIZE], named[DEEPER_MESSAGE_SIZE];
    deeper_train_event last; /* of an epoch */
    int at;                  /* step at which `act` is called; 0: never */
    int (*act)(struct host *);
} host;

static void event(void *context, const deeper_train_event *e) {
    host *h = context;
    switch (e->kind) {
    case DEEPER_TRAIN_STEP:
        h->steps++;
        assert_true(isfinite(e->loss) && e->rate > 0 && e->gradient_norm > 0 && e->step >= 1 && e->step <= e->epoch_steps);
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

static int control(void *context) {
    host *h = context;
    return h->at && h->steps == h->at ? h->act(h) : 0;
}

/* Options of a short run in folder/`name`. */
static deeper_train_options options_for(const char *name) {
    static char outs[8][TEST_PATH_SIZE];
    static int next;
    char *out = outs[next++ % 8];
    deeper_train_options options = DEEPER_TRAIN_OPTIONS_INIT;
    test_path(out, folder, name);
    options.data = data;
    options.val = val;
    options.out = out;
    options.architecture = "googlenet:stem=small,width=0.0625,norm=bn,aux=1";
    options.image_size = 32;
    options.epochs = EPOCHS;
    options.batch = 8;
    options.threads = 2;
    options.warmup_epochs = 0.5;
    options.rate = 0.02;
    return options;
}

static deeper_status run(const deeper_train_options *options, host *h, deeper_train_result *result, deeper_error *error) {
    const deeper_train_calls calls = { event, control, h };
    memset(result, 0, sizeof *result);
    return deeper_train(options, &calls, result, error);
}

static deeper_train_result run_well(const deeper_train_options *options, host *h) {
    deeper_train_result result;
    deeper_error error;
    memset(h, 0, sizeof *h);
    if (run(options, h, &result, &error) != DEEPER_OK)
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

static void same_results(const char *a, const char *b) {
    same_file(a, b, "last.safetensors");
    same_file(a, b, "model.safetensors");
}

static bool exists(const char *run_folder, const char *name) {
    char path[TEST_PATH_SIZE];
    test_path(path, run_folder, name);
    return access(path, F_OK) == 0;
}

static dp_model *open_model(const char *run_folder, const char *name) {
    char path[TEST_PATH_SIZE];
    dp_model *model = NULL;
    deeper_error error;
    test_path(path, run_folder, name);
    if (dp_model_open(&model, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return model;
}

/* The unbroken run that others are held against; made once. */
static const char *reference_run(void) {
    static char path[TEST_PATH_SIZE];
    if (!path[0]) {
        host h;
        deeper_train_options options = options_for("reference");
        run_well(&options, &h);
        assert_int_equal(h.steps, EPOCHS * STEPS);
        snprintf(path, sizeof path, "%s", options.out);
    }
    return path;
}

/* ---------------------------------------------------------------- learning */

static void test_learns(void **state) {
    static const char *const files[] = { "model.safetensors", "last.safetensors",           "log.csv",    "report.html",
                                         "run.json",          "events.out.tfevents.deeper", "checkpoints" };
    host h;
    char path[TEST_PATH_SIZE];
    deeper_train_options options = options_for("learns");
    options.epochs = 12;
    options.augment = "mirror";
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.epochs, 12);
    assert_int_equal(result.steps, 12 * STEPS);
    assert_int_equal(result.images, 12 * CLASSES * TRAIN);
    assert_int_equal(h.epochs, 12);
    assert_int_equal(h.last.heads, 3);
    assert_string_equal(h.last.head_names[0], "main");
    assert_string_equal(h.last.head_names[1], "aux1");
    if (!(result.best_top1 >= 0.9)) /* chance: a third */
        fail_msg("top-1 %g", result.best_top1);
    double sum = h.last.losses[0] + 0.3 * h.last.losses[1] + 0.3 * h.last.losses[2];
    assert_true(fabs(sum - h.last.loss) < 1e-6);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!exists(options.out, files[i]))
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
    assert_int_equal(deeper_dataset_open(&set, val, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_evaluate(session, set, NULL, &evaluation, NULL), DEEPER_OK);
    assert_int_equal(evaluation.images, CLASSES * VAL);
    assert_true(fabs((double)evaluation.top1 / CLASSES / VAL - result.best_top1) < 1e-9);
    assert_true(fabs(evaluation.loss - result.best_loss) < 1e-5 * (1 + evaluation.loss));
    deeper_dataset_close(set);
    deeper_session_free(session);
    deeper_model_close(model);
}

/* Every way of averaging, scheduling and weighing runs and gives a result of its own. */
static void test_choices_matter(void **state) {
    host h;
    const char *reference = reference_run();
    for (int choice = 0; choice < 7; choice++) {
        char name[16];
        snprintf(name, sizeof name, "choice%d", choice);
        deeper_train_options options = options_for(name);
        options.average = choice == 0 ? "none" : choice == 1 ? "polyak" : NULL;
        options.schedule = choice == 2 ? "poly" : NULL;
        options.augment = choice == 3 ? "none" : NULL;
        options.smoothing = choice == 4 ? 0.1 : 0;
        options.seed = choice == 5 ? 2 : 1;
        options.accumulate = choice == 6 ? 2 : 1;
        run_well(&options, &h);
        assert_int_equal(h.steps, choice == 6 ? EPOCHS * STEPS / 2 : EPOCHS * STEPS);
        dp_model *a = open_model(reference, "last.safetensors"), *b = open_model(options.out, "last.safetensors");
        bool other = false;
        for (int p = 0; p < a->graph->parameters && !other; p++)
            other = memcmp(a->values[p], b->values[p], dp_shape_floats(dp_model_parameter(a, p)->shape) * sizeof(float)) != 0;
        if (!other)
            fail_msg("choice %d changes nothing", choice);
        dp_model_free(a);
        dp_model_free(b);
    }
}

/* ---------------------------------------------------------------- the same bits */

static void test_threads(void **state) {
    host h;
    for (int threads = 1; threads <= 3; threads += 2) {
        deeper_train_options options = options_for(threads == 1 ? "thread" : "threads");
        options.threads = threads;
        options.readers = 4 - threads;
        run_well(&options, &h);
        same_results(reference_run(), options.out);
    }
}

static int stop(host *h) {
    return 2;
}

/* Stopped after a step in the middle of an epoch, the last of one, the first of one; resumed with other threads. */
static void test_stop_and_resume(void **state) {
    static const int at[] = { 2, STEPS, STEPS + 1, EPOCHS * STEPS };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        char name[16];
        snprintf(name, sizeof name, "stopped%d", at[i]);
        deeper_train_options options = options_for(name), again = DEEPER_TRAIN_OPTIONS_INIT;
        host h = { .at = at[i], .act = stop };
        deeper_train_result result;
        deeper_error error;
        assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_STOPPED);
        assert_int_equal(h.steps, at[i]);
        again.out = options.out;
        again.resume = 1;
        again.threads = 1;
        result = run_well(&again, &h);
        assert_int_equal(h.steps, EPOCHS * STEPS - at[i]);
        assert_int_equal(result.steps, EPOCHS * STEPS);
        same_results(reference_run(), options.out);
    }
}

static int die(host *h) {
    raise(SIGKILL);
    return 0;
}

/* Killed again and again, with a checkpoint after every step; accumulation and a plain average of values among the state. */
static void test_kill_and_resume(void **state) {
    host h;
    deeper_train_options whole = options_for("unkilled"), options = options_for("killed");
    whole.accumulate = options.accumulate = 2;
    whole.average = options.average = "none";
    options.checkpoint_minutes = 0;
    run_well(&whole, &h);
    fflush(NULL);
    for (int kill_at = 2; kill_at < 7; kill_at++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            host mine = { .at = kill_at, .act = die };
            deeper_train_result result;
            run(&options, &mine, &result, NULL);
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
    same_results(whole.out, options.out);
}

/* The newest checkpoint is damaged: it is named, and the one before it leads to the same bits. */
static void test_damaged_checkpoint(void **state) {
    host h = { .at = STEPS + 2, .act = stop };
    deeper_train_options options = options_for("damaged");
    deeper_train_result result;
    char path[TEST_PATH_SIZE], name[64];
    assert_int_equal(run(&options, &h, &result, NULL), DEEPER_ERROR_STOPPED);
    snprintf(name, sizeof name, "checkpoints/step-%012d.safetensors", STEPS + 2);
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
    assert_int_equal(h.steps, (EPOCHS - 1) * STEPS);
    same_results(reference_run(), options.out);
}

/* ---------------------------------------------------------------- fine-tuning */

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* A run from the reference's network, with part of it frozen and the same or other classes. */
static void tune(const char *name, const char *set, int classes, const char *freeze) {
    host h;
    char init[TEST_PATH_SIZE];
    deeper_train_options options = options_for(name);
    test_path(init, reference_run(), "last.safetensors");
    options.architecture = NULL;
    options.image_size = 0;
    options.init = init;
    options.data = set;
    options.val = NULL;
    options.val_fraction = 0.25;
    options.freeze = freeze;
    options.epochs = 1;
    run_well(&options, &h);
    dp_model *before = open_model(reference_run(), "last.safetensors"), *after = open_model(options.out, "last.safetensors");
    assert_int_equal(after->classes, classes);
    assert_string_equal(after->options, before->options);
    int same = 0, other = 0;
    for (int p = 0; p < before->graph->parameters; p++) {
        const dp_node *a = dp_model_parameter(before, p), *b = dp_model_parameter(after, p);
        assert_string_equal(a->name, b->name);
        size_t bytes = dp_shape_floats(b->shape) * sizeof(float);
        bool equal = dp_shape_equal(a->shape, b->shape) && memcmp(before->values[p], after->values[p], bytes) == 0;
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
    make_set(two, "two classes", 2, 100, 8);
    tune("tuned same", data, CLASSES, "conv,inception_3");
    tune("tuned other", two, 2, "conv1,conv2,inception_3a,inception_3b");
}

/* ---------------------------------------------------------------- what goes wrong */

static void test_divergence(void **state) {
    host h = { 0 };
    deeper_train_options options = options_for("diverges");
    deeper_train_result result;
    deeper_error error;
    options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
    options.rate = 1000;
    options.decay = 1; /* weights grow to (1 - rate) times themselves in every step */
    options.epochs = 40;
    options.clip = 0;
    options.warmup_epochs = 0;
    options.schedule = "constant";
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "rate"));
    assert_int_equal(h.warnings, 8);
    assert_non_null(strstr(h.warning, "went back to the weights of step "));
    assert_non_null(strstr(h.warning, "halved the rate"));

    /* From a rate that is some halvings too high the run comes to one that goes well. */
    memset(&h, 0, sizeof h);
    options = options_for("recovers");
    options.architecture = "googlenet:stem=small,width=0.0625,norm=none";
    options.rate = 4;
    options.clip = 0;
    options.warmup_epochs = 0;
    options.schedule = "constant";
    options.epochs = 10;
    if (run(&options, &h, &result, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_true(h.warnings > 0);
    assert_true(isfinite(h.last.losses[0]) && isfinite(h.last.val_losses[0]));
    dp_model *model = open_model(options.out, "last.safetensors");
    for (int p = 0; p < model->graph->parameters; p++)
        for (size_t i = 0; i < dp_shape_floats(dp_model_parameter(model, p)->shape); i++)
            assert_true(isfinite(model->values[p][i]));
    dp_model_free(model);
}

static void test_bad_options(void **state) {
    const deeper_train_options good = options_for("never");
    deeper_train_options bad[16];
    static const char *const words[] = { "data",         "epochs",  "batch",  "schedule", "average",      "momentum",
                                         "val_fraction", "rate",    "freeze", "rates",    "architecture", "nosuch",
                                         "initial",      "augment", "keep",   "out" };
    int count = (int)(sizeof words / sizeof *words);
    for (int i = 0; i < count; i++)
        bad[i] = good;
    bad[0].data = NULL;
    bad[1].epochs = 0;
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
        host h = { 0 };
        deeper_train_result result;
        deeper_error error;
        assert_int_equal(run(&bad[i], &h, &result, &error), DEEPER_ERROR_ARGUMENT);
        if (!strstr(error.message, words[i]))
            fail_msg("option %d: %s", i, error.message);
        assert_false(exists(folder, "never"));
    }
    assert_int_equal(deeper_train(NULL, NULL, NULL, NULL), DEEPER_ERROR_ARGUMENT);
}

static void fails(deeper_train_options *options, const char *name, const char *set, deeper_status wanted, const char *word) {
    host h = { 0 };
    deeper_train_result result;
    deeper_error error;
    *options = options_for(name);
    options->data = set;
    if (run(options, &h, &result, &error) != wanted || !strstr(error.message, word))
        fail_msg("%s: status %d, %s", name, error.status, error.message);
}

static void test_bad_data(void **state) {
    deeper_train_options options;
    char empty[TEST_PATH_SIZE], one[TEST_PATH_SIZE], broken[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    make_set(empty, "empty", 0, 0, 0);
    make_set(one, "one class", 1, 0, 4);
    make_set(broken, "broken", CLASSES, 0, 4);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < 4; i++) {
            picture_path(path, broken, class_names[c], i);
            test_write(path, "P6 9 9 255\n...", 14);
        }
    fails(&options, "bad", empty, DEEPER_ERROR_FORMAT, "empty");
    fails(&options, "bad", one, DEEPER_ERROR_FORMAT, "one class");
    fails(&options, "bad", "/nowhere/at/all", DEEPER_ERROR_IO, "/nowhere/at/all");
    fails(&options, "bad", broken, DEEPER_ERROR_FORMAT, "could not be read");
}

/* A few corrupt pictures are named, counted and left out; the rest is learnt from. An empty class gets no output. */
static void test_some_corrupt(void **state) {
    host h;
    char set[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    make_set(set, "some corrupt", CLASSES, 0, TRAIN);
    picture_path(path, set, "red", 3);
    test_write(path, "not a picture", 13);
    test_path(path, set, "an empty class");
    assert_int_equal(mkdir(path, 0777), 0);
    deeper_train_options options = options_for("corrupt");
    options.data = set;
    deeper_train_result result = run_well(&options, &h);
    assert_int_equal(result.unreadable, EPOCHS);
    assert_int_equal(h.unreadable, EPOCHS);
    assert_non_null(strstr(h.named, "red/3.ppm"));
    assert_int_equal(result.images, EPOCHS * (CLASSES * TRAIN - 1));
    dp_model *model = open_model(options.out, "last.safetensors");
    assert_int_equal(model->classes, CLASSES);
    dp_model_free(model);
}

static char moved[TEST_PATH_SIZE], moving[TEST_PATH_SIZE];

static int move_data(host *h) {
    assert_int_equal(rename(moving, moved), 0);
    return 0;
}

/* The data goes away in the middle of a run; once it is back, resume leads to the bits of an unbroken run. */
static void test_data_disappears(void **state) {
    host h = { .at = STEPS + 2, .act = move_data };
    deeper_train_result result;
    deeper_error error;
    make_set(moving, "moving", CLASSES, 0, TRAIN);
    test_path(moved, folder, "moved");
    deeper_train_options options = options_for("disappears");
    options.data = moving;
    options.readers = 1;
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "still there"));
    options.resume = 1;
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_IO);
    options.data = moved; /* the same pictures in another place */
    run_well(&options, &h);
    same_results(reference_run(), options.out);
    options.data = val; /* other pictures */
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_MISMATCH);
}

static struct rlimit old_limit;

static int fill_disk(host *h) {
    struct rlimit limit = old_limit;
    limit.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limit);
    return 1;
}

/* A disk that fills while a checkpoint is written: an error, nothing half-written, and the last good checkpoint leads on. */
static void test_disk_full(void **state) {
    host h = { .at = STEPS + 2, .act = fill_disk };
    deeper_train_result result;
    deeper_error error;
    char checkpoints[TEST_PATH_SIZE];
    deeper_train_options options = options_for("full disk");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_limit);
    deeper_status status = run(&options, &h, &result, &error);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "checkpoints/step-"));
    test_path(checkpoints, options.out, "checkpoints");
    assert_int_equal(test_folder_count(checkpoints), 1); /* the first epoch's */
    options.resume = 1;
    run_well(&options, &h);
    assert_int_equal(h.warnings, 0);
    same_results(reference_run(), options.out);
}

static void test_run_folder(void **state) {
    host h = { 0 };
    deeper_train_result result;
    deeper_error error;
    char file[TEST_PATH_SIZE], inside[TEST_PATH_SIZE];
    test_path(file, folder, "a file");
    test_write(file, "x", 1);
    test_path(inside, file, "run");
    deeper_train_options options = options_for("x");
    options.out = inside;
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_IO);
    options.out = data; /* not empty */
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "not empty"));
    options.resume = 1; /* no run in it */
    assert_int_equal(run(&options, &h, &result, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "run.json"));
}

static void test_early_stop(void **state) {
    host h;
    deeper_train_options options = options_for("patience");
    options.epochs = 40;
    options.patience = 2;
    options.rate = 1e-7; /* nothing will get better */
    options.average = "none";
    deeper_train_result result = run_well(&options, &h);
    assert_true(result.epochs < 40);
    assert_int_equal(result.epochs, result.best_epoch + 2);
}

static int make_data(void **state) {
    folder = test_folder();
    make_set(data, "data", CLASSES, 0, TRAIN);
    make_set(val, "val", CLASSES, 50, VAL);
    return 0;
}

static int remove_data(void **state) {
    test_folder_remove(folder);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),          cmocka_unit_test(test_choices_matter),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stop_and_resume), cmocka_unit_test(test_kill_and_resume), cmocka_unit_test(test_damaged_checkpoint),
        cmocka_unit_test(test_fine_tune),       cmocka_unit_test(test_divergence),      cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_bad_data),        cmocka_unit_test(test_some_corrupt),    cmocka_unit_test(test_data_disappears),
        cmocka_unit_test(test_disk_full),       cmocka_unit_test(test_run_folder),      cmocka_unit_test(test_early_stop),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
