/* attributes.c - the table of attributes; see attributes.h. To add one, add its row. */
#include "graph/attributes.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(dp_attributes, member)
#define INT(name, member, min, max)                                                                \
    { name, DP_ATTRIBUTE_INT, AT(member), 1, min, max, false }
#define INTS(name, member, count, min, max)                                                        \
    { name, DP_ATTRIBUTE_INTS, AT(member), count, min, max, false }
#define FLAG(name, member, in_shape)                                                               \
    { name, DP_ATTRIBUTE_FLAG, AT(member), 1, 0, 1, in_shape }
#define FLOAT(name, member, min, max)                                                              \
    { name, DP_ATTRIBUTE_FLOAT, AT(member), 1, min, max, false }
#define BOUNDS(name, member)                                                                       \
    { name, DP_ATTRIBUTE_BOUNDS, AT(member), 2, -INFINITY, INFINITY, false }
#define END                                                                                        \
    { NULL, DP_ATTRIBUTE_INT, 0, 0, 0, 0, false }

/* The ends of open ranges of floats. */
#define ABOVE_0 ((double)FLT_TRUE_MIN)
#define BELOW_1 (1 - (double)FLT_EPSILON / 2)

#define WINDOW INTS("window", window.height, 2, 1, DP_MAX_SIDE)
#define STRIDE INTS("stride", window.stride_y, 2, 1, DP_MAX_SIDE)
#define PADS INTS("pads", window.pads, 4, 0, DP_MAX_SIDE)
#define CEIL FLAG("ceil", window.ceil, true)

typedef const dp_attribute list[];

static list none = { END };
static list picture = { INTS("shape", shape.c, 3, 1, DP_MAX_CHANNELS), END };
static list parameter = { INTS("shape", shape.n, 4, 1, DP_MAX_CHANNELS), END };
static list conv = { WINDOW, STRIDE, PADS, INT("groups", window.groups, 1, DP_MAX_CHANNELS), END };
static list max_pool = { WINDOW, STRIDE, PADS, CEIL, END };
static list average_pool = {
    WINDOW, STRIDE, PADS, CEIL, FLAG("count_padding", window.count_padding, false), END
};
static list adaptive_pool = { INTS("window", size.height, 2, 1, DP_MAX_SIDE), END };
static list lrn = { INT("lrn.size", lrn.size, 1, DP_MAX_CHANNELS),
                    FLOAT("lrn.alpha", lrn.alpha, 0, FLT_MAX),
                    FLOAT("lrn.beta", lrn.beta, -FLT_MAX, FLT_MAX),
                    FLOAT("lrn.k", lrn.k, ABOVE_0, FLT_MAX), END };
static list batch_norm = { FLOAT("epsilon", epsilon, ABOVE_0, FLT_MAX), END };
static list clip = { BOUNDS("clip", clip.low), END };
static list pad = { INTS("pads", pads, 4, 0, DP_MAX_SIDE), END };
static list normalize = { INT("groups", normalize.groups, 1, DP_MAX_CHANNELS),
                          FLOAT("epsilon", normalize.epsilon, 0, FLT_MAX),
                          FLAG("pixels", normalize.pixels, false), END };
static list grouped = { INT("groups", groups, 1, DP_MAX_CHANNELS), END };
static list slice = { INTS("slice", slice.begin, 2, 0, DP_MAX_CHANNELS), END };
static list dropout = { FLOAT("rate", dropout.rate, 0, BELOW_1), END };
static list fill = { INTS("shape", fill.shape.n, 4, 0, DP_MAX_CHANNELS),
                     FLOAT("value", fill.value, -FLT_MAX, FLT_MAX), END };
static list loss = { FLOAT("smoothing", smoothing, 0, BELOW_1), END };
static list dilate = { INTS("stride", stride, 2, 1, DP_MAX_SIDE), END };

/* An operator's gradient has the operator's. */
static const dp_attribute *const attributes_of[DP_OP_COUNT] = {
    [DP_OP_INPUT] = picture,
    [DP_OP_PARAMETER] = parameter,
    [DP_OP_CONV] = conv,
    [DP_OP_MAX_POOL] = max_pool,
    [DP_OP_AVERAGE_POOL] = average_pool,
    [DP_OP_ADAPTIVE_POOL] = adaptive_pool,
    [DP_OP_LRN] = lrn,
    [DP_OP_BATCH_NORM] = batch_norm,
    [DP_OP_CLIP] = clip,
    [DP_OP_PAD] = pad,
    [DP_OP_REFLECT] = pad,
    [DP_OP_RESIZE] = adaptive_pool,
    [DP_OP_NORMALIZE] = normalize,
    [DP_OP_SHUFFLE] = grouped,
    [DP_OP_SLICE] = slice,
    [DP_OP_UNFLATTEN] = picture,
    [DP_OP_DROPOUT] = dropout,
    [DP_OP_FILL] = fill,
    [DP_OP_SOFTMAX_LOSS] = loss,
    [DP_OP_SOFTMAX_LOSS_GRADIENT] = loss,
    [DP_OP_ROTATE] = grouped,
    [DP_OP_DILATE] = dilate,
    [DP_OP_CONV_WEIGHT_GRADIENT] = conv,
    [DP_OP_MAX_POOL_GRADIENT] = max_pool,
    [DP_OP_AVERAGE_POOL_GRADIENT] = average_pool,
    [DP_OP_ADAPTIVE_POOL_GRADIENT] = adaptive_pool,
    [DP_OP_LRN_GRADIENT] = lrn,
    [DP_OP_BATCH_NORM_SUMS] = batch_norm,
    [DP_OP_BATCH_NORM_GRADIENT] = batch_norm,
    [DP_OP_FIXED_NORM_GRADIENT] = batch_norm,
};

const dp_attribute *dp_attributes_of(dp_op op) {
    return attributes_of[op] ? attributes_of[op] : none;
}

const dp_attribute *dp_attribute_find(dp_op op, const char *name) {
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++)
        if (strcmp(attribute->name, name) == 0)
            return attribute;
    return NULL;
}

double dp_attribute_get(const dp_attribute *attribute, const dp_attributes *of, int index) {
    const void *at = (const char *)of + attribute->offset;
    switch (attribute->kind) {
    case DP_ATTRIBUTE_FLAG:
        return *(const bool *)at;
    case DP_ATTRIBUTE_FLOAT:
    case DP_ATTRIBUTE_BOUNDS:
        return (double)((const float *)at)[index];
    default:
        return ((const int *)at)[index];
    }
}

void dp_attribute_set(const dp_attribute *attribute, dp_attributes *of, int index, double value) {
    void *at = (char *)of + attribute->offset;
    switch (attribute->kind) {
    case DP_ATTRIBUTE_FLAG:
        *(bool *)at = value != 0;
        break;
    case DP_ATTRIBUTE_FLOAT:
    case DP_ATTRIBUTE_BOUNDS:
        ((float *)at)[index] = (float)value;
        break;
    default:
        ((int *)at)[index] = (int)value;
    }
}

/* In words of open and closed intervals: "not in [0, 1)". */
static deeper_status fail_range(const dp_attribute *attribute, double value, deeper_error *error) {
    const bool above = attribute->min == ABOVE_0, below = attribute->max == BELOW_1;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s %.8g is not in %s%.8g, %.8g%s",
                   attribute->name, value, above ? "(" : "[", above ? 0 : attribute->min,
                   below ? 1 : attribute->max, below ? ")" : "]");
}

deeper_status dp_attributes_check(dp_op op, const dp_attributes *attributes, deeper_error *error) {
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++)
        for (int i = 0; i < attribute->count; i++) {
            double value = dp_attribute_get(attribute, attributes, i);
            if (!(value >= attribute->min && value <= attribute->max))
                return fail_range(attribute, value, error);
        }
    return DEEPER_OK;
}

bool dp_attributes_equal(dp_op op, const dp_attributes *a, const dp_attributes *b) {
    for (const dp_attribute *attribute = dp_attributes_of(op); attribute->name; attribute++)
        for (int i = 0; i < attribute->count && !attribute->in_shape; i++)
            if (dp_attribute_get(attribute, a, i) != dp_attribute_get(attribute, b, i))
                return false;
    return true;
}
