/* status.c - filling deeper_error, and the fixed texts of the library: version and status names.
 * Why here: every message passes one place, so that each is one line, within its size, whatever a
 * file name or a file brought in. It does not print and keeps nothing. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *deeper_version(void) {
    return DP_VERSION;
}

const char *deeper_status_text(deeper_status status) {
    static const char *const texts[] = {
        [DEEPER_OK] = "done",
        [DEEPER_ERROR_ARGUMENT] = "bad argument",
        [DEEPER_ERROR_MEMORY] = "out of memory",
        [DEEPER_ERROR_IO] = "input or output failed",
        [DEEPER_ERROR_FORMAT] = "damaged or not of its format",
        [DEEPER_ERROR_UNSUPPORTED] = "not supported",
        [DEEPER_ERROR_MISMATCH] = "does not match",
        [DEEPER_ERROR_LIMIT] = "over a limit",
        [DEEPER_ERROR_STOPPED] = "stopped by the caller",
        [DEEPER_ERROR_NUMBER] = "a result is not a number",
    };
    size_t index = (size_t)status;
    return index < sizeof texts / sizeof *texts ? texts[index] : "unknown status";
}

/* Drops a UTF-8 sequence that the end of the buffer cut in two, so that the message stays text. */
static void trim_cut_sequence(char *message, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)message[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)message[start - 1];
    size_t wanted = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (length - start < wanted)
        message[start - 1] = '\0';
}

static void fill(deeper_error *error, deeper_status status, int64_t offset, const char *format,
                 va_list arguments) {
    if (!error)
        return;
    /* Made apart and copied, for a caller that adds to a message passes the old one as an
     * argument. */
    char message[DEEPER_MESSAGE_SIZE];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0)
        snprintf(message, sizeof message, "%s", deeper_status_text(status));
    else if ((size_t)length >= sizeof message)
        trim_cut_sequence(message, sizeof message - 1);
    for (char *byte = message; *byte; byte++)
        if ((unsigned char)*byte < 0x20 || *byte == 0x7F)
            *byte = '?';
    memcpy(error->message, message, strlen(message) + 1);
    error->status = status;
    error->offset = offset;
}

deeper_status dp_fail(deeper_error *error, deeper_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, -1, format, arguments);
    va_end(arguments);
    return status;
}

deeper_status dp_fail_at(deeper_error *error, deeper_status status, int64_t offset,
                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, offset, format, arguments);
    va_end(arguments);
    return status;
}

deeper_status dp_need(const void *pointer, const char *argument, deeper_error *error) {
    return pointer ? DEEPER_OK : dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is NULL", argument);
}

deeper_status dp_fail_memory(deeper_error *error, const char *what) {
    return dp_fail(error, DEEPER_ERROR_MEMORY, "out of memory for %s", what);
}

deeper_status dp_fail_errno(deeper_error *error, const char *path, const char *action) {
    int number = errno;
    char text[128];
    /* strerror_r, for strerror may share its buffer between threads; this is the GNU form, which
     * returns the text. */
    return dp_fail(error, number == ENOMEM ? DEEPER_ERROR_MEMORY : DEEPER_ERROR_IO, "%s: %s: %s",
                   path, action, strerror_r(number, text, sizeof text));
}
