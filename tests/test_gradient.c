/* test_gradient.c - the gradients that plans of training graphs compute, against central
 * differences of the loss through the reference operators in double precision: every operator with
 * a gradient, on every ISA, for any batch and thread count the same bits. The reference knows only
 * the forward operators, so nothing is shared between the two sides. */
#include "graph/build.h"
#include "graph/training.h"
#include "helpers/nets.h"
#include "helpers/plan_harness.h"
#include "nets/chain.h"
#include "nets/nets.h"

#include "reference/reference_graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 3, PROBES = 6, MAX_PARAMETERS = 64 };

/* A network in training, its values and one batch. */
typedef struct subject {
    dp_graph *network, *training;
    dp_training_nodes nodes;
    float *values[MAX_PARAMETERS];
    const float *gradients[MAX_PARAMETERS]; /* of the run that is looked at */
    float *input, labels[2 * IMAGES];
    const float *inputs[2];
    int outputs[DP_HEADS + MAX_PARAMETERS]; /* losses of the heads, then gradients */
    double losses[DP_HEADS * IMAGES], loss; /* as the reference has them; their weighted sum */
    plan_subject plan;
} subject;

static dp_training_options options = { { 1.0F, 0.3F, 0.3F },
                                       0.1F,
                                       NULL }; /* frozen: by test_frozen_norms */

static dp_window window(int height, int width, int stride, int pad) {
    dp_window w = dp_window_square(height, stride, pad);
    w.width = width;
    return w;
}

/* ------------------------------------------------------------------------------------- networks */

static int head(dp_graph *g, const char *name, int x) {
    char prob[32];
    snprintf(prob, sizeof prob, "%s.prob", name);
    return dp_add_softmax(g, prob, dp_add_fc(g, name, x, 7));
}

static void build_stem(dp_graph *g) {
    int x = dp_add_input(g, "data", 3, 23, 21);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "c1", x, 20, window(7, 7, 2, 3), true));
    dp_window pool = window(3, 3, 2, 0);
    pool.ceil = true;
    x = dp_add_lrn(g, "n1", dp_add_max_pool(g, "p1", x, pool), (dp_lrn){ 5, 1.0F, 0.75F, 1.0F });
    x = dp_add_relu(g, "r2", dp_add_conv(g, "c2", x, 24, window(3, 3, 1, 1), true));
    x = dp_add_lrn(g, "n2", x, (dp_lrn){ 3, 2.0F, 0.6F, 2.0F });
    head(g, "classifier", dp_add_global_average(g, "average", x));
}

/* An Inception module read by a second one's pieces, so that gradients meet, with an auxiliary head
 * on it. */
static void build_module(dp_graph *g, int unit) {
    int x = dp_add_input(g, "data", unit, 8, 7), parts[4];
    x = dp_add_conv(g, "first", x, unit, window(1, 1, 1, 0), true);
    x = test_add_module(g, x, unit, parts);
    g->head = DP_HEAD_AUX1;
    int a = dp_add_adaptive_pool(g, "aux_adaptive",
                                 dp_add_average_pool(g, "aux_pool", x, window(3, 2, 1, 0)), 4, 3);
    a = dp_add_relu(g, "aux_relu", dp_add_conv(g, "aux_conv", a, 12, window(1, 1, 1, 0), true));
    head(g, "aux", dp_add_relu(g, "aux_rfc", dp_add_fc(g, "aux_fc", a, 17)));
    g->head = DP_HEAD_MAIN;
    x = dp_add_conv(g, "next", x, 9, window(3, 2, 2, 1),
                    true); /* strided, and its input gradient is wanted */
    head(g, "classifier", dp_add_dropout(g, "drop", dp_add_flatten(g, "flat", x), 0.0F));
}

static void build_module_sliced(dp_graph *g) {
    build_module(g, 16);
}

static void build_module_joined(dp_graph *g) {
    build_module(g, 10);
}

/* A concatenation that a convolution and a pool read, and one that a pool alone reads. */
static void build_pooled(dp_graph *g, int unit) {
    int x = dp_add_input(g, "data", 9, 9, 8), parts[2];
    x = dp_add_conv(g, "first", x, 12, window(1, 1, 1, 0), true);
    parts[0] = dp_add_relu(g, "ra", dp_add_conv(g, "a", x, unit, window(1, 1, 1, 0), true));
    parts[1] = dp_add_relu(g, "rb", dp_add_conv(g, "b", x, 2 * unit, window(3, 3, 1, 1), true));
    x = dp_add_concat(g, "in", parts, 2);
    parts[0] = dp_add_relu(g, "rc", dp_add_conv(g, "c", x, unit, window(1, 1, 1, 0), true));
    int pool = dp_add_max_pool(g, "pool", x, window(3, 3, 1, 1));
    parts[1] = dp_add_relu(g, "rd", dp_add_conv(g, "d", pool, unit + 3, window(1, 1, 1, 0), true));
    x = dp_add_max_pool(g, "down", dp_add_concat(g, "out", parts, 2), window(3, 3, 2, 0));
    head(g, "classifier", dp_add_flatten(g, "flat", x));
}

static void build_pooled_sliced(dp_graph *g) {
    build_pooled(g, 16);
}

static void build_pooled_joined(dp_graph *g) {
    build_pooled(g, 10);
}

static void build_norms(dp_graph *g) {
    int x = dp_add_input(g, "data", 5, 6, 7);
    x = dp_add_relu(
        g, "r1",
        dp_add_batch_norm(g, "bn1", dp_add_conv(g, "c1", x, 18, window(3, 3, 1, 1), false), 1e-3F));
    dp_window grouped = window(3, 3, 1, 1);
    grouped.groups = 3;
    int y = dp_add_batch_norm(g, "bn2", dp_add_conv(g, "c2", x, 18, grouped, false), 1e-3F);
    x = dp_add_relu(g, "rs", test_add_sum(g, "sum", x, y));
    dp_window average = window(3, 3, 2, 1);
    average.count_padding = true;
    x = dp_add_average_pool(g, "ap", x, average);
    head(g, "classifier", dp_add_relu(g, "rfc", dp_add_fc(g, "fc", x, 19)));
}

/* Depthwise convolutions with ReLUs before and after, with a stride, on one pixel. */
static void build_depthwise(dp_graph *g) {
    dp_window three = window(3, 3, 1, 1), half = window(3, 5, 2, 2), whole = window(5, 4, 1, 0);
    three.groups = half.groups = whole.groups = 18;
    int x = dp_add_input(g, "data", 5, 9, 8);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "c1", x, 18, window(1, 1, 1, 0), true));
    x = dp_add_relu(g, "r2",
                    dp_add_batch_norm(g, "bn2", dp_add_conv(g, "c2", x, 18, three, false), 1e-3F));
    x = dp_add_relu(g, "r3", dp_add_conv(g, "c3", x, 18, half, true));
    head(g, "classifier", dp_add_flatten(g, "flat", dp_add_conv(g, "c4", x, 18, whole, true)));
}

/* AlexNet in little: a strided first layer, norms, pools rounded up, groups, an adaptive average,
 * two linear layers. */
static void build_alexnet_form(dp_graph *g) {
    static const dp_link links[] = {
        { DP_OP_CONV, "conv1", "relu1", 12, 5, 3, 0, 1 },
        { DP_OP_LRN, "norm1", NULL, 0, 0, 0, 0, 0 },
        { DP_OP_MAX_POOL, "pool1", NULL, 0, 3, 2, 0, 0 },
        { DP_OP_CONV, "conv2", "relu2", 20, 5, 1, 2, 2 },
        { DP_OP_MAX_POOL, "pool2", NULL, 0, 2, 2, 0, 0 },
        { DP_OP_CONV, "conv3", "relu3", 18, 3, 1, 1, 2 },
        { DP_OP_ADAPTIVE_POOL, "pool3", NULL, 0, 3, 0, 0, 0 },
        { DP_OP_FC, "fc4", "relu4", 21, 0, 0, 0, 0 },
        { DP_OP_DROPOUT, "drop4", NULL, 0, 0, 0, 0, 0 },
        { DP_OP_FC, "fc5", NULL, 0, 0, 0, 0, 0 },
    };
    const dp_chain chain = { .classes = 7, .lrn = true };
    int x = dp_chain_add(g, dp_add_input(g, "data", 3, 44, 44), links, sizeof links / sizeof *links,
                         &chain);
    dp_add_softmax(g, "prob", x);
}

/* Network in Network in little: 1x1 convolutions behind each, scores that end in a ReLU and an
 * average. */
static void build_nin_form(dp_graph *g) {
    static const dp_link links[] = {
        { DP_OP_CONV, "conv1", "relu1", 19, 5, 1, 2, 1 },
        { DP_OP_CONV, "cccp1", "relu2", 16, 1, 1, 0, 1 },
        { DP_OP_AVERAGE_POOL, "pool1", NULL, 0, 3, 2, 0, 0 },
        { DP_OP_DROPOUT, "drop", NULL, 0, 0, 0, 0, 0 },
        { DP_OP_CONV, "conv2", "relu3", 24, 3, 1, 1, 1 },
        { DP_OP_CONV, "cccp2", "relu4", 0, 1, 1, 0, 1 },
        { DP_OP_GLOBAL_AVERAGE, "pool2", NULL, 0, 0, 0, 0, 0 },
    };
    const dp_chain chain = { .classes = 7, .batch_norm = true };
    int x = dp_chain_add(g, dp_add_input(g, "data", 3, 12, 12), links, sizeof links / sizeof *links,
                         &chain);
    dp_add_softmax(g, "prob", x);
}

static void build_lenet5_published(dp_graph *g) {
    char *architecture, *texts;
    deeper_error error;
    if (dp_net_build(g, "lenet5:form=published", (dp_net_size){ 7, 16 }, &architecture, &texts,
                     &error)
        != DEEPER_OK)
        fail_msg("%s", error.message);
    dp_free(NULL, architecture);
    dp_free(NULL, texts);
}

/* --------------------------------------------------------------------------------------- values */

static const dp_node *parameter_node(const dp_graph *graph, int parameter) {
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].parameter == parameter)
            return &graph->nodes[i];
    fail_msg("no parameter %d", parameter);
    return NULL;
}

static void open(subject *s, void (*build)(dp_graph *)) {
    deeper_error error;
    uint32_t state = 3;
    memset(s, 0, sizeof *s);
    assert_int_equal(dp_graph_create(&s->network, NULL, NULL), DEEPER_OK);
    build(s->network);
    if (dp_graph_status(s->network, &error) != DEEPER_OK
        || dp_graph_training(&s->training, &s->nodes, s->network, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_true(s->network->parameters <= MAX_PARAMETERS);
    for (int p = 0; p < s->network->parameters; p++) {
        dp_shape shape = parameter_node(s->network, p)->shape;
        size_t floats = dp_shape_floats(shape), fan_in = floats / (size_t)shape.n;
        s->values[p] = malloc(floats * sizeof(float));
        for (size_t i = 0; i < floats; i++)
            s->values[p][i] = fan_in > 1 ? plan_noise(&state) * sqrtf(6.0F / (float)fan_in)
                                         : 0.3F + 0.2F * plan_noise(&state);
    }
    size_t floats = dp_shape_floats(s->network->nodes[0].shape) * IMAGES;
    s->input = malloc(floats * sizeof(float));
    for (size_t i = 0; i < floats; i++)
        s->input[i] = plan_noise(&state);
    for (int n = 0; n < IMAGES; n++) {
        s->labels[2 * n] = (float)(2 * n + 1);
        s->labels[2 * n + 1] = n == 1 ? 0.5F : 1.0F;
    }
    s->inputs[0] = s->input;
    s->inputs[1] = s->labels;
    int count = 0;
    for (int h = 0; h < s->nodes.heads; h++)
        s->outputs[count++] = s->nodes.loss[h];
    for (int p = 0; p < s->network->parameters; p++)
        if (s->nodes.gradients[p] >= 0)
            s->outputs[count++] = s->nodes.gradients[p];
    s->plan = (plan_subject){ .graph = s->training,
                              .values = (const float *const *)s->values,
                              .inputs = s->inputs,
                              .images = IMAGES,
                              .outputs = s->outputs,
                              .output_count = count,
                              .training = true };
}

static void close(subject *s) {
    for (int p = 0; p < s->network->parameters; p++)
        free(s->values[p]);
    free(s->input);
    dp_training_nodes_free(&s->nodes, NULL);
    dp_graph_free(s->training);
    dp_graph_free(s->network);
}

/* ------------------------------------------------------------------------- the reference's side */

/* The weighted sum of the losses of all heads and images, on the forward nodes alone, batch norms
 * on batch statistics. */
static double reference_loss(const subject *s, double *losses) {
    double **values =
        dp_reference_graph(s->training, (const float *const *)s->values, s->input, IMAGES);
    double total = 0;
    for (int h = 0; h < s->nodes.heads; h++) {
        const dp_node *loss = &s->training->nodes[s->nodes.loss[h]];
        const double *x = values[loss->inputs[0]];
        int classes = s->training->nodes[loss->inputs[0]].shape.c;
        for (int n = 0; n < IMAGES; n++, x += classes) {
            double sum = 0, mean = 0;
            for (int c = 0; c < classes; c++)
                sum += exp(x[c]);
            for (int c = 0; c < classes; c++)
                mean += (x[c] - log(sum)) / classes;
            double chosen = x[(int)s->labels[2 * n]] - log(sum),
                   smoothing = (double)options.smoothing;
            double value =
                -(double)s->labels[2 * n + 1] * ((1 - smoothing) * chosen + smoothing * mean);
            if (losses)
                losses[h * IMAGES + n] = value;
            total += (double)options.head_weights[s->nodes.head[h]] * value;
        }
    }
    dp_reference_graph_free(s->training, values);
    return total;
}

/* Central difference at one value, divided by the step that the float really made. NAN where the
 * two one-sided slopes part: a kink of a ReLU or a pool lies between. */
static double slope(subject *s, float *value) {
    float kept = *value, step = 1e-4F;
    *value = kept + step;
    double up = (double)*value, above = reference_loss(s, NULL);
    *value = kept - step;
    double down = (double)*value, below = reference_loss(s, NULL);
    *value = kept;
    double right = (above - s->loss) / (up - (double)kept),
           left = (s->loss - below) / ((double)kept - down);
    if (fabs(right - left) > 2e-3 * (fabs(right) + fabs(left)) + 1e-4)
        return NAN;
    return (above - below) / (up - down);
}

/* Compares some values of every parameter: the largest gradient and others spread over it. Float
 * sums of some thousand terms, and kinks too small to be told, stay below four thousandths of the
 * parameter's largest gradient. */
static void compare_slopes(subject *s) {
    int compared = 0, kinks = 0;
    for (int p = 0; p < s->network->parameters; p++) {
        const dp_node *node = parameter_node(s->network, p);
        size_t floats = dp_shape_floats(node->shape), largest = 0;
        if (s->nodes.gradients[p] < 0)
            continue;
        for (size_t i = 0; i < floats; i++)
            if (fabsf(s->gradients[p][i]) > fabsf(s->gradients[p][largest]))
                largest = i;
        double size = fabs((double)s->gradients[p][largest]);
        for (int probe = 0; probe < PROBES; probe++) {
            size_t i = probe ? (size_t)probe * 7919 % floats : largest;
            double wanted = slope(s, &s->values[p][i]), got = (double)s->gradients[p][i];
            if (isnan(wanted)) {
                kinks++;
                continue;
            }
            compared++;
            if (!(fabs(got - wanted) <= 4e-3 * size + 1e-4))
                fail_msg("%s[%zu]: gradient %g, difference quotient %g (largest %g)", node->name, i,
                         got, wanted, size);
        }
    }
    assert_true(compared > 4 * kinks);
}

static void compare(void *context, dp_isa isa, float *const *results) {
    subject *s = context;
    for (int i = 0; i < s->nodes.heads * IMAGES; i++) {
        const double got = (double)results[i / IMAGES][i % IMAGES];
        if (!(fabs(got - s->losses[i]) <= 1e-5 * (1 + fabs(s->losses[i]))))
            fail_msg("%s: loss of head %d, image %d: %g, reference %g", dp_isa_name(isa),
                     i / IMAGES, i % IMAGES, got, s->losses[i]);
    }
    for (int p = 0, at = s->nodes.heads; p < s->network->parameters; p++)
        if (s->nodes.gradients[p] >= 0)
            s->gradients[p] = results[at++];
    compare_slopes(s);
}

static const plan_way ways[] = { { .batch = IMAGES + 1, .threads = 1 },
                                 { .batch = IMAGES + 1, .threads = 3 } };

static void check(void (*build)(dp_graph *)) {
    subject s;
    open(&s, build);
    s.loss = reference_loss(&s, s.losses);
    plan_everywhere(&s.plan, ways, sizeof ways / sizeof *ways, compare, &s);
    close(&s);
}

static void test_stem(void **state) {
    check(build_stem);
}

static void test_module_sliced(void **state) {
    check(build_module_sliced);
}

static void test_module_joined(void **state) {
    check(build_module_joined);
}

static void test_pooled_sliced(void **state) {
    check(build_pooled_sliced);
}

static void test_pooled_joined(void **state) {
    check(build_pooled_joined);
}

/* The line of the step of that kind and name. */
static char *find_step(const char *plan, const char *kind, const char *name, char line[512]) {
    for (const char *at = plan; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        snprintf(line, 512, "%.*s", (int)strcspn(at, "\n"), at);
        if (strstr(line, kind) && strstr(line, name))
            return line;
    }
    fail_msg("no step %s %s in\n%s", kind, name, plan);
    return NULL;
}

/* The plan of a network's training as text, to be freed. */
static char *text_of(void (*build)(dp_graph *)) {
    subject s;
    open(&s, build);
    char *text = plan_text(&s.plan, (plan_way){ DP_ISA_PORTABLE, IMAGES + 1, 2 });
    close(&s);
    return text;
}

/* The gradients of three 1x1 convolutions are one product each way, masks go along with what comes
 * before them, biases with weights. */
static void test_what_is_computed_together(void **state) {
    char line[512];
    char *text = text_of(build_module_sliced);
    assert_non_null(
        strstr(find_step(text, "input grad", "d first", line), "3 siblings as one product"));
    assert_non_null(strstr(find_step(text, "input grad", "d r3r", line), "with a ReLU's gradient"));
    assert_non_null(strstr(find_step(text, "input grad", "d r5r", line), "with a ReLU's gradient"));
    find_step(text, "weight grad", "d weights of 1x1", line);
    assert_null(strstr(text, "d 3x3_reduce.weight"));
    assert_null(strstr(text, "channel sum"));
    free(text);
}

/* Sums and masks go along with the gradient of a max pool, a part of a concatenation at a time. */
static void test_what_a_pool_takes_along(void **state) {
    char line[512];
    char *text = text_of(build_pooled_sliced);
    assert_non_null(strstr(find_step(text, "max pool grad", "d ra", line),
                           "with a sum, with a ReLU's gradient"));
    assert_non_null(strstr(find_step(text, "max pool grad", "d rb", line),
                           "with a sum, with a ReLU's gradient"));
    assert_non_null(
        strstr(find_step(text, "max pool grad", "d rc", line), "3x3/2, with a ReLU's gradient"));
    assert_non_null(
        strstr(find_step(text, "max pool grad", "d rd", line), "3x3/2, with a ReLU's gradient"));
    assert_null(strstr(text, "sum 2 of d in"));
    assert_null(strstr(text, "relu grad"));
    free(text);
}

static void test_norms(void **state) {
    check(build_norms);
}

/* Frozen batch norms in the middle of what learns, read by a ReLU and by a sum: stored statistics,
 * forward and backward. */
static void test_frozen_norms(void **state) {
    bool frozen[MAX_PARAMETERS] = { false };
    dp_graph *graph;
    int matches = 0;
    assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
    build_norms(graph);
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].parameter >= 0 && strncmp(graph->nodes[i].name, "bn", 2) == 0) {
            frozen[graph->nodes[i].parameter] = true;
            matches++;
        }
    dp_graph_free(graph);
    assert_int_equal(matches, 8);
    options.frozen = frozen;
    check(build_norms);
    subject s;
    open(&s, build_norms);
    assert_int_equal(s.nodes.batch_norms, 0);
    for (int i = 0; i < s.training->count; i++)
        assert_int_not_equal(s.training->nodes[i].op, DP_OP_MOMENTS);
    close(&s);
    options.frozen = NULL;
}

static void test_depthwise(void **state) {
    check(build_depthwise);
}

static void test_alexnet_form(void **state) {
    check(build_alexnet_form);
}

static void test_nin_form(void **state) {
    check(build_nin_form);
}

static void test_lenet5_published(void **state) {
    check(build_lenet5_published);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stem),
        cmocka_unit_test(test_module_sliced),
        cmocka_unit_test(test_module_joined),
        cmocka_unit_test(test_pooled_sliced),
        cmocka_unit_test(test_pooled_joined),
        cmocka_unit_test(test_what_is_computed_together),
        cmocka_unit_test(test_what_a_pool_takes_along),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_frozen_norms),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_alexnet_form),
        cmocka_unit_test(test_nin_form),
        cmocka_unit_test(test_lenet5_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
