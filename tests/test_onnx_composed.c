/* test_onnx_composed.c - ONNX in: the values of operators that become several layers, and of those
 * that only imported networks have. A picture of 3 x 2 x 2 goes through one of them, and what comes
 * out is flattened and taken as the answer. */
#include "formats/formats.h"
#include "helpers/helpers.h"
#include "helpers/onnx_imported.h"
#include "session/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { C = 3, PIXELS = 4, VALUES = C * PIXELS, MAX_VALUES = 4 * VALUES };

static const float picture[VALUES] = { -3, -0.5F, 0, 0.25F, 1, 2, 4.5F, -1, 0.125F, -6, 3, -0.75F };

/* What should come out for value i, in the order C x H x W. */
typedef double right(const double *x, int i);

static double leaky(const double *x, int i) {
    return x[i] > 0 ? x[i] : 0.25 * x[i];
}
static double channel_slopes(const double *x, int i) { /* -0.75, -0.5, -0.25 */
    return x[i] > 0 ? x[i] : (i / PIXELS - 3) / 4.0 * x[i];
}
static double error_function(const double *x, int i) {
    return erf(x[i]);
}
static double gelu(const double *x, int i) {
    return x[i] * (1 + erf(x[i] / sqrt(2))) / 2;
}
static double gelu_by_tanh(const double *x, int i) {
    return x[i] * (1 + tanh(sqrt(2 / acos(-1)) * (x[i] + 0.044715 * pow(x[i], 3)))) / 2;
}
static double tanh_of(const double *x, int i) {
    return tanh(x[i]);
}
static double negative(const double *x, int i) {
    return -x[i];
}
static double square(const double *x, int i) {
    return x[i] * x[i];
}
static double difference(const double *x, int i) {
    return x[i] - fmax(x[i], 0);
}

/* Value i less the mean, over the deviation, of `count` values from `begin` on, `step` apart. */
static double normal(const double *x, int i, int begin, int count, int step, double epsilon) {
    double mean = 0, variance = 0;
    for (int k = 0; k < count; k++)
        mean += x[begin + k * step] / count;
    for (int k = 0; k < count; k++)
        variance += pow(x[begin + k * step] - mean, 2) / count;
    return (x[i] - mean) / sqrt(variance + epsilon);
}
/* Factors and terms of the channels are -0.75, -0.5, -0.25. */
static double learned(double value, int i) {
    return (i / PIXELS - 3) / 4.0 * (value + 1);
}
static double instance(const double *x, int i) {
    return learned(normal(x, i, i / PIXELS * PIXELS, PIXELS, 1, 0.01), i);
}
static double layer(const double *x, int i) {
    return learned(normal(x, i, i % PIXELS, C, PIXELS, 0.01), i);
}
static double group(const double *x, int i) {
    return learned(normal(x, i, 0, VALUES, 1, 0.01), i);
}
static double whole(const double *x, int i) {
    return normal(x, i, 0, VALUES, 1, 1e-5);
}
static double doubled(const double *x, int i) { /* 3 x 4 x 4 */
    return x[i / 16 * PIXELS + i % 16 / 8 * 2 + i % 4 / 2];
}
static double mirrored(const double *x, int i) { /* 3 x 3 x 4: a row above, a column on each side */
    int y = i % 12 / 4 == 1 ? 0 : 1, at = i % 4 % 2 ? 0 : 1;
    return x[i / 12 * PIXELS + y * 2 + at];
}

static double windowed(const double *x, int i) { /* taps -0.75, -0.5, -0.25 */
    double sum = 0;
    for (int k = 0; k < 3; k++)
        sum += i + k - 2 < 0 ? 0 : (k - 3) / 4.0 * x[i + k - 2];
    return sum;
}

/* Adds the nodes from x to y. */
typedef void build(maker *m);

static void add_learned(maker *m, const char *type, const char *inputs) {
    maker_float(m, maker_node(m, type, inputs, "y"), "epsilon", 0.01F);
}
static void build_leaky(maker *m) {
    maker_float(m, maker_node(m, "LeakyRelu", "x", "y"), "alpha", 0.25F);
}
static void build_prelu(maker *m) {
    maker_node(m, "PRelu", "x,slopes", "y");
}
static void build_erf(maker *m) {
    maker_node(m, "Erf", "x", "y");
}
static void build_gelu(maker *m) {
    maker_node(m, "Gelu", "x", "y");
}
static void build_gelu_by_tanh(maker *m) {
    maker_text(m, maker_node(m, "Gelu", "x", "y"), "approximate", "tanh");
}
static void build_tanh(maker *m) {
    maker_node(m, "Tanh", "x", "y");
}
static void build_negative(maker *m) {
    maker_node(m, "Neg", "x", "y");
}
static void build_square(maker *m) {
    maker_node(m, "Pow", "x,two", "y");
}
static void build_difference(maker *m) {
    maker_node(m, "Relu", "x", "r");
    maker_node(m, "Sub", "x,r", "y");
}
static void build_instance(maker *m) {
    add_learned(m, "InstanceNormalization", "x,learned,learned");
}
static void build_layer(maker *m) {
    maker_ints(m, maker_node(m, "Transpose", "x", "t"), "perm", (int64_t[]){ 0, 2, 3, 1 }, 4);
    Onnx__NodeProto *node = maker_node(m, "LayerNormalization", "t,learned,learned", "n");
    maker_float(m, node, "epsilon", 0.01F);
    maker_ints(m, maker_node(m, "Transpose", "n", "y"), "perm", (int64_t[]){ 0, 3, 1, 2 }, 4);
}
static void build_group(maker *m) {
    Onnx__NodeProto *node = maker_node(m, "GroupNormalization", "x,learned,learned", "y");
    maker_float(m, node, "epsilon", 0.01F);
    maker_int(m, node, "num_groups", 1);
}
static void build_torch_group(maker *m) {
    maker_node(m, "Reshape", "x,rows", "r");
    maker_node(m, "InstanceNormalization", "r,one,zero", "n");
    maker_node(m, "Reshape", "n,back", "y");
}
static void build_resize(maker *m) {
    maker_node(m, "Resize", "x,,scales", "y");
}
static void build_mirror(maker *m) {
    maker_text(m, maker_node(m, "Pad", "x,pads", "y"), "mode", "reflect");
}

/* How ECA weighs channels: a window over them. */
static void build_row(maker *m) {
    maker_node(m, "Reshape", "x,row", "r");
    Onnx__NodeProto *node = maker_node(m, "Conv", "r,taps", "c");
    maker_ints(m, node, "pads", (int64_t[]){ 2, 0 }, 2);
    maker_ints(m, node, "strides", (int64_t[]){ 1 }, 1);
    maker_node(m, "Reshape", "c,back", "y");
}

static double mean_of_channel(const double *x, int i) {
    const double *channel = x + i / PIXELS * PIXELS;
    return (channel[0] + channel[1] + channel[2] + channel[3]) / PIXELS;
}
static void build_expand(maker *m) {
    maker_node(m, "GlobalAveragePool", "x", "mean");
    maker_node(m, "Shape", "x", "shape");
    maker_node(m, "Expand", "mean,shape", "y");
}

static maker *make(build *nodes) {
    static int64_t rows[] = { 0, 1, -1 }, back[] = { 0, 3, 2, 2 }, row[] = { 0, 1, VALUES },
                   pads[] = { 0, 0, 1, 1, 0, 0, 0, 1 };
    maker *m = maker_picture(20, C, 2, 2);
    maker_floats(m, "slopes", (int64_t[]){ C, 1, 1 }, 3);
    maker_floats(m, "learned", (int64_t[]){ C }, 1);
    maker_floats(m, "two", NULL, 0)->float_data[0] = 2;
    maker_floats(m, "one", (int64_t[]){ 1 }, 1)->float_data[0] = 1;
    maker_floats(m, "zero", (int64_t[]){ 1 }, 1)->float_data[0] = 0;
    float *scales = maker_floats(m, "scales", (int64_t[]){ 4 }, 1)->float_data;
    memcpy(scales, (float[]){ 1, 1, 2, 2 }, 4 * sizeof *scales);
    maker_list(m, "rows", rows, 3);
    maker_list(m, "row", row, 3);
    maker_floats(m, "taps", (int64_t[]){ 1, 1, 3 }, 3);
    maker_list(m, "back", back, 4);
    maker_list(m, "pads", pads, 8);
    nodes(m);
    return m;
}

static int run(maker *m, float *answer) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    dp_packs *packs;
    dp_session *session;
    size_t size;
    maker_node(m, "Flatten", "y", "flattened");
    m->ends[1].name = (char *)"flattened";
    void *bytes = maker_pack(m, &size);
    if (dp_model_open_bytes(&model, bytes, size, "made", NULL, "as-is", NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(dp_packs_create(&packs, NULL, NULL), DEEPER_OK);
    const dp_session_options options = {
        .max_batch = 1, .threads = 1, .outputs = &model->prob, .output_count = 1
    };
    assert_int_equal(dp_session_create(&session, model, packs, &options, NULL), DEEPER_OK);
    dp_session_run(session, picture, 1, (float *const[]){ answer });
    int values = model->classes;
    dp_session_free(session);
    dp_packs_free(packs);
    dp_model_free(model);
    free(bytes);
    maker_free(m);
    return values;
}

static void test_values(void **state) {
    static const struct {
        build *nodes;
        right *value;
        int values;
    } cases[] = {
        { build_leaky, leaky, VALUES },
        { build_prelu, channel_slopes, VALUES },
        { build_erf, error_function, VALUES },
        { build_gelu, gelu, VALUES },
        { build_gelu_by_tanh, gelu_by_tanh, VALUES },
        { build_tanh, tanh_of, VALUES },
        { build_negative, negative, VALUES },
        { build_square, square, VALUES },
        { build_difference, difference, VALUES },
        { build_instance, instance, VALUES },
        { build_layer, layer, VALUES },
        { build_group, group, VALUES },
        { build_torch_group, whole, VALUES },
        { build_row, windowed, VALUES },
        { build_expand, mean_of_channel, VALUES },
        { build_resize, doubled, 4 * VALUES },
        { build_mirror, mirrored, 3 * VALUES },
    };
    double x[VALUES];
    for (int i = 0; i < VALUES; i++)
        x[i] = (double)picture[i];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float answer[MAX_VALUES];
        assert_int_equal(run(make(cases[i].nodes), answer), cases[i].values);
        for (int k = 0; k < cases[i].values; k++)
            if (fabs((double)answer[k] - cases[i].value(x, k)) > 2e-6)
                fail_msg("case %zu: value %d is %g and not %g", i, k, (double)answer[k],
                         cases[i].value(x, k));
    }
}

static void test_refusals(void **state) {
    maker *m = make(build_erf);
    maker_node(m, "Pow", "y,learned", "z");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "node z (Pow): another power than 2");
    m = make(build_erf);
    maker_node(m, "LayerNormalization", "y,learned", "z");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "the channels of each pixel");
    m = make(build_erf);
    maker_text(m, maker_node(m, "Resize", "y,,scales", "z"), "mode", "linear");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "by other pixels than the nearest");
    m = make(build_erf);
    maker_text(m, maker_node(m, "Pad", "y,pads", "z"), "mode", "edge");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "neither constant nor reflected");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
