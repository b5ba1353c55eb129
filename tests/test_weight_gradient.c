/* test_weight_gradient.c - weight and bias gradients as a plan computes them, by outer products and
 * by Winograd's algorithm, against double precision: sizes around lanes, groups of blocks and
 * tiles, joined 1x1 convolutions whose gradients are slices. On every instruction set of this
 * machine, in batches, and with the same bits for any number of threads. */
#include "graph/build.h"
#include "helpers/plan_harness.h"
#include "reference/reference_gradient.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 3, TARGETS = 3 };

typedef struct layer {
    int channels, outputs, height, width;
    dp_window window;
    bool winograd;       /* some instruction set of this machine computes it so */
    int slices[TARGETS]; /* of the outputs; none: the whole */
} layer;

#define WINDOW(side, stride, pad, groups)                                                          \
    { side, side, stride, stride, { pad, pad, pad, pad }, groups, false, false }

static const layer layers[] = {
    { 32, 40, 14, 14, WINDOW(3, 1, 1, 1), true, { 0 } },
    { 48, 56, 12, 17, WINDOW(3, 1, 1, 1), true, { 0 } },
    { 33, 100, 7, 7, WINDOW(3, 1, 1, 1), true, { 0 } },
    { 64, 64, 28, 30, WINDOW(3, 1, 1, 1), true, { 0 } },
    { 40, 35, 14, 13, WINDOW(5, 1, 2, 1), true, { 0 } },
    { 32, 48, 13, 15, { 4, 4, 1, 1, { 2, 1, 1, 0 }, 1, false, false }, true, { 0 } },
    { 16, 16, 6, 6, WINDOW(3, 1, 0, 1), false, { 0 } },
    { 5, 3, 9, 8, WINDOW(3, 2, 1, 1), false, { 0 } },
    { 12, 18, 6, 5, WINDOW(3, 1, 1, 3), false, { 0 } },
    { 3, 20, 17, 15, WINDOW(7, 2, 3, 1), true, { 0 } },
    { 3, 64, 58, 61, WINDOW(7, 2, 3, 1), true, { 0 } },
    { 4, 24, 40, 39, WINDOW(6, 2, 2, 1), true, { 0 } },
    { 3, 40, 29, 32, WINDOW(8, 2, 1, 1), true, { 0 } },
    { 3, 20, 17, 15, WINDOW(11, 4, 3, 1), false, { 0 } },
    { 70, 90, 1, 1, WINDOW(1, 1, 0, 1), false, { 0 } },
    { 19, 70, 5, 6, WINDOW(1, 1, 0, 1), false, { 0 } },
    { 48, 136, 9, 7, WINDOW(1, 1, 0, 1), false, { 64, 48, 24 } },
    { 21, 37, 4, 5, WINDOW(1, 1, 0, 1), false, { 10, 22, 5 } },
};

/* The graph of a layer, its inputs, and what double precision says. Outputs: weights, biases, and
 * so on for each slice. */
typedef struct subject {
    const layer *layer;
    dp_graph *graph;
    int outputs[2 * TARGETS], output_count;
    float *x, *g;
    const float *inputs[2];
    double *weights, *biases;
    size_t weight_count;
    bool winograd; /* some instruction set computed it so */
    plan_subject plan;
} subject;

static float *random_floats(size_t count, uint64_t seed) {
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(seed >> 40) / (float)(1 << 23) - 1.0F;
    }
    return values;
}

static double *widen(const float *values, size_t count) {
    double *wide = malloc(count * sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

static void build(subject *s, const layer *l) {
    deeper_error error;
    assert_int_equal(dp_graph_create(&s->graph, NULL, &error), DEEPER_OK);
    const dp_window *w = &l->window;
    int p = (l->height + w->pads.top + w->pads.bottom - w->height) / w->stride_y + 1;
    int q = (l->width + w->pads.left + w->pads.right - w->width) / w->stride_x + 1;
    int x = dp_add_input(s->graph, "x", l->channels, l->height, l->width),
        g = dp_add_input(s->graph, "g", l->outputs, p, q);
    /* What else a training graph has: inputs that only weight gradients read would be planes. */
    int kept = dp_graph_add(s->graph, DP_OP_RELU_GRADIENT, "kept", (int[]){ x, x }, 2, NULL);
    int weights =
        dp_graph_add(s->graph, DP_OP_CONV_WEIGHT_GRADIENT, "dw",
                     (int[]){ l->channels > 4 ? kept : x, g }, 2, &(dp_attributes){ .window = *w });
    int biases = dp_graph_add(s->graph, DP_OP_CHANNEL_SUM, "db", &g, 1, NULL);
    for (int i = 0, begin = 0; i < TARGETS && l->slices[i]; begin += l->slices[i++]) {
        char name[16];
        dp_attributes slice = { .slice = { begin, l->slices[i] } };
        snprintf(name, sizeof name, "dw%d", i);
        s->outputs[s->output_count++] =
            dp_graph_add(s->graph, DP_OP_SLICE, name, &weights, 1, &slice);
        snprintf(name, sizeof name, "db%d", i);
        s->outputs[s->output_count++] =
            dp_graph_add(s->graph, DP_OP_SLICE, name, &biases, 1, &slice);
    }
    if (!s->output_count) {
        s->outputs[s->output_count++] = weights;
        s->outputs[s->output_count++] = biases;
    }
    if (dp_graph_status(s->graph, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    dp_reference_dims in = { IMAGES, l->channels, l->height, l->width },
                      out = { IMAGES, l->outputs, p, q };
    dp_reference_window window = { w->height,   w->width,     w->stride_y,    w->stride_x,
                                   w->pads.top, w->pads.left, w->pads.bottom, w->pads.right };
    s->x = random_floats(dp_reference_count(in), 1);
    for (size_t i = 0; i < dp_reference_count(in); i++)
        s->x[i] = fabsf(s->x[i]); /* as a ReLU leaves it */
    s->g = random_floats(dp_reference_count(out), 2);
    s->weight_count = (size_t)l->outputs * (size_t)(l->channels / w->groups * w->height * w->width);
    s->weights = calloc(s->weight_count, sizeof *s->weights);
    s->biases = calloc((size_t)l->outputs, sizeof *s->biases);
    double *xs = widen(s->x, dp_reference_count(in)), *gs = widen(s->g, dp_reference_count(out));
    dp_reference_conv_gradient(NULL, s->weights, s->biases, gs, out, xs, in, NULL, window,
                               w->groups);
    free(xs);
    free(gs);
}

static void open(subject *s, const layer *l) {
    *s = (subject){ .layer = l };
    build(s, l);
    s->inputs[0] = s->x;
    s->inputs[1] = s->g;
    s->plan = (plan_subject){ .graph = s->graph,
                              .inputs = s->inputs,
                              .images = IMAGES,
                              .outputs = s->outputs,
                              .output_count = s->output_count,
                              .training = true };
}

static void close(subject *s) {
    dp_graph_free(s->graph);
    free(s->x);
    free(s->g);
    free(s->weights);
    free(s->biases);
}

/* Largest deviation of the outputs first, first + 2, ... from `wanted`, as a share of its largest
 * value. */
static double deviation(const subject *s, float *const *results, int first, const double *wanted) {
    double worst = 0, largest = 0;
    for (int output = first; output < s->output_count; output += 2)
        for (size_t i = 0; i < plan_output_floats(&s->plan, output); i++, wanted++) {
            worst = fmax(worst, fabs((double)results[output][i] - *wanted));
            largest = fmax(largest, fabs(*wanted));
            if (!isfinite(results[output][i]))
                return INFINITY;
        }
    return worst / largest;
}

/* Sums of at most 2,697 products of values below 1: rounding grows with the square root of their
 * number, to about 50 x 2^-24 = 3e-6 of the largest sum; 5e-7 was seen. Winograd's transforms
 * multiply it: 4e-6 was seen (8 points, 5x5), five times that is allowed. The biases are summed in
 * double. */
static void compare(void *context, dp_isa isa, float *const *results) {
    subject *s = context;
    char *text = plan_text(&s->plan, (plan_way){ isa, IMAGES + 1, 1 });
    const bool winograd = strstr(text, "winograd");
    assert_null(strstr(text, "channel sum")); /* goes along with the weights */
    free(text);
    const double weights = deviation(s, results, 0, s->weights),
                 biases = deviation(s, results, 1, s->biases);
    if (!(weights <= (winograd ? 2e-5 : 3e-6)) || !(biases <= 1e-7))
        fail_msg("%s: %d to %d channels, window %d: weights deviate by %g, biases by %g",
                 dp_isa_name(isa), s->layer->channels, s->layer->outputs, s->layer->window.height,
                 weights, biases);
    s->winograd |= winograd;
}

static void test_layers(void **state) {
    static const plan_way ways[] = { { .batch = IMAGES + 1, .threads = 1 },
                                     { .batch = IMAGES + 1, .threads = 2 },
                                     { .batch = IMAGES + 1, .threads = 3 },
                                     { .batch = IMAGES + 1, .threads = 7 } };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        subject s;
        open(&s, &layers[i]);
        plan_everywhere(&s.plan, ways, sizeof ways / sizeof *ways, compare, &s);
        if (layers[i].winograd != s.winograd)
            fail_msg("layer %zu: %s", i,
                     s.winograd ? "computed by Winograd's algorithm"
                                : "not computed by Winograd's algorithm");
        close(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers) };
    return cmocka_run_group_tests_name("weight gradient", tests, NULL, NULL);
}
