/* models.h - which model a command line means: a file, a pulled model by name, an architecture; and
 * the table of published ones. */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include "options.h"

#include <deeper/deeper.h>

typedef struct cli_published {
    const char *name;
    const char *file; /* name of the file in the data folder, and at a mirror */
    const char *url;
    const char *hash; /* "sha1:HEX" or "sha256:HEX"; the digits may be only the first ones, where no
                         more are published */
    const char *about;
} cli_published;

/* Published weights by index, NULL past the last; by name, NULL if there are none. */
const cli_published *cli_published_at(size_t index);
const cli_published *cli_published_find(const char *name);

/* Path of the model that `name` means: a file, or the model in a folder that `deeper train` left;
 * else a model in the user's or the system's data folder; with NULL the first published one that
 * has been pulled. malloc'ed; NULL after a line on stderr. */
char *cli_model_path(const char *name);

/* Opens the model that `name` means (NULL: the default one) with what --labels and --preprocess
 * say, where the command has these rows. *path (may be NULL) receives its path, malloc'ed. Returns
 * CLI_DONE, or another code after a line on stderr. */
int cli_model_open(deeper_model **model, const char *name, const cli_args *args, char **path);

/* The names in a list with commas between them; a file of exactly that name is one. A folder that
 * `deeper train` left stands for its model.safetensors, that of an ensemble for those of its
 * members. malloc'ed, each and the list; NULL after a line on stderr. */
char **cli_names_split(const char *list, size_t *count);
void cli_names_free(char **names, size_t count);

/* Session options as --threads and --memory say, with the user's tuning. */
deeper_session_options cli_session_options(const cli_args *args);

/* Pictures that go through the network together for that many crops of each. */
int cli_batch(int crops);

/* The network of --model, or of --arch and --size (default 224) with 1000 classes and made-up
 * weights, for what does not depend on their values. Returns CLI_DONE, or another code after a line
 * on stderr. */
int cli_network(deeper_model **model, const cli_args *args);

/* The model of --model, or a new one of --arch with `classes` and `size`, without parameter
 * values. */
int cli_model_or_arch(deeper_model **model, const cli_args *args, int classes, int size);

#endif
