/* test_onnx_quantized.c - ONNX in: what becomes of QuantizeLinear and DequantizeLinear. */
#include "helpers/onnx_imported.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void set_whole(Onnx__TensorProto *tensor, int type, int32_t *values, size_t count) {
    tensor->data_type = type;
    tensor->int32_data = values;
    tensor->n_int32_data = count;
    tensor->n_float_data = 0;
}

/* 8-bit weights become floats; what 8 bits of an activation cannot say stays a clip, called as the
 * node that gives the real values. */
static void test_quantized(void **state) {
    static int32_t q[] = { -128, 127, 3, 0 }, zero[] = { 10 }, point[] = { 128 };
    maker *m = maker_picture(13, 1, 4, 4);
    set_whole(maker_floats(m, "w", (int64_t[]){ 1, 1, 2, 2 }, 4), DP_ONNX_INT8, q, 4);
    set_whole(maker_floats(m, "z", NULL, 0), DP_ONNX_INT8, zero, 1);
    set_whole(maker_floats(m, "p", NULL, 0), DP_ONNX_UINT8, point, 1);
    maker_floats(m, "scale", NULL, 0)->float_data[0] = 0.5F;
    maker_node(m, "DequantizeLinear", "w,scale,z", "weights");
    maker_node(m, "QuantizeLinear", "x,scale,p", "q");
    maker_node(m, "DequantizeLinear", "q,scale,p", "dq");
    maker_node(m, "Conv", "dq,weights", "y");
    imported import = imported_make(m);
    assert_true(imported_value(&import, "y.weight", 0) == -69
                && imported_value(&import, "y.weight", 1) == 58.5F);
    assert_true(imported_layer(&import, "dq")->attributes.clip.low == -64
                && imported_layer(&import, "dq")->attributes.clip.high == 63.5F);
    assert_int_equal(dp_graph_find(import.network.graph, "q"), -1);
    imported_free(&import);
}

/* The range is that of the zero point's type, whether its value lies in the field of its type or in
 * raw bytes; without a zero point, of the type that the node says, else of 8 bits without a sign.
 */
static void test_quantized_types(void **state) {
    static const unsigned char raw[][2] = { { 0xF6 }, { 0xD4, 0x02 }, { 0x00, 0x80 }, { 0x05 } };
    static const struct {
        int type, zero;
        float low, high; /* of the numbers that its bits say */
    } cases[] = { { DP_ONNX_INT8, -10, -128, 127 },
                  { DP_ONNX_INT16, 724, -32768, 32767 },
                  { DP_ONNX_UINT16, 32768, 0, 65535 },
                  { DP_ONNX_UINT8, 5, 0, 255 } };
    for (size_t i = 0; i < 4; i++)
        for (int form = 0; form < 2; form++) {
            int32_t zero = cases[i].zero;
            maker *m = maker_picture(21, 1, 4, 4);
            Onnx__TensorProto *z = maker_floats(m, "z", NULL, 0);
            set_whole(z, cases[i].type, &zero, form == 0);
            z->has_raw_data = form == 1;
            z->raw_data.data = (uint8_t *)raw[i];
            z->raw_data.len = cases[i].high > 255 ? 2 : 1;
            maker_floats(m, "scale", NULL, 0)->float_data[0] = 0.5F;
            maker_node(m, "QuantizeLinear", "x,scale,z", "q");
            maker_node(m, "DequantizeLinear", "q,scale,z", "y");
            imported import = imported_make(m);
            const dp_clip *clip = &imported_layer(&import, "y")->attributes.clip;
            assert_true(clip->low == (cases[i].low - (float)zero) / 2
                        && clip->high == (cases[i].high - (float)zero) / 2);
            imported_free(&import);
        }
    for (int stated = 0; stated < 2; stated++) {
        maker *m = maker_picture(21, 1, 4, 4);
        maker_floats(m, "scale", NULL, 0)->float_data[0] = 0.5F;
        Onnx__NodeProto *node = maker_node(m, "QuantizeLinear", "x,scale", "q");
        if (stated)
            maker_int(m, node, "output_dtype", DP_ONNX_INT8);
        maker_node(m, "DequantizeLinear", "q,scale", "y");
        imported import = imported_make(m);
        assert_true(imported_layer(&import, "y")->attributes.clip.low == (stated ? -64 : 0));
        imported_free(&import);
    }
}

/* Weights that are quantized while the file is read: to the nearest, half to even, within the
 * type, a scale a row. */
static void test_quantized_weights(void **state) {
    static int32_t zeros[] = { 0, 100 };
    maker *m = maker_picture(13, 1, 4, 4);
    Onnx__TensorProto *w = maker_floats(m, "w", (int64_t[]){ 2, 1, 1, 2 }, 4),
                      *scale = maker_floats(m, "scale", (int64_t[]){ 2 }, 1);
    memcpy(w->float_data, (float[]){ 1.25F, -100, 3, 4 }, 4 * sizeof(float));
    memcpy(scale->float_data, (float[]){ 0.5F, 0.125F }, 2 * sizeof(float));
    set_whole(maker_floats(m, "z", (int64_t[]){ 2 }, 1), DP_ONNX_INT8, zeros, 2);
    maker_int(m, maker_node(m, "QuantizeLinear", "w,scale,z", "q"), "axis", 0);
    maker_int(m, maker_node(m, "DequantizeLinear", "q,scale,z", "dq"), "axis", 0);
    maker_node(m, "Conv", "x,dq", "y");
    imported import = imported_make(m);
    const float wanted[] = { 1, -64, 3, 3.375F };
    for (size_t i = 0; i < 4; i++)
        assert_true(imported_value(&import, "y.weight", i) == wanted[i]);
    imported_free(&import);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantized),
        cmocka_unit_test(test_quantized_types),
        cmocka_unit_test(test_quantized_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
