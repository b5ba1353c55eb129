/* fields.h - plain structures to JSON and back by tables of their members: options, progress,
 * history and what model files tell of their training are kept so. The only file of training that
 * knows how JSON is read and written is fields.c. */
#ifndef DP_TRAIN_FIELDS_H
#define DP_TRAIN_FIELDS_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum dp_field_kind {
    DP_FIELD_INT,
    DP_FIELD_COUNT,  /* uint64_t */
    DP_FIELD_NUMBER, /* double; a finite one comes back to the same bits; what is not is null, and
                        comes back as NaN */
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

/* An object or a list of objects. */
typedef struct json_t dp_object;

/* ---------------------------------------------------------------------------------------- write */

/* These return NULL or false where memory is out, where a text is not UTF-8, and where they are
 * given NULL, so that only the last one need be looked at. */
dp_object *dp_object_create(void);
bool dp_object_add(dp_object *to, const dp_field *fields, size_t count, const void *record);

/* An empty object or an empty list as a member of `to`; an empty object as the next of such a
 * list. */
dp_object *dp_object_put(dp_object *to, const char *name);
bool dp_object_put_list(dp_object *to, const char *name);
dp_object *dp_object_append(dp_object *to, const char *name);

/* The object as a text of one line, or of a line per member (malloc'ed; free() it). */
char *dp_object_text(const dp_object *object, bool lines);

/* ----------------------------------------------------------------------------------------- read */

/* Contract: dp_json_parse. */
deeper_status dp_object_parse(dp_object **object, const char *text, size_t size, int depth,
                              const char *name, const char *what, int64_t offset,
                              deeper_error *error);

/* Sets all members; texts live with the object. Errors: FORMAT, naming the field; `name` stands for
 * the file. */
deeper_status dp_object_read(const dp_object *object, const dp_field *fields, size_t count,
                             void *record, const char *name, deeper_error *error);

/* A member, NULL: there is none; whether it is a list; the objects of a list, 0 of what is none. */
const dp_object *dp_object_member(const dp_object *object, const char *name);
bool dp_object_is_list(const dp_object *object);
size_t dp_object_count(const dp_object *list);
const dp_object *dp_object_at(const dp_object *list, size_t index);

void dp_object_free(dp_object *object);

#endif
