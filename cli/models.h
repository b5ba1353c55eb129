/* models.h - which model a command line means, opened with what its options say. */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include "options.h"

#include <deeper/deeper.h>

/* app_model_path (app/models.h), with a note of a model that was not named; NULL after a line on
 * stderr. */
char *cli_model_path(const char *name);

/* Opens the model that `name` means (NULL: the default one) with what --labels, --preprocess and
 * --answer say, where the command has these rows. *path (may be NULL) receives its path, malloc'ed.
 * Returns CLI_DONE, or another code after a line on stderr. cli_sound_model_open refuses weights
 * that are no finite numbers, too: for commands that would pass them on without running a picture.
 */
int cli_model_open(deeper_model **model, const char *name, const cli_args *args, char **path);
int cli_sound_model_open(deeper_model **model, const char *name, const cli_args *args, char **path);

/* app_names_split; NULL after a line on stderr. */
char **cli_names_split(const char *list, size_t *count);

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
