/* json.h - results as JSON, as every program writes them. */
#ifndef APP_JSON_H
#define APP_JSON_H

#include <jansson.h>

/* A string of any bytes as JSON: what is not UTF-8 becomes U+FFFD. */
json_t *app_json_text(const char *text);

/* A number; null if it is not finite. */
json_t *app_json_real(double value);

/* A value, which is taken, as one line without its end; malloc'ed, NULL if memory is out (so too of
 * the value: NULL). */
char *app_json_line(json_t *value);

#endif
