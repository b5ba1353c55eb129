/* test_features.c - deeper_features: the rows are what the session computes of each prepared
 * picture, with names, layers and labels; pictures that cannot be read are left out; stopped, out
 * of memory or disk it leaves nothing behind. */
#include "base/spool.h"
#include "eval/layers.h"
#include "formats/numpy/npz.h"
#include "graph/build.h"
#include "helpers/helpers.h"
#include "helpers/small.h"
#include "nets/nets.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PICTURES = 5, BATCH = 2 };

static const char *const layers[] = { "pool5/7x7_s1", "inception_3a/output" };

static char *folder;
static char paths[PICTURES][TEST_PATH_SIZE], out[TEST_PATH_SIZE];
static deeper_model *model;

static int setup(void **state) {
    folder = test_folder();
    model = small_model(3, NULL);
    test_path(out, folder, "f.npz");
    for (int i = 0; i < PICTURES; i++) {
        char name[16], class[TEST_PATH_SIZE];
        snprintf(name, sizeof name, "set/%c", 'a' + i % 2);
        test_path(class, folder, "set");
        mkdir(class, 0700);
        test_path(class, folder, name);
        mkdir(class, 0700);
        snprintf(name, sizeof name, "set/%c/%d.ppm", 'a' + i % 2, i);
        test_path(paths[i], folder, name);
        small_picture(paths[i], i);
    }
    return 0;
}

static int teardown(void **state) {
    deeper_model_close(model);
    test_folder_remove(folder);
    return 0;
}

static deeper_session *session_of(const deeper_model *of, size_t count) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    options.outputs = layers;
    options.output_count = count;
    options.max_batch = BATCH;
    if (deeper_session_create(&session, of, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return session;
}

typedef struct source_list {
    const char *const *paths;
    size_t count, at;
} source_list;

static int next(void *context, const char **path, int64_t *label) {
    source_list *list = context;
    if (list->at >= list->count)
        return 0;
    *path = list->paths[list->at++];
    *label = -1;
    return 1;
}

static dp_npz read_result(void) {
    dp_npz npz;
    deeper_error error = { 0 };
    size_t size;
    char *bytes = test_read(out, &size);
    assert_non_null(bytes);
    if (dp_npz_parse(&npz, bytes, size, "f.npz", NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    free(bytes);
    return npz;
}

static const dp_tensor *find(const dp_npz *npz, const char *name) {
    for (size_t i = 0; i < npz->count; i++)
        if (strcmp(npz->tensors[i].name, name) == 0)
            return &npz->tensors[i];
    fail_msg("no array %s", name);
    return NULL;
}

/* Row `row` of both layers is what the session makes of the picture. */
static void assert_row(const dp_npz *npz, size_t row, const char *path) {
    deeper_session *session = session_of(model, 2);
    deeper_image *image = NULL;
    float *input = malloc(SMALL_FLOATS * sizeof *input), *outputs[2];
    assert_int_equal(deeper_image_open(&image, path, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_prepare(model, image, 1, input, NULL), DEEPER_OK);
    for (size_t i = 0; i < 2; i++)
        outputs[i] = malloc(deeper_session_output_size(session, i, NULL) * sizeof(float));
    assert_int_equal(deeper_session_run(session, input, 1, outputs, NULL), DEEPER_OK);
    for (size_t i = 0; i < 2; i++) {
        size_t floats = deeper_session_output_size(session, i, NULL);
        const dp_tensor *tensor = find(npz, layers[i]);
        assert_int_equal(tensor->rank, i ? 4 : 2);
        assert_memory_equal((const float *)tensor->data + row * floats, outputs[i],
                            floats * sizeof(float));
        free(outputs[i]);
    }
    deeper_image_close(image);
    deeper_session_free(session);
    free(input);
}

static void count_problem(void *context, const char *path, const char *message) {
    ++*(int *)context;
    assert_non_null(strstr(message, path));
}

/* More pictures than a batch, two of them not readable. */
static void test_source(void **state) {
    const char *list[PICTURES + 2];
    source_list pictures = { list, PICTURES + 2, 0 };
    const deeper_source source = { next, &pictures };
    deeper_session *session = session_of(model, 2);
    deeper_features_options options = DEEPER_FEATURES_OPTIONS_INIT;
    deeper_features_result result;
    deeper_error error = { 0 };
    int problems = 0;
    for (int i = 0; i < PICTURES; i++)
        list[i < 2 ? i : i + 1] = paths[i];
    list[2] = "nosuch.ppm";
    list[PICTURES + 1] = "/dev/null";
    options.problem = count_problem;
    options.context = &problems;
    if (deeper_features(session, &source, NULL, out, &options, &result, sizeof result, &error)
        != DEEPER_OK)
        fail_msg("%s", error.message);
    deeper_session_free(session);
    assert_int_equal(result.images, PICTURES);
    assert_int_equal(result.unreadable, 2);
    assert_int_equal(problems, 2);
    assert_int_equal(test_folder_count(folder), 2); /* f.npz and set */
    dp_npz npz = read_result();
    assert_int_equal(npz.count, 2);
    assert_int_equal(find(&npz, layers[0])->shape[0], PICTURES);
    for (size_t i = 0; i < PICTURES; i++)
        assert_row(&npz, i, paths[i]);
    dp_npz_free(&npz);
}

/* One layer is "features"; a data set has labels. */
static void test_dataset(void **state) {
    char path[TEST_PATH_SIZE];
    deeper_session *session = session_of(model, 1);
    deeper_dataset *dataset = NULL;
    deeper_features_result result;
    deeper_error error = { 0 };
    test_path(path, folder, "set");
    assert_int_equal(deeper_dataset_open(&dataset, path, NULL, NULL, &error), DEEPER_OK);
    if (deeper_features(session, NULL, dataset, out, NULL, &result, sizeof result, &error)
        != DEEPER_OK)
        fail_msg("%s", error.message);
    dp_npz npz = read_result();
    const dp_tensor *labels = find(&npz, "labels");
    static const int64_t wanted[PICTURES] = { 0, 0, 0, 1, 1 };
    assert_int_equal(labels->dtype, DP_DTYPE_I64);
    assert_memory_equal(labels->data, wanted, sizeof wanted);
    assert_int_equal(find(&npz, "features")->rank, 2);
    dp_npz_free(&npz);
    deeper_dataset_close(dataset);
    deeper_session_free(session);
}

static deeper_control stop(void *context) {
    return ++*(int *)context == 3 ? DEEPER_STOP : DEEPER_SAVE;
}

static void test_refused(void **state) {
    const char *none[] = { "nosuch.ppm" }, *list[PICTURES];
    source_list pictures = { none, 1, 0 };
    const deeper_source source = { next, &pictures };
    deeper_session *session = session_of(model, 1);
    deeper_features_options options = DEEPER_FEATURES_OPTIONS_INIT;
    deeper_features_result result;
    deeper_error error = { 0 };
    int asked = 0;
    remove(out);
    assert_int_equal(
        deeper_features(session, NULL, NULL, out, NULL, &result, sizeof result, &error),
        DEEPER_ERROR_ARGUMENT);
    assert_int_equal(
        deeper_features(session, &source, NULL, out, NULL, &result, sizeof result, &error),
        DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no picture"));
    pictures.count = 0;
    assert_int_equal(
        deeper_features(session, &source, NULL, out, NULL, &result, sizeof result, &error),
        DEEPER_ERROR_FORMAT);
    char missing[TEST_PATH_SIZE];
    test_path(missing, folder, "nosuch/f.npz");
    for (int i = 0; i < PICTURES; i++)
        list[i] = paths[i];
    pictures = (source_list){ list, PICTURES, 0 };
    assert_int_equal(
        deeper_features(session, &source, NULL, missing, NULL, &result, sizeof result, &error),
        DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "nosuch/f.npz"));
    options.control = stop;
    options.context = &asked;
    pictures.at = 0;
    assert_int_equal(
        deeper_features(session, &source, NULL, out, &options, &result, sizeof result, &error),
        DEEPER_ERROR_STOPPED);
    deeper_session_free(session);
    assert_int_equal(test_folder_count(folder), 1);
}

/* Files that were removed but are still in the memory of this process. */
static int deleted_maps(void) {
    size_t size;
    char *text = test_read("/proc/self/maps", &size);
    int count = 0;
    for (const char *at = text; at && (at = strstr(at, " (deleted)\n")); at++)
        count++;
    free(text);
    return count;
}

/* A disk that takes no more: the reason, and nothing left, in memory neither. */
static void test_full_disk(void **state) {
    const char *list[] = { paths[0], paths[1], paths[2] };
    source_list pictures = { list, 3, 0 };
    const deeper_source source = { next, &pictures };
    deeper_session *session = session_of(model, 2);
    deeper_features_result result;
    deeper_error error = { 0 };
    struct rlimit old, small = { 4096, 4096 };
    int maps = deleted_maps();
    remove(out);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    deeper_status status =
        deeper_features(session, &source, NULL, out, NULL, &result, sizeof result, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "f.npz: cannot write a temporary file"));
    deeper_session_free(session);
    assert_int_equal(test_folder_count(folder), 1);
    assert_int_equal(deleted_maps(), maps);
}

static void test_allocations(void **state) {
    const char *list[] = { paths[0], paths[1], paths[2] };
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
        deeper_features_options with = DEEPER_FEATURES_OPTIONS_INIT;
        deeper_features_result result;
        deeper_error error = { 0 };
        deeper_model *opened = NULL;
        source_list pictures = { list, 3, 0 };
        const deeper_source source = { next, &pictures };
        remove(out);
        test_failing_allocator_init(&failing, 0);
        options.allocator = &failing.allocator;
        options.preprocess = SMALL_PREPROCESS;
        assert_int_equal(deeper_model_create(&opened, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE,
                                             &options, &error),
                         DEEPER_OK);
        assert_int_equal(deeper_model_initialize(opened, 3, &error), DEEPER_OK);
        deeper_session *session = session_of(opened, 1);
        failing.calls = 0;
        failing.fail_at = n;
        with.readers = 1;
        deeper_status status =
            deeper_features(session, &source, NULL, out, &with, &result, sizeof result, &error);
        done = failing.calls < n;
        failing.fail_at = 0;
        /* A picture that found no memory is one that could not be read. */
        if (done)
            assert_true(status == DEEPER_OK && result.images == 3);
        else
            assert_true(status == DEEPER_ERROR_MEMORY || status == DEEPER_ERROR_FORMAT
                        || (status == DEEPER_OK && result.unreadable > 0));
        assert_int_equal(test_folder_count(folder), status == DEEPER_OK ? 2 : 1);
        deeper_session_free(session);
        deeper_model_close(opened);
        assert_int_equal(failing.outstanding, 0);
    }
}

/* What the classifier reads, in every network. */
static void test_default_layer(void **state) {
    static const struct {
        const char *spec, *layer;
    } wanted[] = { { "googlenet", "pool5/7x7_s1" },
                   { "alexnet", "relu7" },
                   { "vgg16", "relu7" },
                   { "nin", "pool4" } };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        deeper_model *published = NULL;
        assert_int_equal(deeper_model_create(&published, wanted[i].spec, 10, 227, NULL, NULL),
                         DEEPER_OK);
        assert_string_equal(deeper_model_text(published, "features"), wanted[i].layer);
        deeper_model_close(published);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source),      cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_default_layer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
