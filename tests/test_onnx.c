/* test_onnx.c - ONNX in: what nodes become, layer by layer; files that lie; values in other files.
 * Operators that only move values are test_onnx_shapes.c's, quantized files
 * test_onnx_quantized.c's, numbers against other implementations test_onnx_backend.c's, ONNX out is
 * test_onnx_write.c's. */
#include "formats/formats.h"
#include "formats/onnx/onnx.h"
#include "helpers/helpers.h"
#include "helpers/onnx_imported.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --------------------------------------------------------------------------------------- layers */

static void test_classifier(void **state) {
    imported import = imported_make(maker_classifier());
    imported_assert_shape(imported_layer(&import, "c"), 4, 8, 8);
    assert_int_equal(imported_layer(&import, "c")->attributes.window.pads.right, 1);
    imported_assert_shape(imported_layer(&import, "p"), 4, 4, 4);
    const dp_node *fc = imported_layer(&import, "y");
    assert_int_equal(fc->op, DP_OP_FC);
    assert_string_equal(import.network.graph->nodes[fc->inputs[0]].name,
                        "p"); /* no flatten between: it reads the picture */
    imported_assert_shape(imported_layer(&import, "y.weight"), 4, 4, 4);
    assert_int_equal(import.network.graph->nodes[import.network.output].op, DP_OP_FC);
    assert_int_equal(import.network.batch, -1);
    assert_true(imported_value(&import, "y.weight", 8) == -0.5F);
    imported_free(&import);
}

/* Sizes and pads by auto_pad, of an even window on an odd side: what is left over goes behind, or
 * before. */
static void test_windows(void **state) {
    static const struct {
        const char *mode;
        int side, top, bottom;
    } cases[] = { { "SAME_UPPER", 4, 1, 2 },
                  { "SAME_LOWER", 4, 2, 1 },
                  { "VALID", 2, 0, 0 },
                  { "NOTSET", 3, 1, 0 } };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool pool = i % 2;
        maker *m = maker_picture(13, 2, 7, 7);
        maker_floats(m, "w", (int64_t[]){ 3, 2, 4, 4 }, 4);
        Onnx__NodeProto *node =
            maker_node(m, pool ? "AveragePool" : "Conv", pool ? "x" : "x,w", "y");
        maker_text(m, node, "auto_pad", cases[i / 2].mode);
        maker_ints(m, node, "kernel_shape", (int64_t[]){ 4, 4 }, 2);
        maker_ints(m, node, "strides", (int64_t[]){ 2, 2 }, 2);
        if (i / 2 == 3)
            maker_ints(m, node, "pads", (int64_t[]){ 1, 1, 0, 0 }, 4);
        imported import = imported_make(m);
        const dp_window *w = &imported_layer(&import, "y")->attributes.window;
        imported_assert_shape(imported_layer(&import, "y"), pool ? 2 : 3, cases[i / 2].side,
                              cases[i / 2].side);
        assert_int_equal(w->pads.top, cases[i / 2].top);
        assert_int_equal(w->pads.left, cases[i / 2].top);
        assert_int_equal(w->pads.bottom, cases[i / 2].bottom);
        imported_free(&import);
    }
    maker *m = maker_picture(13, 2, 8, 8); /* rounded up, all positions counted */
    Onnx__NodeProto *node = maker_node(m, "AveragePool", "x", "y");
    maker_ints(m, node, "kernel_shape", (int64_t[]){ 3, 3 }, 2);
    maker_ints(m, node, "strides", (int64_t[]){ 2, 2 }, 2);
    maker_int(m, node, "ceil_mode", 1);
    maker_int(m, node, "count_include_pad", 1);
    imported import = imported_make(m);
    imported_assert_shape(imported_layer(&import, "y"), 2, 4, 4);
    assert_true(imported_layer(&import, "y")->attributes.window.ceil
                && imported_layer(&import, "y")->attributes.window.count_padding);
    imported_free(&import);
}

/* A dilated window is a larger one with zeros between. */
static void test_dilation(void **state) {
    maker *m = maker_picture(13, 1, 9, 9);
    maker_floats(m, "w", (int64_t[]){ 1, 1, 2, 2 }, 4);
    maker_ints(m, maker_node(m, "Conv", "x,w", "y"), "dilations", (int64_t[]){ 3, 2 }, 2);
    imported import = imported_make(m);
    imported_assert_shape(imported_layer(&import, "y"), 1, 6, 7);
    const float wanted[] = { -0.75F, 0, -0.5F, 0, 0, 0, 0, 0, 0, -0.25F, 0, 0 };
    for (size_t i = 0; i < 12; i++)
        assert_true(imported_value(&import, "y.weight", i) == wanted[i]);
    imported_free(&import);
}

/* alpha, beta and an untransposed B are worked into the weights. MatMul and Add stay two layers,
 * for both have a name that can be asked for. */
static void test_linear(void **state) {
    maker *m = maker_create(13, (int64_t[]){ 0, 6 }, 2);
    maker_floats(m, "w", (int64_t[]){ 6, 4 }, 2);
    maker_floats(m, "b", (int64_t[]){ 4 }, 1);
    maker_node(m, "MatMul", "x,w", "product");
    maker_node(m, "Add", "b,product", "y");
    imported import = imported_make(m);
    assert_int_equal(imported_layer(&import, "product")->op, DP_OP_FC);
    assert_int_equal(imported_layer(&import, "product")->input_count, 2);
    assert_int_equal(imported_layer(&import, "y")->op, DP_OP_AFFINE);
    assert_true(imported_value(&import, "product.weight", 1) == ((float)(4 % 7) - 3) / 4);
    assert_true(imported_value(&import, "y.weight", 3) == 1
                && imported_value(&import, "y.bias", 3) == 0);
    imported_free(&import);

    m = maker_create(9, (int64_t[]){ 3, 6 }, 2);
    maker_floats(m, "w", (int64_t[]){ 6, 4 }, 2);
    maker_floats(m, "b", (int64_t[]){ 1, 4 }, 2);
    Onnx__NodeProto *node = maker_node(m, "Gemm", "x,w,b", "y");
    maker_float(m, node, "alpha", 2);
    maker_float(m, node, "beta", -4);
    import = imported_make(m);
    assert_true(imported_value(&import, "y.weight", 1) == 2 * ((float)(4 % 7) - 3) / 4);
    assert_true(imported_value(&import, "y.bias", 0) == 3);
    assert_int_equal(import.network.batch, 3);
    imported_free(&import);
}

/* Constants that multiply and add: one number, one a channel, in the older way with an axis. */
static void test_affine(void **state) {
    maker *m = maker_picture(13, 3, 2, 2);
    maker_floats(m, "scale", (int64_t[]){ 3, 1, 1 }, 3);
    maker_floats(m, "term", (int64_t[]){ 1, 3, 1, 1 }, 4);
    maker_floats(m, "one", NULL, 0);
    maker_node(m, "Mul", "x,scale", "s");
    maker_node(m, "Add", "s,term", "t");
    maker_node(m, "Sub", "one,t", "u");
    maker_node(m, "Div", "u,one", "y");
    imported import = imported_make(m);
    assert_true(imported_value(&import, "t.weight", 1) == -0.5F
                && imported_value(&import, "t.bias", 2) == -0.25F); /* one layer */
    assert_true(imported_value(&import, "u.weight", 0) == -1
                && imported_value(&import, "u.bias", 2) == -0.75F);
    assert_true(imported_value(&import, "y.weight", 0) == 1 / -0.75F);
    imported_free(&import);

    m = maker_picture(6, 3, 2, 2);
    maker_floats(m, "term", (int64_t[]){ 3 }, 1);
    Onnx__NodeProto *node = maker_node(m, "Add", "x,term", "y");
    maker_int(m, node, "broadcast", 1);
    maker_int(m, node, "axis", 1);
    import = imported_make(m);
    assert_int_equal(imported_layer(&import, "y")->op, DP_OP_AFFINE);
    imported_free(&import);

    m = maker_picture(13, 3, 2, 2);
    maker_floats(m, "term", (int64_t[]){ 1, 3, 2, 2 }, 4);
    maker_node(m, "Add", "x,term", "y");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED,
                            "node y (Add): its constant term is not one value a channel");
}

/* Gates: a sigmoid, or a ramp from 0 to 1, and products of two values, one of which may be a factor
 * a channel, first or second. */
static void test_gates(void **state) {
    for (int swapped = 0; swapped < 2; swapped++) {
        maker *m = maker_picture(13, 3, 4, 4);
        maker_node(m, "GlobalAveragePool", "x", "mean");
        maker_node(m, "Sigmoid", "mean", "gate");
        maker_node(m, "Mul", swapped ? "gate,x" : "x,gate", "gated");
        Onnx__NodeProto *node = maker_node(m, "HardSigmoid", "gated", "h");
        maker_float(m, node, "alpha", 0.25F);
        maker_node(m, "Mul", "h,gated", "p");
        maker_node(m, "HardSwish", "p", "y");
        imported import = imported_make(m);
        const dp_node *nodes = import.network.graph->nodes,
                      *gated = imported_layer(&import, "gated");
        assert_int_equal(gated->op, DP_OP_MULTIPLY);
        assert_string_equal(nodes[gated->inputs[1]].name, "gate");
        imported_assert_shape(gated, 3, 4, 4);
        assert_true(imported_value(&import, "h.line.weight", 2) == 0.25F
                    && imported_value(&import, "h.line.bias", 0) == 0.5F);
        const dp_node *product = imported_layer(&import, "p"), *ramp = &nodes[product->inputs[0]];
        assert_ptr_equal(ramp, imported_layer(&import, "h"));
        assert_int_equal(ramp->op, DP_OP_CLIP);
        assert_true(ramp->attributes.clip.low == 0 && ramp->attributes.clip.high == 1);
        const dp_node *swish = &nodes[import.network.output];
        assert_int_equal(swish->op, DP_OP_MULTIPLY);
        assert_ptr_equal(swish, imported_layer(&import, "y"));
        assert_ptr_equal(&nodes[swish->inputs[0]], product);
        assert_true(imported_value(&import, "y.line.weight", 1) == 1.0F / 6
                    && imported_value(&import, "y.line.bias", 1) == 0.5F);
        imported_free(&import);
    }
    maker *m = maker_picture(13, 3, 4, 4);
    maker_node(m, "Sigmoid", "x", "s");
    maker_node(m, "Div", "x,s", "y");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "node y (Div): a quotient of two values");
    m = maker_picture(13, 3, 4, 4);
    maker_int(m, maker_node(m, "Split", "x", "a,b,c"), "axis", 1);
    maker_node(m, "Mul", "x,a", "y"); /* a factor a pixel */
    imported_assert_refused(m, DEEPER_ERROR_FORMAT,
                            "node y (Mul): y: a product of 3x4x4 and 1x4x4");
}

static void test_bounds(void **state) {
    maker *m = maker_picture(13, 2, 3, 3);
    maker_floats(m, "low", NULL, 0); /* -0.75 */
    maker_floats(m, "high", NULL, 0)->float_data[0] = 6;
    maker_node(m, "Clip", "x,low,high", "a");
    maker_node(m, "Clip", "a,,high", "b");
    maker_node(m, "Clip", "b", "y");
    imported import = imported_make(m);
    assert_true(imported_layer(&import, "a")->attributes.clip.low == -0.75F
                && imported_layer(&import, "a")->attributes.clip.high == 6);
    assert_true(imported_layer(&import, "b")->attributes.clip.low < -1e30F);
    imported_free(&import);

    m = maker_picture(9, 2, 3, 3);
    Onnx__NodeProto *node = maker_node(m, "Clip", "x", "y");
    maker_float(m, node, "min", 0);
    import = imported_make(m);
    assert_int_equal(imported_layer(&import, "y")->op, DP_OP_RELU);
    imported_free(&import);

    m = maker_picture(11, 2, 3, 3);
    static int64_t pads[] = { 0, 0, 1, 2, 0, 0, 3, 4 };
    maker_list(m, "pads", pads, 8);
    maker_node(m, "Pad", "x,pads", "y");
    import = imported_make(m);
    imported_assert_shape(imported_layer(&import, "y"), 2, 7, 9);
    imported_free(&import);
}

/* A node of several layers lends its name to the last, whose value is the node's output; a node
 * whose value no layer has lends it to none. */
static void test_names(void **state) {
    maker *m = maker_picture(14, 3, 4, 4);
    maker_floats(m, "w", (int64_t[]){ 3, 3, 1, 1 }, 4);
    maker_floats(m, "b", (int64_t[]){ 1, 3, 1, 1 }, 4);
    static int64_t two[] = { 2, 0 };
    maker_list(m, "two", two, 2);
    maker_node(m, "Conv", "x,w", "c");
    maker_node(m, "Add", "c,b", "biased");
    maker_node(m, "Sum", "biased,x,x", "s");
    maker_int(m, maker_node(m, "Gather", "s,two", "g"), "axis", 1);
    maker_int(m, maker_node(m, "Split", "g", "first,second"), "axis", 1);
    maker_node(m, "Add", "first,second", "y");
    imported import = imported_make(m);
    const dp_node *nodes = import.network.graph->nodes, *s = imported_layer(&import, "s"),
                  *part = &nodes[s->inputs[0]], *biased = imported_layer(&import, "biased");
    assert_int_equal(biased->op, DP_OP_CONV);
    assert_int_equal(biased->input_count, 3);
    assert_int_equal(dp_graph_find(import.network.graph, "c"), -1);
    assert_int_equal(part->op, DP_OP_ADD);
    assert_ptr_equal(&nodes[part->inputs[0]], biased);
    assert_string_equal(part->name, "s.sum");
    assert_int_equal(imported_layer(&import, "g")->op, DP_OP_CONCAT);
    assert_int_equal(imported_layer(&import, "first")->attributes.slice.begin, 0);
    assert_int_equal(imported_layer(&import, "second")->attributes.slice.begin, 1);
    imported_free(&import);
}

/* Values in every field and type. */
static void test_element_types(void **state) {
    static const unsigned char halves[] = { 0x00, 0x3C, 0x00, 0xC0 },
                               floats[] = { 0, 0, 128, 63, 0, 0, 0, 192 };
    static int32_t bits[] = { 0x3C00, 0xC000 }, brain[] = { 0x3F80, 0xC000 };
    static double doubles[] = { 1, -2 };
    for (int i = 0; i < 5; i++) {
        maker *m = maker_picture(13, 2, 3, 3);
        Onnx__TensorProto *w = maker_floats(m, "w", (int64_t[]){ 1, 2, 1, 1 }, 4);
        w->n_float_data = 0;
        w->data_type = i == 0   ? DP_ONNX_FLOAT16
                       : i == 1 ? DP_ONNX_FLOAT
                       : i == 2 ? DP_ONNX_FLOAT16
                       : i == 3 ? DP_ONNX_BFLOAT16
                                : DP_ONNX_DOUBLE;
        w->has_raw_data = i < 2;
        w->raw_data.data = (uint8_t *)(i == 0 ? halves : floats);
        w->raw_data.len = i == 0 ? 4 : 8;
        w->int32_data = i == 2 ? bits : brain;
        w->n_int32_data = i == 2 || i == 3 ? 2 : 0;
        w->double_data = doubles;
        w->n_double_data = i == 4 ? 2 : 0;
        maker_node(m, "Conv", "x,w", "y");
        imported import = imported_make(m);
        assert_true(imported_value(&import, "y.weight", 0) == 1
                    && imported_value(&import, "y.weight", 1) == -2);
        imported_free(&import);
    }
}

/* ------------------------------------------------------------------------------- files that lie */

/* A sound classifier that `spoil` spoils. */
typedef void spoil(maker *m);

static void no_initializer(maker *m) {
    m->tensors[0].name = (char *)"other";
}
static void twice(maker *m) {
    m->nodes[1].output[0] = (char *)"c";
}
static void twice_initializer(maker *m) {
    m->tensors[1].name = (char *)"w";
}
static void loop(maker *m) {
    m->nodes[0].input[0] = (char *)"p";
}
static void huge_side(maker *m) {
    m->dims[0][0] = INT64_MAX;
}
static void negative_side(maker *m) {
    m->dims[0][0] = -4;
}
static void many_elements(maker *m) {
    m->dims[0][0] = m->dims[0][1] = m->dims[0][2] = 1 << 30;
}
static void too_few_values(maker *m) {
    m->tensors[0].n_float_data = 3;
}
static void negative_pads(maker *m) {
    m->ints[0][0][1] = -1;
}
static void huge_pads(maker *m) {
    m->ints[0][0][1] = INT64_MAX;
}
static void no_strides(maker *m) {
    m->ints[2][1][0] = 0;
}
static void huge_window(maker *m) {
    m->ints[2][0][0] = 1000;
}
static void huge_picture(maker *m) {
    m->sides[0][2].dim_value = m->sides[0][3].dim_value = 1 << 20;
}
static void other_layout(maker *m) {
    m->sides[0][1].dim_value = 8;
    m->sides[0][3].dim_value = 3;
}
static void open_side(maker *m) {
    m->sides[0][2].has_dim_value = 0;
}
static void whole_numbers(maker *m) {
    m->tensor_types[0].elem_type = DP_ONNX_INT64;
}
static void unknown_operator(maker *m) {
    m->nodes[1].op_type = (char *)"Einsum";
}
static void foreign_operator(maker *m) {
    m->nodes[1].domain = (char *)"com.example";
}
static void no_operator(maker *m) {
    m->nodes[1].op_type = NULL;
}
static void newer_set(maker *m) {
    m->set.version = 99;
}
static void no_output(maker *m) {
    m->ends[1].name = (char *)"nowhere";
}
static void constant_output(maker *m) {
    m->ends[1].name = (char *)"w";
}
static void no_input(maker *m) {
    m->graph.n_input = 0;
}
static void strings(maker *m) {
    m->tensors[1].data_type = 8;
}
static void unclean_name(maker *m) {
    m->nodes[0].output[0] = m->nodes[1].input[0] = (char *)"a\nb";
}
static void other_classes(maker *m) {
    m->tensors[2].dims[1] = 32;
    m->tensors[2].n_float_data = 160;
}

static void test_lies(void **state) {
    static const struct {
        spoil *spoil;
        deeper_status status;
        const char *text;
    } cases[] = {
        { no_initializer, DEEPER_ERROR_FORMAT, "node c (Conv): its input w is nowhere" },
        { twice, DEEPER_ERROR_FORMAT, "two values are named c" },
        { twice_initializer, DEEPER_ERROR_FORMAT, "two values are named w" },
        { loop, DEEPER_ERROR_FORMAT,
          "node c (Conv): its input p is not made by the nodes before it; a loop" },
        { huge_side, DEEPER_ERROR_FORMAT, "tensor w has a side of 9223372036854775807" },
        { negative_side, DEEPER_ERROR_FORMAT, "tensor w has a side of -4" },
        { many_elements, DEEPER_ERROR_LIMIT, "tensor w is larger than memory can hold" },
        { too_few_values, DEEPER_ERROR_FORMAT, "tensor w has 3 values for a shape of 4x3x3x3" },
        { negative_pads, DEEPER_ERROR_UNSUPPORTED, "node c (Conv): a padding of -1 pixels" },
        { huge_pads, DEEPER_ERROR_UNSUPPORTED,
          "node c (Conv): a padding of 9223372036854775807 pixels" },
        { no_strides, DEEPER_ERROR_FORMAT, "node p (MaxPool): strides is 0" },
        { huge_window, DEEPER_ERROR_FORMAT,
          "node p (MaxPool): p: a window of 1000x2 does not fit" },
        { huge_picture, DEEPER_ERROR_LIMIT, "a input of 0x3x1048576x1048576 is out of range" },
        { other_layout, DEEPER_ERROR_FORMAT,
          "node c (Conv): c: weights of 4x3x3x3 for a 3x3 convolution of 8 channels" },
        { open_side, DEEPER_ERROR_UNSUPPORTED, "input x: side 2 is not fixed" },
        { whole_numbers, DEEPER_ERROR_UNSUPPORTED, "input x does not hold floating-point numbers" },
        { unknown_operator, DEEPER_ERROR_UNSUPPORTED,
          "node r (Einsum): an operator that is not supported" },
        { foreign_operator, DEEPER_ERROR_UNSUPPORTED,
          "node r (Relu): an operator of the set com.example" },
        { no_operator, DEEPER_ERROR_FORMAT, "node 1 names no operator" },
        { newer_set, DEEPER_ERROR_UNSUPPORTED, "its operators are of set 99" },
        { no_output, DEEPER_ERROR_FORMAT, "output nowhere is nowhere" },
        { constant_output, DEEPER_ERROR_UNSUPPORTED, "its output w does not depend on the input" },
        { no_input, DEEPER_ERROR_FORMAT, "node c (Conv): its input x is nowhere" },
        { strings, DEEPER_ERROR_UNSUPPORTED, "tensor b holds elements of type 8" },
        { unclean_name, DEEPER_ERROR_FORMAT, "a name is not clean UTF-8: a?b" },
        { other_classes, DEEPER_ERROR_FORMAT,
          "node y (Gemm): its weights w2 do not fit an input of 64" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker *m = maker_classifier();
        cases[i].spoil(m);
        if (cases[i].spoil == no_input) {
            imported import = imported_make(m);
            assert_int_not_equal(import.status, DEEPER_OK);
            imported_free(&import);
            continue;
        }
        imported_assert_refused(m, cases[i].status, cases[i].text);
    }
}

/* A few bytes may not ask for gigabytes. */
static void test_invented_values(void **state) {
    static int64_t sides[] = { 30000, 30000, 1, 1 };
    maker *m = maker_picture(13, 30000, 2, 2);
    maker_list(m, "sides", sides, 4);
    maker_node(m, "ConstantOfShape", "sides", "w");
    maker_node(m, "Conv", "x,w", "y");
    imported_assert_refused(m, DEEPER_ERROR_LIMIT, "values that the file does not hold");
}

/* Every file that is cut short, and every one with a byte changed: an error or a model, nothing
 * else. */
static void test_damage(void **state) {
    maker *m = maker_classifier();
    size_t size;
    char *bytes = maker_pack(m, &size);
    int opened = 0;
    for (size_t i = 0; i < 2 * size; i++) {
        dp_model *model = NULL;
        deeper_error error = { 0 };
        char *copy = malloc(size);
        memcpy(copy, bytes, size);
        if (i >= size)
            copy[i - size] ^= 0x55;
        deeper_status status = dp_model_open_bytes(&model, copy, i < size ? i : size, "made", NULL,
                                                   NULL, NULL, &error);
        assert_int_equal(status == DEEPER_OK, model != NULL);
        assert_true(status == DEEPER_OK
                    || (error.status == status && strncmp(error.message, "made: ", 6) == 0));
        opened += status == DEEPER_OK;
        dp_model_free(model);
        free(copy);
    }
    assert_true(opened > 0);
    free(bytes);
    maker_free(m);
}

/* -------------------------------------------------------------------------------------- opening */

/* What runs the model elsewhere calls its input by the file's name. */
static void test_input_name(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    maker *m = maker_classifier();
    size_t size;
    void *bytes = maker_pack(m, &size);
    deeper_model *model = NULL;
    test_path(path, folder, "made.onnx");
    test_write(path, bytes, size);
    assert_int_equal(deeper_model_open(&model, path, NULL, NULL), DEEPER_OK);
    assert_string_equal(deeper_model_input_name(model), "x");
    deeper_model_close(model);
    free(bytes);
    maker_free(m);
    test_folder_remove(folder);
}

static void test_open(void **state) {
    maker *m = maker_classifier();
    size_t size;
    void *bytes = maker_pack(m, &size);
    dp_model *model = NULL;
    deeper_error error = { 0 };
    test_failing_allocator failing;
    if (dp_model_open_bytes(&model, bytes, size, "made", NULL, NULL, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_string_equal(model->format, "onnx");
    assert_string_equal(model->architecture, "graph");
    assert_int_equal(model->classes, 5);
    assert_false(model->has_preprocess);
    assert_int_equal(model->graph->nodes[dp_graph_find(model->graph, "prob")].op, DP_OP_SOFTMAX);
    assert_true(model->values[0][0] == -0.75F);
    dp_model_free(model);
    for (long n = 1, complete = 0; !complete; n++) {
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_model_open_bytes(&model, bytes, size, "made", NULL, NULL,
                                                   &failing.allocator, &error);
        complete = failing.calls < n;
        assert_int_equal(status, complete ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_model_free(model);
        assert_int_equal(failing.outstanding, 0);
    }
    free(bytes);
    maker_free(m);

    m = maker_picture(13, 3, 8, 8); /* no classifier */
    maker_node(m, "Relu", "x", "y");
    bytes = maker_pack(m, &size);
    assert_int_equal(dp_model_open_bytes(&model, bytes, size, "made", NULL, NULL, NULL, &error),
                     DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "deeper runs classifiers"));
    free(bytes);
    maker_free(m);
}

/* A classifier whose first weights are said to lie at `location`; its status when opened from
 * `folder`. */
static deeper_status open_external(const char *folder, const char *location, const char *offset,
                                   deeper_error *error) {
    Onnx__StringStringEntryProto entries[2], *list[] = { &entries[0], &entries[1] };
    char path[TEST_PATH_SIZE];
    maker *m = maker_classifier();
    Onnx__TensorProto *w = &m->tensors[0];
    for (int i = 0; i < 2; i++) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = (char *)(i ? "offset" : "location");
        entries[i].value = (char *)(i ? offset : location);
    }
    w->n_float_data = 0;
    w->has_data_location = 1;
    w->data_location = 1;
    w->external_data = list;
    w->n_external_data = 2;
    size_t size;
    void *bytes = maker_pack(m, &size);
    test_path(path, folder, "m.onnx");
    test_write(path, bytes, size);
    dp_model *model = NULL;
    deeper_status status = dp_model_open(&model, path, NULL, error);
    if (status == DEEPER_OK)
        assert_true(model->values[0][1] == 7);
    dp_model_free(model);
    free(bytes);
    maker_free(m);
    return status;
}

static void test_external_data(void **state) {
    static float data[4 + 108];
    char *folder = test_folder(), path[TEST_PATH_SIZE], outside[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    data[4 + 1] = 7;
    test_path(path, folder, "weights.bin");
    test_write(path, data, sizeof data);
    assert_int_equal(open_external(folder, "weights.bin", "16", &error), DEEPER_OK);
    assert_int_equal(open_external(folder, "weights.bin", "20", &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "runs past the end of weights.bin"));
    assert_int_equal(open_external(folder, "weights.bin", "-1", &error), DEEPER_ERROR_FORMAT);
    assert_int_equal(open_external(folder, "weights.bin", "1e300", &error), DEEPER_ERROR_FORMAT);
    assert_int_equal(open_external(folder, "missing.bin", "0", &error), DEEPER_ERROR_IO);

    test_path(outside, folder, "link.bin");
    assert_int_equal(symlink("weights.bin", outside), 0);
    static const char *const escapes[] = { "../weights.bin", "/etc/passwd", "a/../../b", "", "..",
                                           "a//b",           "link.bin",    "a\\b" };
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        assert_int_equal(open_external(folder, escapes[i], "0", &error), DEEPER_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "not a file in the model's own folder"));
    }
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classifier),      cmocka_unit_test(test_windows),
        cmocka_unit_test(test_dilation),        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_affine),          cmocka_unit_test(test_gates),
        cmocka_unit_test(test_bounds),          cmocka_unit_test(test_names),
        cmocka_unit_test(test_element_types),   cmocka_unit_test(test_lies),
        cmocka_unit_test(test_invented_values), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_input_name),      cmocka_unit_test(test_open),
        cmocka_unit_test(test_external_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
