/* status.h - how every fallible function of deeper reports: a deeper_status returned, a
 * deeper_error filled. Floor: base. Every file may include it; it also brings in the public header,
 * whose words (status, error, allocator) all floors use. */
#ifndef DP_BASE_STATUS_H
#define DP_BASE_STATUS_H

#include <deeper/deeper.h>

/* "0.1.0" */
#define DP_VERSION DP_VERSION_TEXT(DEEPER_VERSION_MAJOR, DEEPER_VERSION_MINOR, DEEPER_VERSION_PATCH)
#define DP_VERSION_TEXT(major, minor, patch) DP_TEXT(major) "." DP_TEXT(minor) "." DP_TEXT(patch)
#define DP_TEXT(number) #number

/* Fills *error (may be NULL) with `status` and the formatted one-line message, offset -1, and
 * returns `status`. Control bytes that a file name or a file's text may bring in are replaced by
 * '?', so a message stays one line. error->message may be an argument: a caller can put its own
 * name before it. */
deeper_status dp_fail(deeper_error *error, deeper_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the byte offset in the file at fault. */
deeper_status dp_fail_at(deeper_error *error, deeper_status status, int64_t offset,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ARGUMENT, saying that `argument` is NULL, if pointer is. */
deeper_status dp_need(const void *pointer, const char *argument, deeper_error *error);

/* Out of memory; `what` names the thing that could not be had ("the activation arena, 12345678
 * bytes"). */
deeper_status dp_fail_memory(deeper_error *error, const char *what);

/* From errno: "<path>: <action>: <strerror>". */
deeper_status dp_fail_errno(deeper_error *error, const char *path, const char *action);

/* Returns from the calling function if `expression` is not DEEPER_OK. For functions that hold
 * nothing to release. */
#define DP_TRY(expression)                                                                         \
    do {                                                                                           \
        deeper_status dp_try_status = (expression);                                                \
        if (dp_try_status != DEEPER_OK)                                                            \
            return dp_try_status;                                                                  \
    } while (0)

#endif
