/* open.c - see open.h. */
#include "base/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

bool dp_leads_up(const char *path) {
    char name[PATH_MAX] = ".";
    struct stat link, target, above, last = { 0 };
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    if (lstat(path, &link) != 0 || !S_ISLNK(link.st_mode) || stat(path, &target) != 0)
        return false;
    if (length >= sizeof name)
        return false;
    if (slash)
        memcpy(name, path, length);
    for (; length + sizeof "/.." <= sizeof name && stat(name, &above) == 0; length += 3) {
        if (above.st_dev == target.st_dev && above.st_ino == target.st_ino)
            return true;
        if (above.st_dev == last.st_dev && above.st_ino == last.st_ino)
            return false; /* the top of the file system, which lies in itself */
        last = above;
        memcpy(name + length, "/..", sizeof "/..");
    }
    return false;
}
