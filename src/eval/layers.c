/* layers.c - see layers.h. Structure is a number a node: of its operator, its shape and its inputs'
 * numbers; the same number twice (the branches of a module that look alike) is told apart by the
 * order of computation. */
#include "eval/layers.h"

#include <ctype.h>
#include <string.h>

/* --------------------------------------------------------------------------------- two networks */

/* Whether a node gives its input on as it is, at inference. */
static bool passes_on(dp_op op) {
    return op == DP_OP_DROPOUT || op == DP_OP_FLATTEN;
}

static bool is_layer(const dp_node *node) {
    return node->op != DP_OP_PARAMETER && node->op != DP_OP_INPUT && !passes_on(node->op);
}

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

/* numbers[i] of each node; needed[i]: the probabilities depend on it. */
static void number_nodes(const dp_graph *graph, uint64_t *numbers, bool *needed) {
    int prob = dp_graph_find(graph, "prob");
    if (prob >= 0)
        dp_graph_needed(graph, &prob, 1, needed);
    for (int i = 0; i < graph->count; i++) {
        const dp_node *node = &graph->nodes[i];
        if (passes_on(node->op)) {
            numbers[i] = numbers[node->inputs[0]];
            continue;
        }
        uint64_t number = mix(
            mix(mix(mix(1, (uint64_t)node->op), (uint64_t)node->shape.c), (uint64_t)node->shape.h),
            (uint64_t)node->shape.w);
        for (int k = 0; k < node->input_count; k++)
            if (graph->nodes[node->inputs[k]].op != DP_OP_PARAMETER)
                number = mix(number, numbers[node->inputs[k]]);
        numbers[i] = number;
    }
}

typedef struct side {
    const dp_graph *graph;
    uint64_t *numbers;
    bool *needed, *taken;
} side;

static bool side_open(side *s, const dp_graph *graph, const deeper_allocator *allocator) {
    size_t count = (size_t)graph->count;
    *s = (side){ graph, dp_alloc(allocator, count, sizeof(uint64_t)),
                 dp_alloc(allocator, count, sizeof(bool)),
                 dp_alloc(allocator, count, sizeof(bool)) };
    if (!s->numbers || !s->needed || !s->taken)
        return false;
    number_nodes(graph, s->numbers, s->needed);
    return true;
}

static void side_close(side *s, const deeper_allocator *allocator) {
    dp_free(allocator, s->numbers);
    dp_free(allocator, s->needed);
    dp_free(allocator, s->taken);
}

static void match_names(int *theirs, side *a, side *b) {
    for (int i = 0; i < a->graph->count; i++) {
        const dp_node *node = &a->graph->nodes[i];
        theirs[i] = -1;
        if (!is_layer(node) || !a->needed[i])
            continue;
        int match = dp_graph_find(b->graph, node->name);
        if (match < 0 || !b->needed[match] || !is_layer(&b->graph->nodes[match])
            || !dp_shape_equal(node->shape, b->graph->nodes[match].shape))
            continue;
        theirs[i] = match;
        b->taken[match] = true;
    }
}

static void match_structure(int *theirs, side *a, side *b) {
    for (int i = 0; i < a->graph->count; i++) {
        if (theirs[i] >= 0 || !a->needed[i] || !is_layer(&a->graph->nodes[i]))
            continue;
        for (int k = 0; k < b->graph->count && theirs[i] < 0; k++)
            if (b->numbers[k] == a->numbers[i] && b->needed[k] && !b->taken[k]
                && is_layer(&b->graph->nodes[k]))
                theirs[i] = k;
        if (theirs[i] >= 0)
            b->taken[theirs[i]] = true;
    }
}

deeper_status dp_layers_match(int *theirs, const dp_graph *a, const dp_graph *b,
                              const deeper_allocator *allocator, deeper_error *error) {
    side ours = { 0 }, other = { 0 };
    bool opened = side_open(&ours, a, allocator) && side_open(&other, b, allocator);
    if (opened) {
        match_names(theirs, &ours, &other);
        match_structure(theirs, &ours, &other);
    }
    side_close(&ours, allocator);
    side_close(&other, allocator);
    return opened ? DEEPER_OK : dp_fail_memory(error, "the layers of two networks");
}

/* ------------------------------------------------------------------------------ recorded arrays */

/* Whether two names are the same but for case and signs: "inception_3a/relu_1x1" and
 * "Inception3a.relu1x1". */
static bool alike(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a && !isalnum((unsigned char)*a))
            a++;
        while (*b && !isalnum((unsigned char)*b))
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    }
}

static bool holds(const dp_node *node, size_t floats) {
    return node->op != DP_OP_PARAMETER && node->op != DP_OP_INPUT
           && dp_shape_floats(node->shape) == floats;
}

/* What the softmax of the class probabilities reads. */
static int logits_of(const dp_graph *graph) {
    int prob = dp_graph_find(graph, "prob");
    return prob >= 0 && graph->nodes[prob].op == DP_OP_SOFTMAX ? graph->nodes[prob].inputs[0] : -1;
}

/* Whether a node makes probabilities of scores, or of others, a class by itself. */
static bool ends(dp_op op) {
    return op == DP_OP_SOFTMAX || op == DP_OP_SIGMOID || op == DP_OP_CLIP || op == DP_OP_AFFINE
           || passes_on(op);
}

int dp_layers_features(const dp_graph *graph) {
    int node = dp_graph_find(graph, "prob");
    if (node >= 0 && graph->nodes[node].op == DP_OP_CONCAT) /* 1 - p and p */
        node = graph->nodes[node].inputs[0];
    while (node >= 0 && ends(graph->nodes[node].op))
        node = graph->nodes[node].inputs[0];
    if (node >= 0 && (graph->nodes[node].op == DP_OP_FC || graph->nodes[node].op == DP_OP_CONV))
        node = graph->nodes[node].inputs[0];
    while (node >= 0 && passes_on(graph->nodes[node].op))
        node = graph->nodes[node].inputs[0];
    return node;
}

/* The only layer of that size. Of a chain of its size (a convolution and its ReLU) none is the only
 * one. */
static int only_one(const dp_graph *graph, size_t floats) {
    int match = -1;
    for (int i = 0; i < graph->count; i++) {
        if (!holds(&graph->nodes[i], floats) || passes_on(graph->nodes[i].op))
            continue;
        if (match >= 0)
            return -1;
        match = i;
    }
    return match;
}

int dp_layers_find(const dp_graph *graph, const char *name, size_t floats) {
    int match = dp_graph_find(graph, name), logits = logits_of(graph);
    if (match >= 0)
        return holds(&graph->nodes[match], floats) ? match : -1;
    for (int i = 0; i < graph->count; i++)
        if (holds(&graph->nodes[i], floats) && alike(graph->nodes[i].name, name))
            return i;
    for (int i = 0; i < graph->count; i++) {
        const char *slash = strrchr(graph->nodes[i].name, '/');
        size_t length = strlen(name);
        if (slash && strcmp(slash, "/output") == 0
            && (size_t)(slash - graph->nodes[i].name) == length
            && memcmp(graph->nodes[i].name, name, length) == 0 && holds(&graph->nodes[i], floats))
            return i;
    }
    if (logits >= 0 && alike(name, "logits") && holds(&graph->nodes[logits], floats))
        return logits;
    return only_one(graph, floats);
}
