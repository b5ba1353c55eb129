/* attributes.h - what each operator has besides its inputs, once: a row an attribute. Model files
 * are read and written from these rows, two nodes are compared, the ranges are checked when a node
 * is added, and tests make random nodes from them. What several attributes (or an attribute and a
 * shape) must have in common is the shape rule's matter (operators.c). */
#ifndef DP_GRAPH_ATTRIBUTES_H
#define DP_GRAPH_ATTRIBUTES_H

#include "graph/graph.h"

enum { DP_MAX_SIDE = 1 << 16, DP_MAX_CHANNELS = 1 << 24 };

typedef enum dp_attribute_kind {
    DP_ATTRIBUTE_INT,
    DP_ATTRIBUTE_INTS,   /* a list of `count` */
    DP_ATTRIBUTE_FLAG,   /* bool */
    DP_ATTRIBUTE_FLOAT,  /* finite */
    DP_ATTRIBUTE_BOUNDS, /* low and high, floats; -infinity and infinity are no bound */
} dp_attribute_kind;

typedef struct dp_attribute {
    const char *name; /* "stride"; in JSON "lrn.size" is "size" in an object "lrn" */
    dp_attribute_kind kind;
    size_t offset;   /* in dp_attributes */
    int count;       /* values, one after another */
    double min, max; /* of each */
    bool in_shape;   /* two nodes of one shape may differ in it: all that it does is in the shape */
} dp_attribute;

/* The attributes of an operator, in the order of their JSON; the last has no name. */
const dp_attribute *dp_attributes_of(dp_op op);

/* The operator's attribute of that name, or NULL. */
const dp_attribute *dp_attribute_find(dp_op op, const char *name);

/* Value `index` of an attribute; a flag is 0 or 1. Every int and float comes back as it was. */
double dp_attribute_get(const dp_attribute *attribute, const dp_attributes *of, int index);
void dp_attribute_set(const dp_attribute *attribute, dp_attributes *of, int index, double value);

/* Whether every value is in its range. Error: ARGUMENT, naming the attribute. */
deeper_status dp_attributes_check(dp_op op, const dp_attributes *attributes, deeper_error *error);

/* Whether two nodes of one operator and one shape compute the same. */
bool dp_attributes_equal(dp_op op, const dp_attributes *a, const dp_attributes *b);

#endif
