/* test_plot.c - plots are sound markup and stay inside their box, whatever numbers they are given;
 * ticks are round. */
#include "helpers/markup.h"
#include "report/plot.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All numbers of paths and circles lie in the box; a gap's pen begins outside of it on purpose, at
 * -9 -9. */
static void check_box(const char *svg) {
    for (const char *at = svg; (at = strstr(at, " d=\"M")); at++) {
        const char *end = strchr(at + 4, '"');
        for (const char *number = at + 4; number < end;) {
            char *after = NULL;
            double value = strtod(number, &after);
            if (after == number) {
                assert_non_null(strchr("MLHVv ", *number));
                number++;
                continue;
            }
            assert_true(value == -9 || (value >= 0 && value <= 460));
            number = after;
        }
    }
    static const char *const names[] = { " cx=\"", " cy=\"", " x=\"", " y=\"", " width=\"" };
    for (size_t i = 0; i < 5; i++)
        for (const char *at = svg; (at = strstr(at, names[i])); at++) {
            double value = strtod(at + strlen(names[i]), NULL);
            assert_true(value >= 0 && value <= 460);
        }
}

static dp_buffer plot_of(const double *values, size_t count, dp_scale scale, bool percent) {
    int *x = malloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (int)i + 1;
    dp_series series[] = {
        { .name = "a", .values = values, .stride = sizeof *values },
        { .name = "b", .values = values, .stride = sizeof *values, .colour = 3, .dashed = true }
    };
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_plot_write(&buffer, &(dp_plot){ .title = "t",
                                       .x_name = "x",
                                       .scale = scale,
                                       .percent = percent,
                                       .count = count,
                                       .x = x,
                                       .x_stride = sizeof *x,
                                       .series = series,
                                       .series_count = 2,
                                       .marked = count / 2,
                                       .mark_name = "best" });
    free(x);
    assert_false(buffer.failed);
    test_check_markup(buffer.data);
    check_box(buffer.data);
    return buffer;
}

static void test_any_numbers(void **state) {
    static const double rows[][4] = { { 1, 2, 3, 4 },
                                      { 0, 0, 0, 0 },
                                      { 5, 5, 5, 5 },
                                      { -3, -3, -3, -3 },
                                      { NAN, NAN, NAN, NAN },
                                      { NAN, 1, INFINITY, -INFINITY },
                                      { DBL_MAX, -DBL_MAX, 1, 2 },
                                      { 9e29, -9e29, 0, 1 },
                                      { DBL_MIN, 5e-324, 0, DBL_MIN },
                                      { 1, 1 + DBL_EPSILON, 1, 1 },
                                      { 1e29, 1e-300, 1, 10 },
                                      { 1e-12, 1e29, 1, 1 },
                                      { 0, 1e-13, -1, 0.5 },
                                      { 0.3, 0.9, 0.5, 0.4 },
                                      { 1e6, 1e6 + 1, 1e6, 1e6 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t count = 0; count <= 4; count++)
            for (int scale = DP_SCALE_LINEAR; scale <= DP_SCALE_AUTO; scale++) {
                dp_buffer buffer = plot_of(rows[i], count, (dp_scale)scale, i % 2);
                size_t labels = test_occurrences(buffer.data, "<text class=\"y\"");
                assert_in_range(labels, 2, 12);
                dp_buffer_free(&buffer);
            }
}

static void assert_labels(const double *values, size_t count, dp_scale scale, bool percent,
                          const char *const *labels) {
    dp_buffer buffer = plot_of(values, count, scale, percent);
    const char *at = buffer.data;
    for (; *labels; labels++) {
        at = strstr(at, "<text class=\"y\"");
        assert_non_null(at);
        at = strchr(at, '>') + 1;
        assert_int_equal(strcspn(at, "<"), strlen(*labels));
        assert_memory_equal(at, *labels, strlen(*labels));
    }
    assert_null(strstr(at, "<text class=\"y\""));
    dp_buffer_free(&buffer);
}

static void test_ticks(void **state) {
    static const char *const tenths[] = { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0", NULL };
    static const char *const hundredths[] = { "70%", "75%", "80%", "85%", "90%", "95%", NULL };
    static const char *const signs[] = { "-2", "-1", "0", "1", "2", NULL };
    static const char *const logs[] = { "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", NULL };
    static const char *const decades[] = { "0.001", "0.01", "0.1", "1", "10", "100", NULL };
    assert_labels((const double[]){ 0.05, 0.93 }, 2, DP_SCALE_LINEAR, false, tenths);
    assert_labels((const double[]){ 0.72, 0.94 }, 2, DP_SCALE_LINEAR, true, hundredths);
    assert_labels((const double[]){ -1.9, 1.7 }, 2, DP_SCALE_LINEAR, false, signs);
    assert_labels((const double[]){ 0.021, 2.3 }, 2, DP_SCALE_AUTO, false, logs);
    assert_labels((const double[]){ 0.0011, 77 }, 2, DP_SCALE_AUTO, false, decades);
    assert_labels((const double[]){ 0.05, 0.93 }, 2, DP_SCALE_AUTO, false, tenths);
}

/* A spike of one point in a hundred thousand is still drawn, in a figure of bounded size. */
static void test_long_series(void **state) {
    enum { LONG = 100000 };
    double *values = malloc(LONG * sizeof *values);
    for (size_t i = 0; i < LONG; i++)
        values[i] = i % 2 ? 1 : 2;
    values[54321] = 10;
    dp_buffer buffer = plot_of(values, LONG, DP_SCALE_LINEAR, false);
    assert_true(buffer.size < 200000);
    assert_int_equal(test_occurrences(buffer.data, " 18.0L"),
                     2); /* the top of the box, once a series */
    dp_buffer_free(&buffer);
    free(values);
}

/* A logarithmic x: ticks at powers of ten, a factor the same width everywhere. */
static void test_logarithmic_x(void **state) {
    const double x[] = { 0.001, 0.01, 0.1, 1 }, values[] = { 4, 3, 2, 1 };
    const dp_series series = { .name = "a", .values = values, .stride = sizeof *values };
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_plot_write(&buffer, &(dp_plot){ .title = "t",
                                       .x_name = "rate",
                                       .count = 4,
                                       .x_log = x,
                                       .x_stride = sizeof *x,
                                       .series = &series,
                                       .series_count = 1,
                                       .marked = 2,
                                       .mark_name = "here" });
    test_check_markup(buffer.data);
    check_box(buffer.data);
    assert_non_null(strstr(buffer.data, ">0.001</text>"));
    assert_non_null(strstr(buffer.data, ">1</text>"));
    assert_non_null(strstr(buffer.data, "rate 0.01\n"));
    double places[4];
    const char *at = strstr(buffer.data, "class=\"c0\" cx=\"");
    for (int i = 0; i < 4; i++, at = strstr(at + 1, "class=\"c0\" cx=\"")) {
        assert_non_null(at);
        places[i] = strtod(at + strlen("class=\"c0\" cx=\""), NULL);
    }
    for (int i = 1; i < 4; i++)
        assert_true(fabs((places[i] - places[i - 1]) - (places[1] - places[0]))
                    < 0.3); /* printed to a tenth */
    dp_buffer_free(&buffer);
}

/* A number that follows `before` in the text. */
static double number_after(const char *text, const char *before) {
    const char *at = strstr(text, before);
    if (!at)
        fail_msg("no \"%s\"", before);
    return strtod(at + strlen(before), NULL);
}

/* A name too long for the right side of its point, on whose left stands the interval of another
 * one, keeps off that. */
static void test_name_keeps_off_intervals(void **state) {
    static const char name[] = "a name that is as long as that";
    const dp_point points[] = { { "b", 7, 0.5, 0.45, 0.55 },
                                { "c", 1, 0.2, NAN, NAN },
                                { name, 10, 0.5, NAN, NAN } };
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 1 << 20);
    dp_scatter_write(&buffer, &(dp_scatter){ .title = "t",
                                             .x_name = "x",
                                             .percent = true,
                                             .logarithmic = false,
                                             .points = points,
                                             .count = 3 });
    test_check_markup(buffer.data);
    const char *line = strstr(buffer.data, "<path class=\"line c0\"");
    assert_non_null(line);
    double foot = number_after(strstr(line, " d=\"M") + 5, " "), top = number_after(line, "V");
    const char *text = strstr(strstr(buffer.data, "<circle class=\"c2\""), "<text");
    assert_memory_equal(strchr(text, '>') + 1, name, strlen(name));
    double base = number_after(text, " y=\""); /* four below the middle of the letters */
    assert_true(base - 4 + 6 < top || base - 4 - 6 > foot);
    dp_buffer_free(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_numbers),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_logarithmic_x),
        cmocka_unit_test(test_long_series),
        cmocka_unit_test(test_name_keeps_off_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
