/* onnx_ending.c - see onnx_ending.h. The layers before the output are walked: a softmax or a
 * sigmoid makes shares of 1, and what only moves, bounds, averages or adds shares leaves them
 * shares of a known whole. Weights make scores of anything. A sum of three softmaxes is shares
 * of 3. */
#include "formats/onnx/onnx_ending.h"

#include "graph/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum kind {
    SCORES,  /* any numbers; a softmax makes probabilities of them */
    SHARES,  /* probabilities times `whole` */
    UNCLEAR, /* bounded, but no shares: a tanh, a probability with an offset */
} kind;

typedef struct meaning {
    kind kind;
    double whole;
    bool exclusive; /* shares of a softmax, which nothing learns from but on purpose */
} meaning;

static const meaning scores = { SCORES, 0, false }, unclear = { UNCLEAR, 0, false };

static meaning shares(double whole, bool exclusive) {
    return (meaning){ SHARES, whole, exclusive };
}

/* Whether a parameter is one number everywhere. */
static bool is_one_number(const dp_onnx_network *network, int node, float *number) {
    const dp_node *parameter = &network->graph->nodes[node];
    const dp_onnx_parameter *values = &network->parameters[parameter->parameter];
    *number = dp_onnx_at(values, 0);
    for (size_t i = 1; values->values && i < dp_shape_floats(parameter->shape); i++)
        if (values->values[i] != *number)
            return false;
    return true;
}

/* x * factor + term: a whole of another size, or what is left of it. */
static meaning scaled(const dp_onnx_network *network, const dp_node *node, meaning x) {
    float factor, term;
    if (x.kind == SCORES)
        return scores;
    if (x.kind != SHARES || !is_one_number(network, node->inputs[1], &factor)
        || !is_one_number(network, node->inputs[2], &term))
        return unclear;
    double whole = fabs((double)factor) * x.whole, missing = factor < 0 ? whole : 0;
    return factor != 0 && fabs((double)term - missing) <= 1e-5 * whole ? shares(whole, x.exclusive)
                                                                       : unclear;
}

static meaning joined(dp_op op, meaning a, meaning b) {
    if (op == DP_OP_CONCAT)
        return a.kind == b.kind && a.whole == b.whole ? a : unclear;
    if (a.kind == SCORES || b.kind == SCORES)
        return scores;
    if (a.kind != SHARES || b.kind != SHARES)
        return unclear;
    return shares(op == DP_OP_ADD ? a.whole + b.whole : a.whole * b.whole,
                  a.exclusive && b.exclusive);
}

static meaning meaning_of(const dp_onnx_network *network, const dp_node *node,
                          const meaning *earlier) {
    meaning x = node->input_count ? earlier[node->inputs[0]] : scores;
    switch (node->op) {
    case DP_OP_SOFTMAX:
    case DP_OP_SIGMOID:
        return shares(1, node->op == DP_OP_SOFTMAX);
    case DP_OP_CLIP: /* a hard sigmoid is one, too */
        return x.kind == SCORES && node->attributes.clip.low == 0 && node->attributes.clip.high == 1
                   ? shares(1, false)
                   : x;
    case DP_OP_AFFINE:
        return scaled(network, node, x);
    case DP_OP_CONCAT:
    case DP_OP_ADD:
    case DP_OP_MULTIPLY:
        for (int i = 1; i < node->input_count; i++)
            x = joined(node->op, x, earlier[node->inputs[i]]);
        return x;
    case DP_OP_RELU:
    case DP_OP_MAX_POOL:
    case DP_OP_AVERAGE_POOL:
    case DP_OP_GLOBAL_AVERAGE:
    case DP_OP_ADAPTIVE_POOL:
    case DP_OP_SHUFFLE:
    case DP_OP_SLICE:
    case DP_OP_FLATTEN:
    case DP_OP_UNFLATTEN:
    case DP_OP_DROPOUT:
        return x;
    case DP_OP_CONV:
    case DP_OP_FC:
    case DP_OP_BATCH_NORM:
        return x.exclusive ? unclear : scores; /* classes may have been put together */
    default:
        return scores;
    }
}

static deeper_status find_meaning(const dp_onnx_network *network, const dp_onnx_file *file,
                                  meaning *output, deeper_error *error) {
    const dp_graph *graph = network->graph;
    meaning *all = dp_alloc(file->allocator, (size_t)graph->count, sizeof *all);
    if (!all)
        return dp_fail_memory(error, "what a network ends in");
    for (int i = 0; i <= network->output; i++)
        all[i] = meaning_of(network, &graph->nodes[i], all);
    *output = network->logarithm ? scores : all[network->output];
    dp_free(file->allocator, all);
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- changes */

/* A network under change. */
typedef struct ending {
    dp_onnx_importer importer;
    dp_graph *graph;
    int *output;
} ending;

/* The name of the layer whose value is now the output, with a part behind it. */
static const char *part_name(const ending *e, const char *part, char name[DP_ONNX_NAME]) {
    snprintf(name, DP_ONNX_NAME, "%.280s.%s", e->graph->nodes[*e->output].name, part);
    return name;
}

static deeper_status scale(ending *e, double factor) {
    char name[DP_ONNX_NAME];
    return dp_onnx_add_scaled(&e->importer, part_name(e, "mean", name), *e->output,
                              (dp_onnx_parameter){ .fill = (float)factor },
                              (dp_onnx_parameter){ .fill = 0 }, e->output);
}

static deeper_status add_unary(ending *e, dp_op op, const char *part) {
    char name[DP_ONNX_NAME];
    return dp_onnx_add_named(&e->importer, part_name(e, part, name), op, e->output, 1, NULL,
                             e->output);
}

/* p becomes 1 - p and p. */
static deeper_status complete_pair(ending *e) {
    char name[DP_ONNX_NAME];
    int parts[2] = { -1, *e->output };
    DP_TRY(dp_onnx_add_scaled(&e->importer, part_name(e, "rest", name), *e->output,
                              (dp_onnx_parameter){ .fill = -1 }, (dp_onnx_parameter){ .fill = 1 },
                              &parts[0]));
    return dp_onnx_add_named(&e->importer, part_name(e, "both", name), DP_OP_CONCAT, parts, 2, NULL,
                             e->output);
}

/* What is done to the output. A softmax of one class is a network of one class, always 1: nothing
 * is left of it for a second. */
static deeper_status change(ending *e, const char *answer, meaning output) {
    const dp_node *node = &e->graph->nodes[*e->output];
    bool single = node->shape.c == 1 && node->op != DP_OP_SOFTMAX;
    if (strcmp(answer, "softmax") == 0 && single)
        return dp_onnx_fail(&e->importer, DEEPER_ERROR_UNSUPPORTED,
                            "a softmax of one score is always 1");
    if (strcmp(answer, "softmax") == 0)
        return add_unary(e, DP_OP_SOFTMAX, "softmax");
    if (strcmp(answer, "sigmoid") == 0)
        DP_TRY(add_unary(e, DP_OP_SIGMOID, "sigmoid"));
    else if (strcmp(answer, "as-is") != 0)
        return dp_onnx_fail(&e->importer, DEEPER_ERROR_ARGUMENT,
                            "answer: '%.40s' is none of softmax, sigmoid and as-is", answer);
    else if (output.kind == SHARES && fabs(output.whole - 1) > 1e-5)
        DP_TRY(scale(e, 1 / output.whole));
    return single ? complete_pair(e) : DEEPER_OK;
}

/* The output is called prob, and nothing else is. */
static deeper_status rename_output(ending *e) {
    deeper_error why = { 0 };
    int named = dp_graph_find(e->graph, "prob");
    if (named >= 0 && named != *e->output)
        dp_graph_rename(e->graph, named, "prob (of the file)");
    if (named != *e->output)
        dp_graph_rename(e->graph, *e->output, "prob");
    deeper_status status = dp_graph_status(e->graph, &why);
    return status == DEEPER_OK ? status : dp_onnx_fail(&e->importer, status, "%s", why.message);
}

deeper_status dp_onnx_end_in_prob(dp_onnx_network *network, dp_onnx_file *file, const char *answer,
                                  deeper_error *error) {
    ending e = {
        .importer = { .file = file, .network = network, .graph = network->graph, .error = error },
        .graph = network->graph,
        .output = &network->output
    };
    const dp_node *node = &network->graph->nodes[network->output];
    meaning output = scores;
    if (node->shape.h != 1 || node->shape.w != 1 || node->op == DP_OP_INPUT)
        return dp_onnx_fail(&e.importer, DEEPER_ERROR_UNSUPPORTED,
                            "its output is %d x %d x %d for a picture; deeper runs classifiers",
                            node->shape.c, node->shape.h, node->shape.w);
    DP_TRY(find_meaning(network, file, &output, error));
    if (!answer && (output.kind == UNCLEAR || (output.kind == SCORES && node->shape.c == 1)))
        return dp_onnx_fail(
            &e.importer, DEEPER_ERROR_UNSUPPORTED,
            "its output, layer %.100s, is %s; say what makes probabilities of it by "
            "the option answer: softmax, sigmoid or as-is",
            node->name,
            output.kind == UNCLEAR ? "neither scores nor probabilities that can be "
                                     "told by its graph"
                                   : "one number, which may be a score or a "
                                     "measure");
    if (!answer)
        answer = output.kind == SCORES ? "softmax" : "as-is";
    DP_TRY(change(&e, answer, output));
    return rename_output(&e);
}
