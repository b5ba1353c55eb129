/* record.h - what a run or an ensemble writes of itself to its folder at the beginning, and finds
 * there when it is resumed. What it does not do: say what else lies in the folder (folder.c,
 * ensemble.c). */
#ifndef DP_TRAIN_RECORD_H
#define DP_TRAIN_RECORD_H

#include "base/memory.h"

#include <jansson.h>

/* The options that are recorded, as an object (NULL: out of memory, or a text that is not UTF-8). */
json_t *dp_train_options_to_json(const deeper_train_options *options);

/* Writes `record` (taken; NULL: it could not be made), atomically. Errors: ARGUMENT (a text that is
 * not UTF-8), IO. */
deeper_status dp_record_write(const char *path, json_t *record, const deeper_allocator *allocator,
                              deeper_error *error);

/* Reads a record, and its member "options" over `options`, whose texts live with it. Errors: IO,
 * FORMAT. */
deeper_status dp_record_read(json_t **record, deeper_train_options *options, const char *path,
                             const deeper_allocator *allocator, deeper_error *error);

/* Where data lies may be given anew: takes that from what was given to a resumed run. */
void dp_record_move(deeper_train_options *options, const deeper_train_options *given);

#endif
