/* test_compare.c - what a comparison is made of: Wilson's interval, counters of energy, members and
 * presets, the plot of points, and deeper_compare as a host sees it. The table, its files and
 * training are tests/cli/test_compare.sh's. */
#include "base/energy.h"
#include "helpers/helpers.h"
#include "helpers/markup.h"
#include "measure/compare.h"
#include "report/plot.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* --------------------------------------------------------------------------------------- energy */

static void write_zone(const char *folder, int zone, const char *name, const char *energy,
                       const char *range) {
    char path[TEST_PATH_SIZE], part[64];
    snprintf(part, sizeof part, "intel-rapl:%d", zone);
    test_path(path, folder, part);
    mkdir(path, 0777);
    const char *const files[][2] = { { "name", name },
                                     { "energy_uj", energy },
                                     { "max_energy_range_uj", range } };
    for (size_t i = 0; i < 3; i++) {
        snprintf(part, sizeof part, "intel-rapl:%d/%s", zone, files[i][0]);
        test_path(path, folder, part);
        test_write(path, files[i][1], strlen(files[i][1]));
    }
}

static void test_energy(void **state) {
    (void)state;
    char *folder = test_folder();
    dp_energy energy;
    assert_false(dp_energy_open(&energy, folder));
    write_zone(folder, 0, "package-0\n", "1000000\n", "9000000\n");
    write_zone(folder, 1, "psys\n", "5\n",
               "9000000\n"); /* the whole machine: it holds the packages, so it does not count */
    write_zone(folder, 3, "package-1\n", "8000000\n", "9000000\n");
    assert_true(dp_energy_open(&energy, folder));
    assert_int_equal(energy.zones, 2);
    assert_true(dp_energy_taken(&energy) == 0);
    write_zone(folder, 0, "package-0\n", "1500000\n", "9000000\n");
    write_zone(folder, 3, "package-1\n", "250000\n", "9000000\n"); /* began again: 1.25 J */
    assert_true(fabs(dp_energy_taken(&energy) - 1.75) < 1e-9);
    write_zone(folder, 0, "package-0\n", "no number", "9000000\n");
    assert_true(isnan(dp_energy_taken(&energy)));
    dp_energy_close(&energy);
    write_zone(folder, 0, "package-0\n", "1500000\n", "no number");
    write_zone(folder, 3, "package-1\n", "", "9000000\n");
    assert_false(dp_energy_open(&energy, folder));
    test_folder_remove(folder);
}

/* -------------------------------------------------------------------------------------- members */

static deeper_status expand(dp_member *members, size_t *count, const char *preset, const char *base,
                            int size) {
    deeper_compare_options options = DEEPER_COMPARE_OPTIONS_INIT;
    options.preset = preset;
    options.base = base;
    options.image_size = size;
    return dp_compare_members(members, count, &options, NULL);
}

static void test_members(void **state) {
    static dp_member members[DP_MEMBERS];
    static const char *const texts[] = { "googlenet:module=naive@64/10", "nin/144", "alexnet" };
    deeper_compare_options options = DEEPER_COMPARE_OPTIONS_INIT;
    size_t count;
    (void)state;
    options.members = texts;
    options.member_count = 3;
    assert_int_equal(dp_compare_members(members, &count, &options, NULL), DEEPER_OK);
    assert_int_equal(count, 3);
    assert_string_equal(members[0].spec, "googlenet:module=naive");
    assert_string_equal(members[0].text, texts[0]);
    assert_true(members[0].image_size == 64 && members[0].crops == 10);
    assert_true(members[1].image_size == 224 && members[1].crops == 144);
    assert_true(members[2].image_size == 224 && members[2].crops == 1);

    assert_int_equal(expand(members, &count, "size", "googlenet:stem=small", 40), DEEPER_OK);
    assert_int_equal(count, 4);
    assert_string_equal(members[0].text, "googlenet:stem=small@20");
    assert_string_equal(members[1].text, "googlenet:stem=small@30");
    assert_string_equal(members[2].text, "googlenet:stem=small");
    assert_true(members[3].image_size == 50);
    assert_int_equal(expand(members, &count, "depth-width", NULL, 0), DEEPER_OK);
    assert_string_equal(members[0].spec, "googlenet:depth=10");
    assert_string_equal(members[3].spec, "googlenet");
    assert_int_equal(expand(members, &count, "crops", "nin", 0), DEEPER_OK);
    assert_string_equal(members[2].text, "nin/144");
    assert_string_equal(members[2].spec, "nin");
    assert_int_equal(expand(members, &count, "nosuch", NULL, 0), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(expand(members, &count, "size", NULL, INT_MAX), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(expand(members, &count, "size", NULL, -1), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(expand(members, &count, "norm", "googlenet@64", 0), DEEPER_ERROR_ARGUMENT);

    static const char *const bad[] = {
        "",     "@64",   "nin@",     "nin@0", "nin@4097", "nin@64x", "nin@99999999999",
        "nin/", "nin/2", "nin/10/10"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.members = &bad[i];
        options.member_count = 1;
        if (dp_compare_members(members, &count, &options, NULL) != DEEPER_ERROR_ARGUMENT)
            fail_msg("%s is a member", bad[i]);
    }
}

/* --------------------------------------------------------------------------------------- points */

static void test_scatter(void **state) {
    static const dp_point points[] = {
        { "small <net>", 0.4, 0.88, 0.86, 0.9 }, { "beside it", 0.41, 0.88, 0.85, 0.91 },
        { "large", 12568, 0.95, 0.94, 0.96 },    { "no result", 30, NAN, NAN, NAN },
        { "no cost", 0, 0.5, 0.4, 0.6 },
    };
    (void)state;
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_scatter_write(&buffer, &(dp_scatter){ .title = "Top-1",
                                             .x_name = "multiply-adds",
                                             .percent = true,
                                             .logarithmic = false,
                                             .points = points,
                                             .count = 5 });
    test_check_markup(buffer.data);
    assert_int_equal(test_occurrences(buffer.data, "<circle"), 3);
    assert_int_equal(test_occurrences(buffer.data, "<path class=\"line"), 3);
    assert_int_equal(test_occurrences(buffer.data, "small &lt;net&gt;</text>"), 1);
    assert_null(strstr(buffer.data, "no result"));
    assert_non_null(strstr(buffer.data, ">100</text>")); /* a tick of the logarithmic axis */
    dp_buffer_free(&buffer);
    /* Names at one place do not stand on one another: the second goes to the other side or
     * below. */
    static const dp_point crowd[] = { { "first", 10, 0.5, 0.4, 0.6 },
                                      { "second", 10, 0.5, 0.4, 0.6 },
                                      { "third", 10, 0.5, 0.4, 0.6 },
                                      { "far", 1000, 0.9, 0.8, 1 } };
    double x[3], y[3];
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_scatter_write(&buffer, &(dp_scatter){ .title = "Top-1",
                                             .x_name = "multiply-adds",
                                             .percent = true,
                                             .logarithmic = false,
                                             .points = crowd,
                                             .count = 4 });
    for (int i = 0; i < 3; i++) {
        char end[32];
        snprintf(end, sizeof end, ">%s</text>", crowd[i].name);
        const char *at = strstr(buffer.data, end);
        assert_non_null(at);
        while (strncmp(at, "<text", 5) != 0)
            at--;
        x[i] = strtod(strstr(at, "x=\"") + 3, NULL);
        y[i] = strtod(strstr(at, "y=\"") + 3, NULL);
    }
    assert_true(x[0] != x[1] || fabs(y[0] - y[1]) >= 12);
    assert_true((x[2] != x[0] || fabs(y[2] - y[0]) >= 12)
                && (x[2] != x[1] || fabs(y[2] - y[1]) >= 12));
    dp_buffer_free(&buffer);
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_scatter_write(&buffer, &(dp_scatter){ .title = "Top-1",
                                             .x_name = "multiply-adds",
                                             .percent = true,
                                             .points = points + 3,
                                             .count = 2 });
    assert_int_equal(buffer.size, 0);
    static const dp_point times[] = { { "a", 1, 0.01, NAN, NAN },
                                      { "b", 100, 12, NAN, NAN },
                                      { "none", 10, 0, NAN, NAN } };
    dp_scatter_write(&buffer, &(dp_scatter){ .title = "Time",
                                             .x_name = "multiply-adds",
                                             .percent = false,
                                             .logarithmic = true,
                                             .points = times,
                                             .count = 3 });
    test_check_markup(buffer.data);
    assert_int_equal(test_occurrences(buffer.data, "<circle"), 2);
    assert_non_null(strstr(buffer.data, "(log scale)"));
    dp_buffer_free(&buffer);
}

/* ------------------------------------------------------------------------------------- the call */

typedef struct host {
    size_t begun, done;
    uint64_t parameters;
} host;

static void count_begin(void *context, const char *member, size_t index, size_t count) {
    host *h = context;
    assert_int_equal(index, h->begun++);
    assert_int_equal(count, 2);
}

static void count_done(void *context, const deeper_compared *compared, size_t index, size_t count) {
    host *h = context;
    assert_int_equal(index, h->done++);
    assert_int_equal(h->begun, h->done);
    assert_int_equal(compared->status, DEEPER_OK);
    assert_true(isnan(compared->forward_ms) && isnan(compared->joules)
                && isnan(compared->top1_low));
    h->parameters += compared->parameters;
}

static void test_call(void **state) {
    static const char *const members[] = { "lenet5@32", "lenet5:form=published@32" };
    deeper_compare_options options = DEEPER_COMPARE_OPTIONS_INIT;
    deeper_train_options train = DEEPER_TRAIN_OPTIONS_INIT;
    host h = { 0 };
    const deeper_compare_calls calls = { .begin = count_begin, .done = count_done, .context = &h };
    size_t failed = 7;
    deeper_error error = { 0 };
    (void)state;
    options.members = members;
    options.member_count = 2;
    options.classes = 10;
    options.seconds = 0;
    assert_int_equal(deeper_compare(&options, &calls, &failed, &error), DEEPER_OK);
    assert_true(h.done == 2 && failed == 0 && h.parameters == 61706 + 60850);
    assert_int_equal(deeper_compare(&options, NULL, NULL, NULL), DEEPER_OK);

    assert_int_equal(deeper_compare(NULL, NULL, NULL, &error), DEEPER_ERROR_ARGUMENT);
    options.train = &train;
    assert_int_equal(deeper_compare(&options, NULL, NULL, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "out is missing"));
    options.train = NULL;
    options.resume = 1;
    assert_int_equal(deeper_compare(&options, NULL, NULL, &error), DEEPER_ERROR_ARGUMENT);
    options.resume = 0;
    deeper_compare_options bad[] = { options, options, options, options, options };
    bad[0].seconds = NAN;
    bad[1].seconds = INFINITY;
    bad[2].batch = 5000;
    bad[3].threads = 1000;
    bad[4].classes = -1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) /* said at once, not by every member */
        if (deeper_compare(&bad[i], NULL, NULL, NULL) == DEEPER_OK)
            fail_msg("bad option %zu", i);
    options.preset = "norm";
    assert_int_equal(deeper_compare(&options, NULL, NULL, &error), DEEPER_ERROR_ARGUMENT);
    const char *about = NULL;
    assert_string_equal(deeper_compare_preset(0, &about), "reduction");
    assert_non_null(strstr(about, "1x1"));
    assert_null(deeper_compare_preset(100, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_energy),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_scatter),
        cmocka_unit_test(test_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
