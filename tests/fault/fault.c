/* fault.c - preloaded into the program (LD_PRELOAD), it ends or fails the n-th system call that
 * deals with files, as curl's torture tests do with allocations. Not seen: what the C library calls
 * itself, such as the writes of stdio.
 *
 *   FAULT_COUNT=FILE   writes to FILE how many calls there were
 *   FAULT=MODE:N       kill: the process is killed before the N-th call
 *                      fail: the N-th call fails (EIO; a write: ENOSPC)
 *                      zero: the N-th call, if it is a write, writes nothing and says so; else kill
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;
static long fault_at = -1;
static enum { KILL, FAIL, ZERO } fault_mode;

__attribute__((constructor)) static void begin(void) {
    const char *fault = getenv("FAULT"), *colon = fault ? strchr(fault, ':') : NULL;
    if (!colon)
        return;
    fault_mode = fault[0] == 'f' ? FAIL : fault[0] == 'z' ? ZERO : KILL;
    fault_at = atol(colon + 1);
}

__attribute__((destructor)) static void end(void) {
    const char *name = getenv("FAULT_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", (long)calls);
        fclose(file);
    }
}

/* Whether this call fails, errno set; `error` is what failing means. */
static bool hit(int error) {
    if (atomic_fetch_add(&calls, 1) + 1 != fault_at)
        return false;
    if (fault_mode != FAIL && !(fault_mode == ZERO && error == ENOSPC))
        raise(SIGKILL);
    errno = error;
    return true;
}

/* A function of the C library, by its name. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

#define WRAP(error, failed, type, name, parameters, arguments)                                     \
    type name parameters {                                                                         \
        static type(*next) parameters;                                                             \
        if (!next)                                                                                 \
            next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                    \
        return hit(error) ? failed : next arguments;                                               \
    }

#define WRITTEN (fault_mode == ZERO ? 0 : -1)

WRAP(ENOSPC, WRITTEN, ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRAP(ENOSPC, WRITTEN, ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at),
     (fd, bytes, size, at))
WRAP(ENOSPC, WRITTEN, ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at),
     (fd, bytes, size, at))
WRAP(EIO, -1, ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
WRAP(EIO, -1, ssize_t, __read_chk, (int fd, void *bytes, size_t size, size_t room),
     (fd, bytes, size, room))
WRAP(EIO, -1, ssize_t, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRAP(EIO, -1, ssize_t, pread64, (int fd, void *bytes, size_t size, off64_t at),
     (fd, bytes, size, at))
WRAP(EIO, -1, ssize_t, __pread_chk, (int fd, void *bytes, size_t size, off_t at, size_t room),
     (fd, bytes, size, at, room))
WRAP(EIO, -1, ssize_t, __pread64_chk, (int fd, void *bytes, size_t size, off64_t at, size_t room),
     (fd, bytes, size, at, room))
WRAP(EIO, -1, int, fsync, (int fd), (fd))
WRAP(EIO, -1, int, rename, (const char *from, const char *to), (from, to))
WRAP(EIO, -1, int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(EIO, -1, int, ftruncate64, (int fd, off64_t size), (fd, size))
WRAP(EIO, -1, int, unlink, (const char *path), (path))
WRAP(EIO, -1, int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
WRAP(EIO, -1, int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(EIO, -1, int, flock, (int fd, int operation), (fd, operation))
WRAP(EIO, -1, int, fstat, (int fd, struct stat *status), (fd, status))
WRAP(EIO, -1, int, fstat64, (int fd, struct stat64 *status), (fd, status))
WRAP(EIO, NULL, DIR *, opendir, (const char *path), (path))
WRAP(EIO, -1, int, __open_2, (const char *path, int flags), (path, flags))
WRAP(EIO, -1, int, __open64_2, (const char *path, int flags), (path, flags))

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return hit(EIO) ? -1 : NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return hit(EIO) ? -1 : NEXT(open64)(path, flags, mode);
}
