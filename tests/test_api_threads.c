/* test_api_threads.c - sessions with fewer threads than they were made for, and in a child of fork:
 * runs, classification and streams give the bits of one thread. */
#include "helpers/helpers.h"
#include "helpers/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES = 5, PICTURES = 4, THREADS = 4 };

/* All that a session answers, and what it is asked. */
typedef struct answers {
    float run[IMAGES][SMALL_CLASSES];
    float stream[PICTURES][SMALL_CLASSES];
    float top[SMALL_CLASSES];
} answers;

typedef struct questions {
    char *folder, paths[PICTURES][TEST_PATH_SIZE];
    deeper_model *model;
    float *input;
    deeper_image *image;
} questions;

static void setup(questions *q) {
    q->folder = test_folder();
    for (int i = 0; i < PICTURES; i++) {
        char name[] = "0.ppm";
        name[0] = (char)(name[0] + i);
        test_path(q->paths[i], q->folder, name);
        small_picture(q->paths[i], i);
    }
    q->model = small_model(3, NULL);
    q->input = small_input(IMAGES);
    assert_int_equal(deeper_image_open(&q->image, q->paths[0], NULL, NULL), DEEPER_OK);
}

static void teardown(questions *q) {
    deeper_image_close(q->image);
    deeper_model_close(q->model);
    free(q->input);
    test_folder_remove(q->folder);
}

typedef struct stream {
    const questions *q;
    answers *a;
    int asked, seen;
} stream;

static int next(void *context, const char **path, int64_t *label) {
    stream *feed = context;
    if (feed->asked == PICTURES)
        return 0;
    *path = feed->q->paths[feed->asked];
    *label = feed->asked++;
    return 1;
}

static deeper_control sink(void *context, const deeper_result *result) {
    stream *feed = context;
    if (result->status)
        return DEEPER_STOP;
    memcpy(feed->a->stream[feed->seen++], result->probabilities, sizeof feed->a->stream[0]);
    return DEEPER_GO_ON;
}

static deeper_session *session_of(const questions *q, int threads) {
    deeper_session *session = NULL;
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.max_batch = IMAGES;
    options.threads = threads;
    return deeper_session_create(&session, q->model, &options, NULL) ? NULL : session;
}

/* Asks a session everything; false: a call failed. */
static bool ask(const questions *q, deeper_session *session, answers *a) {
    memset(a, 0, sizeof *a);
    float *outputs[] = { a->run[0] };
    deeper_prediction top[SMALL_CLASSES];
    size_t count = 0;
    stream feed = { .q = q, .a = a };
    const deeper_source source = { next, &feed };
    deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
    options.readers = 2;
    if (deeper_session_run(session, q->input, IMAGES, outputs, NULL) != DEEPER_OK
        || deeper_classify(session, q->image, 10, top, SMALL_CLASSES, &count, NULL) != DEEPER_OK
        || count != SMALL_CLASSES)
        return false;
    for (int i = 0; i < SMALL_CLASSES; i++)
        a->top[i] = top[i].probability;
    return deeper_classify_stream(session, &source, &options, sink, &feed, NULL) == DEEPER_OK
           && feed.seen == PICTURES;
}

static void test_fewer_threads(void **state) {
    static const int numbers[] = { 4, 1, 3, 2, 4 };
    questions q;
    answers expected, a;
    deeper_error error = { 0 };
    setup(&q);
    deeper_session *one = session_of(&q, 1), *session = session_of(&q, THREADS);
    assert_true(ask(&q, one, &expected));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(deeper_session_set_threads(session, numbers[i], &error), DEEPER_OK);
        assert_int_equal(deeper_session_threads(session), THREADS);
        assert_true(ask(&q, session, &a));
        assert_memory_equal(&a, &expected, sizeof a);
    }
    assert_int_equal(deeper_session_set_threads(session, 0, &error), DEEPER_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "threads is 0; the session was made with 4, so 1 to 4 are possible");
    assert_int_equal(deeper_session_set_threads(session, 5, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_session_set_threads(NULL, 1, NULL), DEEPER_ERROR_ARGUMENT);
    deeper_session_set_threads(session, 2, NULL);
    deeper_session_free(session);
    deeper_session_free(one);
    teardown(&q);
}

/* What a child does with a session of its parent and with one of its own; its exit code. */
static int use_inherited(const questions *q, deeper_session *session, int threads,
                         const answers *expected) {
    answers a;
    alarm(60); /* ends a child that waits for ever */
    if (threads && deeper_session_set_threads(session, threads, NULL) != DEEPER_OK)
        return 1;
    if (!ask(q, session, &a) || memcmp(&a, expected, sizeof a) != 0)
        return 2;
    deeper_session_free(session);
    session = session_of(q, 2);
    if (!session || !ask(q, session, &a) || memcmp(&a, expected, sizeof a) != 0)
        return 3;
    deeper_session_free(session);
    return 0;
}

static int free_inherited(deeper_session *session) {
    alarm(60);
    deeper_session_free(session);
    return 0;
}

static void test_child_of_fork(void **state) {
#ifdef __SANITIZE_THREAD__
    skip(); /* it allows no threads in a child of a process with threads */
#endif
    questions q;
    answers expected, a;
    setup(&q);
    deeper_session *session = session_of(&q, 2);
    assert_true(ask(&q, session, &expected));
    for (int way = 0; way < 4; way++) { /* used with 2 threads as they are, set to 1, to 2; freed */
        pid_t child = fork();
        if (child == 0)
            _exit(way == 3 ? free_inherited(session) : use_inherited(&q, session, way, &expected));
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(ask(&q, session, &a)); /* the parent's goes on */
        assert_memory_equal(&a, &expected, sizeof a);
    }
    deeper_session_free(session);
    teardown(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fewer_threads),
        cmocka_unit_test(test_child_of_fork),
    };
    return cmocka_run_group_tests_name("api_threads", tests, NULL, NULL);
}
