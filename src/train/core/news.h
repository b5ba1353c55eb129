/* news.h - what a run tells its host besides figures: notes, warnings, pictures that could not be
 * read. */
#ifndef DP_TRAIN_NEWS_H
#define DP_TRAIN_NEWS_H

#include "base/status.h"

/* Sends an event with a formatted message (cut to DEEPER_MESSAGE_SIZE). calls and its functions may
 * be NULL. */
void dp_tell(const deeper_train_calls *calls, deeper_train_event_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
