/* test_api_memory.c - every allocation that the public calls ask their allocator for is made to
 * fail in turn, from opening a model to closing it: each time a clean status, and nothing left
 * behind. What codecs take from malloc is not counted, as deeper.h says. One thread and one reader,
 * so that the nth allocation is the same one in every round; the largest rounds end in success. */
#include "helpers/helpers.h"
#include "helpers/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The files that a round uses. */
typedef struct files {
    char *folder;
    char model[TEST_PATH_SIZE], other[TEST_PATH_SIZE], picture[TEST_PATH_SIZE],
        list[TEST_PATH_SIZE], saved[TEST_PATH_SIZE];
    char answers[TEST_PATH_SIZE], merged[TEST_PATH_SIZE],
        parts[2][TEST_PATH_SIZE]; /* parts: what is written before they are whole */
} files;

/* A model whose classes are in an order of their own. */
static void make_model(const char *path, const char *folder, uint64_t seed, bool backwards) {
    char labels[TEST_PATH_SIZE], text[SMALL_CLASSES * 8];
    int size = 0;
    for (int c = 0; c < SMALL_CLASSES; c++)
        size += snprintf(text + size, sizeof text - (size_t)size, "n%d x%d\n",
                         backwards ? SMALL_CLASSES - 1 - c : c, c);
    test_path(labels, folder, "labels.txt");
    test_write(labels, text, (size_t)size);
    deeper_model *model = small_model(seed, labels);
    assert_int_equal(deeper_model_save(model, path, NULL), DEEPER_OK);
    deeper_model_close(model);
}

static void make_files(files *paths) {
    paths->folder = test_folder();
    test_path(paths->model, paths->folder, "m.safetensors");
    test_path(paths->picture, paths->folder, "x.ppm");
    test_path(paths->list, paths->folder, "list.txt");
    test_path(paths->saved, paths->folder, "saved.safetensors");
    test_path(paths->other, paths->folder, "other.safetensors");
    test_path(paths->answers, paths->folder, "answers");
    test_path(paths->merged, paths->folder, "merged");
    test_path(paths->parts[0], paths->folder, "answers.part");
    test_path(paths->parts[1], paths->folder, "merged.part");
    make_model(paths->model, paths->folder, 1, false);
    make_model(paths->other, paths->folder, 2, true);
    small_picture(paths->picture, 2);
    test_write(paths->list, "x.ppm 1\n", 8);
}

/* What a round holds; all of it is closed whatever happened. */
typedef struct held {
    deeper_model *model, *other;
    deeper_session *session, *second;
    deeper_image *image;
    deeper_dataset *dataset;
    deeper_scores *scores, *again;
} held;

static void close_all(held *h) {
    deeper_scores_close(h->again);
    deeper_scores_close(h->scores);
    deeper_dataset_close(h->dataset);
    deeper_image_close(h->image);
    deeper_session_free(h->second);
    deeper_session_free(h->session);
    deeper_model_close(h->other);
    deeper_model_close(h->model);
}

/* One way through the library. */
typedef deeper_status round_of_calls(held *h, const files *f, const deeper_allocator *allocator,
                                     deeper_error *error);

#define TRY(call)                                                                                  \
    do {                                                                                           \
        deeper_status status_ = call;                                                              \
        if (status_ != DEEPER_OK)                                                                  \
            return status_;                                                                        \
    } while (0)

static deeper_status open_one(deeper_model **model, deeper_session **session, const char *path,
                              const deeper_allocator *allocator, deeper_error *error) {
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    options.allocator = allocator;
    TRY(deeper_model_open(model, path, &options, error));
    deeper_session_options with = DEEPER_SESSION_OPTIONS_INIT;
    with.max_batch = 2;
    with.threads = 1;
    return deeper_session_create(session, *model, &with, error);
}

static deeper_status open_session(held *h, const files *f, const deeper_allocator *allocator,
                                  deeper_error *error) {
    return open_one(&h->model, &h->session, f->model, allocator, error);
}

static deeper_status open_pair(held *h, const files *f, const deeper_allocator *allocator,
                               deeper_error *error) {
    TRY(open_session(h, f, allocator, error));
    TRY(open_one(&h->other, &h->second, f->other, allocator, error));
    return deeper_dataset_open(&h->dataset, f->list, NULL, allocator, error);
}

static deeper_status classify(held *h, const files *f, const deeper_allocator *allocator,
                              deeper_error *error) {
    TRY(open_session(h, f, allocator, error));
    deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
    options.allocator = allocator;
    TRY(deeper_image_open(&h->image, f->picture, &options, error));
    deeper_prediction top[2];
    size_t count = 0;
    return deeper_classify(h->session, h->image, 10, top, 2, &count, error);
}

static int next(void *context, const char **path, int64_t *label) {
    const char **rest = context;
    *path = *rest;
    *rest = NULL;
    return *path != NULL;
}

/* A picture that cannot be read for want of memory is reported to the sink, which makes it the
 * status of the round. */
static deeper_control sink(void *context, const deeper_result *result) {
    deeper_status *status = context;
    *status = result->status;
    return DEEPER_GO_ON;
}

static deeper_status stream(held *h, const files *f, const deeper_allocator *allocator,
                            deeper_error *error) {
    TRY(open_session(h, f, allocator, error));
    const char *path = f->picture;
    const deeper_source source = { next, &path };
    deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
    options.readers = 1;
    deeper_status picture = DEEPER_OK;
    TRY(deeper_classify_stream(h->session, &source, &options, sink, &picture, error));
    return picture;
}

static deeper_status create_and_save(held *h, const files *f, const deeper_allocator *allocator,
                                     deeper_error *error) {
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    options.allocator = allocator;
    options.preprocess = SMALL_PREPROCESS;
    TRY(deeper_model_create(&h->model, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE, &options,
                            error));
    TRY(deeper_model_initialize(h->model, 1, error));
    return deeper_model_save(h->model, f->saved, error);
}

static deeper_status evaluate(held *h, const files *f, const deeper_allocator *allocator,
                              deeper_error *error) {
    TRY(open_session(h, f, allocator, error));
    TRY(deeper_dataset_open(&h->dataset, f->list, NULL, allocator, error));
    deeper_evaluation result;
    return deeper_evaluate(h->session, h->dataset, NULL, &result, sizeof result, error);
}

/* An ensemble of two, its classes matched, its answers saved. */
static deeper_status ensemble(held *h, const files *f, const deeper_allocator *allocator,
                              deeper_error *error) {
    unlink(f->answers);
    unlink(f->parts[0]);
    TRY(open_pair(h, f, allocator, error));
    deeper_session *const sessions[] = { h->session, h->second };
    deeper_evaluate_options options = DEEPER_EVALUATE_OPTIONS_INIT;
    options.crops = 10;
    options.smaller = 1;
    options.save = f->answers;
    return deeper_evaluate_models(&h->scores, sessions, 2, h->dataset, &options, error);
}

/* Saved answers: merged, scored, and told of in a page; they are there from an ensemble that went
 * well. */
static deeper_status saved_answers(held *h, const files *f, const deeper_allocator *allocator,
                                   deeper_error *error) {
    const char *const answers[] = { f->answers };
    unlink(f->merged);
    unlink(f->parts[1]);
    TRY(deeper_scores_merge(f->merged, answers, 1, allocator, error));
    const char *const two[] = { f->answers, f->merged };
    TRY(deeper_scores_open(&h->scores, answers, 1, 1, DEEPER_COMBINE_MAX, allocator, error));
    TRY(deeper_scores_open(&h->again, two, 2, 0, DEEPER_COMBINE_MEAN, allocator, error));
    return deeper_scores_report(h->again, NULL, "deeper eval", f->saved, error);
}

static void ignore_step(void *context, const deeper_bench_step *step) {
}

static deeper_status bench(held *h, const files *f, const deeper_allocator *allocator,
                           deeper_error *error) {
    TRY(open_session(h, f, allocator, error));
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.threads = 1;
    deeper_benchmark result;
    return deeper_bench_steps(h->model, &options, 0, 0, ignore_step, NULL, &result, sizeof result,
                              error);
}

/* Lets the nth allocation fail, for every n from `first` until none failed. Returns how many a good
 * round makes. */
static long fail_each(round_of_calls *calls, const files *f, long first) {
    for (long n = first;; n++) {
        test_failing_allocator failing;
        held h = { 0 };
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status = calls(&h, f, &failing.allocator, &error);
        bool done = failing.calls < n;
        if (status != (done ? DEEPER_OK : DEEPER_ERROR_MEMORY))
            fail_msg("allocation %ld: status %d, \"%s\"", n, status, error.message);
        close_all(&h);
        if (failing.outstanding != 0)
            fail_msg("allocation %ld: %ld blocks are left", n, (long)failing.outstanding);
        if (done)
            return failing.calls;
    }
}

/* How many allocations a call makes before the part of a round that is new. */
static long calls_of(round_of_calls *calls, const files *f) {
    test_failing_allocator failing;
    held h = { 0 };
    test_failing_allocator_init(&failing, 0);
    assert_int_equal(calls(&h, f, &failing.allocator, NULL), DEEPER_OK);
    close_all(&h);
    assert_int_equal(failing.outstanding, 0);
    return failing.calls;
}

static void test_open_and_session(void **state) {
    assert_true(fail_each(open_session, *state, 1) > 10);
}

/* The rounds that begin with an open session start where that ends. */
static void test_classify(void **state) {
    fail_each(classify, *state, calls_of(open_session, *state) + 1);
}

static void test_stream(void **state) {
    fail_each(stream, *state, calls_of(open_session, *state) + 1);
}

static void test_evaluate(void **state) {
    fail_each(evaluate, *state, calls_of(open_session, *state) + 1);
}

static void test_ensemble(void **state) {
    assert_true(fail_each(ensemble, *state, calls_of(open_pair, *state) + 1) > 10);
    assert_true(fail_each(saved_answers, *state, 1) > 10);
}

static void test_create_and_save(void **state) {
    fail_each(create_and_save, *state, 1);
}

static void test_bench(void **state) {
    fail_each(bench, *state, calls_of(open_session, *state) + 1);
}

static int begin(void **state) {
    static files f;
    make_files(&f);
    *state = &f;
    return 0;
}

static int end(void **state) {
    files *f = *state;
    test_folder_remove(f->folder);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_and_session),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_ensemble),
        cmocka_unit_test(test_create_and_save),
        cmocka_unit_test(test_bench),
    };
    return cmocka_run_group_tests_name("api memory", tests, begin, end);
}
