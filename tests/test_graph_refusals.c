/* test_graph_refusals.c - every refusal of every shape rule, by the rule alone and in a graph. What
 * the rules allow is test_graph.c's. */
#include "graph/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LARGEST_SIDE = 1 << 16, LARGEST_CHANNELS = 1 << 24 }; /* limits of a shape */

/* One wrong node on the inputs that the case names: pictures and parameters of these shapes. */
typedef struct refusal {
    dp_op op;
    int count;
    dp_shape inputs[5];
    dp_attributes attributes;
    deeper_status status;
    const char *message;
} refusal;

#define SQUARE(side, stride, pad)                                                                  \
    .height = side, .width = side, .stride_y = stride, .stride_x = stride,                         \
    .pads = { pad, pad, pad, pad }
#define WINDOW(...)                                                                                \
    {                                                                                              \
        .window = { __VA_ARGS__ }                                                                  \
    }

#define ARGUMENT DEEPER_ERROR_ARGUMENT
#define MISMATCH DEEPER_ERROR_MISMATCH
#define LIMIT DEEPER_ERROR_LIMIT
#define UNSUPPORTED DEEPER_ERROR_UNSUPPORTED

static const refusal refusals[] = {
    /* number and kind of inputs */
    { DP_OP_RELU, 0, { { 0 } }, { { 0 } }, ARGUMENT, "relu with 0 inputs" },
    { DP_OP_ADD, 1, { { 0, 1, 1, 1 } }, { { 0 } }, ARGUMENT, "add with 1 inputs" },
    { DP_OP_CONCAT, 0, { { 0 } }, { { 0 } }, ARGUMENT, "concat with 0 inputs" },
    { DP_OP_CONV,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(SQUARE(1, 1, 0), .groups = 1),
      ARGUMENT,
      "conv with 1 inputs" },
    { DP_OP_INPUT, 1, { { 0, 1, 1, 1 } }, { { 0, 1, 1, 1 } }, ARGUMENT, "input with 1 inputs" },
    { DP_OP_RELU,
      1,
      { { 4, 1, 1, 1 } },
      { { 0 } },
      ARGUMENT,
      "input 0 of relu must not be a parameter" },
    { DP_OP_FC,
      2,
      { { 0, 4, 1, 1 }, { 0, 4, 1, 1 } },
      { { 0 } },
      ARGUMENT,
      "input 1 of fc must be a parameter" },
    { DP_OP_CONV,
      2,
      { { 4, 4, 1, 1 }, { 4, 4, 1, 1 } },
      WINDOW(SQUARE(1, 1, 0), .groups = 1),
      ARGUMENT,
      "input 0 of conv must not be a parameter" },
    { DP_OP_COUNT, 0, { { 0 } }, { { 0 } }, ARGUMENT, "no such operator" },
    /* stated shapes */
    { DP_OP_INPUT, 0, { { 0 } }, { { 0, 3, 0, 5 } }, ARGUMENT, "shape 0 is not in [1, 16777216]" },
    { DP_OP_INPUT, 0, { { 0 } }, { { 2, 3, 5, 5 } }, LIMIT, "a input of 2x3x5x5 is out of range" },
    { DP_OP_INPUT,
      0,
      { { 0 } },
      { { 0, -3, 5, 5 } },
      ARGUMENT,
      "shape -3 is not in [1, 16777216]" },
    { DP_OP_INPUT,
      0,
      { { 0 } },
      { { 0, 1, LARGEST_SIDE + 1, 1 } },
      LIMIT,
      "a input of 0x1x65537x1 is out of range" },
    { DP_OP_INPUT,
      0,
      { { 0 } },
      { { 0, 3, 65536, 65536 } },
      LIMIT,
      "a input of 0x3x65536x65536 is out of range" },
    { DP_OP_PARAMETER,
      0,
      { { 0 } },
      { { 0, 3, 5, 5 } },
      ARGUMENT,
      "shape 0 is not in [1, 16777216]" },
    { DP_OP_PARAMETER,
      0,
      { { 0 } },
      { { -1, 3, 5, 5 } },
      ARGUMENT,
      "shape -1 is not in [1, 16777216]" },
    { DP_OP_PARAMETER,
      0,
      { { 0 } },
      { { LARGEST_CHANNELS, LARGEST_CHANNELS, 1, 1 } },
      LIMIT,
      "a parameter of 16777216x16777216x1x1 is out of range" },
    { DP_OP_PARAMETER,
      0,
      { { 0 } },
      { { LARGEST_CHANNELS, LARGEST_CHANNELS, 65536, 65536 } },
      LIMIT,
      "a parameter of 16777216x16777216x65536x65536 is out of range" },
    /* windows */
    { DP_OP_MAX_POOL,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(SQUARE(3, 0, 0)),
      ARGUMENT,
      "stride 0 is not in [1, 65536]" },
    { DP_OP_MAX_POOL,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(.height = 3, .width = 65537, .stride_y = 1, .stride_x = 1),
      ARGUMENT,
      "window 65537 is not in [1, 65536]" },
    { DP_OP_AVERAGE_POOL,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(SQUARE(3, 1, -1)),
      ARGUMENT,
      "pads -1 is not in [0, 65536]" },
    { DP_OP_MAX_POOL,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(SQUARE(3, 1, 3)),
      ARGUMENT,
      "a pool's padding must be smaller than its window" },
    { DP_OP_AVERAGE_POOL,
      1,
      { { 0, 3, 8, 8 } },
      WINDOW(.height = 3, .width = 2, .stride_y = 1, .stride_x = 1, .pads.right = 2),
      ARGUMENT,
      "a pool's padding must be smaller than its window" },
    { DP_OP_AVERAGE_POOL,
      1,
      { { 0, 3, 8, 4 } },
      WINDOW(SQUARE(5, 1, 0)),
      MISMATCH,
      "a window of 5x5 does not fit into a picture of 8x4" },
    { DP_OP_CONV,
      2,
      { { 0, 3, 2, 9 }, { 4, 3, 5, 5 } },
      WINDOW(SQUARE(5, 1, 1), .groups = 1),
      MISMATCH,
      "a window of 5x5 does not fit into a picture of 2x9" },
    { DP_OP_CONV,
      2,
      { { 0, 1, 1, 65536 }, { 1, 1, 1, 1 } },
      WINDOW(.height = 1, .width = 1, .stride_y = 1, .stride_x = 1, .pads.right = 1, .groups = 1),
      LIMIT,
      "a conv of 0x1x1x65537 is out of range" },
    /* products */
    { DP_OP_CONV,
      2,
      { { 0, 3, 8, 8 }, { 4, 3, 1, 1 } },
      WINDOW(SQUARE(1, 1, 0)),
      ARGUMENT,
      "groups 0 is not in [1, 16777216]" },
    { DP_OP_CONV,
      2,
      { { 0, 6, 8, 8 }, { 4, 2, 1, 1 } },
      WINDOW(SQUARE(1, 1, 0), .groups = 3),
      MISMATCH,
      "3 groups do not divide 6 and 4 channels" },
    { DP_OP_CONV,
      2,
      { { 0, 3, 8, 8 }, { 4, 2, 3, 3 } },
      WINDOW(SQUARE(3, 1, 1), .groups = 1),
      MISMATCH,
      "weights of 4x2x3x3 for a 3x3 convolution of 3 channels" },
    { DP_OP_CONV,
      2,
      { { 0, 3, 8, 8 }, { 4, 3, 3, 5 } },
      WINDOW(SQUARE(3, 1, 1), .groups = 1),
      MISMATCH,
      "weights of 4x3x3x5 for a 3x3 convolution of 3 channels" },
    { DP_OP_CONV,
      3,
      { { 0, 3, 8, 8 }, { 4, 3, 3, 3 }, { 5, 1, 1, 1 } },
      WINDOW(SQUARE(3, 1, 1), .groups = 1),
      MISMATCH,
      "a bias of 5 values for 4 outputs" },
    { DP_OP_FC,
      2,
      { { 0, 3, 2, 1 }, { 4, 3, 1, 2 } },
      { { 0 } },
      MISMATCH,
      "weights of 4x3x1x2 for an input of 3x2x1" },
    { DP_OP_FC,
      3,
      { { 0, 3, 1, 1 }, { 4, 3, 1, 1 }, { 3, 1, 1, 1 } },
      { { 0 } },
      MISMATCH,
      "a bias of 3 values for 4 outputs" },
    /* the rest */
    { DP_OP_LRN,
      1,
      { { 0, 8, 2, 2 } },
      { .lrn = { 4, 1, 0.75F, 1 } },
      UNSUPPORTED,
      "an LRN window of 4 channels; 1, 3, 5, 7 and 9 are supported" },
    { DP_OP_LRN,
      1,
      { { 0, 8, 2, 2 } },
      { .lrn = { 11, 1, 0.75F, 1 } },
      UNSUPPORTED,
      "an LRN window of 11 channels; 1, 3, 5, 7 and 9 are supported" },
    { DP_OP_LRN,
      1,
      { { 0, 8, 2, 2 } },
      { .lrn = { -1, 1, 0.75F, 1 } },
      ARGUMENT,
      "lrn.size -1 is not in [1, 16777216]" },
    { DP_OP_LRN,
      1,
      { { 0, 8, 2, 2 } },
      { .lrn = { 5, 1, 0.75F, 0 } },
      ARGUMENT,
      "lrn.k 0 is not in (0, 3.4028235e+38]" },
    { DP_OP_LRN,
      1,
      { { 0, 8, 2, 2 } },
      { .lrn = { 5, NAN, 0.75F, 1 } },
      ARGUMENT,
      "lrn.alpha nan is not in [0, 3.4028235e+38]" },
    { DP_OP_BATCH_NORM,
      5,
      { { 0, 8, 2, 2 }, { 8, 1, 1, 1 }, { 8, 1, 1, 1 }, { 7, 1, 1, 1 }, { 8, 1, 1, 1 } },
      { .epsilon = 1e-3F },
      MISMATCH,
      "batch norm of 8 channels with a parameter of 7" },
    { DP_OP_BATCH_NORM,
      5,
      { { 0, 8, 2, 2 }, { 8, 1, 1, 1 }, { 8, 1, 1, 1 }, { 8, 1, 1, 1 }, { 8, 1, 1, 1 } },
      { .epsilon = 0 },
      ARGUMENT,
      "epsilon 0 is not in (0, 3.4028235e+38]" },
    { DP_OP_ADD,
      2,
      { { 0, 8, 2, 3 }, { 0, 8, 3, 2 } },
      { { 0 } },
      MISMATCH,
      "a sum of 8x2x3 and 8x3x2" },
    { DP_OP_CONCAT,
      2,
      { { 0, 8, 2, 3 }, { 0, 4, 2, 2 } },
      { { 0 } },
      MISMATCH,
      "pictures of 2x3 and 2x2 cannot be joined along channels" },
    { DP_OP_CONCAT,
      2,
      { { 0, LARGEST_CHANNELS, 1, 1 }, { 0, 1, 1, 1 } },
      { { 0 } },
      LIMIT,
      "more than 16777216 channels" },
    { DP_OP_FLATTEN, 1, { { 0, 257, 256, 256 } }, { { 0 } }, LIMIT, "more than 16777216 channels" },
    { DP_OP_DROPOUT,
      1,
      { { 0, 8, 1, 1 } },
      { .dropout = { .rate = 1 } },
      ARGUMENT,
      "rate 1 is not in [0, 1)" },
    { DP_OP_DROPOUT,
      1,
      { { 0, 8, 1, 1 } },
      { .dropout = { .rate = -0.1F } },
      ARGUMENT,
      "rate -0.1 is not in [0, 1)" },
    { DP_OP_DROPOUT,
      1,
      { { 0, 8, 1, 1 } },
      { .dropout = { .rate = NAN } },
      ARGUMENT,
      "rate nan is not in [0, 1)" },
};

/* By the shape rule alone, and in a graph, whose message begins with the node's name. */
static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        dp_shape out;
        deeper_error error = { 0 };
        assert_int_equal(dp_op_infer(r->op, r->inputs, r->count, &r->attributes, &out, &error),
                         r->status);
        assert_string_equal(error.message, r->message);

        dp_graph *graph = NULL;
        assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
        int inputs[5];
        for (int j = 0; j < r->count; j++) {
            char name[16];
            snprintf(name, sizeof name, "x%d", j);
            dp_attributes shape = { .shape = r->inputs[j] };
            inputs[j] = dp_graph_add(graph, r->inputs[j].n ? DP_OP_PARAMETER : DP_OP_INPUT, name,
                                     NULL, 0, &shape);
            assert_int_equal(inputs[j], j);
        }
        assert_int_equal(
            dp_graph_add(graph, r->op, "block/wrong", inputs, r->count, &r->attributes), -1);
        assert_int_equal(graph->count, r->count);
        char message[DEEPER_MESSAGE_SIZE];
        snprintf(message, sizeof message, "block/wrong: %s", r->message);
        assert_int_equal(dp_graph_status(graph, &error), r->status);
        assert_string_equal(error.message, message);
        dp_graph_free(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
