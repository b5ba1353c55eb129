/* test_attributes.c - the table of attributes (graph/attributes.c) and all that is made from it.
 * Random nodes of every operator, their attributes within the rows' ranges, go through JSON and
 * back to the same text; two nodes match, and differ as soon as one value does; values out of their
 * range or of another kind are refused with the attribute's name. */
#include "graph/attributes.h"
#include "graph/match.h"
#include "model/graph_json.h"

#include "helpers/helpers.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CASES = 60, TRIES = 100000, MAX_INPUTS = 5 };

/* --------------------------------------------------------------------------------- random nodes */

/* A random value of a row; ints are small, so that windows fit and groups divide. */
static double random_value(const dp_attribute *attribute) {
    const double share = rand() / (double)RAND_MAX;
    switch (attribute->kind) {
    case DP_ATTRIBUTE_FLOAT:
        return (double)(float)(fmax(attribute->min, -2)
                               + share * (fmin(attribute->max, 2) - fmax(attribute->min, -2)));
    case DP_ATTRIBUTE_BOUNDS:
        return 0;
    default:
        return attribute->min
               + rand() % (int)(fmin(attribute->max, attribute->min + 6) - attribute->min + 1);
    }
}

static dp_attributes random_attributes(dp_op op) {
    dp_attributes attributes = { 0 };
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++)
        for (int i = 0; i < attribute->count; i++)
            dp_attribute_set(attribute, &attributes, i, random_value(attribute));
    if (op == DP_OP_CLIP)
        attributes.clip = (dp_clip){ rand() % 2 ? (float)-rand() / 3 : -INFINITY,
                                     rand() % 2 ? (float)rand() / 7 : INFINITY };
    return attributes;
}

/* Shapes of inputs that such a node may have; the first is the picture. */
static int input_shapes(dp_op op, const dp_attributes *a, dp_shape shapes[MAX_INPUTS]) {
    const dp_shape x = { 0, 12, 8, 7 }, vector = { 12, 1, 1, 1 };
    const dp_window *w = &a->window;
    for (int i = 0; i < MAX_INPUTS; i++)
        shapes[i] = i ? vector : x;
    switch (op) {
    case DP_OP_CONV:
        shapes[1] = (dp_shape){ 12, 12 / w->groups, w->height, w->width };
        return 2 + rand() % 2;
    case DP_OP_FC:
        shapes[1] = (dp_shape){ 12, x.c, x.h, x.w };
        return 2 + rand() % 2;
    case DP_OP_BATCH_NORM:
        return 5;
    case DP_OP_AFFINE:
        return 3;
    case DP_OP_MULTIPLY:
    case DP_OP_ADD:
    case DP_OP_CONCAT:
        shapes[1] = x;
        return 2;
    case DP_OP_UNFLATTEN:
        shapes[0] = (dp_shape){ 0, (int)dp_shape_floats(a->shape), 1, 1 };
        return 1;
    default:
        return 1;
    }
}

/* input -> a random node "node" of `op` -> prob; inputs of the picture's kind are that picture. */
static dp_graph *random_graph(dp_op op) {
    dp_shape shapes[MAX_INPUTS], shape;
    dp_attributes attributes;
    int inputs[MAX_INPUTS], count, tries = 0;
    dp_graph *graph;
    do {
        attributes = random_attributes(op);
        count = input_shapes(op, &attributes, shapes);
        assert_true(tries++ < TRIES);
    } while (dp_op_infer(op, shapes, count, &attributes, &shape, NULL) != DEEPER_OK);
    assert_int_equal(dp_graph_create(&graph, NULL, NULL), DEEPER_OK);
    int x =
        dp_graph_add(graph, DP_OP_INPUT, "data", NULL, 0, &(dp_attributes){ .shape = shapes[0] });
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        inputs[i] = shapes[i].n ? dp_graph_add(graph, DP_OP_PARAMETER, name, NULL, 0,
                                               &(dp_attributes){ .shape = shapes[i] })
                                : x;
    }
    x = dp_graph_add(graph, op, "node", inputs, count, &attributes);
    dp_graph_add(graph, DP_OP_SOFTMAX, "prob", &x, 1, NULL);
    deeper_error error = { 0 };
    if (dp_graph_status(graph, &error) != DEEPER_OK)
        fail_msg("%s: %s", dp_op_name(op), error.message);
    return graph;
}

/* INPUT and PARAMETER are in every graph. */
static bool is_subject(dp_op op) {
    return dp_op_is_inference(op) && op != DP_OP_INPUT && op != DP_OP_PARAMETER;
}

/* ------------------------------------------------------------------------------------ round trip
 */

static bool matches(const dp_graph *a, const dp_graph *b) {
    int pairs[16];
    bool same = false;
    dp_graph_span x = { a, 0, dp_graph_find(a, "prob") }, y = { b, 0, dp_graph_find(b, "prob") };
    assert_true(a->count <= 16);
    assert_int_equal(dp_graph_match(&x, &y, pairs, &same, NULL), DEEPER_OK);
    return same;
}

static void test_round_trip(void **state) {
    (void)state;
    for (int op = 0; op < DP_OP_COUNT; op++)
        for (int i = 0; is_subject((dp_op)op) && i < CASES; i++) {
            deeper_error error = { 0 };
            dp_graph *graph = random_graph((dp_op)op), *again;
            char *json = dp_graph_to_json(graph);
            if (dp_graph_from_json(&again, json, "made", NULL, &error) != DEEPER_OK)
                fail_msg("%s: %s", json, error.message);
            char *text = dp_graph_to_json(again);
            assert_string_equal(text, json);
            assert_true(matches(graph, again));
            assert_int_equal(again->count, graph->count);
            for (int k = 0; k < graph->count; k++) {
                const dp_node *a = &graph->nodes[k], *b = &again->nodes[k];
                for (const dp_attribute *attribute = dp_attributes_of(a->op); attribute->name;
                     attribute++)
                    for (int v = 0; v < attribute->count; v++)
                        assert_true(dp_attribute_get(attribute, &a->attributes, v)
                                    == dp_attribute_get(attribute, &b->attributes, v));
            }
            dp_graph_free(graph);
            dp_graph_free(again);
            free(json);
            free(text);
        }
}

/* The text of version 0.1, which its model files hold. */
static void test_text(void **state) {
    static const char text[] =
        "{\"nodes\":[{\"op\":\"input\",\"name\":\"data\",\"shape\":[3,9,8]},"
        "{\"op\":\"average_pool\",\"name\":\"a\",\"inputs\":[0],\"window\":[3,2],\"stride\":[2,1],"
        "\"pads\":[1,0,2,1],\"ceil\":true,\"count_padding\":false},"
        "{\"op\":\"adaptive_pool\",\"name\":\"b\",\"inputs\":[1],\"window\":[2,3]},"
        "{\"op\":\"lrn\",\"name\":\"c\",\"inputs\":[2],\"lrn\":{\"size\":5,"
        "\"alpha\":9.9999997473787516e-5,\"beta\":0.75,\"k\":1.0}},"
        "{\"op\":\"clip\",\"name\":\"d\",\"inputs\":[3],\"clip\":[null,6.0]},"
        "{\"op\":\"slice\",\"name\":\"e\",\"inputs\":[4],\"slice\":[1,2]},"
        "{\"op\":\"shuffle\",\"name\":\"f\",\"inputs\":[5],\"groups\":2},"
        "{\"op\":\"dropout\",\"name\":\"g\",\"inputs\":[6],\"rate\":0.5},"
        "{\"op\":\"softmax\",\"name\":\"prob\",\"inputs\":[7]}]}";
    (void)state;
    dp_graph *graph;
    assert_int_equal(dp_graph_from_json(&graph, text, "made", NULL, NULL), DEEPER_OK);
    char *again = dp_graph_to_json(graph);
    assert_string_equal(again, text);
    free(again);
    dp_graph_free(graph);
}

/* ----------------------------------------------------------------------------------- differences
 */

/* One value of a node's attributes at a time becomes another; the shape stays, so this holds the
 * comparison of attributes alone to account. Dropout does nothing at inference. */
static void test_any_difference_is_seen(void **state) {
    (void)state;
    int seen = 0;
    for (int op = 0; op < DP_OP_COUNT; op++) {
        if (!is_subject((dp_op)op) || op == DP_OP_DROPOUT)
            continue;
        dp_graph *a = random_graph((dp_op)op);
        char *json = dp_graph_to_json(a);
        for (const dp_attribute *attribute = dp_attributes_of((dp_op)op); attribute->name;
             attribute++)
            for (int i = 0; i < attribute->count; i++, seen++) {
                dp_graph *b;
                assert_int_equal(dp_graph_from_json(&b, json, "made", NULL, NULL), DEEPER_OK);
                dp_attributes *of = &b->nodes[dp_graph_find(b, "node")].attributes;
                const double value = dp_attribute_get(attribute, of, i);
                dp_attribute_set(attribute, of, i,
                                 attribute->kind == DP_ATTRIBUTE_FLAG ? !value
                                 : isinf(value)                       ? 3
                                                                      : value * 2 + 1);
                if (matches(a, b) != attribute->in_shape)
                    fail_msg("%s: %s", dp_op_name((dp_op)op), attribute->name);
                dp_graph_free(b);
            }
        free(json);
        dp_graph_free(a);
    }
    assert_true(seen > 40);
}

/* ---------------------------------------------------------------------------------------- ranges
 */

/* A sound value of each attribute: the nearest to 1 in its range. */
static dp_attributes sound_attributes(dp_op op) {
    dp_attributes attributes = { 0 };
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++)
        for (int i = 0; i < attribute->count; i++)
            dp_attribute_set(attribute, &attributes, i,
                             fmin(fmax(1, attribute->min), attribute->max));
    return attributes;
}

static void assert_out_of_range(dp_op op, const dp_attribute *attribute, int index, double value) {
    dp_attributes of = sound_attributes(op);
    deeper_error error = { 0 };
    assert_int_equal(dp_attributes_check(op, &of, &error), DEEPER_OK);
    dp_attribute_set(attribute, &of, index, value);
    assert_int_equal(dp_attributes_check(op, &of, &error), DEEPER_ERROR_ARGUMENT);
    if (strncmp(error.message, attribute->name, strlen(attribute->name)) != 0)
        fail_msg("%s: %s", attribute->name, error.message);
}

static void test_ranges(void **state) {
    (void)state;
    for (int op = 0; op < DP_OP_COUNT; op++)
        for (const dp_attribute *attribute = dp_attributes_of((dp_op)op); attribute->name;
             attribute++)
            for (int i = 0; i < attribute->count; i++) {
                const bool real =
                    attribute->kind == DP_ATTRIBUTE_FLOAT || attribute->kind == DP_ATTRIBUTE_BOUNDS;
                dp_attributes ends = sound_attributes((dp_op)op);
                dp_attribute_set(attribute, &ends, i, attribute->min);
                assert_int_equal(dp_attributes_check((dp_op)op, &ends, NULL), DEEPER_OK);
                dp_attribute_set(attribute, &ends, i, attribute->max);
                assert_int_equal(dp_attributes_check((dp_op)op, &ends, NULL), DEEPER_OK);
                if (real)
                    assert_out_of_range((dp_op)op, attribute, i, (double)NAN);
                if (attribute->kind == DP_ATTRIBUTE_FLAG || attribute->kind == DP_ATTRIBUTE_BOUNDS)
                    continue;
                assert_out_of_range((dp_op)op, attribute, i,
                                    real ? (double)nextafterf((float)attribute->min, -INFINITY)
                                         : attribute->min - 1);
                assert_out_of_range((dp_op)op, attribute, i,
                                    real ? (double)nextafterf((float)attribute->max, INFINITY)
                                         : attribute->max + 1);
            }
}

/* ------------------------------------------------------------------------------- values in a file
 */

/* The JSON of `graph` in which `value` (stolen; NULL: nothing) takes the place of an attribute of
 * node "node", or of its value `index` if that is >= 0. */
static char *altered(const char *json, const dp_attribute *attribute, int index, json_t *value) {
    json_t *root = json_loads(json, 0, NULL), *node = NULL;
    size_t i;
    char outer[32];
    json_array_foreach(json_object_get(root, "nodes"), i,
                       node) if (strcmp(json_string_value(json_object_get(node, "name")), "node")
                                 == 0) break;
    const char *dot = strchr(attribute->name, '.'), *key = dot ? dot + 1 : attribute->name;
    snprintf(outer, sizeof outer, "%.*s", dot ? (int)(dot - attribute->name) : 0, attribute->name);
    json_t *inside = dot ? json_object_get(node, outer) : node;
    assert_non_null(json_object_get(inside, key));
    if (!value)
        json_object_del(inside, key);
    else if (index < 0)
        json_object_set_new(inside, key, value);
    else
        json_array_set_new(json_object_get(inside, key), (size_t)index, value);
    char *text = json_dumps(root, 0);
    json_decref(root);
    return text;
}

static void assert_refused(const char *json, const dp_attribute *attribute, int index,
                           json_t *value) {
    char *text = altered(json, attribute, index, value);
    dp_graph *graph;
    deeper_error error = { 0 };
    assert_int_equal(dp_graph_from_json(&graph, text, "made", NULL, &error), DEEPER_ERROR_FORMAT);
    if (!strstr(error.message, attribute->name))
        fail_msg("%s: %s", text, error.message);
    free(text);
}

static void test_bad_values_in_a_file(void **state) {
    (void)state;
    for (int op = 0; op < DP_OP_COUNT; op++) {
        if (!is_subject((dp_op)op))
            continue;
        dp_graph *graph = random_graph((dp_op)op);
        char *json = dp_graph_to_json(graph);
        for (const dp_attribute *attribute = dp_attributes_of((dp_op)op); attribute->name;
             attribute++) {
            const bool list =
                attribute->kind == DP_ATTRIBUTE_INTS || attribute->kind == DP_ATTRIBUTE_BOUNDS;
            assert_refused(json, attribute, -1, NULL);
            assert_refused(json, attribute, -1, json_string("1"));
            if (list)
                assert_refused(json, attribute, -1, json_pack("[iiiii]", 1, 1, 1, 1, 1));
            for (int i = 0; i < attribute->count; i++) {
                const int at = list ? i : -1;
                assert_refused(json, attribute, at, json_string("1"));
                if (attribute->kind == DP_ATTRIBUTE_FLAG) {
                    assert_refused(json, attribute, at, json_integer(1));
                } else if (attribute->kind == DP_ATTRIBUTE_FLOAT
                           || attribute->kind == DP_ATTRIBUTE_BOUNDS) {
                    assert_refused(json, attribute, at, json_real(1e39));
                } else {
                    assert_refused(json, attribute, at, json_real(1));
                    assert_refused(json, attribute, at,
                                   json_integer((json_int_t)attribute->min - 1));
                    assert_refused(json, attribute, at,
                                   json_integer((json_int_t)attribute->max + 1));
                    assert_refused(json, attribute, at, json_integer(1LL << 32));
                }
            }
        }
        free(json);
        dp_graph_free(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_any_difference_is_seen),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bad_values_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
