/* test_api.c - the public calls on models and sessions: arguments, versions of structures, initial
 * values, and that a run gives the same bits whatever its batch, its threads and its neighbours.
 * Pictures are test_api_pictures.c's. */
#include "api/handles.h"
#include "helpers/helpers.h"
#include "helpers/small.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The call must return `expected` and a message with `words` in one line. */
static void assert_refused(deeper_status status, deeper_status expected, const deeper_error *error,
                           const char *words) {
    assert_int_equal(status, expected);
    assert_int_equal(error->status, expected);
    assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, words))
        fail_msg("\"%s\" should say \"%s\"", error->message, words);
}

static deeper_session *session_of(const deeper_model *model, int max_batch, int threads) {
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.max_batch = max_batch;
    options.threads = threads;
    if (deeper_session_create(&session, model, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return session;
}

/* ------------------------------------------------------------------------------------ arguments */

static void test_null_handles_are_no_op(void **state) {
    deeper_model_close(NULL);
    deeper_session_free(NULL);
    deeper_image_close(NULL);
    deeper_dataset_close(NULL);
    assert_null(deeper_model_text(NULL, "source"));
    assert_int_equal(deeper_model_classes(NULL), 0);
    assert_string_equal(deeper_model_class_id(NULL, 0), "");
    assert_string_equal(deeper_model_class_name(NULL, 0), "");
    assert_int_equal(deeper_model_image_size(NULL) + deeper_model_channels(NULL), 0);
    assert_null(deeper_model_input_name(NULL));
    assert_int_equal(deeper_model_layers(NULL), 0);
    assert_int_equal(deeper_model_layer_inputs(NULL, 0, NULL, 0), 0);
    assert_int_equal(deeper_model_parameters(NULL, 1) + deeper_model_multiply_adds(NULL, 1), 0);
    assert_int_equal(deeper_session_output_size(NULL, 0, NULL), 0);
    assert_string_equal(deeper_session_plan(NULL), "");
    assert_string_equal(deeper_session_isa(NULL), "");
    assert_int_equal(deeper_session_threads(NULL), 0);
    size_t bytes[2] = { 1, 1 };
    deeper_session_memory(NULL, &bytes[0], &bytes[1]);
    assert_int_equal(bytes[0] + bytes[1], 0);
    assert_int_equal(deeper_image_width(NULL) + deeper_image_height(NULL), 0);
    assert_null(deeper_image_pixels(NULL));
    assert_int_equal(deeper_dataset_images(NULL) + deeper_dataset_classes(NULL), 0);
    assert_null(deeper_dataset_class(NULL, 0, NULL));
    assert_null(deeper_dataset_image(NULL, 0, NULL));
}

static void test_missing_arguments_are_named(void **state) {
    deeper_error error = { 0 };
    deeper_model *model = small_model(1, NULL), *other = model;
    deeper_session *session = session_of(model, 2, 1), *none = session;
    deeper_layer layer;
    deeper_benchmark benchmark;
    float *outputs[] = { NULL }, *input = small_input(1);
#define NEEDS(name, call) assert_refused(call, DEEPER_ERROR_ARGUMENT, &error, name)
    NEEDS("model is NULL", deeper_model_open(NULL, "x", NULL, &error));
    NEEDS("path is NULL", deeper_model_open(&other, NULL, NULL, &error));
    assert_null(other); /* a failed call leaves no handle */
    NEEDS("model is NULL", deeper_model_create(NULL, "googlenet", 7, 48, NULL, &error));
    NEEDS("architecture is NULL", deeper_model_create(&other, NULL, 7, 48, NULL, &error));
    NEEDS("model is NULL", deeper_model_initialize(NULL, 1, &error));
    NEEDS("model is NULL", deeper_model_save(NULL, "x", &error));
    NEEDS("path is NULL", deeper_model_save(model, NULL, &error));
    NEEDS("model is NULL", deeper_model_layer(NULL, 0, &layer, sizeof layer, &error));
    NEEDS("layer is NULL", deeper_model_layer(model, 0, NULL, 0, &error));
    NEEDS("layer 1000000:", deeper_model_layer(model, 1000000, &layer, sizeof layer, &error));
    NEEDS("session is NULL", deeper_session_create(NULL, model, NULL, &error));
    NEEDS("model is NULL", deeper_session_create(&none, NULL, NULL, &error));
    assert_null(none);
    NEEDS("session is NULL", deeper_session_run(NULL, input, 1, outputs, &error));
    NEEDS("input is NULL", deeper_session_run(session, NULL, 1, outputs, &error));
    NEEDS("outputs is NULL", deeper_session_run(session, input, 1, NULL, &error));
    NEEDS("outputs[0] is NULL", deeper_session_run(session, input, 1, outputs, &error));
    NEEDS("count is 0; the session takes 1 to 2",
          deeper_session_run(session, input, 0, outputs, &error));
    NEEDS("count is 3; the session takes 1 to 2",
          deeper_session_run(session, input, 3, outputs, &error));
    NEEDS("model is NULL", deeper_bench(NULL, NULL, 0, &benchmark, sizeof benchmark, &error));
    NEEDS("result is NULL", deeper_bench(model, NULL, 0, NULL, 0, &error));
    NEEDS("step is NULL",
          deeper_bench_steps(model, NULL, 0, 0, NULL, NULL, &benchmark, sizeof benchmark, &error));
    NEEDS("seconds is -1", deeper_bench(model, NULL, -1, &benchmark, sizeof benchmark, &error));
    NEEDS("seconds is nan",
          deeper_bench(model, NULL, (double)NAN, &benchmark, sizeof benchmark, &error));
#undef NEEDS
    assert_int_equal(deeper_session_run(session, NULL, 1, outputs, NULL),
                     DEEPER_ERROR_ARGUMENT); /* error may be NULL */
    free(input);
    deeper_session_free(session);
    deeper_model_close(model);
}

static void test_session_options_are_checked(void **state) {
    static const char *const unknown[] = { "prob", "inception_9z/output" },
                             *const twice[] = { "prob", "prob" }, *const nothing[] = { NULL },
                             *const given[] = { "data" },
                             *const parameter[] = { "conv1/7x7_s2.weight" };
    const struct {
        int max_batch, threads;
        const char *const *outputs;
        size_t output_count;
        const char *words;
    } cases[] = {
        { -1, 0, NULL, 0, "a batch of -1 images" },
        { 1 << 30, 0, NULL, 0, "a batch of 1073741824 images" },
        { 1, -1, NULL, 0, "threads" },
        { 1, 100000, NULL, 0, "threads" },
        { 1, 1, NULL, 1, "output_count is 1" },
        { 1, 1, unknown, 0, "output_count is 0" },
        { 1, 1, unknown, 1 << 20, "output_count is 1048576" },
        { 1, 1, unknown, 2, "no layer \"inception_9z/output\"" },
        { 1, 1, twice, 2, "\"prob\" is there twice" },
        { 1, 1, nothing, 1, "is NULL" },
        { 1, 1, given, 1, "\"data\" is not computed" },
        { 1, 1, parameter, 1, "\"conv1/7x7_s2.weight\" is not computed" },
    };
    deeper_model *model = small_model(1, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        deeper_error error = { 0 };
        deeper_session *session = NULL;
        deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
        options.max_batch = cases[i].max_batch;
        options.threads = cases[i].threads;
        options.outputs = cases[i].outputs;
        options.output_count = cases[i].output_count;
        assert_refused(deeper_session_create(&session, model, &options, &error),
                       DEEPER_ERROR_ARGUMENT, &error, cases[i].words);
        assert_null(session);
    }
    setenv("DEEPER_ISA", "mmx", 1);
    deeper_error error = { 0 };
    deeper_session *session = NULL;
    assert_int_not_equal(deeper_session_create(&session, model, NULL, &error), DEEPER_OK);
    assert_non_null(strstr(error.message, "mmx"));
    unsetenv("DEEPER_ISA");
    deeper_model_close(model);
}

/* A structure of a later library: this library's options and what came after. */
typedef struct later_options {
    deeper_session_options known;
    uint64_t later[2];
} later_options;

static void test_versions_of_a_structure(void **state) {
    deeper_error error = { 0 };
    deeper_model *model = small_model(1, NULL);
    deeper_session *session = NULL;
    later_options options = { .known = DEEPER_SESSION_OPTIONS_INIT };
    const size_t wrong[] = { 0, 1, sizeof options.known - 1, 4097, SIZE_MAX };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        options.known.size = wrong[i];
        assert_refused(deeper_session_create(&session, model, &options.known, &error),
                       DEEPER_ERROR_ARGUMENT, &error, "_INIT");
        assert_null(session);
    }
    options.known.size = sizeof options;
    options.known.max_batch = 3;
    assert_int_equal(deeper_session_create(&session, model, &options.known, &error), DEEPER_OK);
    assert_int_equal(session->session->max_batch, 3);
    deeper_session_free(session);
    options.known.size = offsetof(deeper_session_options, outputs); /* an earlier version */
    options.known.outputs = NULL;
    options.known.output_count = SIZE_MAX;
    assert_int_equal(deeper_session_create(&session, model, &options.known, &error), DEEPER_OK);
    assert_int_equal(session->session->max_batch, 3);
    deeper_session_free(session);
    options.known.output_count = 0;
    options.known.size = sizeof options;
    options.later[1] = 1;
    assert_refused(deeper_session_create(&session, model, &options.known, &error),
                   DEEPER_ERROR_UNSUPPORTED, &error, "later library");
    deeper_model_close(model);

    deeper_model_options zero = { 0 };
    assert_refused(deeper_model_create(&model, "googlenet", 7, 48, &zero, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "deeper_model_options.size is 0");
    deeper_model_options half = DEEPER_MODEL_OPTIONS_INIT;
    const deeper_allocator no_release = { .allocate =
                                              (void *(*)(void *, size_t, size_t))(void *)abs };
    half.allocator = &no_release;
    assert_refused(deeper_model_create(&model, "googlenet", 7, 48, &half, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "allocator");
}

/* A program that was compiled with a header before or after this library's. */
static void test_versions_of_a_result(void **state) {
    enum { CANARY = 0xA5 };
    deeper_error error = { 0 };
    deeper_model *model = small_model(1, NULL);
    deeper_layer layer;
    unsigned char later[sizeof layer + 24];
    assert_int_equal(deeper_model_layer(model, 2, &layer, sizeof layer, NULL), DEEPER_OK);
    for (size_t size = 2 * sizeof(size_t); size <= sizeof later; size += sizeof(size_t)) {
        memset(later, CANARY, sizeof later);
        assert_int_equal(deeper_model_layer(model, 2, (deeper_layer *)(void *)later, size, &error),
                         DEEPER_OK);
        for (size_t i = 0; i < sizeof later; i++)
            assert_int_equal(later[i], i >= size           ? CANARY
                                       : i >= sizeof layer ? 0
                                                           : ((unsigned char *)&layer)[i]);
    }
    const size_t wrong[] = { 0, 1, sizeof layer - 1, 4104, SIZE_MAX };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(deeper_model_layer(model, 2, &layer, wrong[i], &error),
                       DEEPER_ERROR_ARGUMENT, &error, "layer: its size is");
    deeper_model_close(model);
}

/* --------------------------------------------------------------------------------------- models */

static void test_architectures_can_be_listed_and_made(void **state) {
    const char *description = NULL, *name;
    size_t count = 0;
    for (; (name = deeper_architecture(count, &description)); count++) {
        deeper_model *model = NULL;
        assert_non_null(description);
        assert_int_equal(deeper_model_create(&model, name, 10, 224, NULL, NULL), DEEPER_OK);
        assert_string_equal(deeper_model_text(model, "architecture"), name);
        assert_int_equal(deeper_model_image_size(model), 224);
        assert_string_equal(deeper_model_input_name(model), "data");
        assert_int_equal(deeper_model_channels(model),
                         strcmp(name, "lenet5") == 0 ? 1 : 3); /* LeNet-5 reads grey pictures */
        assert_int_equal(deeper_model_classes(model), 10);
        deeper_model_close(model);
    }
    assert_true(count >= 1);
    assert_string_equal(deeper_architecture(0, NULL), "googlenet");
}

static void test_a_model_describes_itself(void **state) {
    deeper_model *model = NULL;
    deeper_layer layer;
    assert_int_equal(deeper_model_create(&model, "googlenet:aux=1", 1000, 224, NULL, NULL),
                     DEEPER_OK);
    assert_int_equal(deeper_model_parameters(model, 0), 6998552);
    assert_int_equal(deeper_model_parameters(model, 1), 13378280);
    assert_int_equal(deeper_model_multiply_adds(model, 0), 1582671872);
    assert_true(deeper_model_multiply_adds(model, 1) > deeper_model_multiply_adds(model, 0));
    assert_non_null(strstr(deeper_model_text(model, "options"), "aux=1"));
    assert_string_equal(deeper_model_text(model, "format"), "none");
    assert_null(deeper_model_text(model, "source"));
    assert_null(deeper_model_text(model, "preprocessing"));
    assert_null(deeper_model_text(model, "colour"));
    assert_null(deeper_model_text(model, NULL));
    assert_string_equal(deeper_model_class_id(model, 3), "");
    uint64_t parameters = 0;
    int auxiliary = 0;
    for (size_t i = 0; i < deeper_model_layers(model); i++) {
        assert_int_equal(deeper_model_layer(model, i, &layer, sizeof layer, NULL), DEEPER_OK);
        assert_int_equal(layer.output_bytes, 4 * (uint64_t)layer.channels * (uint64_t)layer.height
                                                 * (uint64_t)layer.width);
        assert_string_not_equal(layer.operation, "parameter");
        parameters += layer.parameters;
        auxiliary += layer.auxiliary;
        if (strcmp(layer.name, "conv1/7x7_s2") == 0) {
            assert_string_equal(layer.operation, "conv");
            assert_int_equal(layer.window_height * 10 + layer.stride_width, 72);
            assert_int_equal(layer.parameters, 7 * 7 * 3 * 64 + 64);
            assert_int_equal(layer.multiply_adds, 7 * 7 * 3 * 64 * 112 * 112);
        }
    }
    assert_int_equal(parameters, 13378280);
    assert_true(auxiliary > 0);
    deeper_model_close(model);
}

/* What initialize promises of each kind of parameter, on a network that has all of them. */
static void test_initial_values(void **state) {
    deeper_model *model = NULL, *twin = NULL, *other = NULL;
    deeper_model **models[] = { &model, &twin, &other };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(deeper_model_create(models[i], SMALL_ARCHITECTURE ",norm=bn", 7,
                                             SMALL_SIDE, NULL, NULL),
                         DEEPER_OK);
        assert_int_equal(deeper_model_initialize(*models[i], i == 2 ? 6 : 5, NULL), DEEPER_OK);
    }
    const dp_model *inner = model->model;
    int seen[3] = { 0 };
    for (int p = 0; p < inner->graph->parameters; p++) {
        const dp_node *node = dp_model_parameter(inner, p);
        const char *suffix = strrchr(node->name, '.');
        size_t count = dp_shape_floats(node->shape), fan_in = count / (size_t)node->shape.n;
        assert_memory_equal(inner->values[p], twin->model->values[p], count * sizeof(float));
        bool weight = strcmp(suffix, ".weight") == 0 && !strstr(node->name, "/bn");
        if (weight && fan_in > 1) {
            double bound = sqrt(3.0 / (double)fan_in), sum = 0, square = 0;
            for (size_t i = 0; i < count; i++) {
                double value = (double)inner->values[p][i];
                assert_true(fabs(value) <= bound * (1 + 1e-6));
                sum += value / bound;
                square += value * value / (bound * bound);
            }
            /* Uniform in +-1: mean 0, mean square 1/3, deviations 0.577/sqrt(n) and 0.298/sqrt(n);
             * five of them. */
            assert_true(fabs(sum / (double)count) < 5 * 0.577 / sqrt((double)count));
            assert_true(fabs(square / (double)count - 1.0 / 3) < 5 * 0.298 / sqrt((double)count));
            assert_memory_not_equal(inner->values[p], other->model->values[p],
                                    count * sizeof(float));
            seen[0]++;
            continue;
        }
        float expected = weight || strstr(suffix, "var") || strcmp(suffix, ".weight") == 0 ? 1 : 0;
        for (size_t i = 0; i < count; i++)
            assert_true(inner->values[p][i] == expected);
        seen[expected == 1 ? 1 : 2]++;
    }
    assert_true(seen[0] > 50 && seen[1] > 100 && seen[2] > 100);
    for (int i = 0; i < 3; i++)
        deeper_model_close(*models[i]);
}

static void test_values_are_needed_and_guarded(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    deeper_model *model = NULL, *opened = NULL;
    deeper_session *session = NULL;
    deeper_benchmark benchmark;
    test_path(path, folder, "m.safetensors");
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    options.preprocess = SMALL_PREPROCESS;
    assert_int_equal(
        deeper_model_create(&model, SMALL_ARCHITECTURE, 7, SMALL_SIDE, &options, &error),
        DEEPER_OK);
    assert_refused(deeper_session_create(&session, model, NULL, &error), DEEPER_ERROR_ARGUMENT,
                   &error, "initialize");
    assert_refused(deeper_bench(model, NULL, 0, &benchmark, sizeof benchmark, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "initialize");
    assert_refused(deeper_model_save(model, path, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "initialize");
    assert_int_equal(test_folder_count(folder), 0);
    assert_int_equal(deeper_model_initialize(model, 1, &error), DEEPER_OK);
    session = session_of(model, 1, 1);
    assert_refused(deeper_model_initialize(model, 2, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "sessions");
    deeper_session_free(session);
    assert_int_equal(deeper_model_initialize(model, 2, &error), DEEPER_OK);
    if (deeper_model_save(model, path, &error) != DEEPER_OK
        || deeper_model_open(&opened, path, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_refused(deeper_model_initialize(opened, 2, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "come from a file");
    assert_non_null(strstr(deeper_model_text(opened, "preprocessing"), "54"));
    deeper_model_close(opened);
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* ----------------------------------------------------------------------------------------- runs */

/* The probabilities of `count` images in batches of at most `max_batch`. */
static void run_batches(const deeper_model *model, const float *input, int count, int max_batch,
                        int threads, float *prob) {
    deeper_session *session = session_of(model, max_batch, threads);
    assert_int_equal(deeper_session_threads(session), threads);
    for (int begin = 0; begin < count; begin += max_batch) {
        float *outputs[] = { prob + begin * SMALL_CLASSES };
        int rest = count - begin < max_batch ? count - begin : max_batch;
        assert_int_equal(
            deeper_session_run(session, input + begin * SMALL_FLOATS, rest, outputs, NULL),
            DEEPER_OK);
    }
    deeper_session_free(session);
}

static void test_same_bits_for_any_batch_and_threads(void **state) {
    enum { IMAGES = 7 };
    deeper_model *model = small_model(3, NULL);
    float *input = small_input(IMAGES), expected[IMAGES * SMALL_CLASSES],
          actual[IMAGES * SMALL_CLASSES];
    run_batches(model, input, IMAGES, 1, 1, expected);
    for (int i = 0; i < IMAGES; i++) {
        float sum = 0;
        for (int c = 0; c < SMALL_CLASSES; c++)
            sum += expected[i * SMALL_CLASSES + c];
        assert_true(fabsf(sum - 1) < 1e-5F); /* seven probabilities, each rounded once or twice */
    }
    assert_memory_not_equal(expected, expected + SMALL_CLASSES, SMALL_CLASSES * sizeof(float));
    for (int threads = 1; threads <= 4; threads++)
        for (int batch = 1; batch <= IMAGES; batch += 2) {
            memset(actual, 0xFF, sizeof actual);
            run_batches(model, input, IMAGES, batch, threads, actual);
            assert_memory_equal(actual, expected, sizeof expected);
        }
    free(input);
    deeper_model_close(model);
}

/* Every layer can be an output, has the shape that the model says, and does not change the
 * probabilities. */
static void test_every_layer_can_be_an_output(void **state) {
    deeper_model *model = small_model(3, NULL);
    size_t layers = deeper_model_layers(model), count = 0;
    const char **names = calloc(layers, sizeof *names);
    float **outputs = calloc(layers, sizeof *outputs), *input = small_input(1),
          expected[SMALL_CLASSES];
    deeper_layer *shapes = calloc(layers, sizeof *shapes);
    assert_true(names && outputs && shapes && input);
    for (size_t i = 0; i < layers; i++) {
        assert_int_equal(deeper_model_layer(model, i, &shapes[count], sizeof shapes[count], NULL),
                         DEEPER_OK);
        names[count] = shapes[count].name;
        count += strcmp(shapes[count].operation, "input") != 0;
    }
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.outputs = names;
    options.output_count = count;
    if (deeper_session_create(&session, model, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) {
        int shape[3];
        size_t floats = deeper_session_output_size(session, i, shape);
        assert_int_equal(shape[0], shapes[i].channels);
        assert_int_equal(shape[1], shapes[i].height);
        assert_int_equal(shape[2], shapes[i].width);
        assert_int_equal(floats * sizeof(float), shapes[i].output_bytes);
        outputs[i] = calloc(floats, sizeof(float));
        assert_non_null(outputs[i]);
    }
    assert_int_equal(deeper_session_output_size(session, count, NULL), 0);
    assert_int_equal(deeper_session_run(session, input, 1, outputs, NULL), DEEPER_OK);
    run_batches(model, input, 1, 1, 1, expected);
    assert_memory_equal(outputs[count - 1], expected, sizeof expected);
    size_t arena = 0, packed = 0;
    deeper_session_memory(session, &arena, &packed);
    assert_true(arena > 0 && packed > 0);
    assert_non_null(strstr(deeper_session_plan(session), "conv1/7x7_s2"));
    assert_true(strlen(deeper_session_isa(session)) > 0);
    for (size_t i = 0; i < count; i++)
        free(outputs[i]);
    free(outputs);
    free(names);
    free(shapes);
    free(input);
    deeper_session_free(session);
    deeper_model_close(model);
}

typedef struct job {
    const deeper_model *model;
    const float *input;
    float prob[SMALL_CLASSES];
    bool sound;
} job;

/* Makes sessions and runs them, again and again, without an assertion: these belong to the main
 * thread. */
static void *work(void *argument) {
    job *task = argument;
    task->sound = true;
    for (int i = 0; i < 10; i++) {
        deeper_session *session = NULL;
        deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
        options.threads = 2;
        float prob[SMALL_CLASSES], *outputs[] = { prob };
        task->sound = task->sound
                      && deeper_session_create(&session, task->model, &options, NULL) == DEEPER_OK;
        for (int j = 0; j < 10 && task->sound; j++) {
            task->sound = deeper_session_run(session, task->input, 1, outputs, NULL) == DEEPER_OK
                          && (i + j == 0 || memcmp(prob, task->prob, sizeof prob) == 0);
            memcpy(task->prob, prob, sizeof prob);
        }
        deeper_session_free(session);
    }
    return NULL;
}

static void test_two_threads_share_a_model(void **state) {
    deeper_model *model = small_model(3, NULL);
    float *input = small_input(2), expected[2 * SMALL_CLASSES];
    job jobs[2] = { { .model = model, .input = input },
                    { .model = model, .input = input + SMALL_FLOATS } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    run_batches(model, input, 2, 1, 1, expected);
    for (int i = 0; i < 2; i++) {
        assert_true(jobs[i].sound);
        assert_memory_equal(jobs[i].prob, expected + i * SMALL_CLASSES, sizeof jobs[i].prob);
    }
    free(input);
    deeper_model_close(model);
}

static void test_bench_is_consistent(void **state) {
    deeper_model *model = small_model(3, NULL);
    double checksum = 0;
    for (int batch = 1; batch <= 3; batch += 2) {
        deeper_benchmark b = { 0 };
        deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
        options.max_batch = batch;
        options.threads = (batch + 1) / 2;
        assert_int_equal(deeper_bench(model, &options, 0, &b, sizeof b, NULL), DEEPER_OK);
        assert_true(b.runs >= 10);
        assert_int_equal(b.multiply_adds, deeper_model_multiply_adds(model, 0));
        assert_true(b.min_ms > 0 && b.min_ms <= b.median_ms && b.median_ms <= b.p90_ms);
        assert_true(b.peak_gflops > 0);
        assert_true(strstr(b.network, "googlenet:norm=lrn,") == b.network);
        double floor_ms = 2e-6 * (double)b.multiply_adds * batch / b.peak_gflops;
        assert_true(fabs(b.direct_floor_ms / floor_ms - 1) < 1e-9);
        assert_true(fabs(b.ratio_to_floor * b.direct_floor_ms / b.median_ms - 1) < 1e-9);
        assert_true(fabs(b.images_per_second * b.median_ms / (1000.0 * batch) - 1) < 1e-9);
        assert_true(batch == 1
                    || b.logit_checksum == checksum); /* image 0 is the same, to the bit */
        checksum = b.logit_checksum;
    }
    assert_true(isfinite(checksum) && checksum != 0);
    deeper_model_close(model);
}

typedef struct told {
    int steps, convolutions, phase;
    double ms, share, waiting_ms;
    uint64_t multiply_adds;
} told;

static void take_step(void *context, const deeper_bench_step *step) {
    told *notes = context;
    assert_true(step->phase >= notes->phase || step->phase == 0);
    assert_true(step->layer && step->operation[0] && step->algorithm);
    assert_true(step->ms >= 0 && step->waiting_ms >= 0 && step->waiting_ms <= step->ms + 1e-9);
    assert_true((step->ratio_to_floor > 0) == (step->multiply_adds > 0));
    notes->steps++;
    notes->convolutions += strcmp(step->operation, "conv") == 0;
    notes->phase = step->phase;
    notes->ms += step->ms;
    notes->share += step->share;
    notes->multiply_adds += step->multiply_adds;
}

/* All steps add up to the fastest run. */
static void test_steps_add_up(void **state) {
    deeper_model *model = small_model(3, NULL);
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.max_batch = options.threads = 2;
    for (int training = 0; training < 2; training++) {
        told notes = { 0 };
        deeper_benchmark b = { 0 };
        assert_int_equal(
            deeper_bench_steps(model, &options, training, 0, take_step, &notes, &b, sizeof b, NULL),
            DEEPER_OK);
        assert_true(notes.steps > 20 && notes.convolutions > 10);
        assert_int_equal(notes.multiply_adds, b.multiply_adds);
        assert_true(fabs(notes.share - 1) < 1e-6);
        assert_true(fabs(notes.ms / b.min_ms - 1) < 1e-6);
    }
    deeper_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_handles_are_no_op),
        cmocka_unit_test(test_missing_arguments_are_named),
        cmocka_unit_test(test_session_options_are_checked),
        cmocka_unit_test(test_versions_of_a_structure),
        cmocka_unit_test(test_versions_of_a_result),
        cmocka_unit_test(test_architectures_can_be_listed_and_made),
        cmocka_unit_test(test_a_model_describes_itself),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_values_are_needed_and_guarded),
        cmocka_unit_test(test_same_bits_for_any_batch_and_threads),
        cmocka_unit_test(test_every_layer_can_be_an_output),
        cmocka_unit_test(test_two_threads_share_a_model),
        cmocka_unit_test(test_bench_is_consistent),
        cmocka_unit_test(test_steps_add_up),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
