/* fail.c - see fail.h. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>

deeper_status app_fail(deeper_error *error, deeper_status status, const char *format, ...) {
    if (!error)
        return status;
    va_list list;
    va_start(list, format);
    vsnprintf(error->message, sizeof error->message, format, list);
    va_end(list);
    error->status = status;
    error->offset = -1;
    return status;
}
