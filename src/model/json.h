/* json.h - JSON as it comes out of files: limits before memory is taken, one-line errors. Why here:
 * a model file is JSON in three places (header, labels, preprocessing); what a stranger's file may
 * cost is decided once. */
#ifndef DP_MODEL_JSON_H
#define DP_MODEL_JSON_H

#include "base/memory.h"

#include <jansson.h>

/* A JSON text may hold this many values: some 80 MB of jansson's memory at worst. */
enum { DP_JSON_MAX_VALUES = 1 << 18 };

/* *value = the JSON object or array in bytes[size]; the caller gives it to json_decref. Refused:
 * more than DP_JSON_MAX_VALUES values, brackets deeper than `depth`, a key twice in one object,
 * anything after the value but white space, a zero byte in a string. Messages begin with "NAME:
 * WHAT"; offsets count from `offset`, where the text lies in its file (-1: unknown). Errors:
 * FORMAT, LIMIT. */
deeper_status dp_json_parse(json_t **value, const void *bytes, size_t size, int depth,
                            const char *name, const char *what, int64_t offset,
                            deeper_error *error);

#endif
