/* sets.h - the pictures that commands take: labelled sets, and what is said of operands. */
#ifndef CLI_SETS_H
#define CLI_SETS_H

#include "app/sources.h"
#include "options.h"

#include <deeper/deeper.h>

/* Opens --data, with --root and --part; notes say which part of it that is and what was passed
 * over. NULL where the option is not given. Returns CLI_DONE, or another code after a line on
 * stderr. */
int cli_set_open(deeper_dataset **dataset, const cli_args *args);

/* What is said of the paths of operands. */
extern const app_sources_calls cli_sources_calls;

/* Notes what was passed over when the set (or NULL) was opened. */
void cli_set_notes(const deeper_dataset *dataset);

#endif
