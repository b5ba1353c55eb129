/* json.c - see json.h. */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 sequence that starts at `text` (no longer forms, no surrogates, at most
 * U+10FFFF); 0 if there is none. */
static size_t utf8_length(const unsigned char *text) {
    static const struct {
        unsigned char first, last, low, high; /* range of the first byte, and of the second */
        size_t length;
    } rows[] = {
        { 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last)
            continue;
        for (size_t k = 1; k < rows[i].length; k++) {
            unsigned char low = k == 1 ? rows[i].low : 0x80, high = k == 1 ? rows[i].high : 0xbf;
            if (text[k] < low || text[k] > high)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

json_t *app_json_text(const char *text) {
    json_t *value = json_string(text);
    if (value)
        return value;
    size_t length = strlen(text), at = 0;
    char *clean = length < SIZE_MAX / 3 ? malloc(3 * length + 1) : NULL;
    if (!clean)
        return NULL;
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t bytes = utf8_length(c);
        memcpy(clean + at, bytes ? (const char *)c : "\xef\xbf\xbd", bytes ? bytes : 3);
        at += bytes ? bytes : 3;
        c += bytes ? bytes : 1;
    }
    value = json_stringn(clean, at);
    free(clean);
    return value;
}

json_t *app_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

char *app_json_line(json_t *value) {
    /* Nine digits tell any two floats apart. */
    char *line = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    return line;
}
