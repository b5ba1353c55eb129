/* models.h - which model a command line means, opened with what its options say. */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include "options.h"

#include <deeper/deeper.h>

/* The published model that a misspelt name most likely meant, or NULL. */
const char *cli_published_near(const char *name);

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

/* Whether a word begins with the name of an architecture: "googlenet:norm=bn". */
bool cli_is_architecture(const char *word);

/* Which network a command is about: its one operand [NETWORK], an architecture or a model, or what
 * --model or --arch says. One of both is NULL. */
typedef struct cli_network_name {
    const char *arch, *model;
} cli_network_name;

cli_network_name cli_network_named(const cli_args *args);

/* That network, with 1000 classes, --size (default 224) and made-up weights if it is an
 * architecture, for what does not depend on their values. Returns CLI_DONE, or another code after a
 * line on stderr. */
int cli_network(deeper_model **model, const cli_args *args);

/* The same, an architecture with `classes` and `size`, without parameter values. */
int cli_model_or_arch(deeper_model **model, const cli_args *args, int classes, int size);

#endif
