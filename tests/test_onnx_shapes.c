/* test_onnx_shapes.c - ONNX in: operators that move values without computing. Whole files and
 * layers are test_onnx.c's. */
#include "helpers/onnx_imported.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What exporters leave: the shape of a value, its first number, joined with another, a reshape to
 * that. */
static void test_shape_arithmetic(void **state) {
    static int64_t zero[] = { 0 }, rest[] = { -1 };
    for (int fixed = 0; fixed < 2; fixed++) {
        maker *m = maker_create(13, (int64_t[]){ fixed, 3, 2, 2 }, 4);
        maker_list(m, "zero", zero, 1);
        maker_list(m, "rest", rest, 1);
        maker_floats(m, "w", (int64_t[]){ 2, 12 }, 2);
        maker_node(m, "Shape", "x", "shape");
        maker_node(m, "Gather", "shape,zero", "n");
        maker_int(m, maker_node(m, "Concat", "n,rest", "to"), "axis", 0);
        maker_node(m, "Reshape", "x,to", "flat");
        maker_int(m, maker_node(m, "Gemm", "flat,w", "y"), "transB", 1);
        imported import = imported_make(m);
        assert_int_equal(imported_layer(&import, "y")->op, DP_OP_FC);
        imported_free(&import);
    }
    static int64_t mixed[] = { 2, -1 };
    maker *m = maker_picture(13, 3, 2, 2);
    maker_list(m, "to", mixed, 2);
    maker_node(m, "Reshape", "x,to", "y");
    imported_assert_refused(
        m, DEEPER_ERROR_UNSUPPORTED,
        "node y (Reshape): a shape that mixes the images, or fixes their number at 2");
}

/* Channels in parts, each an output: of sizes in an attribute or an input, or equal ones. */
static void test_split(void **state) {
    static int64_t sizes[] = { 4, 1, 2 };
    static const struct {
        int opset, second, third; /* channels of the parts */
        const char *inputs;
    } cases[] = { { 11, 1, 2, "x" }, { 13, 1, 2, "x,sizes" }, { 18, 3, 1, "x" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker *m = maker_picture(cases[i].opset, 7, 8, 8);
        maker_list(m, "sizes", sizes, 3);
        Onnx__NodeProto *node = maker_node(m, "Split", cases[i].inputs, "a,b,c");
        maker_int(m, node, "axis", -3);
        if (i == 0)
            maker_ints(m, node, "split", sizes, 3);
        maker_node(m, "Relu", "a", "ra");
        maker_node(m, "Relu", "b", "rb");
        maker_node(m, "Relu", "c", "rc");
        maker_int(m, maker_node(m, "Concat", "rc,rb,ra", "y"), "axis", 1);
        imported import = imported_make(m);
        const dp_node *nodes = import.network.graph->nodes,
                      *b = &nodes[imported_layer(&import, "rb")->inputs[0]],
                      *c = imported_layer(&import, "rc");
        imported_assert_shape(imported_layer(&import, "ra"), i < 2 ? 4 : 3, 8, 8);
        imported_assert_shape(b, cases[i].second, 8, 8);
        imported_assert_shape(c, cases[i].third, 8, 8);
        assert_int_equal(b->attributes.slice.begin, i < 2 ? 4 : 3);
        assert_int_equal(nodes[c->inputs[0]].attributes.slice.begin, i < 2 ? 5 : 6);
        imported_free(&import);
    }
    static const struct {
        int64_t sizes[3];
        int axis;
        deeper_status status;
        const char *text;
    } bad[] = {
        { { 4, 1, 2 },
          2,
          DEEPER_ERROR_UNSUPPORTED,
          "node s (Split): values are split along channels only" },
        { { 4, 1, 1 },
          1,
          DEEPER_ERROR_FORMAT,
          "node s (Split): 7 channels are not what its 3 parts have" },
        { { 4, 2, 2 }, 1, DEEPER_ERROR_FORMAT, "not what its 3 parts have" },
        { { 7, 0, 0 }, 1, DEEPER_ERROR_FORMAT, "not what its 3 parts have" },
        { { 5, 4, -2 }, 1, DEEPER_ERROR_FORMAT, "not what its 3 parts have" },
        { { 5, 4, INT64_MIN }, 1, DEEPER_ERROR_FORMAT, "not what its 3 parts have" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        maker *m = maker_picture(11, 7, 8, 8);
        Onnx__NodeProto *node = maker_node(m, "Split", "x", "a,b,y");
        node->name = (char *)"s";
        maker_int(m, node, "axis", bad[i].axis);
        maker_ints(m, node, "split", bad[i].sizes, 3);
        imported_assert_refused(m, bad[i].status, bad[i].text);
    }
}

/* Axes exchanged: a shuffle of channels, of all values where rows and columns move too, or nothing
 * at all. */
static void test_transpose(void **state) {
    static int64_t apart[] = { 0, 2, 3, 8, 8 }, joined[] = { 0, 6, 8, 8 };
    maker *m = maker_picture(13, 6, 8, 8);
    maker_list(m, "apart", apart, 5);
    maker_list(m, "joined", joined, 4);
    maker_node(m, "Reshape", "x,apart", "a");
    maker_ints(m, maker_node(m, "Transpose", "a", "t"), "perm", (int64_t[]){ 0, 2, 1, 3, 4 }, 5);
    maker_node(m, "Reshape", "t,joined", "y");
    imported import = imported_make(m);
    const dp_node *shuffle = imported_layer(&import, "t");
    assert_int_equal(shuffle->op, DP_OP_SHUFFLE);
    assert_int_equal(shuffle->attributes.groups, 2);
    imported_assert_shape(shuffle, 6, 8, 8);
    assert_int_equal(import.network.output, 1); /* nothing was added for the reshapes */
    imported_free(&import);

    static const struct {
        int64_t sides[3], perm[4];
        int groups, c, w; /* groups 0: no layer; what comes out */
    } cases[] = {
        { { 6, 4, 5 }, { 0, 2, 3, 1 }, 6, 4, 6 },  /* to N x H x W x C: over N x 120, and back to a
                                                      picture */
        { { 4, 5, 6 }, { 0, 3, 1, 2 }, 20, 6, 5 }, /* and back */
        { { 4, 5, 6 }, { 0, 2, 1, 3 }, 4, 5, 6 },  /* channels with rows */
        { { 2, 1, 1 }, { 0, 2, 3, 1 }, 0, 1, 2 },  { { 7, 1, 2 }, { 0, 2, 1, 3 }, 0, 1, 2 },
        { { 1, 5, 6 }, { 0, 1, 3, 2 }, 5, 1, 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        m = maker_picture(13, cases[i].sides[0], cases[i].sides[1], cases[i].sides[2]);
        maker_ints(m, maker_node(m, "Transpose", "x", "t"), "perm", cases[i].perm, 4);
        maker_node(m, "GlobalMaxPool", "t", "y");
        import = imported_make(m);
        const dp_node *pool = imported_layer(&import, "y"),
                      *in = &import.network.graph->nodes[pool->inputs[0]];
        int layer = dp_graph_find(import.network.graph, "t");
        assert_int_equal(in->shape.c, cases[i].c);
        assert_int_equal(in->shape.w, cases[i].w);
        assert_int_equal(layer < 0 ? 0 : import.network.graph->nodes[layer].attributes.groups,
                         cases[i].groups);
        imported_free(&import);
    }
    static const struct {
        int64_t perm[4];
        size_t count;
        deeper_status status;
        const char *text;
    } bad[] = {
        { { 0, 1, 3, 2 },
          4,
          DEEPER_ERROR_UNSUPPORTED,
          "node y (Transpose): an exchange of axes that is no shuffle of channels" },
        { { 0, 3, 2, 1 }, 4, DEEPER_ERROR_UNSUPPORTED, "no shuffle of channels" },
        { { 1, 0, 2, 3 }, 4, DEEPER_ERROR_UNSUPPORTED, "node y (Transpose): it moves the images" },
        { { 0 }, 0, DEEPER_ERROR_UNSUPPORTED, "it moves the images" }, /* missing: turned around */
        { { 0, 1, 1, 2 },
          4,
          DEEPER_ERROR_FORMAT,
          "node y (Transpose): perm is no order of 4 axes" },
        { { 0, 1, 2, 4 }, 4, DEEPER_ERROR_FORMAT, "no order" },
        { { 0, -1, 2, 3 }, 4, DEEPER_ERROR_FORMAT, "no order" },
        { { 0, 2, 1 }, 3, DEEPER_ERROR_FORMAT, "no order" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        m = maker_picture(13, 6, 4, 5);
        Onnx__NodeProto *node = maker_node(m, "Transpose", "x", "y");
        if (bad[i].count)
            maker_ints(m, node, "perm", bad[i].perm, bad[i].count);
        imported_assert_refused(m, bad[i].status, bad[i].text);
    }
}

/* Channels taken one by one, changed and joined again, as torchvision's transform_input does. */
static void test_channels(void **state) {
    static int64_t one[] = { 1 }, order[] = { 2, 1, 0 };
    maker *m = maker_picture(13, 3, 4, 5);
    maker_list(m, "one", one, 1);
    maker_list(m, "order", order, 3);
    maker_list(m, "i", one, 1)->n_dims = 0;
    maker_int(m, maker_node(m, "Gather", "x,order", "bgr"), "axis", 1);
    maker_int(m, maker_node(m, "Gather", "x,i", "green"), "axis", 1);
    maker_node(m, "Unsqueeze", "green,one", "plane");
    maker_int(m, maker_node(m, "Concat", "bgr,plane", "y"), "axis", 1);
    imported import = imported_make(m);
    imported_assert_shape(imported_layer(&import, "y"), 4, 4, 5);
    assert_int_equal(imported_layer(&import, "green")->attributes.slice.begin, 1);
    imported_free(&import);
}

/* A picture as Keras has it, N x H x W x C, is the picture that other networks have: what turns it
 * around is no layer, and what works on the last axis works on the channels. */
static void test_channels_last(void **state) {
    static int64_t pads[] = { 0, 1, 0, 0, 0, 0, 2, 0 };
    maker *m = maker_create(13, (int64_t[]){ 0, 8, 6, 3 }, 4);
    maker_floats(m, "mean", (int64_t[]){ 3 }, 1);
    maker_floats(m, "w", (int64_t[]){ 4, 3, 1, 1 }, 4);
    maker_floats(m, "b", (int64_t[]){ 1, 1, 1, 4 }, 4);
    maker_floats(m, "dense", (int64_t[]){ 4, 5 }, 2);
    maker_list(m, "pads", pads, 8);
    maker_node(m, "Sub", "x,mean", "centred");
    maker_node(m, "Pad", "centred,pads", "padded");
    maker_ints(m, maker_node(m, "Transpose", "padded", "t"), "perm", (int64_t[]){ 0, 3, 1, 2 }, 4);
    maker_node(m, "Conv", "t,w", "c");
    maker_ints(m, maker_node(m, "Transpose", "c", "u"), "perm", (int64_t[]){ 0, 2, 3, 1 }, 4);
    maker_node(m, "Add", "u,b", "biased");
    maker_node(m, "Relu", "biased", "r");
    maker_node(m, "MatMul", "r,dense", "pixels");
    maker_int(m, maker_node(m, "Concat", "pixels,r", "j"), "axis", -1);
    maker_int(m, maker_node(m, "Split", "j", "s,rest"), "axis", 3);
    maker_node(m, "Mul", "s,s", "square");
    maker_ints(m, maker_node(m, "ReduceMean", "square", "mean_of"), "axes", (int64_t[]){ 1, 2 }, 2);
    maker_node(m, "Mul", "mean_of,square", "gated");
    maker_ints(m, maker_node(m, "ReduceMean", "gated", "y"), "axes", (int64_t[]){ 2, 1 }, 2);
    imported import = imported_make(m);
    imported_assert_shape(imported_layer(&import, "x"), 3, 8, 6);
    assert_int_equal(imported_layer(&import, "centred")->op, DP_OP_AFFINE);
    imported_assert_shape(imported_layer(&import, "padded"), 3, 9, 8);
    imported_assert_shape(imported_layer(&import, "biased"), 4, 9, 8);
    assert_true(imported_value(&import, "biased.bias", 1) == -0.5F);
    imported_assert_shape(imported_layer(&import, "pixels"), 5, 9, 8);
    assert_int_equal(imported_layer(&import, "pixels")->op, DP_OP_CONV);
    assert_true(imported_value(&import, "pixels.weight", 1) == ((float)(5 % 7) - 3) / 4);
    imported_assert_shape(imported_layer(&import, "j"), 9, 9, 8);
    imported_assert_shape(imported_layer(&import, "s"), 5, 9, 8);
    imported_assert_shape(imported_layer(&import, "gated"), 5, 9, 8);
    imported_assert_shape(imported_layer(&import, "y"), 5, 1, 1);
    for (int i = 0; i < import.network.graph->count; i++)
        assert_int_not_equal(import.network.graph->nodes[i].op, DP_OP_SHUFFLE);
    imported_free(&import);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape_arithmetic),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_channels_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
