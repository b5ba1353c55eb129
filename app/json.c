/* json.c - see json.h. */
#include "json.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *app_json_text(const char *text) {
    json_t *value = json_string(text);
    if (value)
        return value;
    size_t length = strlen(text), at = 0;
    char *clean = length < SIZE_MAX / 3 ? malloc(3 * length + 1) : NULL;
    if (!clean)
        return NULL;
    for (const char *rest = text, *end = text + length; rest < end;) {
        uint32_t code;
        size_t bytes = dp_utf8_decode(rest, (size_t)(end - rest), &code);
        memcpy(clean + at, bytes ? rest : "\xef\xbf\xbd", bytes ? bytes : 3);
        at += bytes ? bytes : 3;
        rest += bytes ? bytes : 1;
    }
    value = json_stringn(clean, at);
    free(clean);
    return value;
}

json_t *app_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* The same JSON with escapes, \uXXXX, for what would move a terminal that it is shown on; `line` is
 * freed. Such characters stand in strings alone, and all are below U+10000. */
static char *escape_unseen(char *line) {
    enum { ESCAPE = 6 };
    size_t size = strlen(line), unseen = 0, at = 0, length;
    uint32_t code = 0;
    for (size_t i = 0; i < size; i += length) {
        length = dp_utf8_decode(line + i, size - i, &code);
        unseen += !dp_code_shown(code);
    }
    if (unseen == 0)
        return line;
    char *escaped = malloc(size + unseen * ESCAPE + 1);
    for (size_t i = 0; escaped && i < size; i += length) {
        length = dp_utf8_decode(line + i, size - i, &code);
        if (dp_code_shown(code)) {
            memcpy(escaped + at, line + i, length);
            at += length;
        } else
            at += (size_t)snprintf(escaped + at, ESCAPE + 1, "\\u%04X", (unsigned)code);
    }
    free(line);
    if (escaped)
        escaped[at] = '\0';
    return escaped;
}

json_t *app_json_wholes(const int *values, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(values[i]));
    return list;
}

app_member app_value(app_key key, json_t *value) {
    return (app_member){ key, value };
}

app_member app_text(app_key key, const char *text) {
    return app_value(key, text ? app_json_text(text) : json_null());
}

app_member app_whole(app_key key, json_int_t value) {
    return app_value(key, json_integer(value));
}

app_member app_real(app_key key, double value) {
    return app_value(key, app_json_real(value));
}

app_member app_truth(app_key key, bool value) {
    return app_value(key, json_boolean(value));
}

void app_put(json_t *object, app_member member) {
    json_object_set_new(object, app_key_name(member.key), member.value);
}

json_t *app_object(const app_member *members, size_t count) {
    json_t *object = json_object();
    bool whole = true;
    for (size_t i = 0; i < count; i++)
        whole &= !json_object_set_new(object, app_key_name(members[i].key), members[i].value);
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}

char *app_json_line(json_t *value) {
    if (json_is_object(value))
        app_put(value, app_whole(KEY_schema, APP_SCHEMA));
    /* Nine digits tell any two floats apart. */
    char *line = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    return line ? escape_unseen(line) : NULL;
}
