/* test_choose.c - what the planner decides before it makes steps: which algorithm computes a node,
 * what a tuning changes in that, and that each pass tells its outcome. */
#include "graph/build.h"
#include "helpers/nets.h"
#include "plan/conv/conv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILLER = 1 << 20 };

static dp_graph *graph;
static int prob;
static const float *values[64];
static dp_packs *packs;

static dp_window grouped(int side, int groups) {
    dp_window w = dp_window_square(side, 1, side / 2);
    w.groups = groups;
    return w;
}

/* A layer for every algorithm. */
static int setup(void **state) {
    static float filler[FILLER];
    assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
    int x = dp_add_input(graph, "data", 3, 96, 96);
    x = dp_add_relu(graph, "r", dp_add_conv(graph, "stem", x, 64, dp_window_square(7, 2, 3), true));
    x = dp_add_conv(graph, "square", x, 64, dp_window_square(3, 1, 1), true);
    x = dp_add_conv(graph, "point", x, 32, dp_window_square(1, 1, 0), true);
    x = dp_add_conv(graph, "depthwise", x, 32, grouped(3, 32), true);
    x = dp_add_conv(graph, "groups", x, 32, grouped(3, 2), true);
    x = dp_add_conv(graph, "strided", x, 32, dp_window_square(3, 2, 1), true);
    x = dp_add_global_average(graph, "average", x);
    x = dp_add_conv(graph, "pixel", x, 16, dp_window_square(1, 1, 0), true);
    prob = dp_add_softmax(graph, "prob", dp_add_fc(graph, "fc", x, 5));
    assert_int_equal(dp_graph_status(graph, NULL), DEEPER_OK);
    for (int i = 0; i < graph->parameters; i++)
        values[i] = filler;
    return dp_packs_create(&packs, NULL, NULL) != DEEPER_OK;
}

static int teardown(void **state) {
    dp_packs_free(packs);
    dp_graph_free(graph);
    return 0;
}

static dp_plan_options options_for(dp_buffer *text, const char *pass) {
    dp_buffer_init(text, NULL, 1 << 16);
    return (dp_plan_options){ .kernels = dp_kernels_for(DP_ISA_PORTABLE),
                              .max_batch = 1,
                              .threads = 1,
                              .outputs = &prob,
                              .output_count = 1,
                              .pass = pass,
                              .text = text };
}

/* What a pass says; to be freed. */
static char *outcome(const dp_plan_options *options) {
    deeper_error error;
    dp_plan *plan;
    if (dp_plan_create(&plan, graph, values, packs, options, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    dp_plan_free(plan);
    assert_false(options->text->failed);
    char *copy = strdup(options->text->data);
    dp_buffer_free(options->text);
    return copy;
}

/* Fails unless the line of a layer has these words. */
static void says(const char *text, const char *layer, const char *words) {
    const size_t length = strlen(layer);
    char line[512];
    while (strncmp(text, layer, length) != 0 || text[length] != ' ') {
        text = strchr(text, '\n');
        if (!text || !*++text)
            fail_msg("no line of %s", layer);
    }
    snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
    if (!strstr(line, words))
        fail_msg("\"%s\" lacks \"%s\"", line, words);
}

static void test_algorithms(void **state) {
    dp_buffer buffer;
    dp_plan_options options = options_for(&buffer, "choose");
    char *text = outcome(&options);
    says(text, "data", "stays with the caller");
    says(text, "stem", " winograd over phases ");
    says(text, "square", " winograd ");
    says(text, "square", "winograd, 8 points");
    says(text, "point", " direct ");
    says(text, "depthwise", " depthwise ");
    says(text, "groups", " direct ");
    says(text, "strided", " direct ");
    says(text, "pixel", " images as pixels ");
    says(text, "fc", " images as pixels ");
    assert_null(strstr(text, "tuned"));
    free(text);
    options = options_for(&buffer, "choose");
    options.direct = true;
    text = outcome(&options);
    says(text, "data", "planar");
    says(text, "stem", " direct ");
    says(text, "square", " direct ");
    assert_null(strstr(text, "winograd"));
    free(text);
}

/* A tuning goes before the costs, in both directions. */
static void test_tuned(void **state) {
    dp_tuning tuning = { 0 };
    const dp_tuned direct = { { DP_ISA_PORTABLE, 64, 64, 48, 48, 3, 1 }, { 0, false, 1 } },
                   small = { direct.key, { 4, true, 1 } };
    dp_buffer buffer;
    assert_int_equal(dp_tuning_put(&tuning, &direct, NULL), DEEPER_OK);
    dp_plan_options options = options_for(&buffer, "choose");
    options.tuning = &tuning;
    char *text = outcome(&options);
    says(text, "square", " direct ");
    says(text, "square", ", tuned");
    says(text, "stem", " winograd over phases ");
    free(text);
    assert_int_equal(dp_tuning_put(&tuning, &small, NULL), DEEPER_OK);
    options = options_for(&buffer, "choose");
    options.tuning = &tuning;
    text = outcome(&options);
    says(text, "square", "winograd, 4 points");
    says(text, "square", ", tuned");
    free(text);
    dp_tuning_free(&tuning);
}

/* For each precision a list ends in the row that takes every shape. */
static void test_lists_end_in_any_shape(void **state) {
    const struct {
        const dp_algorithm *const *list, *any;
    } lists[] = { { dp_conv_algorithms, &dp_algorithm_direct },
                  { dp_weight_gradient_algorithms, &dp_algorithm_outer } };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int precision = 0; precision < DP_PRECISION_COUNT; precision++) {
            const dp_algorithm *last = NULL;
            for (const dp_algorithm *const *row = lists[i].list; *row; row++)
                if ((int)(*row)->precision == precision)
                    last = *row;
            assert_ptr_equal(last, lists[i].any);
        }
    const dp_lowering lowering = { .graph = graph };
    for (int i = 0; i < graph->count; i++) {
        dp_choice choice = { 0 };
        if (dp_plan_ops[graph->nodes[i].op].algorithms)
            assert_true(dp_algorithm_direct.suits(&lowering, i, &choice)
                        && choice.product.depth >= 1);
    }
}

static void test_every_pass_prints(void **state) {
    static const struct {
        const char *pass, *layer, *words;
    } passes[] = {
        { "simplify", "stem", "computes r along" },
        { "choose", "point", "direct" },
        { "place", "point", "32x48x48" },
        { "lower", "    1 phases", "data" },
        { "arena", "arena", "bytes" },
    };
    const char *names = deeper_plan_passes();
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        dp_buffer buffer;
        const dp_plan_options options = options_for(&buffer, passes[i].pass);
        assert_memory_equal(names, passes[i].pass, strlen(passes[i].pass));
        names += strlen(passes[i].pass) + 1;
        char *text = outcome(&options);
        assert_true(strlen(text) > 100);
        says(text, passes[i].layer, passes[i].words);
        free(text);
    }
    assert_int_equal(names[-1], '\0');
}

static void test_refused(void **state) {
    dp_buffer buffer;
    dp_plan *plan = NULL;
    deeper_error error;
    dp_plan_options options = options_for(&buffer, "fold");
    assert_int_equal(dp_plan_create(&plan, graph, values, packs, &options, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "simplify|choose|place|lower|arena"));
    options = options_for(&buffer, NULL);
    options.precision = DP_PRECISION_COUNT;
    assert_int_equal(dp_plan_create(&plan, graph, values, packs, &options, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "precision"));
    assert_null(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_tuned),
        cmocka_unit_test(test_lists_end_in_any_shape),
        cmocka_unit_test(test_every_pass_prints),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
