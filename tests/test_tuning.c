/* test_tuning.c - tunings: their files (there and back, hostile, of other machines), the choices
 * that exist, sessions that compute as a file says, and deeper_tune itself on a tiny network. What
 * is faster is not asked here. */
#include "api/handles.h"
#include "formats/tuning.h"
#include "helpers/helpers.h"
#include "helpers/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES = 2 };

#define HEAD "{\"deeper_tuning\": 1, \"machine\": \"here\", \"convolutions\": ["
#define KEY_REST                                                                                   \
    "\"precision\": \"fp32\", \"channels\": 8, \"outputs\": 16, \"height\": 14, \"width\": 14, "
#define KEY "\"isa\": \"portable\", " KEY_REST
#define SOUND "{" KEY "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": false, \"panel\": 1}"

static char *folder;
static char file[TEST_PATH_SIZE];
static deeper_model *model;

static int setup(void **state) {
    folder = test_folder();
    test_path(file, folder, "t.json");
    model = small_model(1, NULL);
    return 0;
}

static int teardown(void **state) {
    deeper_model_close(model);
    test_folder_remove(folder);
    return 0;
}

static deeper_status parse(dp_tuning *tuning, const char *text, deeper_error *error) {
    *error = (deeper_error){ 0 };
    return dp_tuning_parse(tuning, text, strlen(text), "t.json", "here", NULL, error);
}

static void test_there_and_back(void **state) {
    const dp_tuned items[] = {
        { { DP_ISA_PORTABLE, 8, 16, 14, 14, 3, 1 }, { 6, true, 2 } },
        { { DP_ISA_PORTABLE, 8, 16, 14, 14, 4, 2 }, { 0, false, 1 } },
        { { DP_ISA_AVX512, 12, 64, 112, 112, 4, 2 }, { 8, true, 2 } },
        { { DP_ISA_NEON, 12, 64, 112, 112, 4, 2 }, { 8, false, 2 } },
    };
    const size_t count = sizeof items / sizeof *items;
    dp_tuning tuning = { 0 }, back;
    deeper_error error = { 0 };
    for (size_t i = 0; i < count; i++)
        assert_int_equal(dp_tuning_put(&tuning, &items[i], NULL), DEEPER_OK);
    remove(file);
    assert_int_equal(dp_tuning_join(&tuning, file, NULL), DEEPER_OK);
    if (dp_tuning_read(&back, file, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(deeper_tuning_check(file, NULL), DEEPER_OK);
    assert_int_equal(back.count, count);
    for (size_t i = 0; i < count; i++) {
        const dp_tuning_choice *answer = dp_tuning_find(&back, &items[i].key);
        assert_true(answer && dp_tuning_same_choice(answer, &items[i].choice));
    }
    dp_tuned other = { items[0].key,
                       { 0, false, 1 } }; /* replaces, and everything in a key counts */
    assert_int_equal(dp_tuning_put(&back, &other, NULL), DEEPER_OK);
    assert_int_equal(back.count, count);
    assert_int_equal(dp_tuning_find(&back, &items[0].key)->points, 0);
    other.key.width++;
    assert_null(dp_tuning_find(&back, &other.key));
    assert_null(dp_tuning_find(NULL, &items[0].key));
    dp_tuning_free(&tuning);
    dp_tuning_free(&back);
}

static void test_refused(void **state) {
    static const struct {
        const char *text;
        deeper_status status;
    } files[] = {
        { "", DEEPER_ERROR_FORMAT },
        { "{", DEEPER_ERROR_FORMAT },
        { "[]", DEEPER_ERROR_FORMAT },
        { "[[[[", DEEPER_ERROR_FORMAT },
        { "{\"deeper_tuning\": \"1\"}", DEEPER_ERROR_FORMAT },
        { "{\"deeper_tuning\": 1}", DEEPER_ERROR_FORMAT },
        { "{\"deeper_tuning\": 2}", DEEPER_ERROR_MISMATCH },
        { "{\"deeper_tuning\": 1, \"machine\": \"there\\nthere\"}", DEEPER_ERROR_MISMATCH },
        { "{\"deeper_tuning\": 1, \"machine\": \"here\"}", DEEPER_ERROR_FORMAT },
        { HEAD "1]}", DEEPER_ERROR_FORMAT },
        { HEAD "{}]}", DEEPER_ERROR_FORMAT },
        { HEAD SOUND "," SOUND "]}", DEEPER_ERROR_FORMAT }, /* twice */
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 1, \"points\": 9, \"even\": false, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 1, \"points\": 3, \"even\": false, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 7, \"phases\": 1, \"points\": 8, \"even\": false, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 3, \"points\": 4, \"even\": false, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": 0, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": false, \"panel\": 0}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": false, \"panel\": 5}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY
               "\"taps\": 3, \"phases\": 1, \"points\": 4.0, \"even\": false, \"panel\": 1}]}",
          DEEPER_ERROR_FORMAT },
        { HEAD "{" KEY "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": false}]}",
          DEEPER_ERROR_FORMAT },
    };
    dp_tuning tuning;
    deeper_error error;
    assert_int_equal(parse(&tuning, HEAD SOUND "]}", &error), DEEPER_OK);
    dp_tuning_free(&tuning);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (parse(&tuning, files[i].text, &error) != files[i].status)
            fail_msg("file %zu: %s", i, error.message);
        assert_int_equal(error.status, files[i].status);
        assert_int_equal(strncmp(error.message, "t.json: ", 8), 0);
        assert_non_null(strstr(error.message, "measure it anew"));
        assert_null(strchr(error.message, '\n'));
        dp_tuning_free(&tuning);
    }
}

/* Processes that add to one file at once: each key of each is there at the end. */
static void test_join(void **state) {
    enum { ADDERS = 4, KEYS = 12 };
    pid_t adders[ADDERS];
    dp_tuning all;
    deeper_error error = { 0 };
    remove(file);
    for (int i = 0; i < ADDERS; i++) {
        adders[i] = fork();
        assert_true(adders[i] >= 0);
        if (adders[i])
            continue;
        int failed = 0;
        for (int k = 0; k < KEYS; k++) {
            dp_tuning tuning = { 0 };
            const dp_tuned item = { { DP_ISA_PORTABLE, 8 + i, 16 + k, 14, 14, 3, 1 },
                                    { 4, false, 1 } };
            failed |= dp_tuning_put(&tuning, &item, NULL) || dp_tuning_join(&tuning, file, NULL);
            dp_tuning_free(&tuning);
        }
        _exit(failed);
    }
    for (int i = 0; i < ADDERS; i++) {
        int ended = 1;
        assert_int_equal(waitpid(adders[i], &ended, 0), adders[i]);
        assert_int_equal(ended, 0);
    }
    if (dp_tuning_read(&all, file, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(all.count, ADDERS * KEYS);
    dp_tuning_free(&all);
    assert_int_equal(test_folder_count(folder), 1);
}

static void test_too_many(void **state) {
    dp_tuning tuning = { 0 }, back;
    deeper_error error = { 0 };
    dp_buffer text;
    for (int i = 0; i <= DP_TUNING_MAX; i++) {
        const dp_tuned item = { { DP_ISA_PORTABLE, i + 1, 16, 14, 14, 3, 1 }, { 4, false, 1 } };
        assert_int_equal(dp_tuning_put(&tuning, &item, &error),
                         i < DP_TUNING_MAX ? DEEPER_OK : DEEPER_ERROR_LIMIT);
    }
    dp_buffer_init(&text, NULL, 16 << 20);
    dp_tuning_print(&tuning, "here", &text);
    assert_false(text.failed);
    assert_int_equal(dp_tuning_parse(&back, text.data, text.size, "t.json", "here", NULL, &error),
                     DEEPER_OK);
    assert_int_equal(back.count, DP_TUNING_MAX);
    dp_tuning_free(&back);
    dp_buffer_free(&text);
    dp_tuning_free(&tuning);
}

/* Each way is there once, and together they are what kernels.h and winograd.h can do. */
static void test_candidates(void **state) {
    static const int sizes[] = { 1, 2, 7, 14, 28, 56, 57 };
    dp_tuning_choice all[DP_TUNING_CANDIDATES];
    for (int taps = DP_WINOGRAD_TAPS_MIN; taps <= DP_WINOGRAD_TAPS_MAX; taps++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int outputs = 1; outputs < 300; outputs += 37) {
                const dp_tuning_key key = { DP_ISA_PORTABLE, 8,    outputs, sizes[s],
                                            sizes[6 - s],    taps, 1 };
                int count = dp_winograd_candidates(all, &key);
                assert_in_range(count, 1 + DP_WINOGRAD_POINTS - taps, DP_TUNING_CANDIDATES);
                assert_int_equal(all[0].points, 0);
                for (int i = 1; i < count; i++) {
                    assert_in_range(all[i].points, taps + 1, DP_WINOGRAD_POINTS);
                    for (int j = 0; j < i; j++)
                        assert_false(dp_tuning_same_choice(&all[i], &all[j]));
                }
            }
}

/* ------------------------------------------------------------------------------------- sessions */

static deeper_session *session_of(const char *tuning, int threads, int batch) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    options.tuning = tuning;
    options.threads = threads;
    options.max_batch = batch;
    if (deeper_session_create(&session, model, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return session;
}

static void classify(deeper_session *session, int at_once,
                     float probabilities[IMAGES * SMALL_CLASSES]) {
    float *input = small_input(IMAGES);
    for (int i = 0; i < IMAGES; i += at_once) {
        float *output = probabilities + i * SMALL_CLASSES;
        assert_int_equal(
            deeper_session_run(session, input + (size_t)i * SMALL_FLOATS, at_once, &output, NULL),
            DEEPER_OK);
    }
    free(input);
}

/* Writes a file with choice `index` (of those there are) for every convolution of the network; how
 * many. */
static int write_choices(int index) {
    deeper_session *session = session_of(NULL, 1, 1);
    const dp_plan *plan = session->session->plan;
    dp_tuning tuning = { 0 };
    dp_tuning_choice all[DP_TUNING_CANDIDATES];
    int steps = 0;
    for (int i = 0; i < dp_plan_steps(plan); i++) {
        const dp_chosen chosen = dp_plan_step_at(plan, i).chosen;
        assert_false(chosen.tuned);
        if (!chosen.key.channels)
            continue;
        int count = dp_winograd_candidates(all, &chosen.key), own = 0;
        for (int k = 0; k < count; k++)
            own += dp_tuning_same_choice(&all[k], &chosen.choice);
        assert_int_equal(own, 1); /* what the planner chose of itself is one of them */
        assert_int_equal(
            dp_tuning_put(&tuning, &(dp_tuned){ chosen.key, all[index % count] }, NULL), DEEPER_OK);
        steps++;
    }
    remove(file);
    assert_int_equal(dp_tuning_join(&tuning, file, NULL), DEEPER_OK);
    dp_tuning_free(&tuning);
    deeper_session_free(session);
    return steps;
}

/* What a file is said to be, of whatever machine. */
static void test_examine(void **state) {
    deeper_tuning_contents contents;
    deeper_error error = { 0 };
    static const char text[] = HEAD SOUND
        ", {" KEY "\"taps\": 5, \"phases\": 1, \"points\": 0, \"even\": false, \"panel\": 1},"
        "{\"isa\": \"neon\"," KEY_REST
        "\"taps\": 3, \"phases\": 1, \"points\": 4, \"even\": false, "
        "\"panel\": 1}]}";
    test_write(file, text, sizeof text - 1);
    if (deeper_tuning_examine(file, &contents, sizeof contents, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(contents.machine, "here");
    assert_int_equal(contents.here, 0);
    assert_int_equal(contents.set_count, 2);
    assert_string_equal(contents.sets[0].isa, "portable");
    assert_int_equal(contents.sets[0].choices, 2);
    assert_int_equal(contents.sets[0].direct, 1);
    assert_string_equal(contents.sets[1].isa, "neon");
    assert_int_equal(contents.sets[1].choices, 1);
    int steps = write_choices(0);
    assert_int_equal(deeper_tuning_examine(file, &contents, sizeof contents, &error), DEEPER_OK);
    assert_int_equal(contents.here, 1);
    assert_int_equal(contents.set_count, 1);
    assert_in_range(contents.sets[0].choices, 1, steps);
    assert_int_equal(contents.sets[0].direct, contents.sets[0].choices);
    test_write(file, HEAD "1]}", strlen(HEAD "1]}"));
    assert_int_equal(deeper_tuning_examine(file, &contents, sizeof contents, &error),
                     DEEPER_ERROR_FORMAT);
    remove(file);
    assert_int_equal(deeper_tuning_examine(file, &contents, sizeof contents, &error),
                     DEEPER_ERROR_IO);
    assert_int_equal(deeper_tuning_examine(NULL, &contents, sizeof contents, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_tuning_examine(file, NULL, 0, &error), DEEPER_ERROR_ARGUMENT);
}

/* The largest difference of a probability between two ways was seen as 1.5e-7 (avx512), 1.8e-7
 * (avx2) and 3.3e-7 (portable); thirty times that is another computation. */
static void test_sessions(void **state) {
    float own[IMAGES * SMALL_CLASSES], tuned[IMAGES * SMALL_CLASSES], other[IMAGES * SMALL_CLASSES];
    deeper_session *session = session_of(NULL, 1, 1);
    assert_int_equal(deeper_session_tuned(session), 0);
    assert_null(strstr(deeper_session_plan(session), ", tuned"));
    classify(session, 1, own);
    for (int index = 0; index < DP_TUNING_CANDIDATES; index += index < 2 ? 1 : 7) {
        int steps = write_choices(index);
        deeper_session *one = session_of(file, 1, 1), *three = session_of(file, 3, IMAGES);
        assert_true(steps >= 19);
        assert_int_equal(deeper_session_tuned(one), steps);
        assert_non_null(strstr(deeper_session_plan(one), ", tuned"));
        if (index == 0)
            assert_null(strstr(deeper_session_plan(one), "winograd"));
        classify(one, 1, tuned);
        classify(three, IMAGES, other);
        assert_memory_equal(tuned, other,
                            sizeof tuned); /* neither threads nor batch change a bit */
        for (int i = 0; i < IMAGES * SMALL_CLASSES; i++)
            assert_float_equal(tuned[i], own[i], 1e-5F);
        deeper_session_free(one);
        deeper_session_free(three);
    }
    deeper_session_free(session);
}

static void test_direct_knows_none(void **state) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    write_choices(3);
    options.tuning = file;
    options.direct = 1;
    assert_int_equal(deeper_session_create(&session, model, &options, NULL), DEEPER_OK);
    assert_int_equal(deeper_session_tuned(session), 0);
    assert_null(strstr(deeper_session_plan(session), "winograd"));
    deeper_session_free(session);
}

static void test_bad_files(void **state) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_session *session = NULL;
    deeper_error error = { 0 };
    options.tuning = file;
    remove(file);
    assert_int_equal(deeper_session_create(&session, model, &options, &error), DEEPER_ERROR_IO);
    assert_int_equal(deeper_tuning_check(file, &error), DEEPER_ERROR_IO);
    assert_int_equal(deeper_tuning_check(folder, &error), DEEPER_ERROR_IO);
    test_write(file, "no", 2);
    assert_int_equal(deeper_session_create(&session, model, &options, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "t.json"));
    assert_int_equal(deeper_tuning_check(file, &error), DEEPER_ERROR_FORMAT);
    test_write(file, HEAD "]}", strlen(HEAD "]}"));
    assert_int_equal(deeper_session_create(&session, model, &options, &error),
                     DEEPER_ERROR_MISMATCH);
    assert_int_equal(deeper_tuning_check(file, &error), DEEPER_ERROR_MISMATCH);
    assert_null(session);
}

/* --------------------------------------------------------------------------------------- tuning */

typedef struct told {
    int layers, changed;
    uint64_t done, total;
} told;

static void progress(void *context, uint64_t done, uint64_t total) {
    told *notes = context;
    assert_int_equal(done, notes->done + 1);
    notes->done = done;
    notes->total = total;
}

static void take_layer(void *context, const deeper_tuned_layer *layer) {
    told *notes = context;
    assert_true(layer->layers >= 1 && *layer->model && *layer->tuned && layer->model_ms > 0);
    assert_int_equal(layer->changed, strcmp(layer->model, layer->tuned) != 0);
    notes->layers += layer->layers;
    notes->changed += layer->changed;
}

static deeper_model *tiny_model(const deeper_allocator *allocator) {
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    deeper_model *tiny = NULL;
    options.allocator = allocator;
    if (deeper_model_create(&tiny, "lenet5", 3, 28, &options, NULL) == DEEPER_OK)
        assert_int_equal(deeper_model_initialize(tiny, 1, NULL), DEEPER_OK);
    return tiny;
}

/* What the file of another network has stays; a damaged file is replaced; a session uses what was
 * found. */
static void test_tune(void **state) {
    deeper_tune_options options = DEEPER_TUNE_OPTIONS_INIT;
    deeper_tuning_result result;
    deeper_error error = { 0 };
    deeper_model *tiny = tiny_model(NULL);
    dp_tuning tuning;
    told notes = { 0 };
    options.progress = progress;
    options.context = &notes;
    options.threads = 1;
    int steps = write_choices(1);
    assert_int_equal(dp_tuning_read(&tuning, file, NULL, NULL), DEEPER_OK);
    size_t before = tuning.count;
    dp_tuning_free(&tuning);
    for (int round = 0; round < 2; round++) {
        notes = (told){ 0 };
        if (deeper_tune(tiny, file, &options, take_layer, &notes, &result, sizeof result, &error)
            != DEEPER_OK)
            fail_msg("%s", error.message);
        assert_int_equal(notes.done, notes.total);
        assert_true(result.kinds >= 1 && notes.layers >= result.kinds && result.threads == 1);
        assert_int_equal(notes.changed, result.changed);
        assert_true(result.model_ms > 0 && result.tuned_ms > 0 && *result.isa);
        assert_int_equal(dp_tuning_read(&tuning, file, NULL, &error), DEEPER_OK);
        assert_int_equal(tuning.count, (round ? 0 : before) + (size_t)result.kinds);
        dp_tuning_free(&tuning);
        if (round == 0) {
            deeper_session *session = session_of(file, 1, 1);
            assert_int_equal(deeper_session_tuned(session), steps);
            deeper_session_free(session);
        }
        test_write(file, "{", 1);
    }
    assert_int_equal(
        deeper_tune(tiny, "/nonexistent/t.json", &options, NULL, NULL, NULL, 0, &error),
        DEEPER_ERROR_IO);
    assert_int_equal(deeper_tune(NULL, file, NULL, NULL, NULL, NULL, 0, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_tune(tiny, NULL, NULL, NULL, NULL, NULL, 0, &error),
                     DEEPER_ERROR_ARGUMENT);
    options.batch = -1;
    assert_int_equal(deeper_tune(tiny, file, &options, NULL, NULL, NULL, 0, &error),
                     DEEPER_ERROR_ARGUMENT);
    deeper_model_close(tiny);
}

static deeper_control stop_at_third(void *context) {
    const told *notes = context;
    return notes->done < 3 ? DEEPER_SAVE : DEEPER_STOP;
}

static void test_stopped(void **state) {
    deeper_tune_options options = DEEPER_TUNE_OPTIONS_INIT;
    deeper_error error = { 0 };
    deeper_model *tiny = tiny_model(NULL);
    told notes = { 0 };
    options.progress = progress;
    options.control = stop_at_third;
    options.context = &notes;
    remove(file);
    assert_int_equal(deeper_tune(tiny, file, &options, take_layer, &notes, NULL, 0, &error),
                     DEEPER_ERROR_STOPPED);
    assert_int_equal(notes.done, 3);
    assert_int_equal(notes.layers, 0);
    assert_non_null(strstr(error.message, "after 3 of "));
    assert_int_equal(test_folder_count(folder), 0);
    deeper_model_close(tiny);
}

/* Allocations that fail: the first ones in turn, then some of the thousands that all plans take. */
static void test_memory(void **state) {
    deeper_tune_options options = DEEPER_TUNE_OPTIONS_INIT;
    options.threads = 1;
    bool done = false;
    for (long n = 1; !done; n += n < 150 ? 1 : n) {
        test_failing_allocator failing;
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, 0);
        remove(file);
        deeper_model *tiny = tiny_model(&failing.allocator);
        long calls = failing.calls;
        failing.fail_at = calls + n;
        deeper_status status = deeper_tune(tiny, file, &options, NULL, NULL, NULL, 0, &error);
        done = failing.calls < calls + n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(test_folder_count(folder), done ? 1 : 0);
        deeper_model_close(tiny);
        assert_int_equal(failing.outstanding, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many),       cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_sessions),       cmocka_unit_test(test_direct_knows_none),
        cmocka_unit_test(test_join),           cmocka_unit_test(test_examine),
        cmocka_unit_test(test_bad_files),      cmocka_unit_test(test_tune),
        cmocka_unit_test(test_stopped),        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
