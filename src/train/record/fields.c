/* fields.c - one function a kind, each way. */
#include "train/record/fields.h"

#include "model/json.h"

#include <jansson.h>
#include <math.h>

static const size_t sizes[] = { [DP_FIELD_INT] = sizeof(int),
                                [DP_FIELD_COUNT] = sizeof(uint64_t),
                                [DP_FIELD_NUMBER] = sizeof(double),
                                [DP_FIELD_FLAG] = sizeof(bool),
                                [DP_FIELD_TEXT] = sizeof(const char *) };

static json_t *write_one(dp_field_kind kind, const void *member) {
    const char *text;
    double number;
    switch (kind) {
    case DP_FIELD_INT:
        return json_integer(*(const int *)member);
    case DP_FIELD_COUNT:
        return json_integer((json_int_t) * (const uint64_t *)member);
    case DP_FIELD_NUMBER:
        number = *(const double *)member;
        return isfinite(number) ? json_real(number) : json_null();
    case DP_FIELD_FLAG:
        return json_boolean(*(const bool *)member);
    default:
        text = *(const char *const *)member;
        return text ? json_string(text) : json_null();
    }
}

static bool read_one(dp_field_kind kind, void *member, const json_t *value) {
    switch (kind) {
    case DP_FIELD_INT:
        *(int *)member = (int)json_integer_value(value);
        return json_is_integer(value) && json_integer_value(value) == *(int *)member;
    case DP_FIELD_COUNT:
        *(uint64_t *)member = (uint64_t)json_integer_value(value);
        return json_is_integer(value);
    case DP_FIELD_NUMBER:
        *(double *)member = json_is_null(value) ? (double)NAN : json_number_value(value);
        return json_is_number(value) || json_is_null(value);
    case DP_FIELD_FLAG:
        *(bool *)member = json_is_true(value);
        return json_is_boolean(value);
    default:
        *(const char **)member = json_string_value(value);
        return json_is_string(value) || json_is_null(value);
    }
}

/* ---------------------------------------------------------------------------------------- write */

dp_object *dp_object_create(void) {
    return json_object();
}

bool dp_object_add(dp_object *to, const dp_field *fields, size_t count, const void *record) {
    int failed = !to;
    for (size_t i = 0; i < count; i++) {
        const char *member = (const char *)record + fields[i].offset;
        if (fields[i].count == 1) {
            failed |= json_object_set_new(to, fields[i].name, write_one(fields[i].kind, member));
            continue;
        }
        json_t *list = json_array();
        for (size_t k = 0; k < fields[i].count; k++)
            failed |= json_array_append_new(
                list, write_one(fields[i].kind, member + k * sizes[fields[i].kind]));
        failed |= json_object_set_new(to, fields[i].name, list);
    }
    return !failed;
}

dp_object *dp_object_put(dp_object *to, const char *name) {
    json_t *object = json_object();
    return json_object_set_new(to, name, object) == 0 ? object : NULL;
}

dp_object *dp_object_append(dp_object *to, const char *name) {
    json_t *list = json_object_get(to, name), *object = json_object();
    return json_array_append_new(list, object) == 0 ? object : NULL;
}

bool dp_object_put_list(dp_object *to, const char *name) {
    return json_object_set_new(to, name, json_array()) == 0;
}

char *dp_object_text(const dp_object *object, bool lines) {
    return json_dumps(object, (lines ? JSON_INDENT(2) : JSON_COMPACT) | JSON_REAL_PRECISION(17));
}

/* ----------------------------------------------------------------------------------------- read */

deeper_status dp_object_parse(dp_object **object, const char *text, size_t size, int depth,
                              const char *name, const char *what, int64_t offset,
                              deeper_error *error) {
    return dp_json_parse(object, text, size, depth, name, what, offset, error);
}

deeper_status dp_object_read(const dp_object *object, const dp_field *fields, size_t count,
                             void *record, const char *name, deeper_error *error) {
    for (size_t i = 0; i < count; i++) {
        char *member = (char *)record + fields[i].offset;
        const json_t *value = json_object_get(object, fields[i].name);
        bool sound = fields[i].count == 1 ? value && read_one(fields[i].kind, member, value)
                                          : json_array_size(value) == fields[i].count;
        for (size_t k = 0; sound && fields[i].count > 1 && k < fields[i].count; k++)
            sound = read_one(fields[i].kind, member + k * sizes[fields[i].kind],
                             json_array_get(value, k));
        if (!sound)
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: \"%s\" is missing or of the wrong kind",
                           name, fields[i].name);
    }
    return DEEPER_OK;
}

const dp_object *dp_object_member(const dp_object *object, const char *name) {
    return json_object_get(object, name);
}

bool dp_object_is_list(const dp_object *object) {
    return json_is_array(object);
}

size_t dp_object_count(const dp_object *list) {
    return json_array_size(list);
}

const dp_object *dp_object_at(const dp_object *list, size_t index) {
    return json_array_get(list, index);
}

void dp_object_free(dp_object *object) {
    json_decref(object);
}
