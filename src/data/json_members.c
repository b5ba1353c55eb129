/* json_members.c - the scan between values. It sees to brackets, strings and commas; whether a
 * value is JSON, jansson decides when it is asked for. */
#include "data/json_members.h"

#include <string.h>

static size_t skip_blanks(const char *text, size_t size, size_t at) {
    while (at < size && text[at] && strchr(" \t\r\n", text[at]))
        at++;
    return at;
}

/* Past the string that begins at `at`; size: it does not end. */
static size_t skip_string(const char *text, size_t size, size_t at) {
    for (at++; at < size && text[at] != '"'; at++)
        at += text[at] == '\\';
    return at < size ? at + 1 : size;
}

/* Past the value that begins at `at`: to where its brackets close, or to a comma or bracket after a
 * plain one. */
static size_t skip_value(const char *text, size_t size, size_t at) {
    size_t depth = 0;
    while (at < size) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, size, at);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        depth += c == '{' || c == '[';
        at++;
        if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return size;
}

bool dp_json_members(dp_json_span *members, const char *const *names, size_t count,
                     const char *text, size_t size, size_t *at) {
    memset(members, 0, count * sizeof *members);
    *at = skip_blanks(text, size, *at);
    if (*at >= size || text[*at] != '{')
        return false;
    *at = skip_blanks(text, size, *at + 1);
    while (*at < size && text[*at] == '"') {
        const size_t name = *at + 1, end = skip_string(text, size, *at);
        *at = skip_blanks(text, size, end);
        if (*at >= size || text[*at] != ':')
            return false;
        *at = skip_blanks(text, size, *at + 1);
        const size_t begin = *at;
        *at = skip_value(text, size, begin);
        for (size_t i = 0; i < count; i++)
            if (strlen(names[i]) == end - 1 - name && !memcmp(names[i], text + name, end - 1 - name)
                && !members[i].text)
                members[i] = (dp_json_span){ text + begin, *at - begin };
        *at = skip_blanks(text, size, *at);
        if (*at >= size || text[*at] != ',')
            break;
        *at = skip_blanks(text, size, *at + 1);
    }
    return *at < size && text[*at] == '}';
}

json_t *dp_json_next(dp_json_array *array) {
    const char *text = array->span.text;
    const size_t size = array->span.size;
    size_t at = skip_blanks(text, size, array->at);
    const bool first = array->at == 0;
    json_error_t error;
    array->wrong = true;
    if (at >= size)
        array->at = at;
    else if (!first && text[at] == ']')
        array->wrong = false;
    else if (text[at] == (first ? '[' : ',')) {
        at = skip_blanks(text, size, at + 1);
        array->at = at;
        if (first && at < size && text[at] == ']') {
            array->wrong = false;
            return NULL;
        }
        const size_t left = size - at;
        json_t *element = json_loadb(text + at, left < DP_JSON_ELEMENT ? left : DP_JSON_ELEMENT,
                                     JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &error);
        if (element) {
            array->wrong = false;
            array->at = at + (size_t)error.position;
        }
        return element;
    }
    return NULL;
}
