/* trainer.h - a whole run: prepare, epochs of steps, validation, files. The inside of
 * deeper_train. */
#ifndef DP_TRAIN_TRAINER_H
#define DP_TRAIN_TRAINER_H

#include "base/memory.h"

/* options->out is not NULL; the rest is checked here. calls may be NULL. Contract: deeper_train in
 * deeper.h. */
deeper_status dp_train(const deeper_train_options *options, const deeper_train_calls *calls,
                       deeper_train_result *result, const deeper_allocator *allocator,
                       deeper_error *error);

#endif
