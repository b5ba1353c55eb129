/* json_members.h - JSON files too large to hold as a tree: their arrays found by a scan, then read
 * element by element, each a tree of its own for as long as it is looked at. jansson parses the
 * elements; only commas and brackets between them are read here. */
#ifndef DP_DATA_JSON_MEMBERS_H
#define DP_DATA_JSON_MEMBERS_H

#include "base/memory.h"

#include <jansson.h>

/* Where a value lies in the text; size 0: there is none. */
typedef struct dp_json_span {
    const char *text;
    size_t size;
} dp_json_span;

/* The values of an object's members with these names, the first of each; the object is text[size].
 * False: it is no object, and *at is where that shows. */
bool dp_json_members(dp_json_span *members, const char *const *names, size_t count,
                     const char *text, size_t size, size_t *at);

enum { DP_JSON_ELEMENT = 64 << 20 }; /* bytes of one element, or of a value that is skipped */

/* An array's elements in turn. Begins as { .span = ... }. */
typedef struct dp_json_array {
    dp_json_span span;
    size_t at;
    bool wrong; /* what follows is no array or element; `at` is where */
} dp_json_array;

/* The next element, for the caller to json_decref; NULL: there is none more, or it is wrong. */
json_t *dp_json_next(dp_json_array *array);

#endif
