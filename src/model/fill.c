/* fill.c - matching by name, comparing by shape, then pointing or converting. Memory is taken only
 * after all tensors fit, so a model never costs more than its file can fill. */
#include "model/fill.h"

#include <stdio.h>
#include <string.h>

/* The weight of a fully connected layer? Parameters do not know their reader, so it is looked for;
 * graphs have hundreds of nodes. */
static bool is_fc_weight(const dp_graph *graph, int node) {
    for (int i = node + 1; i < graph->count; i++)
        if (graph->nodes[i].op == DP_OP_FC && graph->nodes[i].inputs[1] == node)
            return true;
    return false;
}

static bool is_conv_weight(const dp_graph *graph, int node) {
    for (int i = node + 1; i < graph->count; i++)
        if (graph->nodes[i].op == DP_OP_CONV && graph->nodes[i].inputs[1] == node)
            return true;
    return false;
}

void dp_parameter_tensor(const dp_graph *graph, int node, dp_tensor *tensor) {
    dp_shape shape = graph->nodes[node].shape;
    size_t rows = (size_t)shape.n, floats = dp_shape_floats(shape);
    *tensor = (dp_tensor){ .name = graph->nodes[node].name,
                           .dtype = DP_DTYPE_F32,
                           .rank = 1,
                           .bytes = floats * sizeof(float) };
    tensor->shape[0] = rows;
    if (is_fc_weight(graph, node)) {
        tensor->rank = 2;
        tensor->shape[1] = floats / rows;
    } else if (floats != rows || is_conv_weight(graph, node)) {
        tensor->rank = 4;
        tensor->shape[1] = (size_t)shape.c;
        tensor->shape[2] = (size_t)shape.h;
        tensor->shape[3] = (size_t)shape.w;
    }
}

deeper_status dp_model_tensors(dp_tensor **tensors, const dp_model *model, deeper_error *error) {
    const dp_graph *graph = model->graph;
    dp_tensor *list = dp_alloc(model->allocator, (size_t)graph->parameters, sizeof *list);
    if (!list)
        return dp_fail_memory(error, "the tensor list of a model");
    for (int i = 0; i < graph->count; i++) {
        int parameter = graph->nodes[i].parameter;
        if (parameter < 0)
            continue;
        dp_parameter_tensor(graph, i, &list[parameter]);
        list[parameter].data = model->values[parameter];
    }
    *tensors = list;
    return DEEPER_OK;
}

/* Sides of one value at the front of a shape, which some formats add and others leave out. */
static int front_ones(const dp_tensor *tensor) {
    int ones = 0;
    while (ones < tensor->rank && tensor->shape[ones] == 1)
        ones++;
    return ones;
}

/* But for ones at the front and at the end. */
static bool same_shape(const dp_tensor *a, const dp_tensor *b) {
    for (int i = front_ones(a), j = front_ones(b); i < a->rank || j < b->rank; i++, j++)
        if ((i < a->rank ? a->shape[i] : 1) != (j < b->rank ? b->shape[j] : 1))
            return false;
    return true;
}

bool dp_parameter_fits(const dp_graph *graph, int node, const dp_tensor *tensor) {
    dp_tensor wanted;
    dp_parameter_tensor(graph, node, &wanted);
    if (same_shape(&wanted, tensor))
        return true;
    dp_shape shape = graph->nodes[node].shape;
    dp_tensor full = {
        .rank = 4, .shape = { (size_t)shape.n, (size_t)shape.c, (size_t)shape.h, (size_t)shape.w }
    };
    return wanted.rank == 2 && same_shape(&full, tensor);
}

bool dp_heads_fit(const dp_graph *graph, const dp_tensor *tensors, size_t count) {
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].parameter < 0 || graph->nodes[i].head == DP_HEAD_MAIN)
            continue;
        bool fits = false;
        for (size_t j = 0; j < count && !fits; j++)
            fits = strcmp(tensors[j].name, graph->nodes[i].name) == 0
                   && dp_parameter_fits(graph, i, &tensors[j]);
        if (!fits)
            return false;
    }
    return true;
}

/* What a file has against what a model wants: how many of each kind, and the first. */
typedef struct difference {
    size_t missing, unknown, other;
    dp_tensor first_missing, first_other_wanted;
    const dp_tensor *first_unknown, *first_other;
} difference;

static deeper_status fail_difference(const difference *d, const dp_model *model, const char *name,
                                     deeper_error *error) {
    char text[DEEPER_MESSAGE_SIZE] = "", wanted[DP_TENSOR_SHAPE_TEXT],
         matches[DP_TENSOR_SHAPE_TEXT];
    int length = 0;
    if (d->missing)
        length += snprintf(text, sizeof text, "%zu %s missing (first %.100s %s)", d->missing,
                           d->missing == 1 ? "tensor" : "tensors", d->first_missing.name,
                           dp_tensor_shape_text(&d->first_missing, wanted));
    if (d->unknown && (size_t)length < sizeof text)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "%s%zu unknown (first %.80s %.80s)", length ? ", " : "", d->unknown,
                           d->first_unknown->name, dp_tensor_shape_text(d->first_unknown, matches));
    if (d->other && (size_t)length < sizeof text)
        snprintf(text + length, sizeof text - (size_t)length,
                 "%s%zu of other shape (%.100s: %s wanted, %.80s found)", length ? ", " : "",
                 d->other, d->first_other->name,
                 dp_tensor_shape_text(&d->first_other_wanted, wanted),
                 dp_tensor_shape_text(d->first_other, matches));
    return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: not the weights of %s: %s", name,
                   model->architecture, text);
}

/* found[p] = the tensor of parameter p. */
static deeper_status match(const dp_model *model, const dp_tensor *tensors, size_t count,
                           const dp_tensor **matches, const char *name, deeper_error *error) {
    const dp_graph *graph = model->graph;
    difference d = { 0 };
    for (size_t i = 0; i < count; i++) {
        int node = dp_graph_find(graph, tensors[i].name);
        int parameter = node < 0 ? -1 : graph->nodes[node].parameter;
        if (parameter < 0) {
            if (d.unknown++ == 0)
                d.first_unknown = &tensors[i];
        } else if (matches[parameter]) {
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: two tensors are named %s", name,
                           tensors[i].name);
        } else {
            matches[parameter] = &tensors[i];
        }
    }
    for (int i = 0; i < graph->count; i++) {
        int parameter = graph->nodes[i].parameter;
        if (parameter < 0)
            continue;
        if (!matches[parameter]) {
            if (d.missing++ == 0)
                dp_parameter_tensor(graph, i, &d.first_missing);
        } else if (!dp_parameter_fits(graph, i, matches[parameter]) && d.other++ == 0) {
            d.first_other = matches[parameter];
            dp_parameter_tensor(graph, i, &d.first_other_wanted);
        }
    }
    return d.missing || d.unknown || d.other ? fail_difference(&d, model, name, error) : DEEPER_OK;
}

static bool usable_in_place(const dp_tensor *tensor) {
    return tensor->dtype == DP_DTYPE_F32 && (uintptr_t)tensor->data % sizeof(float) == 0;
}

static deeper_status take(dp_model *model, const dp_tensor *const *matches, bool in_place,
                          const char *name, deeper_error *error) {
    int parameters = model->graph->parameters;
    for (int p = 0; p < parameters; p++) {
        if (!dp_dtype_is_weight(matches[p]->dtype))
            return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                           "%s: %s holds %s; weights are read from F32, F16, BF16 and F64", name,
                           matches[p]->name, dp_dtype_name(matches[p]->dtype));
        in_place = in_place && usable_in_place(matches[p]);
    }
    if (!in_place)
        DP_TRY(dp_model_allocate(model, error));
    else if (!(model->values =
                   dp_alloc(model->allocator, (size_t)parameters, sizeof *model->values)))
        return dp_fail_memory(error, "the parameter list of a model");
    float *next = model->arena;
    for (int p = 0; p < parameters; p++) {
        if (in_place) {
            model->values[p] = matches[p]->data;
            continue;
        }
        dp_tensor_read(matches[p], next);
        next += matches[p]->bytes / dp_dtype_bytes(matches[p]->dtype);
    }
    return DEEPER_OK;
}

deeper_status dp_model_fill(dp_model *model, const dp_tensor *tensors, size_t count, bool in_place,
                            const char *name, deeper_error *error) {
    const dp_tensor **matches =
        dp_alloc(model->allocator, (size_t)model->graph->parameters, sizeof *matches);
    if (!matches)
        return dp_fail_memory(error, "the tensor list of a model");
    deeper_status status = match(model, tensors, count, matches, name, error);
    if (status == DEEPER_OK)
        status = take(model, matches, in_place, name, error);
    dp_free(model->allocator, matches);
    return status;
}
