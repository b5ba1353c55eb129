/* seeds_onnx.c - seeds for the readers of ONNX files and of networks as JSON: small sound files
 * that together have every operator, every field that values can lie in, and the older and newer
 * ways to say a thing.
 *
 *     seeds_onnx FOLDER        fills FOLDER/fuzz_onnx, fuzz_graph_json, fuzz_save */
#include "formats/formats.h"
#include "formats/onnx/onnx_import.h"
#include "helpers/onnx_maker.h"
#include "helpers/seeds.h"
#include "model/graph_json.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

static void save(const char *target, const void *bytes, size_t size) {
    seeds_begin(target);
    seeds_save(bytes, size);
}

/* A network in JSON behind a byte that chooses the format, or ONNX with preprocessing inside. */
static void save_for_writers(const char *json) {
    seeds_begin("fuzz_save");
    for (int choice = 0; choice < 5; choice++)
        seeds_save_after(choice < 4 ? choice : 65, json, strlen(json));
}

/* The file, and the network that it is, as JSON. */
static void finish(maker *m) {
    size_t size;
    void *bytes = maker_pack(m, &size);
    save("fuzz_onnx", bytes, size);
    dp_model *model = NULL;
    if (dp_model_open_bytes(&model, bytes, size, "seed", NULL, NULL, NULL, NULL) == DEEPER_OK) {
        char *json = dp_graph_to_json(model->graph);
        save("fuzz_graph_json", json, strlen(json));
        save_for_writers(json);
        free(json);
        dp_model_free(model);
    }
    free(bytes);
    maker_free(m);
}

static maker *picture(int opset, int64_t side) {
    return maker_create(opset, (int64_t[]){ 1, 3, side, side }, 4);
}

/* Windows, pads and norms. */
static void layers(void) {
    static const char *const modes[] = { "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET" };
    for (int i = 0; i < 4; i++) {
        maker *m = picture(13, 9);
        maker_floats(m, "w", (int64_t[]){ 6, 1, 2, 3 }, 4);
        maker_floats(m, "v", (int64_t[]){ 6 }, 1);
        Onnx__NodeProto *node = maker_node(m, "Conv", "x,w,v", "c");
        maker_text(m, node, "auto_pad", modes[i]);
        maker_int(m, node, "group", 3);
        maker_ints(m, node, "kernel_shape", (int64_t[]){ 2, 3 }, 2);
        maker_ints(m, node, "dilations", (int64_t[]){ 2, 1 }, 2);
        if (i == 3)
            maker_ints(m, node, "pads", (int64_t[]){ 1, 2, 1, 0 }, 4);
        maker_float(m, maker_node(m, "BatchNormalization", "c,v,v,v,v", "n"), "epsilon", 1e-3F);
        node = maker_node(m, i % 2 ? "MaxPool" : "AveragePool", "n", "p");
        maker_ints(m, node, "kernel_shape", (int64_t[]){ 3, 3 }, 2);
        maker_ints(m, node, "strides", (int64_t[]){ 2, 2 }, 2);
        maker_ints(m, node, "pads", (int64_t[]){ 1, 1, 1, 1 }, 4);
        maker_int(m, node, "ceil_mode", 1);
        if (i % 2 == 0)
            maker_int(m, node, "count_include_pad", 1);
        maker_int(m, maker_node(m, "LRN", "p", "l"), "size", 5);
        maker_node(m, "Add", "l,p", "a");
        maker_node(m, "Sum", "a,l,p", "s");
        maker_int(m, maker_node(m, "Concat", "s,a", "j"), "axis", 1);
        if (i == 0)
            maker_node(m, "GlobalAveragePool", "j", "g");
        else if (i == 1)
            maker_node(m, "GlobalMaxPool", "j", "g");
        else
            maker_ints(m, maker_node(m, "ReduceMean", "j", "g"), "axes", (int64_t[]){ 2, -1 }, 2);
        maker_int(m, maker_node(m, "Softmax", "g", "y"), "axis", 1);
        finish(m);
    }
}

/* Arithmetic and bounds, in newer and older sets. */
static void elements(void) {
    static int64_t pads[] = { 0, 0, 1, 0, 0, 0, 2, 1 }, axes[] = { 2, 3 }, two[] = { 1, 1, 0, 1 };
    maker *m = picture(18, 4);
    maker_floats(m, "k", (int64_t[]){ 3, 1, 1 }, 3);
    maker_floats(m, "one", NULL, 0);
    maker_floats(m, "six", NULL, 0)->float_data[0] = 6;
    maker_list(m, "pads", pads, 8);
    maker_list(m, "two", two, 4);
    maker_list(m, "axes", axes, 2);
    maker_node(m, "Mul", "x,k", "a");
    maker_node(m, "Add", "a,k", "b");
    maker_node(m, "Sub", "one,b", "c");
    maker_node(m, "Div", "c,one", "d");
    maker_node(m, "Clip", "d,,six", "e");
    maker_node(m, "Pad", "e,pads", "f");
    maker_node(m, "Pad", "f,two,,axes", "g");
    maker_node(m, "Dropout", "g", "h");
    maker_int(m, maker_node(m, "Cast", "h", "i"), "to", DP_ONNX_FLOAT16);
    maker_node(m, "Identity", "i", "j");
    maker_node(m, "ReduceMean", "j,axes", "l");
    maker_node(m, "Relu", "l", "y");
    finish(m);

    m = picture(6, 4);
    maker_floats(m, "k", (int64_t[]){ 3 }, 1);
    Onnx__NodeProto *node = maker_node(m, "Mul", "x,k", "a");
    maker_int(m, node, "broadcast", 1);
    maker_int(m, node, "axis", 1);
    node = maker_node(m, "Clip", "a", "b");
    maker_float(m, node, "min", -1);
    maker_float(m, node, "max", 1);
    node = maker_node(m, "Pad", "b", "c");
    maker_ints(m, node, "pads", (int64_t[]){ 0, 0, 1, 1, 0, 0, 1, 1 }, 8);
    maker_text(m, node, "mode", "constant");
    maker_float(m, maker_node(m, "Dropout", "c", "d"), "ratio", 0.25F);
    maker_node(m, "GlobalAveragePool", "d", "e");
    maker_node(m, "Sigmoid", "e", "f");
    maker_node(m, "Mul", "f,d", "g");
    maker_node(m, "HardSigmoid", "g", "h");
    maker_node(m, "HardSwish", "h", "i");
    maker_node(m, "GlobalAveragePool", "i", "j");
    maker_node(m, "Softmax", "j", "y");
    finish(m);
}

/* Shapes computed, values reshaped and joined, channels taken. */
static void shapes(void) {
    static int64_t zero[] = { 0 }, one[] = { 1 }, two[] = { 2 }, order[] = { 2, 1, 0 },
                   rest[] = { -1 }, to[] = { 0, 3, 4, 4 };
    maker *m = maker_create(13, (int64_t[]){ 0, 3, 4, 4 }, 4);
    maker_list(m, "zero", zero, 1);
    maker_list(m, "one", one, 1);
    maker_list(m, "two", two, 1);
    maker_list(m, "order", order, 3);
    maker_list(m, "rest", rest, 1);
    maker_list(m, "to", to, 4);
    maker_list(m, "i", one, 1)->n_dims = 0;
    maker_floats(m, "w", (int64_t[]){ 48, 2 }, 2);
    maker_floats(m, "b", (int64_t[]){ 2 }, 1);
    maker_int(m, maker_node(m, "Gather", "x,order", "bgr"), "axis", 1);
    maker_int(m, maker_node(m, "Gather", "bgr,i", "g1"), "axis", 1);
    maker_node(m, "Unsqueeze", "g1,one", "g"); /* N x 1 x 4 x 4 */
    maker_node(m, "Slice", "bgr,one,two,one", "s");
    maker_int(m, maker_node(m, "Split", "bgr", "s1,,s2"), "axis", 1);
    maker_int(m, maker_node(m, "Concat", "g,s,s2", "j"), "axis", 1);
    maker_node(m, "Shape", "j", "shape");
    maker_node(m, "Slice", "shape,zero,one", "n");
    maker_node(m, "Mul", "rest,one", "product");
    maker_int(m, maker_node(m, "Concat", "n,product", "flat"), "axis", 0);
    maker_node(m, "Reshape", "j,flat", "f");
    maker_node(m, "Reshape", "f,to", "p");
    maker_ints(m, maker_node(m, "Transpose", "p", "t"), "perm", (int64_t[]){ 0, 2, 3, 1 }, 4);
    maker_node(m, "Flatten", "t", "q");
    maker_node(m, "MatMul", "q,w", "r");
    maker_node(m, "Add", "r,b", "y");
    finish(m);
}

/* Weights that are said to lie in another file. */
static void external(void) {
    static const char *const pairs[3][2] = { { "location", "folder/weights.bin" },
                                             { "offset", "64" },
                                             { "length", "432" } };
    Onnx__StringStringEntryProto entries[3], *list[3];
    maker *m = maker_classifier();
    for (int i = 0; i < 3; i++) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = (char *)pairs[i][0];
        entries[i].value = (char *)pairs[i][1];
        list[i] = &entries[i];
    }
    m->tensors[0].n_float_data = 0;
    m->tensors[0].has_data_location = 1;
    m->tensors[0].data_location = 1;
    m->tensors[0].external_data = list;
    m->tensors[0].n_external_data = 3;
    finish(m);
}

/* Values in every way that a file can hold them. */
static void values(void) {
    static int32_t q[] = { -128, 127, 3 }, zero[] = { 1, 2, 3 },
                   bits[] = { 0x3C00, 0xC000, 0x3800 };
    static uint64_t u[] = { 3, 1 };
    static double d[] = { 1, -2, 3 };
    static int64_t sides[] = { 3, 1 };
    maker *m = picture(13, 2);
    Onnx__TensorProto *w = maker_floats(m, "w", (int64_t[]){ 3, 1, 1, 1 }, 4),
                      *z = maker_floats(m, "z", (int64_t[]){ 3 }, 1),
                      *h = maker_floats(m, "h", (int64_t[]){ 3 }, 1),
                      *f = maker_floats(m, "f", (int64_t[]){ 3 }, 1),
                      *n = maker_floats(m, "n", (int64_t[]){ 2 }, 1);
    maker_floats(m, "scale", (int64_t[]){ 3 }, 1);
    maker_floats(m, "s", NULL, 0)->float_data[0] = 0.5F;
    maker_list(m, "sides", sides, 2);
    w->data_type = z->data_type = DP_ONNX_INT8;
    w->int32_data = q;
    z->int32_data = zero;
    h->data_type = DP_ONNX_FLOAT16;
    h->int32_data = bits;
    w->n_int32_data = z->n_int32_data = h->n_int32_data = 3;
    f->data_type = DP_ONNX_DOUBLE;
    f->double_data = d;
    f->n_double_data = 3;
    n->data_type = DP_ONNX_UINT64;
    n->uint64_data = u;
    n->n_uint64_data = 2;
    w->n_float_data = z->n_float_data = h->n_float_data = f->n_float_data = n->n_float_data = 0;
    maker_int(m, maker_node(m, "DequantizeLinear", "w,scale,z", "dw"), "axis", 0);
    maker_ints(m, maker_node(m, "Transpose", "dw", "tw"), "perm", (int64_t[]){ 0, 1, 3, 2 }, 4);
    maker_node(m, "QuantizeLinear", "x,s", "q");
    maker_node(m, "DequantizeLinear", "q,s", "dq");
    maker_int(m, maker_node(m, "Conv", "dq,tw,h", "c"), "group", 3);
    maker_node(m, "GlobalAveragePool", "c", "g");
    maker_ints(m, maker_node(m, "Squeeze", "g", "v"), "axes", (int64_t[]){ 2, 3 }, 2);
    maker_node(m, "ConstantOfShape", "sides", "k");
    maker_int(m, maker_node(m, "Cast", "n", "nf"), "to", DP_ONNX_FLOAT);
    maker_int(m, maker_node(m, "Cast", "nf", "ni"), "to", DP_ONNX_INT64);
    maker_node(m, "Gemm", "v,k", "y");
    finish(m);
}

/* Constants that are computed while reading, down to the weights of a layer. */
static void constants(void) {
    static int64_t sides[] = { 2, 3 }, first[] = { 0 }, last[] = { -1 }, turned[] = { 1, 0 };
    maker *m = picture(13, 4);
    maker_floats(m, "w", (int64_t[]){ 6 }, 1);
    maker_list(m, "sides", sides, 2);
    maker_list(m, "first", first, 1);
    maker_list(m, "last", last, 1);
    maker_list(m, "turned", turned, 2);
    maker_int(m, maker_node(m, "Constant", "", "one"), "value_int", 1);
    maker_ints(m, maker_node(m, "Constant", "", "ones"), "value_ints", (int64_t[]){ 1, 1 }, 2);
    maker_float(m, maker_node(m, "Constant", "", "half"), "value_float", 0.5F);
    maker_node(m, "Identity", "w", "a");
    maker_node(m, "Add", "sides,one", "b");
    maker_node(m, "Sub", "b,ones", "c");
    maker_node(m, "Div", "c,ones", "d");
    maker_node(m, "Gather", "d,turned", "e");
    maker_node(m, "Slice", "e,first,last", "f"); /* 3 */
    maker_int(m, maker_node(m, "Concat", "f,last", "g"), "axis", 0);
    maker_node(m, "Reshape", "a,g", "h");
    maker_node(m, "Unsqueeze", "h,first", "i");
    maker_node(m, "Squeeze", "i,first", "j");
    maker_node(m, "Transpose", "j", "k");
    maker_int(m, maker_node(m, "Cast", "half", "l"), "to", DP_ONNX_INT64);
    maker_node(m, "Shape", "k", "n");
    maker_node(m, "ConstantOfShape", "n", "o");
    maker_node(m, "GlobalAveragePool", "x", "p");
    maker_node(m, "Flatten", "p", "q");
    maker_int(m, maker_node(m, "Gemm", "q,k", "y"), "transB", 1);
    finish(m);
}

/* One node each that is refused, or rarely written so. */
static void refused(void) {
    static const struct {
        const char *operator, * inputs, *attribute;
        int64_t value;
    } nodes[] = {
        { "Gemm", "f,w,v", "transA", 1 },
        { "Gemm", "f,w,w", "transB", 0 },
        { "MatMul", "x,w", "axis", 0 },
        { "BatchNormalization", "x,v,v,v,v", "training_mode", 1 },
        { "BatchNormalization", "x,w,w,w,w", "spatial", 1 },
        { "Conv", "x,v", "group", 1 },
        { "Conv", "x,f", "group", 1 },
        { "MaxPool", "x", "ceil_mode", 2 },
        { "Add", "x,f", "axis", 0 },
        { "Sub", "x,x", "axis", 0 },
        { "Mul", "x,w", "axis", 0 },
        { "Concat", "x,x", "axis", 2 },
        { "Flatten", "x", "axis", -2 },
        { "Softmax", "x", "axis", 2 },
        { "Reshape", "x,list", "allowzero", 1 },
        { "Squeeze", "x", "axis", 0 },
        { "Squeeze", "x,list", "axis", 0 },
        { "Unsqueeze", "x,zero", "axis", 0 },
        { "Transpose", "x", "axis", 0 },
        { "Gather", "x,list", "axis", 2 },
        { "Split", "x,list", "axis", 1 },
        { "Slice", "x,list,list", "axis", 1 },
        { "Pad", "x,list,v", "axis", 1 },
        { "Clip", "x,v", "axis", 1 },
        { "Dropout", "x,v,zero", "seed", 1 },
        { "Cast", "x", "to", DP_ONNX_INT64 },
        { "QuantizeLinear", "x,w", "axis", 1 },
        { "DequantizeLinear", "x,v", "axis", 1 },
        { "ReduceMean", "x", "keepdims", 0 },
        { "Nosuch", "x", "axis", 1 },
    };
    static int64_t list[] = { 0, 3 }, zero[] = { 0 };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        maker *m = picture(13, 4);
        maker_floats(m, "w", (int64_t[]){ 48, 2 }, 2);
        maker_floats(m, "v", (int64_t[]){ 3 }, 1);
        maker_list(m, "list", list, 2);
        maker_list(m, "zero", zero, 1);
        maker_node(m, "Flatten", "x", "f");
        maker_int(m, maker_node(m, nodes[i].operator, nodes[i].inputs, "y"), nodes[i].attribute,
                  nodes[i].value);
        finish(m);
    }
}

/* Weights that are computed: every function of constants, one file. */
static void computed(void) {
    static const char
        *const unary[] = { "Abs",  "Exp",  "Log",     "Sqrt",  "Neg",        "Erf",
                           "Tanh", "Ceil", "Sigmoid", "Round", "Reciprocal", "Floor" },
               *const binary[] = { "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min" },
               *const whole[] = { "Add", "Sub", "Mul", "Div", "Mod", "Max", "Min" },
               *const reduce[] = { "ReduceMean", "ReduceSum",       "ReduceMax", "ReduceMin",
                                   "ReduceProd", "ReduceSumSquare", "ReduceL2" };
    static int64_t axes[] = { 1, -1 }, sides[] = { 2, 3, 1, 1 }, places[] = { 2, 0, 1 },
                   from[] = { -1, 0 }, to[] = { -9, 5 }, along[] = { 0, 1 }, steps[] = { -1, 3 };
    maker *m = picture(18, 4);
    maker_floats(m, "w", (int64_t[]){ 2, 3, 1, 1 }, 4);
    maker_floats(m, "k", (int64_t[]){ 2, 1, 1, 1 }, 4);
    maker_floats(m, "v", (int64_t[]){ 3 }, 1);
    maker_list(m, "axes", axes, 2);
    maker_list(m, "sides", sides, 4);
    maker_list(m, "places", places, 3);
    maker_list(m, "from", from, 2);
    maker_list(m, "to", to, 2);
    maker_list(m, "along", along, 2);
    maker_list(m, "steps", steps, 2);
    char name[32];
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        snprintf(name, sizeof name, "unary%zu", i);
        maker_node(m, unary[i], "w", name);
    }
    for (size_t i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "binary%zu", i);
        maker_node(m, binary[i], i % 2 ? "k,w" : "w,k", name);
        snprintf(name, sizeof name, "whole%zu", i);
        maker_node(m, whole[i], "to,steps", name);
        snprintf(name, sizeof name, "reduce%zu", i);
        maker_int(m, maker_node(m, reduce[i], i % 2 ? "w,axes" : "w", name), "keepdims",
                  (int64_t)i % 2);
    }
    maker_node(m, "Clip", "w,reduce2,reduce4", "clipped");
    maker_node(m, "Clip", "sides", "bounded");
    maker_int(m, maker_node(m, "BatchNormalization", "clipped,v,v,v,v", "normal"), "training_mode",
              1);
    maker_node(m, "BatchNormalization", "normal,v,v,v,v", "normal2");
    maker_int(m, maker_node(m, "Cast", "sides", "narrow"), "to", DP_ONNX_INT8);
    maker_int(m, maker_node(m, "Cast", "narrow", "real"), "to", DP_ONNX_FLOAT);
    maker_node(m, "Slice", "normal2,from,to,along,steps", "sliced");
    maker_node(m, "Expand", "sliced,sides", "wide");
    maker_int(m, maker_node(m, "Gather", "wide,places", "picked"), "axis", 1);
    maker_int(m, maker_node(m, "Concat", "picked,w", "joined"), "axis", 0);
    maker_ints(m, maker_node(m, "Transpose", "joined", "turned"), "perm", (int64_t[]){ 0, 1, 3, 2 },
               4);
    maker_node(m, "Conv", "x,turned", "c");
    maker_node(m, "GlobalAveragePool", "c", "g");
    maker_node(m, "Flatten", "g", "y");
    finish(m);
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    finish(maker_classifier());
    layers();
    elements();
    shapes();
    external();
    values();
    constants();
    computed();
    refused();
    return 0;
}
