/* graph_json.c - nodes to JSON and back by the table of attributes (graph/attributes.c). Everything
 * read goes through dp_graph_add, which knows what fits; here only the kinds of values are
 * checked. */
#include "model/graph_json.h"

#include "base/text.h"
#include "graph/attributes.h"
#include "model/json.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { JSON_DEPTH = 4, MAX_INPUTS = 4096 };

/* -------------------------------------------------------------------------------------- reading */

/* The object that an attribute stands in, added if it is missing and `add`; *key: its name
 * there. */
static json_t *object_of(json_t *node, const dp_attribute *attribute, bool add, const char **key) {
    char outer[32];
    const char *dot = strchr(attribute->name, '.');
    *key = dot ? dot + 1 : attribute->name;
    if (!dot)
        return node;
    snprintf(outer, sizeof outer, "%.*s", (int)(dot - attribute->name), attribute->name);
    json_t *inner = json_object_get(node, outer);
    if (!inner && add && json_object_set_new(node, outer, json_object()) == 0)
        inner = json_object_get(node, outer);
    return inner;
}

static bool is_list(const dp_attribute *attribute) {
    return attribute->kind == DP_ATTRIBUTE_INTS || attribute->kind == DP_ATTRIBUTE_BOUNDS;
}

static bool is_int(const json_t *value, json_int_t min) {
    return json_is_integer(value) && json_integer_value(value) >= min
           && json_integer_value(value) <= INT_MAX;
}

/* A number that a float can hold. */
static bool is_float(const json_t *value) {
    return json_is_number(value) && fabs(json_number_value(value)) <= (double)FLT_MAX;
}

static bool read_value(const dp_attribute *attribute, dp_attributes *to, int index,
                       const json_t *value) {
    double number = json_number_value(value);
    bool sound = false;
    switch (attribute->kind) {
    case DP_ATTRIBUTE_INT:
    case DP_ATTRIBUTE_INTS:
        sound = is_int(value, INT_MIN);
        break;
    case DP_ATTRIBUTE_FLAG:
        sound = json_is_boolean(value);
        number = json_is_true(value);
        break;
    case DP_ATTRIBUTE_FLOAT:
    case DP_ATTRIBUTE_BOUNDS:
        sound = is_float(value);
        if (attribute->kind == DP_ATTRIBUTE_BOUNDS && json_is_null(value)) {
            number = index ? INFINITY : -INFINITY;
            sound = true;
        }
    }
    if (sound)
        dp_attribute_set(attribute, to, index, number);
    return sound;
}

/* The name of the first attribute that is missing or of another kind; NULL: all are there. */
static const char *read_attributes(json_t *node, dp_op op, dp_attributes *to) {
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++) {
        const char *key;
        const json_t *object = object_of(node, attribute, false, &key),
                     *value = json_object_get(object, key);
        if (is_list(attribute) && json_array_size(value) != (size_t)attribute->count)
            return attribute->name;
        for (int i = 0; i < attribute->count; i++)
            if (!read_value(attribute, to, i,
                            is_list(attribute) ? json_array_get(value, (size_t)i) : value))
                return attribute->name;
    }
    return NULL;
}

static bool read_inputs(const json_t *list, int *inputs, size_t *count) {
    *count = json_array_size(list);
    for (size_t i = 0; i < *count; i++) {
        const json_t *value = json_array_get(list, i);
        if (i == MAX_INPUTS || !is_int(value, 0))
            return false;
        inputs[i] = (int)json_integer_value(value);
    }
    return true;
}

static dp_op op_of(const char *name) {
    int op = 0;
    while (op < DP_OP_COUNT
           && (!dp_op_is_inference((dp_op)op) || strcmp(dp_op_name((dp_op)op), name) != 0))
        op++;
    return (dp_op)op;
}

static deeper_status fail_node(const char *file, size_t number, deeper_status status,
                               const char *what, deeper_error *error) {
    return dp_fail(error, status, "%s: deeper.graph: node %zu: %.200s", file, number, what);
}

static deeper_status read_node(dp_graph *graph, json_t *object, size_t number, const char *file,
                               deeper_error *error) {
    const char *op_name = json_string_value(json_object_get(object, "op")),
               *name = json_string_value(json_object_get(object, "name"));
    int inputs[MAX_INPUTS];
    size_t count;
    dp_attributes attributes = { 0 };
    char what[64];
    if (!op_name || !name || !dp_text_clean(name, strlen(name), false))
        return fail_node(file, number, DEEPER_ERROR_FORMAT, "no op, or no name of clean UTF-8",
                         error);
    dp_op op = op_of(op_name);
    if (op == DP_OP_COUNT)
        return fail_node(file, number, DEEPER_ERROR_UNSUPPORTED,
                         "an operator that this deeper does not know", error);
    if (!read_inputs(json_object_get(object, "inputs"), inputs, &count))
        return fail_node(file, number, DEEPER_ERROR_FORMAT, "inputs that are no numbers of nodes",
                         error);
    const char *bad = read_attributes(object, op, &attributes);
    if (bad) {
        snprintf(what, sizeof what, "without a sound %s", bad);
        return fail_node(file, number, DEEPER_ERROR_FORMAT, what, error);
    }
    if (op == DP_OP_DROPOUT)
        attributes.dropout.stream = graph->count;
    dp_graph_add(graph, op, name, inputs, (int)count, &attributes);
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

/* One picture in, one picture's probabilities out: what computes them is the network's matter. */
static deeper_status check_ends(const dp_graph *graph, const char *file, deeper_error *error) {
    int inputs = 0, prob = dp_graph_find(graph, "prob");
    for (int i = 0; i < graph->count; i++)
        inputs += graph->nodes[i].op == DP_OP_INPUT;
    if (inputs == 1 && prob >= 0 && graph->nodes[prob].input_count > 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s: deeper.graph: a network has one input and a layer named prob", file);
}

deeper_status dp_graph_from_json(dp_graph **graph, const char *json, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    json_t *object = NULL;
    *graph = NULL;
    DP_TRY(dp_json_parse(&object, json, strlen(json), JSON_DEPTH, name, "deeper.graph", -1, error));
    const json_t *nodes = json_object_get(object, "nodes");
    dp_graph *created = NULL;
    deeper_status status = dp_graph_create(&created, allocator, error);
    for (size_t i = 0; status == DEEPER_OK && i < json_array_size(nodes); i++)
        status = read_node(created, json_array_get(nodes, i), i, name, error);
    if (status == DEEPER_OK)
        status = check_ends(created, name, error);
    json_decref(object);
    if (status != DEEPER_OK) {
        dp_graph_free(created);
        return status;
    }
    *graph = created;
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- writing */

/* json_object_set_new of NULL fails: jansson's lack of memory is found there. */
static json_t *value_of(const dp_attribute *attribute, const dp_attributes *of, int index) {
    double value = dp_attribute_get(attribute, of, index);
    switch (attribute->kind) {
    case DP_ATTRIBUTE_FLAG:
        return json_boolean(value != 0);
    case DP_ATTRIBUTE_FLOAT:
    case DP_ATTRIBUTE_BOUNDS:
        return isinf(value) ? json_null() : json_real(value);
    default:
        return json_integer((json_int_t)value);
    }
}

static json_t *list_of(const dp_attribute *attribute, const dp_attributes *of) {
    json_t *list = json_array();
    for (int i = 0; i < attribute->count; i++)
        if (json_array_append_new(list, value_of(attribute, of, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static int write_attributes(json_t *object, const dp_node *node) {
    const dp_attributes *of = &node->attributes;
    int failed = 0;
    for (const dp_attribute *attribute = dp_attributes_of(node->op); attribute->name; attribute++) {
        const char *key;
        json_t *inside = object_of(object, attribute, true, &key);
        failed |= json_object_set_new(
            inside, key, is_list(attribute) ? list_of(attribute, of) : value_of(attribute, of, 0));
    }
    return failed;
}

static json_t *inputs_of(const dp_node *node) {
    json_t *list = json_array();
    for (int i = 0; i < node->input_count; i++)
        if (json_array_append_new(list, json_integer(node->inputs[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

char *dp_graph_to_json(const dp_graph *graph) {
    json_t *nodes = json_array();
    int failed = nodes == NULL;
    for (int i = 0; i < graph->count && !failed; i++) {
        const dp_node *node = &graph->nodes[i];
        json_t *object = json_pack("{s:s, s:s}", "op", dp_op_name(node->op), "name", node->name);
        if (node->input_count)
            failed |= json_object_set_new(object, "inputs", inputs_of(node));
        failed |= write_attributes(object, node);
        failed |= json_array_append_new(nodes, object);
    }
    json_t *root = failed ? NULL : json_pack("{s:O}", "nodes", nodes);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(nodes);
    json_decref(root);
    return text;
}
