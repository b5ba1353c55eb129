/* fail.h - how app/ reports: like the library it fills a deeper_error, and never prints. */
#ifndef APP_FAIL_H
#define APP_FAIL_H

#include <deeper/deeper.h>

/* Fills *error (may be NULL) and returns `status`. */
deeper_status app_fail(deeper_error *error, deeper_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
