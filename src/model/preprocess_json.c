/* metadata.c - the preprocessing rule to and from JSON. Every field is required and checked: a
 * guess here would quietly cost accuracy. */
#include "model/preprocess_json.h"

#include "model/json.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { JSON_DEPTH = 2, MAX_SIDE = 1 << 20 };

static const char crop_name[] =
    "centre"; /* the one crop that there is; others are asked for at use */

static const char *order_name(const dp_preprocess *preprocess) {
    return preprocess->channels == 1 ? "grey" : preprocess->bgr ? "BGR" : "RGB";
}

/* Whose text it is, for messages. */
typedef struct place {
    const char *name, *what;
} place;

static deeper_status fail_field(place at, const char *field, const char *wanted,
                                deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: %s: %s is not %s", at.name, at.what, field,
                   wanted);
}

static bool read_side(const json_t *value, int *side) {
    json_int_t number = json_integer_value(value); /* 0 for anything else */
    *side = number > 0 && number <= MAX_SIDE ? (int)number : 0;
    return *side > 0;
}

/* A list of `count` numbers that a float can hold. */
static bool read_floats(const json_t *list, int count, float *values) {
    if (json_array_size(list) != (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        double number = json_number_value(value);
        if (!json_is_number(value) || !(fabs(number) <= (double)FLT_MAX))
            return false;
        values[i] = (float)number;
    }
    return true;
}

static deeper_status read_resize(dp_preprocess *preprocess, const json_t *resize, place at,
                                 deeper_error *error) {
    const char *rule = json_string_value(json_object_get(resize, "rule"));
    const char *filter = json_string_value(json_object_get(resize, "filter"));
    if (!rule || !dp_resize_rule_from_name(&preprocess->rule, rule))
        return fail_field(at, "resize.rule", "short, squash or none", error);
    if (!filter || !dp_filter_from_name(&preprocess->filter, filter))
        return fail_field(at, "resize.filter", "nearest, bilinear, area or bicubic", error);
    if (preprocess->rule != DP_RESIZE_NONE
        && !read_side(json_object_get(resize, "side"), &preprocess->side))
        return fail_field(at, "resize.side", "a number of pixels", error);
    return DEEPER_OK;
}

static deeper_status read_rule(dp_preprocess *preprocess, const json_t *object, place at,
                               deeper_error *error) {
    const char *order = json_string_value(json_object_get(object, "order"));
    const char *crop = json_string_value(json_object_get(object, "crop"));
    preprocess->bgr = preprocess->channels == 3 && order && strcmp(order, "BGR") == 0;
    if (!order || strcmp(order, order_name(preprocess)) != 0)
        return fail_field(at, "order",
                          preprocess->channels == 1 ? "grey, as one channel needs" : "BGR or RGB",
                          error);
    if (!read_floats(json_object_get(object, "mean"), preprocess->channels, preprocess->mean))
        return fail_field(at, "mean", "a number a channel", error);
    if (!read_floats(json_object_get(object, "scale"), preprocess->channels, preprocess->scale))
        return fail_field(at, "scale", "a number a channel", error);
    DP_TRY(read_resize(preprocess, json_object_get(object, "resize"), at, error));
    if (!crop || strcmp(crop, crop_name) != 0)
        return fail_field(at, "crop", "centre", error);
    deeper_error why = { 0 };
    if (dp_preprocess_check(preprocess, &why) != DEEPER_OK)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: %s: %s", at.name, at.what, why.message);
    return DEEPER_OK;
}

deeper_status dp_preprocess_from_json(dp_preprocess *preprocess, bool *whole, const char *json,
                                      const char *name, const char *what, deeper_error *error) {
    const place at = { name, what };
    json_t *object = NULL;
    *preprocess = (dp_preprocess){ 0 };
    DP_TRY(dp_json_parse(&object, json, strlen(json), JSON_DEPTH, name, what, -1, error));
    *whole = json_object_size(object) > 2;
    deeper_status status = DEEPER_OK;
    if (!read_side(json_object_get(object, "size"), &preprocess->size))
        status = fail_field(at, "size", "a number of pixels", error);
    else if (!read_side(json_object_get(object, "channels"), &preprocess->channels)
             || (preprocess->channels != 1 && preprocess->channels != 3))
        status = fail_field(at, "channels", "1 or 3", error);
    else if (*whole)
        status = read_rule(preprocess, object, at, error);
    json_decref(object);
    return status;
}

static json_t *float_list(const float *values, int count) {
    json_t *list = json_array();
    int failed = 0;
    for (int i = 0; i < count; i++)
        failed |= json_array_append_new(list, json_real((double)values[i]));
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

char *dp_preprocess_to_json(const dp_preprocess *preprocess, bool whole) {
    json_t *object =
        json_pack("{s:i, s:i}", "size", preprocess->size, "channels", preprocess->channels);
    int failed = object == NULL;
    if (whole) {
        json_t *resize = json_pack("{s:s, s:s}", "rule", dp_resize_rule_name(preprocess->rule),
                                   "filter", dp_filter_name(preprocess->filter));
        if (preprocess->rule != DP_RESIZE_NONE)
            failed |= json_object_set_new(resize, "side", json_integer(preprocess->side));
        failed |= json_object_set_new(object, "order", json_string(order_name(preprocess)));
        failed |=
            json_object_set_new(object, "mean", float_list(preprocess->mean, preprocess->channels));
        failed |= json_object_set_new(object, "scale",
                                      float_list(preprocess->scale, preprocess->channels));
        failed |= json_object_set_new(object, "resize", resize);
        failed |= json_object_set_new(object, "crop", json_string(crop_name));
    }
    char *text = failed ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}
