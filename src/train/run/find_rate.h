/* find_rate.h - the learning-rate range test: a short run whose rate grows from step to step, and
 * the rate that its losses suggest. What it does not do: anything to a run's folder; what the
 * network has become is thrown away. */
#ifndef DP_TRAIN_FIND_RATE_H
#define DP_TRAIN_FIND_RATE_H

#include "base/status.h"

/* deeper_train_find_rate has the contract. */
deeper_status dp_find_rate(deeper_rate_search *search, const deeper_train_options *options,
                           const char *page, const deeper_train_calls *calls,
                           const deeper_allocator *allocator, deeper_error *error);

/* Fills what follows from rates and losses of search->count points: the smoothed losses, then the
 * suggestion. guess: the loss of one who only knows how frequent the classes are. */
void dp_suggest_rate(deeper_rate_search *search, double guess);

#endif
