/* fields.h - plain structures to JSON and back by a table of their members: options, progress and
 * history are kept so. */
#ifndef DP_TRAIN_FIELDS_H
#define DP_TRAIN_FIELDS_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum dp_field_kind {
    DP_FIELD_INT,
    DP_FIELD_COUNT,  /* uint64_t */
    DP_FIELD_NUMBER, /* double, finite; comes back to the same bits */
    DP_FIELD_FLAG,   /* bool */
    DP_FIELD_TEXT    /* const char *, may be NULL */
} dp_field_kind;

typedef struct dp_field {
    const char *name;
    dp_field_kind kind;
    size_t offset;
    size_t count; /* members of an array; 1: no array */
} dp_field;

/* One row of a table. */
#define DP_FIELD(structure, member, kind)                                                          \
    { #member, kind, offsetof(structure, member), 1 }
#define DP_FIELDS(structure, member, kind, count)                                                  \
    { #member, kind, offsetof(structure, member), count }

/* A new object; NULL: out of memory, or a number that is not finite, or a text that is not
 * UTF-8. */
json_t *dp_fields_to_json(const dp_field *fields, size_t count, const void *record);

/* Sets all members; texts live with the object. Errors: FORMAT, naming the field; `name` stands for
 * the file. */
deeper_status dp_fields_from_json(const dp_field *fields, size_t count, void *record,
                                  const json_t *object, const char *name, deeper_error *error);

#endif
