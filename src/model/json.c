/* json.c - a look over a JSON text before jansson takes memory for it, and the check of texts.
 * jansson itself finds what is not JSON or not UTF-8; it has no limit on the number of values,
 * hence the look first. It allocates with malloc (see deeper.h). */
#include "model/json.h"

#include <string.h>

/* What a byte of JSON can mean to the look over it. */
enum { PLAIN, COMMA, OPEN, CLOSE, QUOTE, ESCAPE };
static const unsigned char meanings[256] = {
    [','] = COMMA, ['['] = OPEN,  ['{'] = OPEN,   [']'] = CLOSE,
    ['}'] = CLOSE, ['"'] = QUOTE, ['\\'] = ESCAPE
};

/* Counts brackets and commas outside strings. A text that is not JSON may be counted wrongly, which
 * jansson's refusal makes good. */
static deeper_status look_over(const unsigned char *text, size_t size, int depth, const char *name,
                               const char *what, int64_t offset, deeper_error *error) {
    size_t values = 1;
    int open = 0;
    bool string = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char meaning = meanings[text[i]];
        if (meaning == PLAIN)
            continue;
        if (meaning == QUOTE)
            string = !string;
        if (string) {
            i += meaning == ESCAPE;
            continue;
        }
        values += meaning == COMMA || meaning == OPEN;
        open += (meaning == OPEN) - (meaning == CLOSE);
        if (open > depth)
            return dp_fail_at(error, DEEPER_ERROR_FORMAT, offset < 0 ? -1 : offset + (int64_t)i,
                              "%s: %s: brackets deeper than the %d of this format", name, what,
                              depth);
        if (values > DP_JSON_MAX_VALUES)
            return dp_fail_at(error, DEEPER_ERROR_LIMIT, offset < 0 ? -1 : offset + (int64_t)i,
                              "%s: %s: more than the %d values that deeper reads", name, what,
                              DP_JSON_MAX_VALUES);
    }
    return DEEPER_OK;
}

deeper_status dp_json_parse(json_t **value, const void *bytes, size_t size, int depth,
                            const char *name, const char *what, int64_t offset,
                            deeper_error *error) {
    DP_TRY(look_over(bytes, size, depth, name, what, offset, error));
    json_error_t problem;
    *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &problem);
    if (*value)
        return DEEPER_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for %s", name, what);
    return dp_fail_at(error, DEEPER_ERROR_FORMAT, offset < 0 ? -1 : offset + problem.position,
                      "%s: %s is not sound JSON: %s", name, what, problem.text);
}

size_t dp_utf8_decode(const char *text, size_t left, uint32_t *code) {
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* below are overlong forms */
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    if (length == 0 || length > left || lead > 0xF4)
        return 0;
    *code = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3FU);
    }
    return *code < least[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)
               ? 0
               : length;
}

size_t dp_utf8_encode(char *to, uint32_t code) {
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3F));
    to[0] = (char)(lead[length] | code);
    return length;
}

bool dp_text_clean(const char *text, size_t size, bool lines) {
    for (size_t at = 0, length = 0; at < size; at += length) {
        uint32_t code = 0;
        length = dp_utf8_decode(text + at, size - at, &code);
        if (length == 0)
            return false;
        if ((code < 0x20 && !(lines && (code == '\n' || code == '\t')))
            || (code >= 0x7F && code < 0xA0))
            return false;
    }
    return true;
}
