/* test_plan.c - plans against the reference, node by node on graphs that hold every operator and
 * every way the planner treats it: fused and not, sliced and joined, private and shared inputs of
 * padded convolutions, siblings, folding. Each graph runs on every ISA of this machine, in batches
 * and on threads, and must give the same bits for all of those that share an ISA. */
#include "graph/build.h"
#include "helpers/nets.h"
#include "helpers/plan_harness.h"
#include "reference/reference_graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_OUTPUTS = 12, IMAGES = 3 };

/* A graph under test and the nodes to compare. */
typedef struct subject {
    dp_graph *graph;
    int outputs[MAX_OUTPUTS];
    int output_count;
    float *values, **pointers, *input;
    const float *inputs[1];
    plan_subject plan;
    double **wanted;
} subject;

static void output(subject *s, int node) {
    assert_true(s->output_count < MAX_OUTPUTS);
    s->outputs[s->output_count++] = node;
}

static dp_window window(int height, int width, int stride, int pad) {
    dp_window w = dp_window_square(height, stride, pad);
    w.width = width;
    return w;
}

/* --------------------------------------------------------------------------------------- graphs */

static void build_stem(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 3, 21, 19);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "c1", x, 20, window(7, 7, 2, 3), true));
    dp_window pool = window(3, 3, 2, 0);
    pool.ceil = true;
    x = dp_add_max_pool(g, "p1", x, pool);
    output(s, dp_add_lrn(g, "n1", x, (dp_lrn){ 5, 1e-1F, 0.75F, 1.0F }));
    output(s, dp_add_lrn(g, "n2", x, (dp_lrn){ 3, 2.0F, 0.6F, 2.0F }));
}

/* A module as GoogLeNet has it; `unit` 16: all parts begin on blocks, 10: none do and the parts
 * must be joined. */
static void build_module(subject *s, int unit) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 2 * unit, 9, 14), parts[4];
    x = test_add_module(g, x, unit, parts);
    output(s, x);
    output(s, parts[2]);
    output(s, dp_add_relu(g, "after", dp_add_conv(g, "next", x, 24, window(3, 3, 2, 1), false)));
    output(s, dp_add_conv(g, "shared", parts[0], 8, window(3, 3, 1, 1),
                          true)); /* reads a slice: needs a halo of its own */
}

static void build_module_sliced(subject *s) {
    build_module(s, 16);
}

static void build_module_joined(subject *s) {
    build_module(s, 10);
}

static void build_classifier(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 37, 4, 5);
    int direct = dp_add_fc(g, "fc_picture", x, 33);
    int flat = dp_add_flatten(g, "flat", x);
    int fc =
        dp_add_dropout(g, "drop", dp_add_relu(g, "rf", dp_add_fc(g, "fc_flat", flat, 70)), 0.5F);
    int average = dp_add_dropout(
        g, "drop2", dp_add_flatten(g, "flat1", dp_add_global_average(g, "average", x)), 0.4F);
    output(s, direct);
    output(s, flat);
    output(s, dp_add_softmax(g, "prob", dp_add_fc(g, "classifier", fc, 1000)));
    output(s, dp_add_softmax(g, "prob2", dp_add_fc(g, "classifier2", average, 11)));
    output(s, average);
    output(s, dp_add_softmax(g, "prob_pixels", x));
}

static void build_norms(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 5, 8, 7);
    int folded = dp_add_relu(
        g, "r",
        dp_add_batch_norm(g, "bn", dp_add_conv(g, "c", x, 18, window(3, 1, 1, 1), false), 1e-3F));
    int both = dp_add_batch_norm(g, "bn2",
                                 dp_add_conv(g, "c2", folded, 18, window(1, 1, 1, 0), true), 1e-3F);
    int conv3 = dp_add_conv(g, "c3", folded, 18, window(1, 1, 1, 0),
                            true); /* read twice: its batch norm and ReLU stay apart */
    int apart = dp_add_relu(g, "r3", dp_add_batch_norm(g, "bn3", conv3, 1e-3F));
    int sum = dp_add_relu(g, "rs", test_add_sum(g, "sum", both, apart));
    output(s, sum);
    output(s, test_add_sum(g, "sum2", conv3, sum));
    output(s, dp_add_relu(g, "rx", x));
    output(s, dp_add_softmax(g, "prob",
                             dp_add_batch_norm(g, "bnfc", dp_add_fc(g, "fc", sum, 9), 1e-5F)));
}

static void build_pools(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 18, 13, 11);
    dp_window w = window(3, 2, 2, 1);
    output(s, dp_add_max_pool(g, "max", x, w));
    w.ceil = true;
    output(s, dp_add_max_pool(g, "max_ceil", x, w));
    output(s, dp_add_average_pool(g, "average", x, w));
    w.count_padding = true;
    output(s, dp_add_average_pool(g, "average_padding", x, w));
    output(s, dp_add_adaptive_pool(g, "adaptive", x, 4, 11));
    dp_window lopsided = { .height = 4,
                           .width = 3,
                           .stride_y = 1,
                           .stride_x = 3,
                           .pads.right = 2,
                           .pads.top = 1,
                           .groups = 1 };
    output(s, dp_add_max_pool(g, "lopsided", x, lopsided));
    lopsided.groups = 3;
    lopsided.pads.bottom = 3;
    output(s, dp_add_conv(g, "grouped", x, 12, lopsided, true));
}

/* A group a channel: every way into such a step (an input of its own, one with a dense reader, a
 * slice), batch norms folded, one pixel, the picture itself (planar), and several outputs a
 * channel, which is no such step. */
static void build_depthwise(subject *s) {
    dp_graph *g = s->graph;
    dp_window three = window(3, 3, 1, 1), five = window(5, 5, 2, 2), whole = window(5, 6, 1, 0),
              lopsided = window(4, 2, 3, 0);
    three.groups = five.groups = whole.groups = 22;
    lopsided.groups = 44;
    lopsided.pads.top = 2;
    lopsided.pads.right = 1;
    int x = dp_add_input(g, "data", 3, 21, 23);
    dp_window picture = window(3, 3, 2, 1);
    picture.groups = 3;
    int planar = dp_add_conv(g, "planar", x, 3, picture, true);
    x = dp_add_conv(g, "first", planar, 22, window(1, 1, 1, 0), true);
    x = dp_add_relu(g, "r3",
                    dp_add_batch_norm(g, "bn3", dp_add_conv(g, "3x3", x, 22, three, false), 1e-3F));
    output(s, x);
    int point = dp_add_conv(g, "point", x, 22, window(1, 1, 1, 0), true);
    int half = dp_add_conv(g, "5x5", x, 22, five, true);
    output(s, point);
    output(s, half);
    output(s, dp_add_conv(g, "joined", dp_add_concat(g, "both", (int[]){ point, x }, 2), 44,
                          lopsided, true));
    int last =
        dp_add_relu(g, "rw", dp_add_conv(g, "whole", dp_add_relu(g, "rh", half), 22, whole, true));
    output(s, last);
    output(s, dp_add_conv(g, "doubled", half, 44, three, true));
    whole = window(1, 1, 1, 0);
    whole.groups = 22;
    output(s, dp_add_conv(g, "factor", last, 22, whole, true));
}

static dp_window grouped(int side, int stride, int pad, int groups) {
    dp_window w = window(side, side, stride, pad);
    w.groups = groups;
    return w;
}

/* Groups that are whole blocks, parts of one, and neither; over planes; of one pixel. */
static void build_groups(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 4, 11, 13);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "planes", x, 96, grouped(3, 1, 1, 2), true));
    output(s, x);
    output(s, dp_add_relu(g, "rb",
                          dp_add_batch_norm(
                              g, "bn", dp_add_conv(g, "blocks", x, 64, grouped(3, 1, 1, 2), false),
                              1e-3F)));
    int fours = dp_add_conv(g, "fours", x, 96, grouped(3, 2, 1, 24), true);
    output(s, fours);
    int odd = dp_add_conv(g, "odd", fours, 136, grouped(1, 1, 0, 4), true);
    output(s, odd);
    output(s, dp_add_conv(g, "odder", odd, 68, grouped(1, 1, 0, 4), true));
    output(s, dp_add_conv(g, "last", dp_add_global_average(g, "average", odd), 34,
                          grouped(1, 1, 0, 2), true));
}

/* What importers alone make. A factor and a term fold into the convolution before, or stand alone
 * with a ReLU. */
static void build_imported(subject *s) {
    dp_graph *g = s->graph;
    dp_shape per_channel = { 18, 1, 1, 1 };
    int x = dp_add_input(g, "data", 18, 7, 6);
    int scale = dp_add_parameter(g, "a", "weight", per_channel),
        shift = dp_add_parameter(g, "a", "bias", per_channel);
    int conv = dp_add_conv(g, "c", x, 18, window(3, 3, 1, 1), true);
    int folded = dp_graph_add(g, DP_OP_AFFINE, "folded", (int[]){ conv, scale, shift }, 3, NULL);
    int alone = dp_add_relu(
        g, "ra", dp_graph_add(g, DP_OP_AFFINE, "alone", (int[]){ x, scale, shift }, 3, NULL));
    int clip = dp_graph_add(g, DP_OP_CLIP, "clip", &folded, 1,
                            &(dp_attributes){ .clip = { -0.25F, 0.5F } });
    dp_attributes pads = { .pads = { .top = 2, .right = 1, .bottom = 3 } };
    int pad = dp_graph_add(g, DP_OP_PAD, "pad", &alone, 1, &pads);
    output(s, folded);
    output(s, clip);
    output(s, pad);
    output(s, dp_add_conv(g, "padded", pad, 5, window(3, 3, 1, 1), true));
    int parts[] = {
        dp_graph_add(g, DP_OP_SLICE, "slice", &x, 1, &(dp_attributes){ .slice = { 3, 7 } }), clip
    };
    output(s, dp_add_concat(g, "joined", parts, 2));
    int gate = dp_graph_add(g, DP_OP_SIGMOID, "gate",
                            (int[]){ dp_add_global_average(g, "mean", pad) }, 1, NULL);
    int open = dp_graph_add(g, DP_OP_SIGMOID, "open", &clip, 1, NULL);
    output(s, dp_graph_add(g, DP_OP_MULTIPLY, "gated", (int[]){ pad, gate }, 2, NULL));
    output(s, dp_add_conv(g, "opened",
                          dp_graph_add(g, DP_OP_MULTIPLY, "swish", (int[]){ clip, open }, 2, NULL),
                          5, window(3, 3, 1, 1), true));
    output(s, dp_graph_add(g, DP_OP_SHUFFLE, "threes", &pad, 1, &(dp_attributes){ .groups = 3 }));
    int flat = dp_add_flatten(g, "flat", clip);
    output(s, dp_graph_add(g, DP_OP_SHUFFLE, "turned", &flat, 1, &(dp_attributes){ .groups = 18 }));
    output(s, dp_graph_add(g, DP_OP_UNFLATTEN, "back", &flat, 1,
                           &(dp_attributes){ .shape = { 0, 9, 12, 7 } }));
}

/* Values picked from others, and statistics of each picture, around the lanes. */
static void build_normalized(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 18, 7, 6);
    x = dp_add_relu(g, "relu", dp_add_conv(g, "c", x, 18, window(3, 3, 1, 1), true));
    dp_attributes pads = { .pads = { .top = 2, .right = 1, .bottom = 3 } };
    output(s, dp_graph_add(g, DP_OP_ERF, "erf", &x, 1, NULL));
    output(s, dp_graph_add(g, DP_OP_REFLECT, "mirror", &x, 1, &pads));
    static const dp_size sizes[] = { { 14, 12 }, { 9, 4 }, { 1, 1 } };
    static const char *const resized[] = { "twice", "other", "one" };
    for (int i = 0; i < 3; i++)
        output(s, dp_graph_add(g, DP_OP_RESIZE, resized[i], &x, 1,
                               &(dp_attributes){ .size = sizes[i] }));
    static const dp_normalize normal[] = { { 18, 1e-5F, false },
                                           { 1, 1e-5F, false },
                                           { 3, 1e-3F, false },
                                           { 1, 1e-6F, true },
                                           { 2, 1e-6F, true } };
    static const char *const names[] = { "instance", "whole", "groups", "pixel", "pixel groups" };
    for (int i = 0; i < 5; i++)
        output(s, dp_graph_add(g, DP_OP_NORMALIZE, names[i], &x, 1,
                               &(dp_attributes){ .normalize = normal[i] }));
}

static int clip(dp_graph *g, const char *name, int x, float low, float high) {
    return dp_graph_add(g, DP_OP_CLIP, name, &x, 1, &(dp_attributes){ .clip = { low, high } });
}

/* Clips behind convolutions of every kind: Winograd's, siblings that read one input, depthwise
 * ones, with a factor and a term between; into slices of a concatenation. One of a single pixel
 * stays a step of its own, as does one of a value that others read. */
static void build_clips(subject *s) {
    dp_graph *g = s->graph;
    dp_shape per_channel = { 32, 1, 1, 1 };
    int x = dp_add_input(g, "data", 20, 15, 14);
    int scale = dp_add_parameter(g, "a", "weight", per_channel),
        shift = dp_add_parameter(g, "a", "bias", per_channel);
    int folded = dp_graph_add(
        g, DP_OP_AFFINE, "fa",
        (int[]){ dp_add_conv(g, "c1", x, 32, window(3, 3, 1, 1), true), scale, shift }, 3, NULL);
    x = clip(g, "k1", folded, 0, 0.5F);
    dp_window depthwise = window(3, 3, 1, 1);
    depthwise.groups = 32;
    int parts[] = { clip(g, "k2", dp_add_conv(g, "c2", x, 32, window(1, 1, 1, 0), true), -0.25F,
                         0.25F),
                    clip(g, "k3", dp_add_conv(g, "c3", x, 16, window(1, 1, 1, 0), true), -0.5F, 1),
                    clip(g, "k4", dp_add_conv(g, "c4", x, 32, depthwise, true), -0.125F, 0.75F) };
    output(s, dp_add_concat(g, "joined", parts, 3));
    output(s, clip(g, "k5",
                   dp_add_conv(g, "c5", dp_add_global_average(g, "mean", x), 5, window(1, 1, 1, 0),
                               true),
                   0, 0.125F));
    int read = dp_add_conv(g, "c6", x, 9, window(3, 3, 2, 1), true);
    output(s, read);
    output(s, clip(g, "k6", read, -INFINITY, 0.125F));
}

/* Concatenations within concatenations, a part twice, an input as a part, a result with one reader
 * that wants a halo. */
static void build_nested(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 16, 6, 6);
    int a = dp_add_conv(g, "a", x, 32, window(1, 1, 1, 0), true);
    int b = dp_add_conv(g, "b", x, 16, window(1, 1, 1, 0), true);
    int inner = dp_add_concat(g, "inner", (int[]){ a, b }, 2);
    int outer = dp_add_concat(
        g, "outer", (int[]){ x, inner, dp_add_max_pool(g, "p", b, window(3, 3, 1, 1)) }, 3);
    output(s, inner);
    output(s, dp_add_concat(g, "twice", (int[]){ b, b, x }, 3));
    output(s, dp_add_conv(g, "last", outer, 5, window(3, 3, 1, 1), true));
    output(s, x);
    output(s, dp_add_concat(g, "single", (int[]){ dp_add_relu(g, "ra", a) }, 1));
}

/* -------------------------------------------------------------------------------------- running */

static void fill(subject *s) {
    size_t total = 0, at = 0;
    int images = IMAGES;
    uint32_t state = 7;
    for (int i = 0; i < s->graph->count; i++)
        if (s->graph->nodes[i].op == DP_OP_PARAMETER)
            total += dp_shape_floats(s->graph->nodes[i].shape);
    s->values = malloc((total + 1) * sizeof *s->values);
    s->pointers = malloc(((size_t)s->graph->parameters + 1) * sizeof *s->pointers);
    for (int i = 0; i < s->graph->count; i++) {
        const dp_node *node = &s->graph->nodes[i];
        size_t floats = dp_shape_floats(node->shape);
        if (node->op != DP_OP_PARAMETER)
            continue;
        bool variance = strstr(node->name, "running_var");
        s->pointers[node->parameter] = s->values + at;
        for (size_t j = 0; j < floats; j++, at++)
            s->values[at] = variance ? 0.5F + fabsf(plan_noise(&state)) : plan_noise(&state);
    }
    int data = dp_graph_find(s->graph, "data");
    size_t floats = dp_shape_floats(s->graph->nodes[data].shape) * (size_t)images;
    s->input = malloc(floats * sizeof *s->input);
    for (size_t j = 0; j < floats; j++)
        s->input[j] = plan_noise(&state);
}

/* The graph that `build` makes, with values. */
static void open_subject(subject *s, void (*build)(subject *)) {
    deeper_error error;
    *s = (subject){ 0 };
    assert_int_equal(dp_graph_create(&s->graph, NULL, NULL), DEEPER_OK);
    build(s);
    if (dp_graph_status(s->graph, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    fill(s);
    s->inputs[0] = s->input;
    s->plan = (plan_subject){ .graph = s->graph,
                              .values = (const float *const *)s->pointers,
                              .inputs = s->inputs,
                              .images = IMAGES,
                              .outputs = s->outputs,
                              .output_count = s->output_count };
}

static void close_subject(subject *s) {
    dp_graph_free(s->graph);
    free(s->values);
    free(s->pointers);
    free(s->input);
}

/* Sums of up to a thousand products of numbers below 1 in float, through at most six layers: 1e-5
 * of the tensor's size leaves a factor of ten. */
static const double TOLERANCE = 1e-5;

static void compare(void *context, dp_isa isa, float *const *got) {
    const subject *s = context;
    for (int i = 0; i < s->output_count; i++) {
        const dp_node *node = &s->graph->nodes[s->outputs[i]];
        const double *wanted = s->wanted[s->outputs[i]];
        size_t floats = plan_output_floats(&s->plan, i);
        double difference = 0, size = 0;
        for (size_t j = 0; j < floats; j++) {
            double d = (double)got[i][j] - wanted[j];
            difference += d * d;
            size += wanted[j] * wanted[j];
        }
        if (!(sqrt(difference) <= TOLERANCE * sqrt(size)))
            fail_msg("%s: %s differs by %g of its norm", dp_isa_name(isa), node->name,
                     sqrt(difference / size));
    }
}

static void check(void (*build)(subject *)) {
    static const plan_way ways[] = { { .batch = 1, .threads = 1 },
                                     { .batch = 3, .threads = 1 },
                                     { .batch = 2, .threads = 3 },
                                     { .batch = 1, .threads = 2 } };
    subject s;
    open_subject(&s, build);
    s.wanted = dp_reference_graph(s.graph, s.plan.values, s.input, IMAGES);
    plan_everywhere(&s.plan, ways, sizeof ways / sizeof *ways, compare, &s);
    dp_reference_graph_free(s.graph, s.wanted);
    close_subject(&s);
}

/* Convolutions that Winograd's algorithm computes: one of several strips, one of several pictures
 * at once, every window, no halo, a batch norm to fold, outputs that end in the middle of a block,
 * sides that no tile divides. */
static void build_winograd(subject *s) {
    dp_graph *g = s->graph;
    int x = dp_add_input(g, "data", 3, 131, 117);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "c1", x, 40, window(7, 7, 2, 3), true));
    x = dp_add_conv(g, "c2", x, 24, window(3, 3, 1, 1), true);
    output(s, x);
    x = dp_add_max_pool(g, "p1", x, window(3, 3, 2, 0));
    x = dp_add_relu(
        g, "r3",
        dp_add_batch_norm(g, "bn3", dp_add_conv(g, "c3", x, 40, window(3, 3, 1, 0), false), 1e-5F));
    x = dp_add_max_pool(g, "p2", x, window(3, 3, 2, 0));
    output(s, dp_add_conv(g, "c4", x, 70, window(5, 5, 1, 2), true));
    output(s, dp_add_conv(g, "c5", x, 50, window(3, 3, 1, 2), true));
}

#define GRAPH_TEST(name)                                                                           \
    static void test_##name(void **state) {                                                        \
        check(build_##name);                                                                       \
    }
GRAPH_TEST(stem)
GRAPH_TEST(module_sliced)
GRAPH_TEST(module_joined)
GRAPH_TEST(classifier)
GRAPH_TEST(norms)
GRAPH_TEST(pools)
GRAPH_TEST(nested)
GRAPH_TEST(imported)
GRAPH_TEST(normalized)
GRAPH_TEST(winograd)
GRAPH_TEST(depthwise)
GRAPH_TEST(groups)
GRAPH_TEST(clips)

/* ----------------------------------------------------------------------- what a plan looks like */

static const plan_way printed_way = { DP_ISA_PORTABLE, 1, 1 };

/* The plan for one of the outputs as text, to be freed. */
static char *text_of(void (*build)(subject *), int output_node, bool direct) {
    subject s;
    open_subject(&s, build);
    s.plan.outputs += output_node;
    s.plan.output_count = 1;
    s.plan.direct = direct;
    char *text = plan_text(&s.plan, printed_way);
    close_subject(&s);
    return text;
}

static void test_fusions_happen(void **state) {
    char *text = text_of(build_module_sliced, 2, false); /* "after" */
    assert_non_null(strstr(text, "3 siblings as one product"));
    assert_null(strstr(text, " join "));
    assert_null(strstr(text, " relu "));
    assert_null(strstr(text, " copy "));
    free(text);
    text = text_of(build_module_joined, 2, false);
    assert_non_null(strstr(text, " join "));
    free(text);
    text = text_of(build_norms, 1, false);
    assert_non_null(strstr(text, " batch norm ")); /* bn3 alone */
    assert_null(strstr(text, " bn2 "));
    free(text);
    text = text_of(build_clips, 0, false);
    assert_null(strstr(text, " clip "));
    assert_non_null(strstr(text, "clipped at 0.75"));
    free(text);
}

static void test_winograd_is_used(void **state) {
    char *text = text_of(build_winograd, 2, false);
    assert_non_null(strstr(text, "winograd"));
    assert_non_null(strstr(text, "phases"));
    free(text);
    text = text_of(build_winograd, 2, true);
    assert_null(strstr(text, "winograd"));
    free(text);
}

static void test_groups_are_not_multiplied_by_zeros(void **state) {
    char *text = text_of(build_depthwise, 0, false);
    assert_non_null(strstr(text, "depthwise"));
    free(text);
    text = text_of(build_groups, 2,
                   false); /* "fours": a block of outputs reads a block of 4 channels, not 24 */
    assert_non_null(strstr(text, "9 segments of 4,"));
    free(text);
}

static void build_chain(subject *s) {
    int x = dp_add_input(s->graph, "data", 16, 32, 32);
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        x = dp_add_conv(s->graph, name, x, 16, window(3, 3, 1, 1), true);
    }
    output(s, x);
}

/* A chain of ten equal layers needs two of its tensors at a time, not eleven. */
static void test_arena_reuses(void **state) {
    subject s;
    open_subject(&s, build_chain);
    s.plan.direct = true;
    plan_machine machine = plan_open(&s.plan, printed_way);
    assert_true(dp_plan_arena_bytes(machine.plan) <= 2 * 34 * 34 * 16 * sizeof(float) + 4096);
    plan_close(&machine);
    close_subject(&s);
}

static void test_bad_options(void **state) {
    subject s;
    dp_packs *packs;
    dp_plan *plan = NULL;
    deeper_error error;
    open_subject(&s, build_chain);
    assert_int_equal(dp_packs_create(&packs, NULL, NULL), DEEPER_OK);
    int parameter = 1, past = s.graph->count;
    const dp_plan_options good = { .kernels = dp_kernels_for(DP_ISA_PORTABLE),
                                   .max_batch = 1,
                                   .threads = 1,
                                   .outputs = s.outputs,
                                   .output_count = 1 };
    dp_plan_options bad[] = { good, good, good, good, good };
    bad[0].max_batch = 0;
    bad[1].max_batch = 1 << 20;
    bad[2].output_count = 0;
    bad[3].outputs = &parameter;
    bad[4].outputs = &past;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dp_plan_create(&plan, s.graph, (const float *const *)s.pointers, packs,
                                        &bad[i], NULL, &error),
                         DEEPER_ERROR_ARGUMENT);
        assert_null(plan);
    }
    dp_packs_free(packs);
    close_subject(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stem),
        cmocka_unit_test(test_module_sliced),
        cmocka_unit_test(test_module_joined),
        cmocka_unit_test(test_classifier),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_imported),
        cmocka_unit_test(test_normalized),
        cmocka_unit_test(test_fusions_happen),
        cmocka_unit_test(test_winograd_is_used),
        cmocka_unit_test(test_arena_reuses),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_clips),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_groups_are_not_multiplied_by_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
