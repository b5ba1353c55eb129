/* options.h - the options of a run: checked, completed, written to run.json and read back. One table describes them all. */
#ifndef DP_TRAIN_OPTIONS_H
#define DP_TRAIN_OPTIONS_H

#include "base/memory.h"

/* Errors: ARGUMENT, naming the option, what it is and what it may be. */
deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error);

#endif
