/* onnx_layout.c - what each operator of ours is in ONNX: one function an operator, called for the
 * nodes that the class probabilities depend on, in order. Our values are C x H x W always; ONNX's
 * are N x C x H x W, or N x C behind a fully connected layer: a value is flattened or reshaped
 * between, once, where a reader wants the other form. Dropout is left out. */
#include "base/arithmetic.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_write.h"
#include "model/fill.h"

#include <math.h>
#include <string.h>

typedef struct layout {
    dp_onnx_made *built;
    const dp_model *model;
    const dp_graph *graph;
    /* One a node. */
    int *root;          /* the node whose value it has: itself, but for dropout */
    const char **names; /* of its value; NULL: not written */
    const char **other; /* of the same value in the other form, NULL: not made */
    bool *flat;         /* its value is N x C */
    int *written;       /* parameters: 0 not yet, else 1 + rank that it was written with */
    deeper_error *error;
} layout;

/* Whether a layer of ours, or a node or tensor made so far, has the name. */
static bool is_taken(const layout *l, const char *name) {
    bool taken = dp_graph_find(l->graph, name) >= 0;
    for (size_t i = 0; i < l->built->node_count && !taken; i++)
        taken = strcmp(l->built->nodes[i]->name, name) == 0;
    for (size_t i = 0; i < l->built->initializer_count && !taken; i++)
        taken = strcmp(l->built->initializers[i].proto.name, name) == 0;
    return taken;
}

/* A name beside `base` that nothing has. */
static const char *beside(layout *l, const char *base, const char *suffix) {
    const char *name = dp_onnx_make_text(l->built, base, suffix);
    while (!l->built->failed && is_taken(l, name))
        name = dp_onnx_make_text(l->built, name, "_");
    return name;
}

static void add_ints(layout *l, const char *name, const int64_t *values, int count) {
    int64_t *copy = dp_onnx_make_copy(l->built, values, (size_t)count * sizeof *values);
    dp_onnx_make_tensor(l->built, name, DP_ONNX_INT64, &(int64_t){ count }, 1, copy,
                        (size_t)count * sizeof *values);
}

/* The value of a node in the form that a reader wants. */
static const char *value(layout *l, int node, bool flat) {
    node = l->root[node];
    if (l->flat[node] == flat)
        return l->names[node];
    if (l->other[node])
        return l->other[node];
    dp_shape shape = l->graph->nodes[node].shape;
    const char *name = l->other[node] = beside(l, l->names[node], flat ? "/flat" : "/picture");
    if (flat) {
        dp_onnx_make_int(l->built, dp_onnx_make_node(l->built, "Flatten", name, &l->names[node], 1),
                         "axis", 1);
    } else {
        const char *sides = beside(l, name, ".shape");
        add_ints(l, sides, (int64_t[]){ 0, shape.c, shape.h, shape.w }, 4);
        dp_onnx_make_node(l->built, "Reshape", name, (const char *[]){ l->names[node], sides }, 2);
    }
    return name;
}

static const char *input(layout *l, const dp_node *node, int index, bool flat) {
    return value(l, node->inputs[index], flat);
}

/* A parameter as a tensor of `rank` sides, the name of which it returns; NULL: another layer reads
 * it in another shape. */
static const char *parameter(layout *l, const dp_node *node, int index, int rank,
                             const int64_t *dims) {
    int i = node->inputs[index];
    const dp_node *producer = &l->graph->nodes[i];
    if (l->written[i] == 0)
        dp_onnx_make_tensor(l->built, producer->name, DP_ONNX_FLOAT, dims, rank,
                            l->model->values[producer->parameter],
                            dp_shape_floats(producer->shape) * sizeof(float));
    else if (l->written[i] != rank + 1)
        return NULL;
    l->written[i] = rank + 1;
    return producer->name;
}

/* One value a channel. */
static const char *vector(layout *l, const dp_node *node, int index) {
    int64_t count = l->graph->nodes[node->inputs[index]].shape.n;
    return parameter(l, node, index, 1, &count);
}

static deeper_status fail(layout *l, const dp_node *node, const char *what) {
    return dp_fail(l->error, DEEPER_ERROR_UNSUPPORTED, "%s: %s, which ONNX cannot say", node->name,
                   what);
}

static deeper_status fail_shared(layout *l, const dp_node *node) {
    return fail(l, node, "a parameter that another layer reads in another shape");
}

/* ------------------------------------------------------------------------------------ operators */

typedef deeper_status lay(layout *l, int i, const dp_node *node);

static void add_window(layout *l, Onnx__NodeProto *node, const dp_window *w) {
    dp_onnx_make_ints(l->built, node, "kernel_shape", (int[]){ w->height, w->width }, 2);
    dp_onnx_make_ints(l->built, node, "strides", (int[]){ w->stride_y, w->stride_x }, 2);
    dp_onnx_make_ints(l->built, node, "pads",
                      (int[]){ w->pads.top, w->pads.left, w->pads.bottom, w->pads.right }, 4);
}

static deeper_status conv(layout *l, int i, const dp_node *node) {
    dp_shape shape = l->graph->nodes[node->inputs[1]].shape;
    const char *inputs[3] = { input(l, node, 0, false),
                              parameter(l, node, 1, 4,
                                        (int64_t[]){ shape.n, shape.c, shape.h, shape.w }),
                              node->input_count == 3 ? vector(l, node, 2) : "" };
    if (!inputs[1] || !inputs[2])
        return fail_shared(l, node);
    Onnx__NodeProto *proto =
        dp_onnx_make_node(l->built, "Conv", node->name, inputs, node->input_count);
    add_window(l, proto, &node->attributes.window);
    dp_onnx_make_int(l->built, proto, "group", node->attributes.window.groups);
    return DEEPER_OK;
}

static deeper_status fc(layout *l, int i, const dp_node *node) {
    dp_shape shape = l->graph->nodes[node->inputs[1]].shape;
    int64_t columns = (int64_t)shape.c * shape.h * shape.w;
    const char *inputs[3] = { input(l, node, 0, true),
                              parameter(l, node, 1, 2, (int64_t[]){ shape.n, columns }),
                              node->input_count == 3 ? vector(l, node, 2) : "" };
    if (!inputs[1] || !inputs[2])
        return fail_shared(l, node);
    dp_onnx_make_int(l->built,
                     dp_onnx_make_node(l->built, "Gemm", node->name, inputs, node->input_count),
                     "transB", 1);
    l->flat[i] = true;
    return DEEPER_OK;
}

/* Whether this rounding alone gives the sizes of the output; ours leaves out windows that would
 * begin in the padding. */
static bool rounds(const dp_window *w, dp_shape in, dp_shape out, bool up) {
    int rows = in.h + w->pads.top + w->pads.bottom - w->height,
        columns = in.w + w->pads.left + w->pads.right - w->width;
    rows += up ? w->stride_y - 1 : 0;
    columns += up ? w->stride_x - 1 : 0;
    return rows >= 0 && columns >= 0 && out.h == rows / w->stride_y + 1
           && out.w == columns / w->stride_x + 1;
}

static deeper_status pool(layout *l, int i, const dp_node *node) {
    const dp_window *w = &node->attributes.window;
    dp_shape in = l->graph->nodes[node->inputs[0]].shape;
    const char *x = input(l, node, 0, false);
    bool max = node->op == DP_OP_MAX_POOL;
    bool ceil = w->ceil && rounds(w, in, node->shape, true);
    dp_window written = *w;
    if (!ceil
        && !rounds(
            w, in, node->shape,
            false)) { /* one side is rounded up, the other down: the pads at the end say it */
        written.pads.bottom = (node->shape.h - 1) * w->stride_y + w->height - in.h - w->pads.top;
        written.pads.right = (node->shape.w - 1) * w->stride_x + w->width - in.w - w->pads.left;
        written.pads.bottom = dp_max(written.pads.bottom, 0);
        written.pads.right = dp_max(written.pads.right, 0);
        if (w->count_padding)
            return fail(l, node, "an average over padding whose size is rounded up on one side");
    }
    Onnx__NodeProto *proto =
        dp_onnx_make_node(l->built, max ? "MaxPool" : "AveragePool", node->name, &x, 1);
    add_window(l, proto, &written);
    dp_onnx_make_int(l->built, proto, "ceil_mode", ceil);
    if (!max)
        dp_onnx_make_int(l->built, proto, "count_include_pad", w->count_padding);
    return DEEPER_OK;
}

static deeper_status adaptive_pool(layout *l, int i, const dp_node *node) {
    dp_shape in = l->graph->nodes[node->inputs[0]].shape, out = node->shape;
    const char *x = input(l, node, 0, false);
    if (in.h % out.h || in.w % out.w)
        return fail(l, node, "an average over parts of different sizes");
    Onnx__NodeProto *proto = dp_onnx_make_node(l->built, "AveragePool", node->name, &x, 1);
    add_window(l, proto,
               &(dp_window){ .height = in.h / out.h,
                             .width = in.w / out.w,
                             .stride_y = in.h / out.h,
                             .stride_x = in.w / out.w });
    return DEEPER_OK;
}

static deeper_status global_average(layout *l, int i, const dp_node *node) {
    const char *x = input(l, node, 0, false);
    dp_onnx_make_node(l->built, "GlobalAveragePool", node->name, &x, 1);
    return DEEPER_OK;
}

static deeper_status lrn(layout *l, int i, const dp_node *node) {
    const dp_lrn *a = &node->attributes.lrn;
    const char *x = input(l, node, 0, false);
    Onnx__NodeProto *proto = dp_onnx_make_node(l->built, "LRN", node->name, &x, 1);
    dp_onnx_make_int(l->built, proto, "size", a->size);
    dp_onnx_make_float(l->built, proto, "alpha", a->alpha); /* over the whole window, as ours */
    dp_onnx_make_float(l->built, proto, "beta", a->beta);
    dp_onnx_make_float(l->built, proto, "bias", a->k);
    return DEEPER_OK;
}

/* An operator of one input whose output has its form. */
static deeper_status same(layout *l, int i, const dp_node *node, const char *type) {
    l->flat[i] = l->flat[node->inputs[0]];
    dp_onnx_make_node(l->built, type, node->name, &l->names[node->inputs[0]], 1);
    return DEEPER_OK;
}

static deeper_status relu(layout *l, int i, const dp_node *node) {
    return same(l, i, node, "Relu");
}

static deeper_status error_function(layout *l, int i, const dp_node *node) {
    return same(l, i, node, "Erf");
}

static deeper_status sigmoid(layout *l, int i, const dp_node *node) {
    return same(l, i, node, "Sigmoid");
}

static deeper_status batch_norm(layout *l, int i, const dp_node *node) {
    const char *inputs[5] = { input(l, node, 0, l->flat[node->inputs[0]]) };
    for (int j = 1; j < 5; j++)
        if (!(inputs[j] = vector(l, node, j)))
            return fail_shared(l, node);
    Onnx__NodeProto *proto =
        dp_onnx_make_node(l->built, "BatchNormalization", node->name, inputs, 5);
    dp_onnx_make_float(l->built, proto, "epsilon", node->attributes.epsilon);
    l->flat[i] = l->flat[node->inputs[0]];
    return DEEPER_OK;
}

static deeper_status affine(layout *l, int i, const dp_node *node) {
    bool flat = l->flat[i] = l->flat[node->inputs[0]];
    int64_t dims[3] = { node->shape.c, 1, 1 };
    const char *scale = parameter(l, node, 1, flat ? 1 : 3, dims),
               *shift = parameter(l, node, 2, flat ? 1 : 3, dims);
    if (!scale || !shift)
        return fail_shared(l, node);
    const char *product = beside(l, node->name, "/factor");
    dp_onnx_make_node(l->built, "Mul", product, (const char *[]){ input(l, node, 0, flat), scale },
                      2);
    dp_onnx_make_node(l->built, "Add", node->name, (const char *[]){ product, shift }, 2);
    return DEEPER_OK;
}

/* A bound of a clip as a constant, "" if there is none. */
static const char *bound(layout *l, const dp_node *node, const char *suffix, float number) {
    if (isinf(number))
        return "";
    const char *name = beside(l, node->name, suffix);
    dp_onnx_make_tensor(l->built, name, DP_ONNX_FLOAT, NULL, 0,
                        dp_onnx_make_copy(l->built, &number, sizeof number), sizeof number);
    return name;
}

static deeper_status clip(layout *l, int i, const dp_node *node) {
    l->flat[i] = l->flat[node->inputs[0]];
    const char *inputs[3] = { l->names[node->inputs[0]],
                              bound(l, node, ".min", node->attributes.clip.low),
                              bound(l, node, ".max", node->attributes.clip.high) };
    dp_onnx_make_node(l->built, "Clip", node->name, inputs, 3);
    return DEEPER_OK;
}

static deeper_status pad(layout *l, int i, const dp_node *node) {
    const dp_pads *pads = &node->attributes.pads;
    const char *inputs[2] = { input(l, node, 0, false), beside(l, node->name, ".pads") };
    add_ints(l, inputs[1],
             (int64_t[]){ 0, 0, pads->top, pads->left, 0, 0, pads->bottom, pads->right }, 8);
    Onnx__NodeProto *proto = dp_onnx_make_node(l->built, "Pad", node->name, inputs, 2);
    if (node->op == DP_OP_REFLECT)
        dp_onnx_make_word(l->built, proto, "mode", "reflect");
    return DEEPER_OK;
}

static deeper_status resize(layout *l, int i, const dp_node *node) {
    const char *inputs[4] = { input(l, node, 0, false), "", "", beside(l, node->name, ".sizes") };
    add_ints(l, inputs[3], (int64_t[]){ 1, node->shape.c, node->shape.h, node->shape.w }, 4);
    Onnx__NodeProto *proto = dp_onnx_make_node(l->built, "Resize", node->name, inputs, 4);
    dp_onnx_make_word(l->built, proto, "mode", "nearest");
    dp_onnx_make_word(l->built, proto, "nearest_mode", "floor");
    dp_onnx_make_word(l->built, proto, "coordinate_transformation_mode", "asymmetric");
    return DEEPER_OK;
}

/* As groups x channels of each, turned around. */
static deeper_status shuffle(layout *l, int i, const dp_node *node) {
    int64_t c = node->shape.c, h = node->shape.h, w = node->shape.w,
            groups = node->attributes.groups;
    const char *apart = beside(l, node->name, "/groups"),
               *turned = beside(l, node->name, "/turned");
    const char *shapes[2] = { beside(l, node->name, ".groups"), beside(l, node->name, ".shape") };
    add_ints(l, shapes[0], (int64_t[]){ 0, groups, c / groups, h, w }, 5);
    add_ints(l, shapes[1], (int64_t[]){ 0, c, h, w }, 4);
    dp_onnx_make_node(l->built, "Reshape", apart,
                      (const char *[]){ input(l, node, 0, false), shapes[0] }, 2);
    dp_onnx_make_ints(l->built, dp_onnx_make_node(l->built, "Transpose", turned, &apart, 1), "perm",
                      (int[]){ 0, 2, 1, 3, 4 }, 5);
    dp_onnx_make_node(l->built, "Reshape", node->name, (const char *[]){ turned, shapes[1] }, 2);
    return DEEPER_OK;
}

/* Several inputs in one form: that of pictures, unless all are flat. */
static deeper_status join(layout *l, int i, const dp_node *node) {
    const char *type = node->op == DP_OP_ADD        ? "Add"
                       : node->op == DP_OP_MULTIPLY ? "Mul"
                                                    : "Concat";
    bool flat = true;
    const char **inputs =
        dp_onnx_keep(&l->built->memory, (size_t)node->input_count, sizeof *inputs);
    l->built->failed |= inputs == NULL;
    for (int j = 0; j < node->input_count; j++)
        flat = flat && l->flat[node->inputs[j]];
    for (int j = 0; j < node->input_count && inputs; j++)
        inputs[j] = input(l, node, j, flat);
    if (!inputs)
        return DEEPER_OK;
    Onnx__NodeProto *proto =
        dp_onnx_make_node(l->built, type, node->name, inputs, node->input_count);
    if (node->op == DP_OP_CONCAT)
        dp_onnx_make_int(l->built, proto, "axis", 1);
    l->flat[i] = flat;
    return DEEPER_OK;
}

static deeper_status flatten(layout *l, int i, const dp_node *node) {
    l->flat[i] = true;
    l->names[i] = input(l, node, 0, true);
    return DEEPER_OK;
}

static deeper_status unflatten(layout *l, int i, const dp_node *node) {
    const char *inputs[2] = { input(l, node, 0, true), beside(l, node->name, ".shape") };
    add_ints(l, inputs[1], (int64_t[]){ 0, node->shape.c, node->shape.h, node->shape.w }, 4);
    dp_onnx_make_node(l->built, "Reshape", node->name, inputs, 2);
    return DEEPER_OK;
}

static deeper_status dropout(layout *l, int i, const dp_node *node) {
    l->flat[i] = l->flat[node->inputs[0]];
    l->names[i] = l->names[node->inputs[0]];
    l->root[i] = l->root[node->inputs[0]];
    return DEEPER_OK;
}

static deeper_status softmax(layout *l, int i, const dp_node *node) {
    l->flat[i] = node->shape.h == 1 && node->shape.w == 1;
    const char *x = input(l, node, 0, l->flat[i]);
    dp_onnx_make_int(l->built, dp_onnx_make_node(l->built, "Softmax", node->name, &x, 1), "axis",
                     1);
    return DEEPER_OK;
}

static deeper_status slice(layout *l, int i, const dp_node *node) {
    const dp_slice *a = &node->attributes.slice;
    const char *inputs[4] = { l->names[node->inputs[0]], beside(l, node->name, ".starts"),
                              beside(l, node->name, ".ends"), beside(l, node->name, ".axes") };
    add_ints(l, inputs[1], &(int64_t){ a->begin }, 1);
    add_ints(l, inputs[2], &(int64_t){ a->begin + a->count }, 1);
    add_ints(l, inputs[3], &(int64_t){ 1 }, 1);
    dp_onnx_make_node(l->built, "Slice", node->name, inputs, 4);
    l->flat[i] = l->flat[node->inputs[0]];
    return DEEPER_OK;
}

static lay *const operators[DP_OP_COUNT] = {
    [DP_OP_CONV] = conv,
    [DP_OP_FC] = fc,
    [DP_OP_MAX_POOL] = pool,
    [DP_OP_AVERAGE_POOL] = pool,
    [DP_OP_GLOBAL_AVERAGE] = global_average,
    [DP_OP_ADAPTIVE_POOL] = adaptive_pool,
    [DP_OP_LRN] = lrn,
    [DP_OP_RELU] = relu,
    [DP_OP_BATCH_NORM] = batch_norm,
    [DP_OP_AFFINE] = affine,
    [DP_OP_CLIP] = clip,
    [DP_OP_PAD] = pad,
    [DP_OP_REFLECT] = pad,
    [DP_OP_RESIZE] = resize,
    [DP_OP_SIGMOID] = sigmoid,
    [DP_OP_ERF] = error_function,
    [DP_OP_MULTIPLY] = join,
    [DP_OP_SHUFFLE] = shuffle,
    [DP_OP_ADD] = join,
    [DP_OP_CONCAT] = join,
    [DP_OP_FLATTEN] = flatten,
    [DP_OP_DROPOUT] = dropout,
    [DP_OP_SOFTMAX] = softmax,
    [DP_OP_UNFLATTEN] = unflatten,
    [DP_OP_SLICE] = slice,
};

/* -------------------------------------------------------------------------------------- network */

/* The picture, and in front of the network what makes the network's input of it. */
static void lay_input(layout *l, int i, const dp_node *node, const char *preprocess) {
    const dp_preprocess *rule = &l->model->preprocess;
    int64_t channels = node->shape.c;
    float weights[9], biases[3];
    l->built->input = dp_onnx_make_value(l->built, node->name,
                                         (int[]){ node->shape.c, node->shape.h, node->shape.w }, 3);
    l->names[i] = node->name;
    if (!preprocess)
        return;
    dp_onnx_preprocess_values(rule, weights, biases);
    size_t count = (size_t)(channels * channels) * sizeof *weights,
           bias_count = (size_t)channels * sizeof *biases;
    const char *inputs[3] = { node->name, beside(l, preprocess, ".weight"),
                              beside(l, preprocess, ".bias") };
    dp_onnx_make_tensor(l->built, inputs[1], DP_ONNX_FLOAT, (int64_t[]){ channels, channels, 1, 1 },
                        4, dp_onnx_make_copy(l->built, weights, count), count);
    dp_onnx_make_tensor(l->built, inputs[2], DP_ONNX_FLOAT, &channels, 1,
                        dp_onnx_make_copy(l->built, biases, bias_count), bias_count);
    add_window(l, dp_onnx_make_node(l->built, "Conv", preprocess, inputs, 3),
               &(dp_window){ .height = 1, .width = 1, .stride_y = 1, .stride_x = 1 });
    l->names[i] = preprocess;
}

static deeper_status lay_nodes(layout *l, const bool *needed, const char *preprocess) {
    for (int i = 0; i < l->graph->count; i++) {
        const dp_node *node = &l->graph->nodes[i];
        if (!needed[i] || node->op == DP_OP_PARAMETER)
            continue;
        if (node->op == DP_OP_INPUT) {
            lay_input(l, i, node, preprocess);
            continue;
        }
        if (!operators[node->op])
            return fail(l, node, dp_op_name(node->op));
        l->names[i] = node->name;
        DP_TRY(operators[node->op](l, i, node));
    }
    return DEEPER_OK;
}

deeper_status dp_onnx_lay_out(dp_onnx_made *built, const dp_model *model, const char *preprocess,
                              deeper_error *error) {
    const dp_graph *graph = model->graph;
    size_t count = (size_t)graph->count;
    layout l = { .built = built, .model = model, .graph = graph, .error = error };
    int prob = dp_graph_find(graph, "prob");
    bool *needed = dp_alloc(model->allocator, count, sizeof *needed);
    l.root = dp_alloc(model->allocator, count, sizeof *l.root);
    l.names = dp_alloc(model->allocator, count, sizeof *l.names);
    l.other = dp_alloc(model->allocator, count, sizeof *l.other);
    l.flat = dp_alloc(model->allocator, count, sizeof *l.flat);
    l.written = dp_alloc(model->allocator, count, sizeof *l.written);
    deeper_status status = DEEPER_OK;
    if (!needed || !l.root || !l.names || !l.other || !l.flat || !l.written) {
        status = dp_fail_memory(error, "an ONNX file");
    } else {
        dp_graph_needed(graph, &prob, 1, needed);
        for (int i = 0; i < graph->count; i++)
            l.root[i] = i;
        status = lay_nodes(&l, needed, preprocess);
        built->output = dp_onnx_make_value(built, "prob", &model->classes, 1);
        if (status == DEEPER_OK && built->failed)
            status = dp_fail_memory(error, "an ONNX file");
    }
    dp_free(model->allocator, needed);
    dp_free(model->allocator, l.root);
    dp_free(model->allocator, l.names);
    dp_free(model->allocator, l.other);
    dp_free(model->allocator, l.flat);
    dp_free(model->allocator, l.written);
    return status;
}
