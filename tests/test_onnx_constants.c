/* test_onnx_constants.c - ONNX in: what is computed of constants while a file is read. Each case
 * makes the weights of a 1x1 convolution of two channels out of others. */
#include "helpers/onnx_imported.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static Onnx__TensorProto *add_floats(maker *m, const char *name, const int64_t *dims, size_t rank,
                                     const float *values) {
    Onnx__TensorProto *tensor = maker_floats(m, name, dims, rank);
    memcpy(tensor->float_data, values, tensor->n_float_data * sizeof *values);
    return tensor;
}

/* Adds the convolution by "y_w" and takes the values of its weights. */
static void assert_weights(maker *m, const float *wanted, size_t count) {
    maker_node(m, "Conv", "x,y_w", "y");
    imported import = imported_make(m);
    for (size_t i = 0; i < count; i++)
        if (fabsf(imported_value(&import, "y.weight", i) - wanted[i]) > 1e-6F)
            fail_msg("weight %zu is %g and not %g", i,
                     (double)imported_value(&import, "y.weight", i), (double)wanted[i]);
    imported_free(&import);
}

/* v / |v| * g, a row at a time. */
static void test_weight_norm(void **state) {
    maker *m = maker_picture(13, 2, 4, 4);
    add_floats(m, "v", (int64_t[]){ 2, 2, 1, 1 }, 4, (float[]){ 3, 4, 0, -2 });
    add_floats(m, "g", (int64_t[]){ 2, 1, 1, 1 }, 4, (float[]){ 10, 3 });
    maker_ints(m, maker_node(m, "ReduceL2", "v", "length"), "axes", (int64_t[]){ 1, 2, 3 }, 3);
    maker_node(m, "Div", "v,length", "unit");
    maker_node(m, "Mul", "unit,g", "y_w");
    assert_weights(m, (float[]){ 6, 8, 0, -3 }, 4);
}

/* (w - mean) / sqrt(variance + epsilon), out of arithmetic and by a batch norm that trains. */
static void test_standardised(void **state) {
    static const float wanted[] = { -0.8F, 0.8F, 0.6F, -0.6F }; /* 4 / 5, 3 / 5 */
    static int64_t turned[] = { 1, 2, -1 }, back[] = { 2, 2, 1, 1 };
    maker *m = maker_picture(13, 2, 4, 4);
    add_floats(m, "w", (int64_t[]){ 2, 2, 1, 1 }, 4, (float[]){ 1, 9, 4, -2 });
    add_floats(m, "epsilon", NULL, 0, (float[]){ 9 });
    add_floats(m, "two", NULL, 0, (float[]){ 2 });
    add_floats(m, "factor", (int64_t[]){ 2, 1, 1, 1 }, 4,
               (float[]){ 1, 0.6F * 4.2426407F / 3 }); /* variance 16 and 9: with 9, 5 and 4.24 */
    maker_ints(m, maker_node(m, "ReduceMean", "w", "mean"), "axes", (int64_t[]){ 1, 2, -1 }, 3);
    maker_node(m, "Sub", "w,mean", "off");
    maker_node(m, "Pow", "off,two", "square");
    maker_ints(m, maker_node(m, "ReduceMean", "square", "variance"), "axes", (int64_t[]){ 1, 2, 3 },
               3);
    maker_node(m, "Add", "variance,epsilon", "shifted");
    maker_node(m, "Sqrt", "shifted", "deviation");
    maker_node(m, "Reciprocal", "deviation", "inverse");
    maker_node(m, "Mul", "off,inverse", "normal");
    maker_node(m, "Mul", "normal,factor", "y_w");
    assert_weights(m, wanted, 4);

    m = maker_picture(14, 2, 4, 4);
    add_floats(m, "w", (int64_t[]){ 2, 2, 1, 1 }, 4, (float[]){ 1, 9, 4, -2 });
    add_floats(m, "one", (int64_t[]){ 2 }, 1, (float[]){ 1, 0.6F * 4.2426407F / 3 });
    add_floats(m, "zero", (int64_t[]){ 2 }, 1, (float[]){ 0, 0 });
    maker_list(m, "turned", turned, 3);
    maker_list(m, "back", back, 4);
    maker_node(m, "Reshape", "w,turned", "rows");
    Onnx__NodeProto *node =
        maker_node(m, "BatchNormalization", "rows,one,zero,zero,zero", "normal");
    maker_int(m, node, "training_mode", 1);
    maker_float(m, node, "epsilon", 9);
    maker_node(m, "Reshape", "normal,back", "y_w");
    assert_weights(m, wanted, 4);
}

/* What PyTorch's older exporter writes for padding: numbers in pairs, the last pair first, turned
 * around. */
static void test_pads_of_torch(void **state) {
    static int64_t pads[] = { 0, 1, 2, 3 }, pairs[] = { -1, 2 }, flat[] = { -1 }, four[] = { 4 },
                   begin[] = { -1 }, end[] = { INT64_MIN + 1 }, axis[] = { 0 }, step[] = { -1 };
    maker *m = maker_picture(13, 2, 4, 4);
    maker_list(m, "pads", pads, 4);
    maker_list(m, "pairs", pairs, 2);
    maker_list(m, "flat", flat, 1);
    maker_list(m, "four", four, 1);
    maker_list(m, "begin", begin, 1);
    maker_list(m, "end", end, 1);
    maker_list(m, "axis", axis, 1);
    maker_list(m, "step", step, 1);
    maker_int(m, maker_node(m, "ConstantOfShape", "four", "zeros_real"), "unread", 0);
    maker_int(m, maker_node(m, "Cast", "zeros_real", "zeros"), "to", DP_ONNX_INT64);
    maker_int(m, maker_node(m, "Concat", "pads,zeros", "all"), "axis", 0);
    maker_node(m, "Reshape", "all,pairs", "rows");
    maker_node(m, "Slice", "rows,begin,end,axis,step", "reversed");
    maker_ints(m, maker_node(m, "Transpose", "reversed", "columns"), "perm", (int64_t[]){ 1, 0 },
               2);
    maker_node(m, "Reshape", "columns,flat", "list");
    maker_int(m, maker_node(m, "Cast", "list", "whole"), "to", DP_ONNX_INT64);
    maker_node(m, "Pad", "x,whole", "y");
    imported import = imported_make(m);
    const dp_pads *got = &imported_layer(&import, "y")->attributes.pads;
    assert_int_equal(got->left, 0);
    assert_int_equal(got->right, 1);
    assert_int_equal(got->top, 2);
    assert_int_equal(got->bottom, 3);
    imported_free(&import);
}

/* Rows sliced with steps both ways, gathered, joined and repeated. */
static void test_moves(void **state) {
    static int64_t rows[] = { 2, 0 }, shape[] = { 2, 2, 1, 1 }, begins[] = { 3, 0 },
                   ends[] = { -5, 2 }, axes[] = { 0, 1 }, steps[] = { -2, 1 };
    maker *m = maker_picture(13, 2, 4, 4);
    add_floats(m, "w", (int64_t[]){ 4, 3, 1, 1 }, 4,
               (float[]){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
    maker_list(m, "begins", begins, 2);
    maker_list(m, "ends", ends, 2);
    maker_list(m, "axes", axes, 2);
    maker_list(m, "steps", steps, 2);
    maker_node(m, "Slice", "w,begins,ends,axes,steps", "y_w");
    assert_weights(m, (float[]){ 9, 10, 3, 4 }, 4);

    m = maker_picture(13, 2, 4, 4);
    add_floats(m, "w", (int64_t[]){ 2, 3, 1, 1 }, 4, (float[]){ 0, 1, 2, 3, 4, 5 });
    maker_list(m, "rows", rows, 2);
    maker_int(m, maker_node(m, "Gather", "w,rows", "y_w"), "axis", 1);
    assert_weights(m, (float[]){ 2, 0, 5, 3 }, 4);

    m = maker_picture(13, 2, 4, 4);
    add_floats(m, "a", (int64_t[]){ 2, 1, 1, 1 }, 4, (float[]){ 1, 2 });
    add_floats(m, "b", (int64_t[]){ 1, 1, 1 }, 3, (float[]){ 7 });
    maker_list(m, "shape", shape, 4);
    maker_node(m, "Expand", "b,shape", "wide");
    static int64_t first[] = { 0 };
    maker_list(m, "first", first, 1);
    maker_int(m, maker_node(m, "Gather", "wide,first", "narrow"), "axis", 1);
    maker_int(m, maker_node(m, "Concat", "a,narrow", "y_w"), "axis", 1);
    assert_weights(m, (float[]){ 1, 7, 2, 7 }, 4);
}

static void test_refusals(void **state) {
    static int64_t zero[] = { 0 };
    maker *m = maker_picture(13, 2, 4, 4);
    add_floats(m, "a", (int64_t[]){ 2, 3 }, 2, (float[]){ 1, 2, 3, 4, 5, 6 });
    add_floats(m, "b", (int64_t[]){ 2 }, 1, (float[]){ 1, 2 });
    maker_node(m, "Add", "a,b", "y_w");
    maker_node(m, "Conv", "x,y_w", "y");
    imported_assert_refused(m, DEEPER_ERROR_FORMAT, "node y_w (Add): shapes that do not fit: a, b");
    m = maker_picture(13, 2, 4, 4);
    maker_list(m, "zero", zero, 1);
    maker_node(m, "Div", "zero,zero", "y_w");
    maker_node(m, "Conv", "x,y_w", "y");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "with the number of images, by zero or");
    m = maker_picture(13, 2, 4, 4);
    maker_list(m, "zero", zero, 1);
    maker_node(m, "Shape", "x", "shape");
    maker_node(m, "Add", "shape,zero", "y_w");
    maker_node(m, "Conv", "x,y_w", "y");
    imported_assert_refused(m, DEEPER_ERROR_UNSUPPORTED, "with the number of images, by zero or");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weight_norm),   cmocka_unit_test(test_standardised),
        cmocka_unit_test(test_pads_of_torch), cmocka_unit_test(test_moves),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
