/* tuning.h - files of tunings (plan/tuning.h): JSON that names the machine it was measured on and
 * lists convolutions with the choice for each. docs/FORMATS.md describes it. */
#ifndef DP_FORMATS_TUNING_H
#define DP_FORMATS_TUNING_H

#include "plan/tuning.h"

/* The tuning in bytes[size]; `name` stands for the file in messages, `machine` (dp_machine_text)
 * for what it must have been measured on. *tuning is to be given to dp_tuning_free, after a failure
 * too. Errors: MISMATCH (sound, but of another machine or another version of the format), FORMAT,
 * LIMIT, MEMORY. */
deeper_status dp_tuning_parse(dp_tuning *tuning, const void *bytes, size_t size, const char *name,
                              const char *machine, const deeper_allocator *allocator,
                              deeper_error *error);

/* The same of a file, for this machine. Errors: also IO. */
deeper_status dp_tuning_read(dp_tuning *tuning, const char *path, const deeper_allocator *allocator,
                             deeper_error *error);

/* The same of any machine; `machine` receives which, cut where it is longer. Errors: also IO. */
deeper_status dp_tuning_examine(dp_tuning *tuning, char machine[DP_MACHINE_SIZE], const char *path,
                                const deeper_allocator *allocator, deeper_error *error);

/* The same of a file that is to be written anew: no file, one of another machine or version, or a
 * damaged one has nothing. Errors: IO, MEMORY. */
deeper_status dp_tuning_read_old(dp_tuning *tuning, const char *path,
                                 const deeper_allocator *allocator, deeper_error *error);

/* The text of a tuning, appended to `text`, which says if memory was out. */
void dp_tuning_print(const dp_tuning *tuning, const char *machine, dp_buffer *text);

/* Adds a tuning to the file of this machine, or makes it: what the file has of other keys stays,
 * also when several processes add to it at once. Atomic. Errors: IO, MEMORY, LIMIT. */
deeper_status dp_tuning_join(const dp_tuning *tuning, const char *path, deeper_error *error);

#endif
