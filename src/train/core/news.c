/* news.c - an event that is only a message. */
#include "train/core/news.h"

#include <stdarg.h>
#include <stdio.h>

void dp_tell(const deeper_train_calls *calls, deeper_train_event_kind kind, const char *format,
             ...) {
    if (!calls || !calls->event)
        return;
    char message[DEEPER_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const deeper_train_event event = { .kind = kind, .message = message };
    calls->event(calls->context, &event);
}
