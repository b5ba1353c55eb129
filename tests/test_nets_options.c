/* test_nets_options.c - the specs of networks: their options as text, there and back in every
 * combination, and every refusal of a spec, a size or a number of classes in its words. What the
 * options build is test_nets.c's. */
#include "graph/attributes.h"
#include "helpers/nets.h"
#include "nets/nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LATER ",classifier=average,dropout=0.4,depth=22,pool4=3x3,aux_pool=5x5"
static const char DEFAULTS[] = "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=1" LATER;

/* ------------------------------------------------------------------------------------- refusals */

static void assert_refused(const char *spec, int classes, int size, deeper_status status,
                           const char *message) {
    test_net net;
    deeper_error error = { 0 };
    assert_int_equal(test_net_try(&net, spec, classes, size, &error), status);
    assert_string_equal(error.message, message);
    assert_int_equal(error.status, status);
    assert_null(net.architecture);
    assert_null(net.options);
    test_net_free(&net);
}

/* All of them, in the order of the registry. */
#define NETS "googlenet, lenet5, alexnet, nin, vgg16"

static void test_unknown_names(void **state) {
    static const char GOOGLENET[] = "; did you mean googlenet?";
    static const char *const cases[][3] = { { "googlnet", "googlnet", GOOGLENET },
                                            { "", "", "" },
                                            { "googlenets:norm=bn", "googlenets", GOOGLENET },
                                            { "GoogLeNet", "GoogLeNet", GOOGLENET },
                                            { "vgg", "vgg", "" },
                                            { "nni", "nni", "; did you mean nin?" },
                                            { "a\nb", "a?b", "" } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[DEEPER_MESSAGE_SIZE];
        snprintf(message, sizeof message, "%s: no such architecture; there is " NETS "%s",
                 cases[i][1], cases[i][2]);
        assert_refused(cases[i][0], 10, 224, DEEPER_ERROR_ARGUMENT, message);
    }
}

static void test_refused_specs(void **state) {
    static const char *const cases[][2] = {
        { "googlenet:height=3", "googlenet: no option 'height'; there are norm, stem, module, aux, "
                                "branch5, width, classifier, "
                                "dropout, depth, pool4, aux_pool" },
        { "googlenet:norm=bn,Aux=1", "googlenet: no option 'Aux'; there are norm, stem, module, "
                                     "aux, branch5, width, classifier, "
                                     "dropout, depth, pool4, aux_pool; did you mean aux?" },
        { "googlenet:norm", "googlenet: 'norm' is not OPTION=VALUE" },
        { "googlenet:,", "googlenet: '' is not OPTION=VALUE" },
        { "googlenet:norm=group", "googlenet: 'norm=group': norm is one of lrn|bn|none" },
        { "googlenet:norm=", "googlenet: 'norm=': norm is one of lrn|bn|none" },
        { "googlenet:norm=lr",
          "googlenet: 'norm=lr': norm is one of lrn|bn|none; did you mean lrn?" },
        { "googlenet:norm=lrn|bn", "googlenet: 'norm=lrn|bn': norm is one of lrn|bn|none" },
        { "googlenet:stem=tiny", "googlenet: 'stem=tiny': stem is one of full|separable|small" },
        { "googlenet:module=v3", "googlenet: 'module=v3': module is one of reduced|naive" },
        { "googlenet:aux=2", "googlenet: 'aux=2': aux is one of 0|1" },
        { "googlenet:branch5=7x7", "googlenet: 'branch5=7x7': branch5 is one of 5x5|3x3" },
        { "googlenet:width=0.06", "googlenet: 'width=0.06': width is a number from 0.0625 to 4" },
        { "googlenet:width=4.01", "googlenet: 'width=4.01': width is a number from 0.0625 to 4" },
        { "googlenet:width=nan", "googlenet: 'width=nan': width is a number from 0.0625 to 4" },
        { "googlenet:width=1x", "googlenet: 'width=1x': width is a number from 0.0625 to 4" },
        { "googlenet:width=", "googlenet: 'width=': width is a number from 0.0625 to 4" },
        { "googlenet:width=0.5,width=1", "googlenet: 'width=1': width is set twice" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i][0], 10, 224, DEEPER_ERROR_ARGUMENT, cases[i][1]);
}

static void test_refused_sizes(void **state) {
    static const struct {
        const char *spec;
        int classes, size;
        deeper_status status;
        const char *message;
    } cases[] = {
        { "googlenet", 0, 224, DEEPER_ERROR_ARGUMENT,
          "googlenet: 0 classes; 1 to 1048576 are possible" },
        { "googlenet", 1048577, 224, DEEPER_ERROR_ARGUMENT,
          "googlenet: 1048577 classes; 1 to 1048576 are possible" },
        { "googlenet", 10, 0, DEEPER_ERROR_ARGUMENT,
          "googlenet: an image size of 0; 1 to 4096 are possible" },
        { "googlenet", 10, 4097, DEEPER_ERROR_ARGUMENT,
          "googlenet: an image size of 4097; 1 to 4096 are possible" },
        { "googlenet", 10, 30, DEEPER_ERROR_MISMATCH,
          "googlenet: pictures of 30 pixels are too small, larger ones and stem=small do "
          "(pool4/3x3_s2: a window of 3x3 does not "
          "fit into a picture of 1x1)" },
        { "googlenet:stem=small", 10, 7, DEEPER_ERROR_MISMATCH,
          "googlenet: pictures of 7 pixels are too small, larger ones and stem=small do "
          "(pool4/3x3_s2: a window of 3x3 does not "
          "fit into a picture of 1x1)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].spec, cases[i].classes, cases[i].size, cases[i].status,
                       cases[i].message);
}

/* A name of any length makes a message that ends. */
static void test_long_specs(void **state) {
    enum { LONG = 5000 };
    static char spec[LONG + 32];
    (void)state;
    for (int option = 0; option <= 2; option++) {
        const char *const begins[] = { "", "googlenet:", "googlenet:norm=" };
        snprintf(spec, sizeof spec, "%s", begins[option]);
        size_t begin = strlen(spec);
        memset(spec + begin, 'x', LONG);
        spec[begin + LONG] = '\0';
        test_net net;
        deeper_error error = { 0 };
        assert_int_equal(test_net_try(&net, spec, 10, 224, &error), DEEPER_ERROR_ARGUMENT);
        assert_in_range(strlen(error.message), 1, DEEPER_MESSAGE_SIZE - 1);
        test_net_free(&net);
    }
}

/* -------------------------------------------------------------------------- the text of options */

static void assert_same_graph(const test_net *a, const test_net *b, const char *spec) {
    bool same = a->graph->count == b->graph->count;
    for (int i = 0; same && i < a->graph->count; i++) {
        const dp_node *x = &a->graph->nodes[i], *y = &b->graph->nodes[i];
        same = !strcmp(x->name, y->name) && x->op == y->op && x->head == y->head
               && x->input_count == y->input_count && dp_shape_equal(x->shape, y->shape)
               && x->parameter == y->parameter
               && dp_attributes_equal(x->op, &x->attributes, &y->attributes)
               && (!x->input_count
                   || !memcmp(x->inputs, y->inputs, (size_t)x->input_count * sizeof(int)));
    }
    if (!same)
        fail_msg("%s and %s are not the same network", spec, a->options);
}

/* The canonical text of a spec builds the same network and is its own canonical text. */
static void assert_round_trip(const char *spec, int size) {
    char again[256];
    test_net net = test_net_build(spec, 10, size);
    snprintf(again, sizeof again, "%s:%s", net.architecture, net.options);
    test_net twin = test_net_build(again, 10, size);
    assert_same_graph(&net, &twin, spec);
    assert_string_equal(twin.options, net.options);
    test_net_free(&net);
    test_net_free(&twin);
}

/* All values with all others. */
static void test_every_combination(void **state) {
    static const char *const norms[] = { "lrn", "bn", "none" }, *const stems[] = { "full",
                                                                                   "separable",
                                                                                   "small" };
    static const char *const modules[] = { "reduced", "naive" }, *const branches[] = { "5x5",
                                                                                       "3x3" };
    static const char *const widths[] = { "1", "0.5" };
    (void)state;
    for (int i = 0; i < 3 * 3 * 2 * 2 * 2 * 2; i++) {
        char options[160], spec[192];
        snprintf(options, sizeof options,
                 "norm=%s,stem=%s,module=%s,aux=%d,branch5=%s,width=%s" LATER, norms[i % 3],
                 stems[i / 3 % 3], modules[i / 9 % 2], i / 18 % 2, branches[i / 36 % 2],
                 widths[i / 72]);
        snprintf(spec, sizeof spec, "googlenet:%s", options);
        test_net net = test_net_build(spec, 10, 224);
        assert_string_equal(net.options, options);
        assert_int_equal(net.graph->nodes[net.graph->count - 1].op, DP_OP_SOFTMAX);
        test_net_shape(&net, "prob", 10, 1, 1);
        assert_int_equal(dp_graph_find(net.graph, "loss2/prob") >= 0, i / 18 % 2);
        test_net_free(&net);
        assert_round_trip(spec, 224);
    }
}

static void test_option_text(void **state) {
    static const struct {
        const char *spec, *options;
    } cases[] = {
        { "googlenet:", DEFAULTS },
        { "googlenet:width=0.50",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.5" LATER },
        { "googlenet:width=2,norm=bn",
          "norm=bn,stem=full,module=reduced,aux=0,branch5=5x5,width=2" LATER },
        { "googlenet:width=0.1",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.1" LATER },
        /* 208 channels x this width / 8 is just 2.5: a digit less and there were 16 channels,
           not 24. */
        { "googlenet:width=0.09615385",
          "norm=lrn,stem=full,module=reduced,aux=0,branch5=5x5,width=0.09615385" LATER },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_net net = test_net_build(cases[i].spec, 10, 224);
        assert_string_equal(net.options, cases[i].options);
        test_net_free(&net);
        assert_round_trip(cases[i].spec, 224);
    }
    /* Widths (8n + 4) / c are where rounding turns, for every channel count c of the paper. */
    for (int c = 16; c <= 384; c += 16)
        for (int n = 0; n <= 20; n++) {
            char spec[64];
            double width = (8 * n + 4) / (double)c;
            snprintf(spec, sizeof spec, "googlenet:width=%.9g", width);
            if (width >= 0.0625 && width <= 4)
                assert_round_trip(spec, 64);
        }
}

static void test_list(void **state) {
    (void)state;
    const char *description = NULL;
    assert_string_equal(dp_net_name(0, &description), "googlenet");
    static const char *const options[] = { "norm=lrn|bn|none",      "stem=full|separable|small",
                                           "module=reduced|naive",  "aux=0|1",
                                           "branch5=5x5|3x3",       "width=0.0625..4",
                                           "classifier=average|fc", "dropout=0..0.95",
                                           "depth=22|16|10",        "pool4=3x3|2x2",
                                           "aux_pool=5x5|adaptive" };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char text[64];
        const char *choices;
        double range[2];
        const char *option = dp_net_option_at(0, i, &choices, range);
        assert_non_null(option);
        if (choices)
            snprintf(text, sizeof text, "%s=%s", option, choices);
        else
            snprintf(text, sizeof text, "%s=%g..%g", option, range[0], range[1]);
        assert_string_equal(text, options[i]);
    }
    assert_string_equal(dp_net_name(0, NULL), "googlenet");
    char names[sizeof NETS + 64] = "";
    size_t length = 0, count = 0;
    for (const char *name; length < sizeof names && (name = dp_net_name(count, NULL)); count++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", count ? ", " : "",
                                   name);
    assert_string_equal(names, NETS);
    assert_null(dp_net_name(count, &description));
}

/* An option is added where the architecture has it and the spec does not set it. */
static void test_spec_with(void **state) {
    static const char *const cases[][2] = { { "googlenet", "googlenet:aux=1" },
                                            { "googlenet:norm=bn", "googlenet:norm=bn,aux=1" },
                                            { "googlenet:aux=0", "googlenet:aux=0" },
                                            { "googlenet:width=2,aux=1",
                                              "googlenet:width=2,aux=1" } };
    char text[64];
    deeper_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dp_net_spec_with(text, sizeof text, cases[i][0], "aux", "1", &error),
                         DEEPER_OK);
        assert_string_equal(text, cases[i][1]);
    }
    assert_int_equal(dp_net_spec_with(text, sizeof text, "googlenet", "lasers", "1", &error),
                     DEEPER_OK);
    assert_string_equal(text, "googlenet");
    assert_int_equal(dp_net_spec_with(text, sizeof text, "googlenet:aux=7", "aux", "1", &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_net_spec_with(text, 12, "googlenet", "aux", "1", &error),
                     DEEPER_ERROR_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_refused_specs),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_long_specs),
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_option_text),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_spec_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
