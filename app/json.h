/* json.h - results as JSON, as every program writes them, in the one vocabulary (keys.h). */
#ifndef APP_JSON_H
#define APP_JSON_H

#include "keys.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A member of an object: its value is taken by what puts it there. */
typedef struct app_member {
    app_key key;
    json_t *value;
} app_member;

app_member app_text(app_key key, const char *text); /* any bytes; null for NULL */
app_member app_whole(app_key key, json_int_t value);
app_member app_real(app_key key, double value); /* null if it is not finite */
app_member app_truth(app_key key, bool value);
app_member app_value(app_key key, json_t *value);

/* An object of members: APP_OBJECT(app_text(KEY_path, path), app_whole(KEY_bytes, bytes)). */
json_t *app_object(const app_member *members, size_t count);
#define APP_OBJECT(...)                                                                            \
    app_object((const app_member[]){ __VA_ARGS__ },                                                \
               sizeof((const app_member[]){ __VA_ARGS__ }) / sizeof(app_member))

/* One member more. */
void app_put(json_t *object, app_member member);

/* A string of any bytes as JSON: what is not UTF-8 becomes U+FFFD. */
json_t *app_json_text(const char *text);

/* A number; null if it is not finite. */
json_t *app_json_real(double value);

/* A list of `count` whole numbers. */
json_t *app_json_wholes(const int *values, size_t count);

/* A value, which is taken, as one line without its end; malloc'ed, NULL if memory is out (so too of
 * the value: NULL). An object says which schema it keeps. */
char *app_json_line(json_t *value);

#endif
