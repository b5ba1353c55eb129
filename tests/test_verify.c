/* test_verify.c - deeper_verify: recordings as npz and as raw files, under other names, damaged, of
 * other shapes; two models that are the same, that differ from one layer on, whose layers bear
 * other names; all its memory. */
#include "eval/layers.h"
#include "eval/verify.h"
#include "formats/formats.h"
#include "formats/numpy/npz.h"
#include "graph/build.h"
#include "helpers/helpers.h"
#include "helpers/small.h"
#include "train/core/init.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { IMAGES = 2, LAYERS = 3, MOST = 256 };

static const char *const layers[LAYERS] = { "conv1/7x7_s2", "inception_3a/output", "prob" };

static char *folder;
static deeper_model *model;
static float *input, *outputs[LAYERS];
static size_t sizes[LAYERS];
static int shapes[LAYERS][3];

/* What the model computes, to be recorded. */
static int setup(void **state) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    folder = test_folder();
    model = small_model(3, NULL);
    input = small_input(IMAGES);
    options.outputs = layers;
    options.output_count = LAYERS;
    options.max_batch = IMAGES;
    assert_int_equal(deeper_session_create(&session, model, &options, NULL), DEEPER_OK);
    for (int i = 0; i < LAYERS; i++) {
        sizes[i] = deeper_session_output_size(session, (size_t)i, shapes[i]);
        outputs[i] = malloc(IMAGES * sizes[i] * sizeof(float));
    }
    assert_int_equal(deeper_session_run(session, input, IMAGES, outputs, NULL), DEEPER_OK);
    deeper_session_free(session);
    return 0;
}

static int teardown(void **state) {
    for (int i = 0; i < LAYERS; i++)
        free(outputs[i]);
    free(input);
    deeper_model_close(model);
    test_folder_remove(folder);
    return 0;
}

/* ----------------------------------------------------------------------------------- recordings */

static dp_tensor input_tensor(const char *name, int images) {
    return (dp_tensor){ .name = name,
                        .rank = 4,
                        .shape = { (size_t)images, 3, SMALL_SIDE, SMALL_SIDE },
                        .data = input,
                        .bytes = (size_t)images * SMALL_FLOATS * sizeof(float) };
}

static dp_tensor output_tensor(int i, const char *name) {
    return (dp_tensor){ .name = name,
                        .rank = i == LAYERS - 1 ? 2 : 4,
                        .shape = { IMAGES, (size_t)shapes[i][0], (size_t)shapes[i][1],
                                   (size_t)shapes[i][2] },
                        .data = outputs[i],
                        .bytes = IMAGES * sizes[i] * sizeof(float) };
}

static void record(char path[TEST_PATH_SIZE], const char *name, const dp_tensor *tensors,
                   size_t count) {
    test_path(path, folder, name);
    assert_int_equal(dp_npz_write(path, tensors, count, NULL, 0, NULL, NULL), DEEPER_OK);
}

/* What deeper_verify told. */
typedef struct told {
    int count, left, inputs;
    double worst;
    char names[MOST][64], others[MOST][64];
    deeper_difference at[MOST];
} told;

static void take(void *context, const deeper_difference *d) {
    told *t = context;
    if (!d->name) {
        t->left++;
        return;
    }
    assert_true(t->count < MOST);
    assert_int_equal(t->left, 0);
    snprintf(t->names[t->count], sizeof *t->names, "%s", d->name);
    snprintf(t->others[t->count], sizeof *t->others, "%s", d->other);
    t->at[t->count++] = *d;
    t->worst = d->relative > t->worst ? d->relative : t->worst;
}

static told verify_well(const char *path, const char *names) {
    deeper_verify_options options = DEEPER_VERIFY_OPTIONS_INIT;
    deeper_error error = { 0 };
    told t = { 0 };
    options.names = names;
    if (deeper_verify(model, path, &options, take, &t, &t.inputs, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return t;
}

/* The same program on the same machine: the same bits, in the order of computation whatever that of
 * the file. */
static void test_recorded(void **state) {
    char path[TEST_PATH_SIZE];
    const dp_tensor tensors[] = { output_tensor(2, "prob"), output_tensor(1, "inception_3a/output"),
                                  input_tensor("data", IMAGES), output_tensor(0, "conv1/7x7_s2") };
    record(path, "r.npz", tensors, 4);
    told t = verify_well(path, NULL);
    assert_int_equal(t.inputs, IMAGES);
    assert_int_equal(t.count, LAYERS);
    for (int i = 0; i < LAYERS; i++)
        assert_string_equal(t.names[i], layers[i]);
    assert_true(t.worst == 0);
}

/* Names of other programs, given ones, and one that is nothing. */
static void test_names(void **state) {
    char path[TEST_PATH_SIZE];
    const dp_tensor tensors[] = { input_tensor("cat_input", IMAGES),
                                  output_tensor(0, "Conv1.7x7.s2"),
                                  output_tensor(1, "inception_3a"), output_tensor(2, "p"),
                                  output_tensor(2, "prob") };
    record(path, "n.npz", tensors, 5);
    told t = verify_well(path, "p=inception_5b/output");
    assert_int_equal(t.count, LAYERS);
    assert_int_equal(t.left, 1); /* p has not that layer's size */
    assert_string_equal(t.others[0], "Conv1.7x7.s2");
    assert_string_equal(t.names[1], "inception_3a/output");
    t = verify_well(path, "p=prob");
    assert_int_equal(t.count, LAYERS + 1);
    assert_int_equal(t.left, 0);
    assert_true(t.worst == 0);
}

static void test_where(void **state) {
    char path[TEST_PATH_SIZE];
    const dp_tensor tensors[] = { input_tensor("input", IMAGES), output_tensor(0, layers[0]),
                                  output_tensor(1, layers[1]) };
    size_t plane = (size_t)shapes[1][1] * (size_t)shapes[1][2],
           at = sizes[1] + 5 * plane + (size_t)shapes[1][2] + 2;
    float old = outputs[1][at], largest = 0;
    outputs[1][at] = old + 1;
    for (size_t i = sizes[1]; i < 2 * sizes[1]; i++)
        largest = fmaxf(largest, fabsf(outputs[1][i]));
    record(path, "w.npz", tensors, 3);
    told t = verify_well(path, NULL);
    assert_true(t.at[0].relative == 0);
    const deeper_difference *d = &t.at[1];
    assert_int_equal(d->image, 1);
    assert_int_equal(d->channel, 5);
    assert_int_equal(d->row, 1);
    assert_int_equal(d->column, 2);
    assert_true(d->value == old && d->reference == old + 1);
    assert_true(fabs(d->relative - d->absolute / (double)largest) < 1e-12);
    outputs[1][at] = NAN;
    record(path, "w.npz", tensors, 3);
    t = verify_well(path, NULL);
    assert_true(isinf(t.at[1].relative));
    outputs[1][at] = old;
}

/* A folder of raw files; what follows the shape is no part of the name. */
static void test_raw(void **state) {
    char at[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    test_path(at, folder, "raw");
    assert_int_equal(mkdir(at, 0700), 0);
    test_path(path, at, "some_input_2x3x48x48_bgr.f32");
    test_write(path, input, IMAGES * SMALL_FLOATS * sizeof(float));
    test_path(path, at, "prob_2x7.f32");
    test_write(path, outputs[2], IMAGES * sizes[2] * sizeof(float));
    char other[TEST_PATH_SIZE];
    test_path(other, at, "README");
    test_write(other, "text", 4);
    told t = verify_well(at, NULL);
    assert_int_equal(t.count, 1);
    assert_true(t.worst == 0);

    deeper_error error = { 0 };
    test_write(path, outputs[2], 10);
    assert_int_equal(deeper_verify(model, at, NULL, take, &t, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "prob_2x7.f32: has 10 bytes"));
    static const char *const bad[] = { "prob.f32", "prob_2x.f32", "_2x7.f32", "prob_0x7.f32",
                                       "prob_1x1x1x1x1x1x1x1x1.f32" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        remove(path);
        test_path(path, at, bad[i]);
        test_write(path, outputs[2], 4);
        assert_int_equal(deeper_verify(model, at, NULL, take, &t, NULL, &error),
                         DEEPER_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "does not say a shape"));
    }
}

static void refused(const dp_tensor *tensors, size_t count, const char *names, deeper_status status,
                    const char *says) {
    char path[TEST_PATH_SIZE];
    deeper_verify_options options = DEEPER_VERIFY_OPTIONS_INIT;
    deeper_error error = { 0 };
    told t = { 0 };
    options.names = names;
    record(path, "bad.npz", tensors, count);
    assert_int_equal(deeper_verify(model, path, &options, take, &t, NULL, &error), status);
    if (!strstr(error.message, says))
        fail_msg("'%s' does not say '%s'", error.message, says);
    assert_int_equal(t.count + t.left, 0);
}

static void test_refused(void **state) {
    dp_tensor small = input_tensor("data", 1), other = output_tensor(1, "other"),
              flat = input_tensor("data", 1);
    small.shape[2] = 24;
    small.bytes /= 2;
    flat.rank = 2;
    flat.shape[1] = SMALL_FLOATS;
    const dp_tensor none[] = { output_tensor(2, "prob") },
                    shape[] = { small, output_tensor(2, "prob") },
                    flattened[] = { flat, output_tensor(2, "prob") },
                    strange[] = { input_tensor("data", 1), other },
                    good[] = { input_tensor("data", IMAGES), output_tensor(2, "prob") };
    refused(none, 1, NULL, DEEPER_ERROR_MISMATCH, "no input");
    refused(shape, 2, NULL, DEEPER_ERROR_MISMATCH, "1x3x24x48; the network takes Nx3x48x48");
    refused(flattened, 2, NULL, DEEPER_ERROR_MISMATCH, "the network takes");
    refused(strange, 2, NULL, DEEPER_ERROR_MISMATCH, "no array of the recording");
    refused(good, 2, "nosuch=prob", DEEPER_ERROR_ARGUMENT, "nosuch=prob");
    refused(good, 2, "prob", DEEPER_ERROR_ARGUMENT, "'prob'");
}

/* ----------------------------------------------------------------------------------- two models */

static void test_models(void **state) {
    char path[TEST_PATH_SIZE], picture[TEST_PATH_SIZE];
    const char *pictures[2] = { picture, picture };
    deeper_verify_options options = DEEPER_VERIFY_OPTIONS_INIT;
    deeper_error error = { 0 };
    test_path(path, folder, "same.safetensors");
    test_path(picture, folder, "p.ppm");
    small_picture(picture, 1);
    assert_int_equal(deeper_model_save(model, path, &error), DEEPER_OK);
    told t = verify_well(path, NULL);
    assert_true(t.worst == 0 && t.count > 100 && t.inputs == 1);
    options.pictures = pictures;
    options.picture_count = 2;
    t = (told){ 0 };
    assert_int_equal(deeper_verify(model, path, &options, take, &t, &t.inputs, &error), DEEPER_OK);
    assert_true(t.worst == 0 && t.inputs == 2);
    remove(picture);
    assert_int_equal(deeper_verify(model, path, &options, take, &t, NULL, &error), DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "p.ppm"));
    options.pictures = NULL;
    assert_int_equal(deeper_verify(model, path, &options, take, &t, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
}

/* From the layer whose weight was changed on they differ, and not before. */
static void test_first(void **state) {
    char path[TEST_PATH_SIZE];
    dp_model *other = NULL;
    test_path(path, folder, "changed.safetensors");
    assert_int_equal(deeper_model_save(model, path, NULL), DEEPER_OK);
    assert_int_equal(dp_model_open(&other, path, NULL, NULL), DEEPER_OK);
    int parameter =
        other->graph->nodes[dp_graph_find(other->graph, "inception_4b/3x3.weight")].parameter;
    float *copy =
        malloc(dp_shape_floats(dp_model_parameter(other, parameter)->shape) * sizeof(float));
    memcpy(copy, other->values[parameter],
           dp_shape_floats(dp_model_parameter(other, parameter)->shape) * sizeof(float));
    copy[4] += 1;
    other->values[parameter] = copy;
    char changed[TEST_PATH_SIZE];
    test_path(changed, folder, "changed2.safetensors");
    assert_int_equal(dp_model_save(other, changed, NULL, NULL), DEEPER_OK);
    told t = verify_well(changed, NULL);
    int first = 0;
    while (first < t.count && t.at[first].relative == 0)
        first++;
    assert_true(first < t.count);
    assert_string_equal(t.names[first], "inception_4b/3x3");
    dp_model_free(other);
    free(copy);
}

/* Two branches of one form, joined; the second network's layers bear other names. */
static int two_branches(dp_graph *graph, const char *prefix) {
    static char names[8][32];
    for (int i = 0; i < 8; i++)
        snprintf(names[i], sizeof names[i], "%s%d", prefix, i);
    int x = dp_add_input(graph, "data", 3, 8, 8);
    int a = dp_add_relu(graph, names[1],
                        dp_add_conv(graph, names[0], x, 4, dp_window_square(1, 1, 0), true));
    int b = dp_add_relu(graph, names[3],
                        dp_add_conv(graph, names[2], x, 4, dp_window_square(1, 1, 0), true));
    x = dp_add_concat(graph, names[4], (int[]){ a, b }, 2);
    x = dp_add_dropout(graph, names[5], dp_add_global_average(graph, names[6], x), 0.5F);
    x = dp_add_fc(graph, names[7], x, 3);
    dp_add_softmax(graph, "prob", x);
    return graph->count;
}

static void test_structure(void **state) {
    dp_graph *a = NULL, *b = NULL;
    assert_int_equal(dp_graph_create(&a, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_graph_create(&b, NULL, NULL), DEEPER_OK);
    int count = two_branches(a, "n");
    two_branches(b, "other");
    assert_int_equal(dp_graph_status(a, NULL), DEEPER_OK);
    int *theirs = malloc((size_t)count * sizeof *theirs), matched = 0;
    assert_int_equal(dp_layers_match(theirs, a, b, NULL, NULL), DEEPER_OK);
    for (int i = 0; i < count; i++) {
        assert_true(theirs[i] == -1 || theirs[i] == i);
        matched += theirs[i] == i;
    }
    assert_int_equal(matched,
                     8); /* two convolutions, two ReLUs, concat, pool, fc, softmax; no dropout */
    free(theirs);
    dp_graph_free(a);
    dp_graph_free(b);
}

static void test_allocations(void **state) {
    char npz[TEST_PATH_SIZE], file[TEST_PATH_SIZE];
    const dp_tensor tensors[] = { input_tensor("data", IMAGES), output_tensor(2, "prob") };
    record(npz, "a.npz", tensors, 2);
    test_path(file, folder, "a.safetensors");
    assert_int_equal(deeper_model_save(model, file, NULL), DEEPER_OK);
    for (int which = 0; which < 2; which++)
        for (long n = 1, done = 0; !done;
             n += which ? 7 : 1) { /* that of a model is test_model_file.c's too */
            test_failing_allocator failing;
            deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
            deeper_model *altered = NULL;
            deeper_error error = { 0 };
            told t = { 0 };
            test_failing_allocator_init(&failing, 0);
            options.allocator = &failing.allocator;
            assert_int_equal(deeper_model_open(&altered, file, &options, &error), DEEPER_OK);
            test_failing_allocator_init(&failing, n);
            deeper_status status =
                deeper_verify(altered, which ? file : npz, NULL, take, &t, NULL, &error);
            done = failing.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            assert_true(done || t.count == 0);
            failing.fail_at = 0;
            deeper_model_close(altered);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_where),       cmocka_unit_test(test_raw),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_models),
        cmocka_unit_test(test_first),       cmocka_unit_test(test_structure),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
