/* ensemble.h - a run, or one after the other the runs of an ensemble's members. As in the paper
 * (section 7) members begin with the same weights and differ in sampling and order of the
 * pictures. */
#ifndef DP_TRAIN_ENSEMBLE_H
#define DP_TRAIN_ENSEMBLE_H

#include "base/memory.h"

/* dp_train, where the options ask for no ensemble and out holds none; else each member that is not
 * finished yet, in out/memberN. out/ensemble.json holds the options. Contract: deeper_train in
 * deeper.h. */
deeper_status dp_train_runs(const deeper_train_options *options, const deeper_train_calls *calls,
                            deeper_train_result *result, const deeper_allocator *allocator,
                            deeper_error *error);

#endif
