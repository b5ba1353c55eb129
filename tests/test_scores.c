/* test_scores.c - tables of evaluations: rows, averages, the base and the paired test on answers
 * made by hand; then saved answers, shards, merges and resumed evaluations of a small network,
 * which must give what an unbroken one gives. */
#include "eval/scores.h"
#include "helpers/helpers.h"
#include "helpers/small.h"
#include "image/crops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PICTURES = 13, UNREADABLE = 4, LONG = 64 };

static void refused(deeper_status status, deeper_status expected, const deeper_error *error,
                    const char *words) {
    assert_int_equal(status, expected);
    assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, words))
        fail_msg("\"%s\" should say \"%s\"", error->message, words);
}

/* -------------------------------------------------------------------------------------- by hand */

static dp_label three[] = { { "a", "A" }, { "b", "B" }, { "c", "C" } },
                turned[] = { { "c", "C" }, { "a", "A" }, { "b", "B" } },
                others[] = { { "a", "A" }, { "b", "B" }, { "d", "D" } };

static dp_probs_about about_of(int models, uint64_t pictures) {
    return (dp_probs_about){ .models = models,
                             .names = { "first", "second", "third" },
                             .crops = 1,
                             .classes = 3,
                             .labels = { .items = three, .count = 3 },
                             .data = "somewhere",
                             .pictures = pictures,
                             .shard = 1,
                             .shards = 1 };
}

/* 20 pictures of class 0. The first model is right in 12, the second in those and 6 more, and sure
 * of it; their average is as the surer one says. McNemar of 6 to 0: 2 / 2^6. The base is the model
 * with the fewest errors, the second. */
static void rows_base_and_test(void **state) {
    static const float right[] = { 0.9f, 0.06f, 0.04f }, wrong[] = { 0.3f, 0.6f, 0.1f };
    const dp_labels labels = { .items = three, .count = 3 };
    const dp_labels *const both[] = { &labels, &labels };
    dp_probs_about about = about_of(2, 20);
    dp_scores *scores = NULL;
    assert_int_equal(dp_scores_create(&scores, &about, both, 0, 0, DEEPER_COMBINE_MEAN, NULL, NULL),
                     DEEPER_OK);
    for (uint64_t i = 0; i < 20; i++) {
        const float *answers[] = { i < 12 ? right : wrong, i < 18 ? right : wrong };
        dp_scores_add(scores, i, 0, i == 19 ? NULL : answers);
    }
    assert_int_equal(scores->row_count, 3);
    assert_int_equal(scores->images, 19);
    assert_int_equal(scores->unreadable, 1);
    static const unsigned top1[] = { 12, 18, 18 };
    for (int row = 0; row < 3; row++) {
        deeper_score score;
        dp_scores_describe(scores, row, &score);
        assert_int_equal(score.images, 19);
        assert_int_equal(score.top1, top1[row]);
        assert_int_equal(score.top5, 19);
        assert_int_equal(score.models, row == 2 ? 2 : 1);
        assert_int_equal(score.base, row == 1);
        assert_true(fabs(score.top1_p - (row == 0 ? 2.0 / 64 : 1)) < 1e-12);
        assert_true(score.top5_p == 1);
        assert_true(fabs(score.top1_gain - (row == 0 ? -6.0 / 19 : 0)) < 1e-12);
    }
    /* The average of 0.9 and 0.3 is right with 0.6: bin 6 of the average's ten. */
    assert_int_equal(scores->rows[2].calibration.images[5] + scores->rows[2].calibration.images[6],
                     7);
    assert_int_equal(scores->confusion[0], 18);
    assert_int_equal(scores->confusion[1], 1);
    assert_int_equal(scores->mistakes.count, 1);
    assert_int_equal(scores->mistakes.items[0].image, 18);
    dp_scores_free(scores);
}

/* Classes in another order are matched by id; other classes are refused and named. */
static void classes_match_by_id(void **state) {
    const dp_labels labels = { .items = three, .count = 3 }, same = { .items = turned, .count = 3 },
                    other = { .items = others, .count = 3 }, fewer = { .items = three, .count = 2 };
    static const float a[] = { 0.7f, 0.2f, 0.1f },
                       b[] = { 0.1f, 0.7f, 0.2f }; /* both: class "a" with 0.7 */
    const dp_labels *lists[] = { &labels, &same };
    const float *answers[] = { a, b };
    dp_probs_about about = about_of(2, 1);
    dp_scores *scores = NULL;
    deeper_error error = { 0 };
    assert_int_equal(
        dp_scores_create(&scores, &about, lists, 0, 0, DEEPER_COMBINE_MEAN, NULL, NULL), DEEPER_OK);
    dp_scores_add(scores, 0, 0, answers);
    for (int row = 0; row < 3; row++) {
        assert_int_equal(scores->rows[row].metrics.top1, 1);
        assert_true(fabs(scores->rows[row].metrics.loss + log(0.7)) < 1e-6);
    }
    dp_scores_free(scores);
    lists[1] = &other;
    refused(dp_scores_create(&scores, &about, lists, 0, 0, DEEPER_COMBINE_MEAN, NULL, &error),
            DEEPER_ERROR_MISMATCH, &error, "second has no class \"c\"");
    lists[1] = &fewer;
    refused(dp_scores_create(&scores, &about, lists, 0, 0, DEEPER_COMBINE_MEAN, NULL, &error),
            DEEPER_ERROR_MISMATCH, &error, "must be the same");
}

/* Shards cover every picture once, whatever the numbers. */
static void shards_cover(void **state) {
    for (uint64_t pictures = 1; pictures < 40; pictures++)
        for (int shards = 1; (uint64_t)shards <= pictures; shards++) {
            dp_probs_about about = { .pictures = pictures, .shards = shards };
            uint64_t next = 0, begin, end;
            for (about.shard = 1; about.shard <= shards; about.shard++, next = end) {
                dp_probs_range(&about, &begin, &end);
                assert_int_equal(begin, next);
                assert_true(end > begin && end - begin <= pictures / (uint64_t)shards + 1);
            }
            assert_int_equal(next, pictures);
        }
}

/* ------------------------------------------------------------------------------ a small network */

typedef struct setting {
    char *folder;
    deeper_model *models[2];
    deeper_session *sessions[2];
    deeper_dataset *dataset;
    int stop_after, asked; /* control stops after that many pictures; 0: never */
} setting;

static deeper_control control(void *context) {
    setting *scene = context;
    return ++scene->asked == scene->stop_after ? DEEPER_STOP : DEEPER_SAVE;
}

static int setup(void **state) {
    static setting scene;
    char path[TEST_PATH_SIZE], name[LONG], text[PICTURES * LONG];
    int size = 0;
    scene.folder = test_folder();
    for (int i = 0; i < PICTURES; i++) {
        snprintf(name, sizeof name, "%d.ppm", i);
        test_path(path, scene.folder, name);
        if (i == UNREADABLE)
            test_write(path, "text", 4);
        else
            small_picture(path, i);
        size +=
            snprintf(text + size, sizeof text - (size_t)size, "%d.ppm %d\n", i, i % SMALL_CLASSES);
    }
    test_path(path, scene.folder, "list.txt");
    test_write(path, text, (size_t)size);
    assert_int_equal(deeper_dataset_open(&scene.dataset, path, NULL, NULL, NULL), DEEPER_OK);
    for (int m = 0; m < 2; m++) {
        deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
        options.max_batch = 4;
        scene.models[m] = small_model((uint64_t)m + 3, NULL);
        assert_int_equal(deeper_session_create(&scene.sessions[m], scene.models[m], &options, NULL),
                         DEEPER_OK);
    }
    *state = &scene;
    return 0;
}

static int teardown(void **state) {
    setting *scene = *state;
    for (int m = 0; m < 2; m++) {
        deeper_session_free(scene->sessions[m]);
        deeper_model_close(scene->models[m]);
    }
    deeper_dataset_close(scene->dataset);
    test_folder_remove(scene->folder);
    return 0;
}

static deeper_evaluate_options options_of(setting *scene, const char *save) {
    deeper_evaluate_options options = DEEPER_EVALUATE_OPTIONS_INIT;
    options.crops = 10;
    options.smaller = 1;
    options.save = save;
    options.control = control;
    options.context = scene;
    scene->asked = scene->stop_after = 0;
    return options;
}

static deeper_status measure(deeper_scores **scores, setting *scene, size_t count,
                             const deeper_evaluate_options *options, deeper_error *error) {
    return deeper_evaluate_models(scores, scene->sessions, count, scene->dataset, options, error);
}

static deeper_scores *measured(setting *scene, size_t count,
                               const deeper_evaluate_options *options) {
    deeper_scores *scores = NULL;
    deeper_error error = { 0 };
    if (measure(&scores, scene, count, options, &error))
        fail_msg("%s", error.message);
    return scores;
}

static deeper_scores *saved(const char *const *files, size_t count, int crops) {
    deeper_scores *scores = NULL;
    deeper_error error = { 0 };
    if (deeper_scores_open(&scores, files, count, crops, DEEPER_COMBINE_MEAN, NULL, &error))
        fail_msg("%s", error.message);
    return scores;
}

/* The same figures in every row, names aside; `only` rows of a (0: all), and both are freed. */
static void assert_same(deeper_scores *a, deeper_scores *b) {
    assert_int_equal(deeper_scores_rows(a), deeper_scores_rows(b));
    assert_int_equal(deeper_scores_unreadable(a), deeper_scores_unreadable(b));
    for (size_t i = 0; i < deeper_scores_rows(a); i++) {
        deeper_score x, y;
        assert_int_equal(deeper_scores_row(a, i, &x, sizeof x, NULL), DEEPER_OK);
        assert_int_equal(deeper_scores_row(b, i, &y, sizeof y, NULL), DEEPER_OK);
        assert_int_equal(!x.model, !y.model);
        assert_int_equal(x.models, y.models);
        assert_int_equal(x.crops, y.crops);
        assert_int_equal(x.base, y.base);
        assert_int_equal(x.images, y.images);
        assert_int_equal(x.top1, y.top1);
        assert_int_equal(x.top5, y.top5);
        assert_true(x.loss == y.loss);
        assert_true(x.calibration_error == y.calibration_error);
        assert_true(x.top1_p == y.top1_p);
    }
    deeper_scores_close(a);
    deeper_scores_close(b);
}

static void assert_same_files(const char *a, const char *b) {
    size_t size = 0, other = 0;
    char *x = test_read(a, &size), *y = test_read(b, &other);
    assert_int_equal(size, other);
    assert_memory_equal(x, y, size);
    free(x);
    free(y);
}

/* One ensemble: computed, saved, scored from one file and from two. */
static void saved_answers_score_the_same(void **state) {
    setting *scene = *state;
    char both[TEST_PATH_SIZE], one[TEST_PATH_SIZE], two[TEST_PATH_SIZE];
    test_path(both, scene->folder, "both");
    test_path(one, scene->folder, "one");
    test_path(two, scene->folder, "two");
    deeper_evaluate_options options = options_of(scene, NULL);
    deeper_scores *plain = measured(scene, 2, &options);
    assert_int_equal(deeper_scores_rows(plain), 6);
    assert_int_equal(deeper_scores_unreadable(plain), 1);
    options.save = both;
    assert_same(plain, measured(scene, 2, &options));
    const char *files[] = { both, NULL };
    plain = measured(
        scene, 2, &(deeper_evaluate_options){ .size = sizeof options, .crops = 10, .smaller = 1 });
    assert_same(plain, saved(files, 1, 0));
    setting second = *scene;
    second.sessions[0] = scene->sessions[1];
    options.save = one;
    deeper_scores_close(measured(scene, 1, &options));
    options.save = two;
    options.context = &second;
    deeper_scores_close(measured(&second, 1, &options));
    const char *pair[] = { one, two };
    assert_same(saved(files, 1, 0), saved(pair, 2, 0));
    options = options_of(scene, NULL);
    options.crops = 1;
    assert_same(measured(scene, 2, &options), saved(pair, 2, 1));
    unlink(both);
    unlink(one);
    unlink(two);
}

/* Stopped after every picture in turn and gone on with: the same file to the byte. */
static void a_resumed_evaluation_is_the_unbroken_one(void **state) {
    setting *scene = *state;
    char whole[TEST_PATH_SIZE], broken[TEST_PATH_SIZE];
    test_path(whole, scene->folder, "whole");
    test_path(broken, scene->folder, "broken");
    deeper_evaluate_options options = options_of(scene, whole);
    deeper_scores_close(measured(scene, 1, &options));
    for (int stop = 1; stop < PICTURES; stop += 3) {
        deeper_scores *scores = NULL;
        deeper_error error = { 0 };
        options = options_of(scene, broken);
        scene->stop_after = stop;
        refused(measure(&scores, scene, 1, &options, &error), DEEPER_ERROR_STOPPED, &error,
                "resume goes on");
        scene->stop_after = 0;
        refused(measure(&scores, scene, 1, &options, &error), DEEPER_ERROR_ARGUMENT, &error,
                "broken off");
        options.resume = 1;
        scene->asked = 0;
        const char *files[] = { whole };
        assert_same(measured(scene, 1, &options), saved(files, 1, 0));
        assert_int_equal(scene->asked, PICTURES - stop);
        assert_same_files(whole, broken);
        assert_same(measured(scene, 1, &options),
                    saved(files, 1, 0)); /* there is nothing left to do */
        options.crops = 1;
        refused(measure(&scores, scene, 1, &options, &error), DEEPER_ERROR_MISMATCH, &error,
                "another number of crops");
        options.crops = 10;
        refused(measure(&scores, scene, 2, &options, &error), DEEPER_ERROR_MISMATCH, &error,
                "other models");
        unlink(broken);
    }
    unlink(whole);
}

static void shards_merge_to_the_whole(void **state) {
    setting *scene = *state;
    enum { SHARDS = 3 };
    char whole[TEST_PATH_SIZE], merged[TEST_PATH_SIZE], parts[SHARDS][TEST_PATH_SIZE], name[LONG],
        other[TEST_PATH_SIZE];
    const char *order[] = { parts[2], parts[0], parts[1] };
    deeper_error error = { 0 };
    test_path(whole, scene->folder, "whole");
    test_path(merged, scene->folder, "merged");
    test_path(other, scene->folder, "other");
    deeper_evaluate_options options = options_of(scene, whole);
    deeper_scores_close(measured(scene, 2, &options));
    options.shards = SHARDS;
    for (int s = 0; s < SHARDS; s++) {
        snprintf(name, sizeof name, "part%d", s);
        test_path(parts[s], scene->folder, name);
        options.save = parts[s];
        options.shard = s + 1;
        deeper_scores_close(measured(scene, 2, &options));
    }
    assert_int_equal(deeper_scores_merge(merged, order, SHARDS, NULL, NULL), DEEPER_OK);
    assert_same_files(whole, merged);
    unlink(merged);
    refused(deeper_scores_merge(merged, order, 2, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "shard 2 of 3 is missing");
    assert_non_null(strstr(error.message, "10 crops and shard 2/3"));
    refused(deeper_scores_merge(merged, order, 1, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "shards 1, 2 of 3 are missing");
    const char *twice[] = { parts[0], parts[1], parts[1], parts[2] };
    refused(deeper_scores_merge(merged, twice, 4, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "overlap: both are shard 2 of 3");
    const char *mixed[] = { parts[0], whole };
    refused(deeper_scores_merge(merged, mixed, 2, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "another number of shards");
    refused(deeper_scores_merge(merged, mixed, 0, NULL, &error), DEEPER_ERROR_ARGUMENT, &error,
            "no shards");
    deeper_scores *scores = NULL;
    refused(deeper_scores_open(&scores, mixed, 2, 0, DEEPER_COMBINE_MEAN, NULL, &error),
            DEEPER_ERROR_MISMATCH, &error, "merge shards first");
    options.save = other;
    options.shard = 2;
    deeper_scores_close(measured(scene, 1, &options));
    const char *strangers[] = { parts[0], other, parts[2] };
    refused(deeper_scores_merge(merged, strangers, 3, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "other models");
    assert_int_equal(access(merged, F_OK), -1);
    options.shard = 4;
    refused(measure(&scores, scene, 1, &options, &error), DEEPER_ERROR_ARGUMENT, &error,
            "shard 4 of 3");
    options.shards = PICTURES + 1;
    refused(measure(&scores, scene, 1, &options, &error), DEEPER_ERROR_ARGUMENT, &error,
            "cannot be divided");
    for (int s = 0; s < SHARDS; s++)
        unlink(parts[s]);
    unlink(other);
    unlink(whole);
}

static void a_page_of_it(void **state) {
    setting *scene = *state;
    char page[TEST_PATH_SIZE], list[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    test_path(page, scene->folder, "page.html");
    deeper_evaluate_options options = options_of(scene, NULL);
    deeper_scores *scores = measured(scene, 2, &options);
    assert_int_equal(deeper_scores_report(scores, scene->dataset, "deeper eval <&>", page, NULL),
                     DEEPER_OK);
    size_t size = 0;
    char *text = test_read(page, &size);
    static const char *const wanted[] = { "Models and crops",
                                          "Calibration",
                                          "Precision",
                                          "Recall",
                                          "Most confused",
                                          "Reliability",
                                          "deeper eval &lt;&amp;&gt;",
                                          "data:image/png" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i]))
            fail_msg("no \"%s\" in the page", wanted[i]);
    free(text);
    assert_int_equal(deeper_scores_report(scores, NULL, NULL, page, NULL), DEEPER_OK);
    test_path(list, scene->folder, "short.txt");
    test_write(list, "1.ppm 1\n", 8);
    deeper_dataset *shorter = NULL;
    assert_int_equal(deeper_dataset_open(&shorter, list, NULL, NULL, NULL), DEEPER_OK);
    refused(deeper_scores_report(scores, shorter, NULL, page, &error), DEEPER_ERROR_MISMATCH,
            &error, "not those");
    refused(deeper_scores_report(scores, NULL, NULL, scene->folder, &error), DEEPER_ERROR_IO,
            &error, scene->folder);
    deeper_dataset_close(shorter);
    deeper_scores_close(scores);
}

/* A header that lies is refused, not believed. */
static void hostile_files(void **state) {
    static const char *const headers[] = {
        "{}",
        "[]",
        "{\"models\":[],\"classes\":3,\"crops\":1,\"labels\":[],\"data\":\"x\",\"fingerprint\":"
        "\"0000000000000000\",\"pictures\":1,"
        "\"shard\":1,\"shards\":1}",
        "{\"models\":[{\"name\":\"x\",\"weights\":\"0000000000000000\"}],\"classes\":3,\"crops\":7,"
        "\"labels\":[],\"data\":\"x\","
        "\"fingerprint\":\"0000000000000000\",\"pictures\":1,\"shard\":1,\"shards\":1}",
        "{\"models\":[{\"name\":\"x\",\"weights\":\"0000000000000000\"}],\"classes\":65536,"
        "\"crops\":144,\"labels\":[],\"data\":"
        "\"x\",\"fingerprint\":\"0000000000000000\",\"pictures\":1,\"shard\":1,\"shards\":1}",
        "{\"models\":[{\"name\":\"x\",\"weights\":\"0000000000000000\"}],\"classes\":3,\"crops\":1,"
        "\"labels\":[],\"data\":\"x\","
        "\"fingerprint\":\"0000000000000000\",\"pictures\":2,\"shard\":3,\"shards\":2}",
    };
    const setting *scene = *state;
    char path[TEST_PATH_SIZE];
    test_path(path, scene->folder, "hostile");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        dp_journal *journal = NULL;
        dp_probs *probs = NULL;
        deeper_error error = { 0 };
        char record[44] = { 0 };
        assert_int_equal(dp_journal_create(&journal, path, headers[i], strlen(headers[i]),
                                           sizeof record, NULL, NULL),
                         DEEPER_OK);
        assert_int_equal(dp_journal_append(journal, record, NULL), DEEPER_OK);
        assert_int_equal(dp_journal_sync(journal, true, NULL), DEEPER_OK);
        dp_journal_close(journal);
        refused(dp_probs_open(&probs, path, NULL, &error), DEEPER_ERROR_FORMAT, &error, path);
        unlink(path);
    }
}

/* One of two thousand million shards: named and bounded, in time and memory. */
static void endless_shards(void **state) {
    static const char header[] =
        "{\"models\":[{\"name\":\"x\",\"weights\":\"0000000000000000\"}],\"classes\":3,\"crops\":1,"
        "\"labels\":[],\"data\":\"x\",\"fingerprint\":\"0000000000000000\",\"pictures\":2147483647,"
        "\"shard\":3,\"shards\":2147483647}";
    const setting *scene = *state;
    char path[TEST_PATH_SIZE], merged[TEST_PATH_SIZE], record[44] = { 2 }; /* of picture 2 */
    test_path(path, scene->folder, "endless");
    test_path(merged, scene->folder, "merged");
    dp_journal *journal = NULL;
    deeper_error error = { 0 };
    assert_int_equal(
        dp_journal_create(&journal, path, header, strlen(header), sizeof record, NULL, NULL),
        DEEPER_OK);
    assert_int_equal(dp_journal_append(journal, record, NULL), DEEPER_OK);
    assert_int_equal(dp_journal_sync(journal, true, NULL), DEEPER_OK);
    dp_journal_close(journal);
    const char *parts[] = { path };
    refused(deeper_scores_merge(merged, parts, 1, NULL, &error), DEEPER_ERROR_MISMATCH, &error,
            "shards 1, 2, 4, 5, 6,");
    assert_non_null(strstr(error.message, "... of 2147483647 are missing"));
    assert_non_null(strstr(error.message, "shard 1/2147483647 and so on"));
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_base_and_test),
        cmocka_unit_test(classes_match_by_id),
        cmocka_unit_test(shards_cover),
        cmocka_unit_test(saved_answers_score_the_same),
        cmocka_unit_test(a_resumed_evaluation_is_the_unbroken_one),
        cmocka_unit_test(shards_merge_to_the_whole),
        cmocka_unit_test(a_page_of_it),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(endless_shards),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
