/* models.h - which model a name means: a file, a run's folder, a pulled model; and the table of
 * published ones. */
#ifndef APP_MODELS_H
#define APP_MODELS_H

#include <deeper/deeper.h>

enum { APP_ADDRESSES = 3 };

typedef struct app_published {
    const char *name;
    const char *file; /* name of the file in the data folder, and at a mirror */
    const char
        *urls[APP_ADDRESSES]; /* where it lies, tried in this order; ends at the first NULL */
    const char *hash;         /* "sha256:HEX", or "sha1:HEX" where that is what its authors
                                 publish; whole */
    const char *about;
} app_published;

/* Published weights by index, NULL past the last; by name, NULL if there are none. */
const app_published *app_published_at(size_t index);
const app_published *app_published_find(const char *name);

/* Path of the model that `name` means: a file, or the model in a folder that `deeper train` left;
 * else a model in the user's or the system's data folder; with NULL the first published one that
 * has been pulled. malloc'ed; NULL: *error says why. */
char *app_model_path(const char *name, deeper_error *error);

/* The names in a list with commas between them; a file of exactly that name is one. A folder that
 * `deeper train` left stands for its model.safetensors, that of an ensemble for those of its
 * members. malloc'ed, each and the list; NULL: *error says why. */
char **app_names_split(const char *list, size_t *count, deeper_error *error);
void app_names_free(char **names, size_t count);

#endif
