/* open.c - see open.h. */
#include "base/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char special[] = "is not an ordinary file; save what comes from it to one first";

/* Whether a path names one of this process's own descriptors. */
static bool was_handed_over(const char *path) {
    return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", 8) == 0
           || strncmp(path, "/proc/self/fd/", 14) == 0;
}

/* What is wrong with an open file; "": errno says it, NULL: nothing. What was handed over waits for
 * its bytes again. */
static const char *check(int file, const char *path, struct stat *status) {
    if (fstat(file, status) != 0)
        return "";
    if (S_ISDIR(status->st_mode))
        return "is a folder; a file is needed";
    if (S_ISREG(status->st_mode))
        return NULL;
    if (!was_handed_over(path))
        return special;
    return fcntl(file, F_SETFL, 0) == 0 ? NULL : "";
}

int dp_open(const char *path, struct stat *status, const char **why) {
    /* Without O_NONBLOCK a named pipe waits for its writer before it can be asked what it is. */
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *why = file < 0 && errno == ENXIO ? special : NULL; /* a socket, a device that is not there */
    if (file < 0)
        return -1;
    const char *trouble = check(file, path, status);
    if (!trouble)
        return file;
    int code = errno;
    close(file);
    errno = code;
    *why = *trouble ? trouble : NULL;
    return -1;
}
