/* graph_json.c - nodes to JSON and back by one table of what each operator has. Everything read
 * goes through dp_graph_add, which knows what fits; here only the kinds and ranges of numbers are
 * checked. */
#include "model/graph_json.h"

#include "model/json.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { JSON_DEPTH = 4, MAX_INPUTS = 4096 };

/* Fields of a node, a bit each. */
enum {
    SHAPE = 1,
    WINDOW = 2,
    STRIDE = 4,
    PADS = 8,
    GROUPS = 16,
    CEIL = 32,
    COUNT_PADDING = 64,
    LRN = 128,
    RATE = 256,
    EPSILON = 512,
    CLIP = 1024,
    SLICE = 2048,
    NONE = 4096 /* only its inputs */
};

/* 0: no operator of inference. */
static const int fields_of[DP_OP_COUNT] = {
    [DP_OP_INPUT] = SHAPE,
    [DP_OP_PARAMETER] = SHAPE,
    [DP_OP_CONV] = WINDOW | STRIDE | PADS | GROUPS,
    [DP_OP_FC] = NONE,
    [DP_OP_MAX_POOL] = WINDOW | STRIDE | PADS | CEIL,
    [DP_OP_AVERAGE_POOL] = WINDOW | STRIDE | PADS | CEIL | COUNT_PADDING,
    [DP_OP_GLOBAL_AVERAGE] = NONE,
    [DP_OP_ADAPTIVE_POOL] = NONE, /* its size, as "window" */
    [DP_OP_LRN] = LRN,
    [DP_OP_RELU] = NONE,
    [DP_OP_BATCH_NORM] = EPSILON,
    [DP_OP_AFFINE] = NONE,
    [DP_OP_CLIP] = CLIP,
    [DP_OP_PAD] = PADS,
    [DP_OP_SIGMOID] = NONE,
    [DP_OP_MULTIPLY] = NONE,
    [DP_OP_SHUFFLE] = GROUPS,
    [DP_OP_ADD] = NONE,
    [DP_OP_CONCAT] = NONE,
    [DP_OP_FLATTEN] = NONE,
    [DP_OP_DROPOUT] = RATE,
    [DP_OP_SOFTMAX] = NONE,
    [DP_OP_UNFLATTEN] = SHAPE,
    [DP_OP_SLICE] = SLICE,
};

/* -------------------------------------------------------------------------------------- reading */

static bool read_ints(const json_t *object, const char *key, int *values, size_t count) {
    const json_t *list = json_object_get(object, key);
    if (json_array_size(list) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < 0 || number > INT_MAX)
            return false;
        values[i] = (int)number;
    }
    return true;
}

/* A number that a float can hold; null: `otherwise`, where that is allowed. */
static bool read_float(const json_t *value, float otherwise, bool null, float *number) {
    *number = otherwise;
    if (null && json_is_null(value))
        return true;
    *number = (float)json_number_value(value);
    return json_is_number(value) && fabs(json_number_value(value)) <= (double)FLT_MAX;
}

static bool read_flag(const json_t *object, const char *key, bool *flag) {
    const json_t *value = json_object_get(object, key);
    *flag = json_is_true(value);
    return json_is_boolean(value);
}

static bool read_lrn(const json_t *object, dp_lrn *lrn) {
    const json_t *it = json_object_get(object, "lrn");
    const json_t *size = json_object_get(it, "size");
    json_int_t number = json_integer_value(size);
    lrn->size = number > 0 && number < 1 << 16 ? (int)number : 0;
    return lrn->size > 0 && read_float(json_object_get(it, "alpha"), 0, false, &lrn->alpha)
           && read_float(json_object_get(it, "beta"), 0, false, &lrn->beta)
           && read_float(json_object_get(it, "k"), 0, false, &lrn->k);
}

static bool read_clip(const json_t *object, dp_clip *clip) {
    const json_t *it = json_object_get(object, "clip");
    return json_array_size(it) == 2
           && read_float(json_array_get(it, 0), -INFINITY, true, &clip->low)
           && read_float(json_array_get(it, 1), INFINITY, true, &clip->high);
}

/* The name of the first field that is missing or bad; NULL: all are there. */
static const char *read_attributes(const json_t *object, dp_op op, dp_attributes *a) {
    int fields = fields_of[op], pair[2], pads[4], shape[4] = { 0 },
        *sides = op == DP_OP_PARAMETER ? shape : shape + 1;
    if (fields & SHAPE) {
        if (!read_ints(object, "shape", sides, op == DP_OP_PARAMETER ? 4 : 3))
            return "shape";
        a->shape = (dp_shape){ shape[0], shape[1], shape[2], shape[3] };
    }
    if (op == DP_OP_ADAPTIVE_POOL) {
        if (!read_ints(object, "window", pair, 2))
            return "window";
        a->size = (dp_size){ pair[0], pair[1] };
    }
    if (fields & WINDOW) {
        if (!read_ints(object, "window", pair, 2))
            return "window";
        a->window.height = pair[0];
        a->window.width = pair[1];
        a->window.groups = 1;
    }
    if (fields & STRIDE) {
        if (!read_ints(object, "stride", pair, 2))
            return "stride";
        a->window.stride_y = pair[0];
        a->window.stride_x = pair[1];
    }
    if (fields & PADS) {
        if (!read_ints(object, "pads", pads, 4))
            return "pads";
        *(op == DP_OP_PAD ? &a->pads : &a->window.pads) =
            (dp_pads){ pads[0], pads[1], pads[2], pads[3] };
    }
    if (fields & GROUPS) {
        json_int_t groups = json_integer_value(json_object_get(object, "groups"));
        if (groups < 1 || groups > INT_MAX)
            return "groups";
        *(op == DP_OP_SHUFFLE ? &a->groups : &a->window.groups) = (int)groups;
    }
    if (fields & CEIL && !read_flag(object, "ceil", &a->window.ceil))
        return "ceil";
    if (fields & COUNT_PADDING && !read_flag(object, "count_padding", &a->window.count_padding))
        return "count_padding";
    if (fields & LRN && !read_lrn(object, &a->lrn))
        return "lrn";
    if (fields & RATE && !read_float(json_object_get(object, "rate"), 0, false, &a->dropout.rate))
        return "rate";
    if (fields & EPSILON && !read_float(json_object_get(object, "epsilon"), 0, false, &a->epsilon))
        return "epsilon";
    if (fields & CLIP && !read_clip(object, &a->clip))
        return "clip";
    if (fields & SLICE) {
        if (!read_ints(object, "slice", pair, 2))
            return "slice";
        a->slice = (dp_slice){ pair[0], pair[1] };
    }
    return NULL;
}

static dp_op op_of(const char *name) {
    int op = 0;
    while (op < DP_OP_COUNT && (!fields_of[op] || strcmp(dp_op_name((dp_op)op), name) != 0))
        op++;
    return (dp_op)op;
}

static deeper_status fail_node(const char *file, size_t number, deeper_status status,
                               const char *what, deeper_error *error) {
    return dp_fail(error, status, "%s: deeper.graph: node %zu: %.200s", file, number, what);
}

static deeper_status read_node(dp_graph *graph, const json_t *object, size_t number,
                               const char *file, deeper_error *error) {
    const char *op_name = json_string_value(json_object_get(object, "op")),
               *name = json_string_value(json_object_get(object, "name"));
    const json_t *inputs = json_object_get(object, "inputs");
    int places[MAX_INPUTS];
    dp_attributes attributes = { 0 };
    char what[64];
    if (!op_name || !name || !dp_text_clean(name, strlen(name), false))
        return fail_node(file, number, DEEPER_ERROR_FORMAT, "no op, or no name of clean UTF-8",
                         error);
    dp_op op = op_of(op_name);
    if (op == DP_OP_COUNT)
        return fail_node(file, number, DEEPER_ERROR_UNSUPPORTED,
                         "an operator that this deeper does not know", error);
    size_t count = json_array_size(inputs);
    if (count > MAX_INPUTS || (count && !read_ints(object, "inputs", places, count)))
        return fail_node(file, number, DEEPER_ERROR_FORMAT, "inputs that are no numbers of nodes",
                         error);
    const char *bad = read_attributes(object, op, &attributes);
    if (bad) {
        strcpy(what, "without a sound ");
        strncat(what, bad, sizeof what - strlen(what) - 1);
        return fail_node(file, number, DEEPER_ERROR_FORMAT, what, error);
    }
    if (op == DP_OP_DROPOUT)
        attributes.dropout.stream = graph->count;
    dp_graph_add(graph, op, name, places, (int)count, &attributes);
    deeper_error why = { 0 };
    deeper_status status = dp_graph_status(graph, &why);
    if (status == DEEPER_OK)
        return DEEPER_OK;
    return fail_node(file, number,
                     status == DEEPER_ERROR_MEMORY || status == DEEPER_ERROR_LIMIT
                         ? status
                         : DEEPER_ERROR_FORMAT,
                     why.message, error);
}

/* One picture in, one picture's probabilities out. */
static deeper_status check_ends(const dp_graph *graph, const char *file, deeper_error *error) {
    int inputs = 0, prob = dp_graph_find(graph, "prob");
    for (int i = 0; i < graph->count; i++)
        inputs += graph->nodes[i].op == DP_OP_INPUT;
    if (inputs == 1 && prob >= 0 && graph->nodes[prob].op == DP_OP_SOFTMAX)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s: deeper.graph: a network has one input and a softmax named prob", file);
}

deeper_status dp_graph_from_json(dp_graph **graph, const char *json, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    json_t *object = NULL;
    *graph = NULL;
    DP_TRY(dp_json_parse(&object, json, strlen(json), JSON_DEPTH, name, "deeper.graph", -1, error));
    const json_t *nodes = json_object_get(object, "nodes");
    dp_graph *made = NULL;
    deeper_status status = dp_graph_create(&made, allocator, error);
    for (size_t i = 0; status == DEEPER_OK && i < json_array_size(nodes); i++)
        status = read_node(made, json_array_get(nodes, i), i, name, error);
    if (status == DEEPER_OK)
        status = check_ends(made, name, error);
    json_decref(object);
    if (status != DEEPER_OK) {
        dp_graph_free(made);
        return status;
    }
    *graph = made;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- writing */

/* json_object_set_new of NULL fails: jansson's lack of memory is found there. */
static json_t *ints(const int *values, int count) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer(values[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *bound(float value) {
    return isinf(value) ? json_null() : json_real((double)value);
}

static int write_attributes(json_t *object, const dp_node *node) {
    const dp_attributes *a = &node->attributes;
    const dp_window *w = &a->window;
    const dp_pads *pads = node->op == DP_OP_PAD ? &a->pads : &w->pads;
    int fields = fields_of[node->op], failed = 0, parameter = node->op == DP_OP_PARAMETER;
    if (fields & SHAPE)
        failed |= json_object_set_new(
            object, "shape",
            ints((int[]){ a->shape.n, a->shape.c, a->shape.h, a->shape.w } + !parameter,
                 3 + parameter));
    if (fields & WINDOW)
        failed |= json_object_set_new(object, "window", ints((int[]){ w->height, w->width }, 2));
    if (node->op == DP_OP_ADAPTIVE_POOL)
        failed |= json_object_set_new(object, "window",
                                      ints((int[]){ a->size.height, a->size.width }, 2));
    if (fields & STRIDE)
        failed |=
            json_object_set_new(object, "stride", ints((int[]){ w->stride_y, w->stride_x }, 2));
    if (fields & PADS)
        failed |= json_object_set_new(
            object, "pads", ints((int[]){ pads->top, pads->left, pads->bottom, pads->right }, 4));
    if (fields & GROUPS)
        failed |= json_object_set_new(
            object, "groups", json_integer(node->op == DP_OP_SHUFFLE ? a->groups : w->groups));
    if (fields & CEIL)
        failed |= json_object_set_new(object, "ceil", json_boolean(w->ceil));
    if (fields & COUNT_PADDING)
        failed |= json_object_set_new(object, "count_padding", json_boolean(w->count_padding));
    if (fields & LRN)
        failed |= json_object_set_new(object, "lrn",
                                      json_pack("{s:i, s:f, s:f, s:f}", "size", a->lrn.size,
                                                "alpha", (double)a->lrn.alpha, "beta",
                                                (double)a->lrn.beta, "k", (double)a->lrn.k));
    if (fields & RATE)
        failed |= json_object_set_new(object, "rate", json_real((double)a->dropout.rate));
    if (fields & EPSILON)
        failed |= json_object_set_new(object, "epsilon", json_real((double)a->epsilon));
    if (fields & CLIP)
        failed |= json_object_set_new(object, "clip",
                                      json_pack("[o, o]", bound(a->clip.low), bound(a->clip.high)));
    if (fields & SLICE)
        failed |= json_object_set_new(object, "slice",
                                      ints((int[]){ a->slice.begin, a->slice.count }, 2));
    return failed;
}

char *dp_graph_to_json(const dp_graph *graph) {
    json_t *nodes = json_array();
    int failed = nodes == NULL;
    for (int i = 0; i < graph->count && !failed; i++) {
        const dp_node *node = &graph->nodes[i];
        json_t *object = json_pack("{s:s, s:s}", "op", dp_op_name(node->op), "name", node->name);
        if (node->input_count)
            failed |= json_object_set_new(object, "inputs", ints(node->inputs, node->input_count));
        failed |= write_attributes(object, node);
        failed |= json_array_append_new(nodes, object);
    }
    json_t *root = failed ? NULL : json_pack("{s:O}", "nodes", nodes);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(nodes);
    json_decref(root);
    return text;
}
