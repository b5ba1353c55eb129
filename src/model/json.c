/* json.c - a look over a JSON text before jansson takes memory for it. jansson itself finds what is
 * not JSON or not UTF-8; it has no limit on the number of values, hence the look first. It
 * allocates with malloc (see deeper.h). */
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
