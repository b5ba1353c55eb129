/* test_floats.c - programs that round up, trap, or flush denormals before they call: the bits of
 * every answer and of a trained model are those of the default mode, no trap is taken, and after
 * each call the caller has its rounding, traps and flags again. */
#include "helpers/runs.h"
#include "helpers/small.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <cmocka.h>

enum { CROPS = 10, LINE = 4096 };

/* All that is answered in one mode. No arithmetic here or below: it could trap itself. */
typedef struct answers {
    float run[SMALL_CLASSES], input[SMALL_FLOATS], largest[SMALL_CLASSES];
    size_t indices[SMALL_CLASSES];
    deeper_prediction top[SMALL_CLASSES];
    deeper_evaluation evaluation;
    deeper_train_result trained;
    char command[LINE], *model;
    size_t model_size;
} answers;

static char picture[TEST_PATH_SIZE];
static float *input;

/* What a call must leave as it was. */
typedef struct mode {
    int rounding, traps, flags;
    unsigned control; /* of SSE, flushing among it */
} mode;

static mode mode_now(void) {
    mode now = { .rounding = fegetround(),
                 .traps = fegetexcept(),
                 .flags = fetestexcept(FE_ALL_EXCEPT) };
#if defined(__x86_64__)
    now.control = _mm_getcsr();
#endif
    return now;
}

#define CALL(expected, call)                                                                       \
    do {                                                                                           \
        const mode before = mode_now();                                                            \
        assert_int_equal(call, expected);                                                          \
        const mode after = mode_now();                                                             \
        assert_memory_equal(&after, &before, sizeof after);                                        \
    } while (0)
#define DO(call) CALL(DEEPER_OK, call)

static void ask_model(answers *a) {
    char path[TEST_PATH_SIZE];
    float *outputs[] = { a->run };
    deeper_model *created = NULL, *model = NULL;
    deeper_session *session = NULL;
    deeper_image *image = NULL;
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    deeper_layer layer;
    size_t count = 0;
    test_path(path, run_root, "m.safetensors");
    options.preprocess = SMALL_PREPROCESS;
    DO(deeper_model_create(&created, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE, &options,
                           NULL));
    DO(deeper_model_initialize(created, 3, NULL));
    DO(deeper_model_save(created, path, NULL));
    DO(deeper_model_open(&model, path, NULL, NULL));
    DO(deeper_model_layer(model, 1, &layer, sizeof layer, NULL));
    DO(deeper_session_create(&session, model, NULL, NULL));
    DO(deeper_session_run(session, input, 1, outputs, NULL));
    CALL(SMALL_CLASSES,
         (int)deeper_top(a->run, SMALL_CLASSES, SMALL_CLASSES, a->indices, a->largest));
    DO(deeper_image_open(&image, picture, NULL, NULL));
    DO(deeper_prepare(model, image, 1, a->input, NULL));
    DO(deeper_classify(session, image, CROPS, a->top, SMALL_CLASSES, &count, NULL));
    for (size_t i = 0; i < count; i++)
        a->top[i].id = a->top[i].name = NULL;
    deeper_image_close(image);
    deeper_session_free(session);
    deeper_model_close(model);
    deeper_model_close(created);
}

static void ask_run(answers *a, const char *name) {
    char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
    deeper_train_options options = run_options(name);
    deeper_model *model = NULL;
    deeper_session *session = NULL;
    deeper_dataset *dataset = NULL;
    options.epochs = 1;
    DO(deeper_train(&options, NULL, &a->trained, sizeof a->trained, NULL));
    options.out = NULL;
    CALL(true, deeper_train_command(&options, a->command, sizeof a->command) > 1);
    test_path(folder, run_root, name);
    test_path(path, folder, "model.safetensors");
    a->model = test_read(path, &a->model_size);
    DO(deeper_model_open(&model, path, NULL, NULL));
    DO(deeper_session_create(&session, model, NULL, NULL));
    DO(deeper_dataset_open(&dataset, run_val, NULL, NULL, NULL));
    DO(deeper_evaluate(session, dataset, NULL, &a->evaluation, sizeof a->evaluation, NULL));
    deeper_dataset_close(dataset);
    deeper_session_free(session);
    deeper_model_close(model);
}

/* In a mode that `enter` sets. */
static answers *ask(void (*enter)(void), const char *name) {
    answers *a = calloc(1, sizeof *a);
    fenv_t kept;
    assert_non_null(a);
    fegetenv(&kept);
    feclearexcept(FE_ALL_EXCEPT);
    enter();
    ask_model(a);
    ask_run(a, name);
    fesetenv(&kept);
    a->trained.seconds = a->evaluation.seconds = 0;
    return a;
}

static void as_it_is(void) {
}

static void upward(void) {
    fesetround(FE_UPWARD);
}

static void downward(void) {
    fesetround(FE_DOWNWARD);
}

static void towards_zero(void) {
    fesetround(FE_TOWARDZERO);
}

static void traps(void) {
    feenableexcept(FE_ALL_EXCEPT);
}

static void flags(void) {
    feraiseexcept(FE_DIVBYZERO | FE_INVALID);
}

static void flushing(void) {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

static void test_modes(void **state) {
    static const struct {
        const char *name;
        void (*enter)(void);
    } modes[] = {
        { "upward", upward }, { "downward", downward }, { "zero", towards_zero },
        { "traps", traps },   { "flags", flags },       { "flushing", flushing },
    };
    answers *expected = ask(as_it_is, "default");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        answers *a = ask(modes[i].enter, modes[i].name);
        assert_int_equal(a->model_size, expected->model_size);
        assert_memory_equal(a->model, expected->model, expected->model_size);
        free(a->model);
        a->model = expected->model;
        assert_memory_equal(a, expected, sizeof *a);
        free(a);
    }
    free(expected->model);
    free(expected);
}

static int setup(void **state) {
    run_setup(state);
    test_path(picture, run_root, "picture.ppm");
    small_picture(picture, 1);
    input = small_input(1);
    return 0;
}

static int teardown(void **state) {
    free(input);
    return run_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_modes) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
