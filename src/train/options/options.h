/* options.h - the options of a run: described by rows, set from texts, checked, shown as texts.
 * Does not know files: run.json is train/record's. */
#ifndef DP_TRAIN_OPTIONS_H
#define DP_TRAIN_OPTIONS_H

#include "base/memory.h"

#include <stdbool.h>

/* What deeper.h says of an option, and where in deeper_train_options its member lies. */
typedef struct dp_train_row {
    deeper_option option;
    size_t offset;
} dp_train_row;

/* In the order in which help shows them; NULL past the last. Static. */
const dp_train_row *dp_train_row_at(size_t index);

/* Sets a member to its default, or all of them. Of a text the default is NULL, which every reader
 * of options takes for the row's fallback. */
void dp_train_row_reset(deeper_train_options *options, const dp_train_row *row);
void dp_train_options_reset(deeper_train_options *options);

/* Gives texts that are not set their rows' fallbacks. */
void dp_train_options_resolve(deeper_train_options *options);

/* Epochs and patience of a run, as given or as it chooses for itself; patience 0: never. */
int dp_train_epochs(const deeper_train_options *options);
int dp_train_patience(const deeper_train_options *options);

/* Contract: deeper_train_set in deeper.h. */
deeper_status dp_train_option_set(deeper_train_options *options, const char *name, const char *text,
                                  deeper_error *error);

/* Errors: ARGUMENT, naming the option, what it is and what it may be. */
deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error);

/* What the order of the pictures, their augmentation and dropout are drawn from: seed, or for
 * member 2, 3 ... of an ensemble a number of its own. The first weights and the pictures kept for
 * validation come from seed itself, so members share them. */
uint64_t dp_train_sampling_seed(const deeper_train_options *options);

/* Option `index` (0, 1, ...) as its word and its value, cut to `size`. *set: it differs from the
 * default. False past the last. */
bool dp_train_option_text(const deeper_train_options *options, size_t index, const char **word,
                          char *value, size_t size, bool *set);

/* Appends the command line of a run with these options: what differs from the defaults, words in
 * quotes where a shell needs them. Without options->out it says RUN. */
void dp_train_options_command(dp_buffer *command, const deeper_train_options *options);

#endif
