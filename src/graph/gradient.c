/* gradient.c - reverse-mode differentiation: from the seeds towards the first node, each operator's
 * rule adds the nodes that carry the gradient of its output to those of its inputs which depend on
 * what is asked for. Gradients that meet are added. The gradient of node NAME is named "d NAME";
 * where several are added, the terms are "d NAME, 1", "d NAME, 2" ... in order of arrival.
 *
 * 1x1 convolutions that read one input are differentiated together: on their gradients joined along
 * the channels, one convolution is the sum of their input gradients, and one outer product all
 * their weight gradients. */
#include "graph/gradient.h"

#include <stdio.h>
#include <string.h>

typedef struct differentiation {
    dp_graph *graph;
    int count;      /* nodes before differentiation */
    bool *asked;    /* a node that depends on a wrt node, or is one */
    int *gradients; /* of the nodes; -1: none yet */
    int *terms;     /* gradients that arrived */
} differentiation;

static int input_of(const differentiation *d, int node, int index) {
    return d->graph->nodes[node].inputs[index];
}

/* "PREFIX NAME" as the name of a helper node. */
static int add(differentiation *d, dp_op op, const char *prefix, int node, const int *inputs,
               int count, dp_attributes attributes) {
    char name[320];
    snprintf(name, sizeof name, "%s %s", prefix, d->graph->nodes[node].name);
    return dp_graph_add(d->graph, op, name, inputs, count, &attributes);
}

/* A term of the gradient of input `index` of `node`: op on `inputs`. The rules call it once an
 * input that is asked for. */
static int add_term(differentiation *d, dp_op op, int of, const int *inputs, int count,
                    dp_attributes attributes) {
    char name[320];
    int length = snprintf(name, sizeof name, "d %s", d->graph->nodes[of].name);
    if (d->terms[of]++ && length < (int)sizeof name)
        snprintf(name + length, sizeof name - (size_t)length, ", %d", d->terms[of]);
    return dp_graph_add(d->graph, op, name, inputs, count, &attributes);
}

/* The gradient of node `of` grows by the value of node `term`. */
static void arrive(differentiation *d, int of, int term) {
    if (d->gradients[of] < 0) {
        d->gradients[of] = term;
        return;
    }
    char prefix[32];
    snprintf(prefix, sizeof prefix, "sum %d of d", d->terms[of]);
    d->gradients[of] =
        add(d, DP_OP_ADD, prefix, of, (int[]){ term, d->gradients[of] }, 2, (dp_attributes){ 0 });
}

static bool asked(const differentiation *d, int node, int index) {
    return index < d->graph->nodes[node].input_count && d->asked[input_of(d, node, index)];
}

/* ------------------------------------------------ rules: g is the gradient of the node's output */

typedef void gradient_rule(differentiation *d, int node, int g);

/* The input gradient of a convolution of stride 1 is the convolution of g with the rotated weights,
 * padded by what the window reaches over the forward padding; of a larger stride the same on g with
 * zeros between its pixels. */
static void conv_input(differentiation *d, int node, int g) {
    int x = input_of(d, node, 0);
    dp_window forward = d->graph->nodes[node].attributes.window, w = forward;
    dp_shape in = d->graph->nodes[x].shape, out = d->graph->nodes[node].shape;
    int reach_y = (out.h - 1) * forward.stride_y, reach_x = (out.w - 1) * forward.stride_x;
    if (forward.stride_y > 1 || forward.stride_x > 1)
        g = add(d, DP_OP_DILATE, "dilated d", node, &g, 1,
                (dp_attributes){ .stride = { forward.stride_y, forward.stride_x } });
    w.stride_y = w.stride_x = 1;
    w.pads = (dp_pads){ .top = forward.height - 1 - forward.pads.top,
                        .left = forward.width - 1 - forward.pads.left,
                        .bottom = in.h - 1 - reach_y + forward.pads.top,
                        .right = in.w - 1 - reach_x + forward.pads.left };
    int weight = input_of(d, node, 1);
    int rotated = add(d, DP_OP_ROTATE, "rotated for", node, &weight, 1,
                      (dp_attributes){ .groups = forward.groups });
    arrive(d, x,
           add_term(d, DP_OP_CONV, x, (int[]){ g, rotated }, 2, (dp_attributes){ .window = w }));
}

/* Weight and bias of a convolution, or of a fully connected layer: a convolution whose window is
 * the whole picture. */
static void product_parameters(differentiation *d, int node, int g, dp_window window) {
    int x = input_of(d, node, 0);
    if (asked(d, node, 1))
        arrive(d, input_of(d, node, 1),
               add_term(d, DP_OP_CONV_WEIGHT_GRADIENT, input_of(d, node, 1), (int[]){ x, g }, 2,
                        (dp_attributes){ .window = window }));
    if (asked(d, node, 2))
        arrive(d, input_of(d, node, 2),
               add_term(d, DP_OP_CHANNEL_SUM, input_of(d, node, 2), &g, 1, (dp_attributes){ 0 }));
}

static void conv_rule(differentiation *d, int node, int g) {
    if (asked(d, node, 0))
        conv_input(d, node, g);
    product_parameters(d, node, g, d->graph->nodes[node].attributes.window);
}

/* ------------------------------------------------------------------------------------- siblings */

enum { SIBLINGS = 16 };

/* The group that 1x1 convolution `node` begins: it and later ones that read what it reads. Every
 * SIBLINGS-th of these begins one; none for the others. */
static int find_siblings(const differentiation *d, int node, int siblings[SIBLINGS]) {
    int count = 0, before = 0;
    for (int i = 0; i < d->count && count < SIBLINGS; i++)
        if (dp_is_point(&d->graph->nodes[i]) && input_of(d, i, 0) == input_of(d, node, 0)) {
            if (i < node)
                before++;
            else
                siblings[count++] = i;
        }
    return before % SIBLINGS ? 0 : count;
}

/* The gradients of input `index` of each sibling as slices of `whole`, in which they lie one after
 * another. */
static void slice_parameters(differentiation *d, const int *siblings, int count, int index,
                             int whole) {
    int begin = 0;
    for (int i = 0; i < count; i++) {
        int outputs = d->graph->nodes[siblings[i]].shape.c;
        if (asked(d, siblings[i], index)) {
            int parameter = input_of(d, siblings[i], index);
            arrive(d, parameter,
                   add_term(d, DP_OP_SLICE, parameter, &whole, 1,
                            (dp_attributes){ .slice = { begin, outputs } }));
        }
        begin += outputs;
    }
}

static bool any_asked(const differentiation *d, const int *siblings, int count, int index) {
    for (int i = 0; i < count; i++)
        if (asked(d, siblings[i], index))
            return true;
    return false;
}

static void join_siblings(differentiation *d, const int *siblings, int count) {
    int first = siblings[0], x = input_of(d, first, 0), g[SIBLINGS], weights[SIBLINGS];
    dp_attributes window = d->graph->nodes[first].attributes;
    for (int i = 0; i < count; i++) {
        g[i] = d->gradients[siblings[i]];
        weights[i] = input_of(d, siblings[i], 1);
    }
    int joined = add(d, DP_OP_CONCAT, "joined d", first, g, count, (dp_attributes){ 0 });
    if (d->asked[x]) {
        int rotated = add(d, DP_OP_ROTATE, "rotated for", first, weights, count,
                          (dp_attributes){ .groups = 1 });
        arrive(d, x, add_term(d, DP_OP_CONV, x, (int[]){ joined, rotated }, 2, window));
    }
    if (any_asked(d, siblings, count, 1))
        slice_parameters(d, siblings, count, 1,
                         add(d, DP_OP_CONV_WEIGHT_GRADIENT, "d weights of", first,
                             (int[]){ x, joined }, 2, window));
    if (any_asked(d, siblings, count, 2))
        slice_parameters(
            d, siblings, count, 2,
            add(d, DP_OP_CHANNEL_SUM, "d biases of", first, &joined, 1, (dp_attributes){ 0 }));
}

/* A 1x1 convolution: all of its group at the first of them, when the gradients of all have
 * arrived. */
static void point_rule(differentiation *d, int node) {
    int siblings[SIBLINGS], all = find_siblings(d, node, siblings), count = 0;
    for (int i = 0; i < all; i++)
        if (d->gradients[siblings[i]] >= 0 && d->asked[siblings[i]])
            siblings[count++] = siblings[i];
    if (count == 1)
        conv_rule(d, siblings[0], d->gradients[siblings[0]]);
    else if (count > 1)
        join_siblings(d, siblings, count);
}

/* -------------------------------------------------------------------------- rules of the others */

/* A flat gradient back in the shape of node x. */
static int unflatten(differentiation *d, int node, int x, int flat) {
    dp_shape shape = d->graph->nodes[x].shape;
    if (shape.h == 1 && shape.w == 1)
        return flat;
    return add(d, DP_OP_UNFLATTEN, "unflattened d by", node, &flat, 1,
               (dp_attributes){ .shape = shape });
}

static void fc_rule(differentiation *d, int node, int g) {
    int x = input_of(d, node, 0), weight = input_of(d, node, 1);
    dp_shape in = d->graph->nodes[x].shape;
    if (asked(d, node, 0)) {
        int transposed =
            add(d, DP_OP_TRANSPOSE, "transposed for", node, &weight, 1, (dp_attributes){ 0 });
        int flat = add_term(d, DP_OP_FC, x, (int[]){ g, transposed }, 2, (dp_attributes){ 0 });
        arrive(d, x, unflatten(d, node, x, flat));
    }
    product_parameters(
        d, node, g,
        (dp_window){ .height = in.h, .width = in.w, .stride_y = 1, .stride_x = 1, .groups = 1 });
}

/* op(g, x [, y]) with the attributes of the node. */
static void unary(differentiation *d, int node, dp_op op, const int *inputs, int count) {
    int x = input_of(d, node, 0);
    arrive(d, x, add_term(d, op, x, inputs, count, d->graph->nodes[node].attributes));
}

static void max_pool_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_MAX_POOL_GRADIENT, (int[]){ g, input_of(d, node, 0), node }, 3);
}

static void average_pool_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_AVERAGE_POOL_GRADIENT, (int[]){ g, input_of(d, node, 0) }, 2);
}

static void global_average_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_GLOBAL_AVERAGE_GRADIENT, (int[]){ g, input_of(d, node, 0) }, 2);
}

static void adaptive_pool_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_ADAPTIVE_POOL_GRADIENT, (int[]){ g, input_of(d, node, 0) }, 2);
}

static void lrn_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_LRN_GRADIENT, (int[]){ g, input_of(d, node, 0) }, 2);
}

static void relu_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_RELU_GRADIENT, (int[]){ g, node }, 2);
}

/* The same mask on the gradient: the attributes name the stream that draws it. */
static void dropout_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_DROPOUT, &g, 1);
}

static void flatten_rule(differentiation *d, int node, int g) {
    int x = input_of(d, node, 0);
    arrive(d, x, unflatten(d, node, x, g));
}

static void add_rule(differentiation *d, int node, int g) {
    for (int i = 0; i < 2; i++)
        if (asked(d, node, i)) {
            d->terms[input_of(d, node, i)]++;
            arrive(d, input_of(d, node, i), g);
        }
}

/* Channels of a gradient, for a part of concatenation `node`. Those of a sum are a sum of channels
 * and those of a max pool's gradient one of channels, so that whatever follows can be computed
 * along with it. */
static int slice_part(differentiation *d, int node, int part, int g, dp_slice slice) {
    const dp_node term = d->graph->nodes[g];
    const dp_attributes channels = { .slice = slice };
    bool pool = term.op == DP_OP_MAX_POOL_GRADIENT && term.inputs[1] == node;
    if (g < d->count || (term.op != DP_OP_ADD && !pool))
        return add_term(d, DP_OP_SLICE, part, &g, 1, channels);
    if (term.op == DP_OP_ADD) {
        int first = slice_part(d, node, part, term.inputs[0], slice),
            second = slice_part(d, node, part, term.inputs[1], slice);
        return add_term(d, DP_OP_ADD, part, (int[]){ first, second }, 2, (dp_attributes){ 0 });
    }
    char prefix[48];
    snprintf(prefix, sizeof prefix, "slice %d of pool for d", d->terms[part] + 1);
    int y = add(d, DP_OP_SLICE, prefix, part, &term.inputs[2], 1, channels);
    snprintf(prefix, sizeof prefix, "slice %d of d pool for d", d->terms[part] + 1);
    int of_y = add(d, DP_OP_SLICE, prefix, part, &term.inputs[0], 1, channels);
    return add_term(d, DP_OP_MAX_POOL_GRADIENT, part, (int[]){ of_y, part, y }, 3, term.attributes);
}

static void concat_rule(differentiation *d, int node, int g) {
    int begin = 0;
    for (int i = 0; i < d->graph->nodes[node].input_count; i++) {
        int part = input_of(d, node, i), channels = d->graph->nodes[part].shape.c;
        if (asked(d, node, i))
            arrive(d, part, slice_part(d, node, part, g, (dp_slice){ begin, channels }));
        begin += channels;
    }
}

/* With fixed statistics only x may be asked for: such a batch norm does not learn. */
static void fixed_norm_rule(differentiation *d, int node, int g) {
    const dp_node *norm = &d->graph->nodes[node];
    int x = norm->inputs[0], scale = norm->inputs[1], variance = norm->inputs[4];
    if (d->asked[scale] || d->asked[norm->inputs[2]])
        dp_graph_fail(d->graph, DEEPER_ERROR_UNSUPPORTED,
                      "%s: a batch norm with fixed statistics does not learn", norm->name);
    else
        arrive(d, x,
               add_term(d, DP_OP_FIXED_NORM_GRADIENT, x, (int[]){ g, scale, variance }, 3,
                        norm->attributes));
}

static void batch_norm_rule(differentiation *d, int node, int g) {
    const dp_node *norm = &d->graph->nodes[node];
    if (norm->input_count == 5) {
        fixed_norm_rule(d, node, g);
        return;
    }
    int x = norm->inputs[0], scale = norm->inputs[1], shift = norm->inputs[2],
        moments = norm->inputs[3];
    dp_attributes attributes = norm->attributes;
    int sums =
        add(d, DP_OP_BATCH_NORM_SUMS, "sums for", node, (int[]){ g, x, moments }, 3, attributes);
    if (d->asked[shift])
        arrive(d, shift,
               add_term(d, DP_OP_SLICE, shift, &sums, 1, (dp_attributes){ .slice = { 0, 1 } }));
    if (d->asked[scale])
        arrive(d, scale,
               add_term(d, DP_OP_SLICE, scale, &sums, 1, (dp_attributes){ .slice = { 1, 1 } }));
    if (d->asked[x])
        arrive(d, x,
               add_term(d, DP_OP_BATCH_NORM_GRADIENT, x, (int[]){ g, x, scale, moments, sums }, 5,
                        attributes));
}

static void loss_rule(differentiation *d, int node, int g) {
    unary(d, node, DP_OP_SOFTMAX_LOSS_GRADIENT,
          (int[]){ g, input_of(d, node, 0), input_of(d, node, 1) }, 3);
}

/* Batch statistics pass nothing on by themselves: BATCH_NORM_GRADIENT accounts for them. */
static void moments_rule(differentiation *d, int node, int g) {
}

static gradient_rule *const rules[DP_OP_COUNT] = {
    [DP_OP_CONV] = conv_rule,
    [DP_OP_FC] = fc_rule,
    [DP_OP_MAX_POOL] = max_pool_rule,
    [DP_OP_AVERAGE_POOL] = average_pool_rule,
    [DP_OP_GLOBAL_AVERAGE] = global_average_rule,
    [DP_OP_ADAPTIVE_POOL] = adaptive_pool_rule,
    [DP_OP_LRN] = lrn_rule,
    [DP_OP_RELU] = relu_rule,
    [DP_OP_BATCH_NORM] = batch_norm_rule,
    [DP_OP_ADD] = add_rule,
    [DP_OP_CONCAT] = concat_rule,
    [DP_OP_FLATTEN] = flatten_rule,
    [DP_OP_DROPOUT] = dropout_rule,
    [DP_OP_SOFTMAX_LOSS] = loss_rule,
    [DP_OP_MOMENTS] = moments_rule,
};

/* ------------------------------------------------------------------------------------- the walk */

static void differentiate(differentiation *d) {
    for (int i = d->count - 1; i >= 0 && d->graph->failure.status == DEEPER_OK; i--) {
        const dp_node *node = &d->graph->nodes[i];
        if (dp_is_point(node)) {
            d->graph->head = node->head;
            point_rule(d, i);
            continue;
        }
        if (d->gradients[i] < 0 || !d->asked[i] || node->op == DP_OP_PARAMETER
            || node->op == DP_OP_INPUT)
            continue;
        d->graph->head = node->head;
        if (rules[node->op])
            rules[node->op](d, i, d->gradients[i]);
        else
            dp_graph_fail(d->graph, DEEPER_ERROR_UNSUPPORTED, "%s: no gradient rule for %s",
                          node->name, dp_op_name(node->op));
    }
}

static void mark_asked(differentiation *d, const int *wrt, int wrt_count) {
    for (int i = 0; i < wrt_count; i++)
        d->asked[wrt[i]] = true;
    for (int i = 0; i < d->count; i++)
        for (int j = 0; j < d->graph->nodes[i].input_count; j++)
            d->asked[i] = d->asked[i] || d->asked[input_of(d, i, j)];
}

deeper_status dp_graph_gradient(dp_graph *graph, const dp_seed *seeds, int seed_count,
                                const int *wrt, int wrt_count, int *results, deeper_error *error) {
    const deeper_allocator *allocator = graph->allocator;
    differentiation d = { .graph = graph, .count = graph->count };
    dp_head head = graph->head;
    d.asked = dp_alloc(allocator, (size_t)graph->count, sizeof *d.asked);
    d.gradients = dp_alloc(allocator, (size_t)graph->count, sizeof *d.gradients);
    d.terms = dp_alloc(allocator, (size_t)graph->count, sizeof *d.terms);
    deeper_status status = DEEPER_OK;
    if (!d.asked || !d.gradients || !d.terms) {
        status = dp_fail_memory(error, "the gradient's tables");
    } else {
        memset(d.gradients, 0xFF, (size_t)graph->count * sizeof *d.gradients); /* -1 */
        mark_asked(&d, wrt, wrt_count);
        for (int i = 0; i < seed_count; i++) {
            d.terms[seeds[i].node]++;
            arrive(&d, seeds[i].node, seeds[i].gradient);
        }
        differentiate(&d);
        status = dp_graph_status(graph, error);
        for (int i = 0; i < wrt_count && status == DEEPER_OK; i++)
            results[i] = d.gradients[wrt[i]];
    }
    graph->head = head;
    dp_free(allocator, d.asked);
    dp_free(allocator, d.gradients);
    dp_free(allocator, d.terms);
    return status;
}
