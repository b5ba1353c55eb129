/* temporary.c - see temporary.h. */
#include "base/temporary.h"

#include "base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    KEPT_NAME = 200,   /* bytes of a file's name that its temporary name keeps; 255 is what file
                          systems take */
    RANDOM_DIGITS = 8, /* of its ending */
    NAME_TRIES = 64 /* temporary names tried before giving up; two in a row taken is already a sign
                       of something else */
};
static const char infix[] = ".tmp-";

/* Whether a name is `length` bytes of `kept`, or any (NULL), and then .tmp-PID-RANDOM. */
static bool is_temporary(const char *name, const char *kept, size_t length) {
    static const char digits[] = "0123456789", hex[] = "0123456789abcdef";
    const char *at = strrchr(name, '.');
    if (!at || strncmp(at, infix, sizeof infix - 1) != 0)
        return false;
    if (kept && ((size_t)(at - name) != length || memcmp(name, kept, length) != 0))
        return false;
    at += sizeof infix - 1;
    size_t pid = strspn(at, digits);
    return pid > 0 && at[pid] == '-' && strspn(at + pid + 1, hex) == RANDOM_DIGITS
           && !at[pid + 1 + RANDOM_DIGITS];
}

static void remove_dead(DIR *folder, const char *name) {
    int file = openat(dirfd(folder), name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(dirfd(folder), name, 0);
    close(file);
}

/* False if the folder cannot be read. */
static bool sweep(const char *path, const char *kept, size_t length) {
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    for (const struct dirent *item; (item = readdir(folder)) != NULL;)
        if (is_temporary(item->d_name, kept, length))
            remove_dead(folder, item->d_name);
    closedir(folder);
    return true;
}

deeper_status dp_temporaries_remove(const char *folder, deeper_error *error) {
    return sweep(folder, NULL, 0) ? DEEPER_OK
                                  : dp_fail_errno(error, folder, "cannot read the folder");
}

/* A new file of that name, locked; -1. Between its making and its lock another process may take it
 * for dead: then it is without a name, and another is made. */
static int make_locked(const char *name) {
    struct stat status;
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return -1;
    flock(file, LOCK_EX | LOCK_NB); /* a file system without locks does without */
    if (fstat(file, &status) == 0 && status.st_nlink > 0)
        return file;
    int failure = errno;
    unlink(name);
    close(file);
    errno = failure ? failure : EEXIST;
    return -1;
}

bool dp_temporary_make(int *file, char **name, const char *target,
                       const deeper_allocator *allocator) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    dp_random random =
        dp_random_at((uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)(uintptr_t)name);
    const char *slash = strrchr(target, '/');
    size_t folder = slash ? (size_t)(slash - target) + 1 : 0,
           kept = strnlen(target + folder, KEPT_NAME), size = folder + kept + 48;
    *file = -1;
    *name = dp_alloc_raw(allocator, size, 1);
    if (!*name) {
        errno = ENOMEM;
        return false;
    }
    snprintf(*name, size, "%.*s", (int)folder, folder ? target : "");
    sweep(folder ? *name : ".", target + folder, kept);
    for (int i = 0; i < NAME_TRIES && *file < 0; i++) {
        snprintf(*name, size, "%.*s%s%ld-%0*lx", (int)(folder + kept), target, infix,
                 (long)getpid(), RANDOM_DIGITS, (unsigned long)(dp_random_u64(&random) >> 32));
        errno = 0;
        *file = make_locked(*name);
        if (*file < 0 && errno != EEXIST)
            break;
    }
    if (*file >= 0)
        return true;
    int failure = errno;
    dp_free(allocator, *name);
    *name = NULL;
    errno = failure;
    return false;
}
