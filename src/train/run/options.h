/* options.h - the options of a run: checked, written to run.json and read back, shown as texts. One
 * table describes them all. */
#ifndef DP_TRAIN_OPTIONS_H
#define DP_TRAIN_OPTIONS_H

#include "base/memory.h"

#include <jansson.h>

/* Errors: ARGUMENT, naming the option, what it is and what it may be. */
deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error);

/* What the order of the pictures, their augmentation and dropout are drawn from: seed, or for
 * member 2, 3 ... of an ensemble a number of its own. The first weights and the pictures kept for
 * validation come from seed itself, so members share them. */
uint64_t dp_train_sampling_seed(const deeper_train_options *options);

/* All options that decide results, as an object (NULL: out of memory, or a path that is not UTF-8),
 * and back over `options`; texts live with the object. Errors: FORMAT; `name` stands for the
 * file. */
json_t *dp_train_options_to_json(const deeper_train_options *options);
deeper_status dp_train_options_from_json(deeper_train_options *options, const json_t *object,
                                         const char *name, deeper_error *error);

/* Option `index` (0, 1, ...) as the word that `deeper train` has for it and its value, cut to
 * `size`. *set: it differs from the default. False past the last. */
bool dp_train_option_text(const deeper_train_options *options, size_t index, const char **word,
                          char *value, size_t size, bool *set);

/* Appends the command line of a run with these options: what differs from the defaults, words in
 * quotes where a shell needs them. Without options->out it says RUN. */
void dp_train_options_command(dp_buffer *command, const deeper_train_options *options);

#endif
