/* paths.c - see paths.h. */
#include "paths.h"

#include "fail.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* deeper's file in the folder that `variable` names, else in `below` the home folder. */
static char *user_path(const char *variable, const char *below, const char *file,
                       deeper_error *error) {
    const char *folder = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    if (folder
        && folder[0] == '/') { /* a relative one is to be ignored, says the XDG specification */
        if (asprintf(&path, "%s/deeper/%s", folder, file) < 0)
            path = NULL;
    } else {
        const struct passwd *user = home && *home ? NULL : getpwuid(getuid());
        home = user ? user->pw_dir : home;
        if (!home || !*home) {
            app_fail(error, DEEPER_ERROR_IO, "no folder for deeper's files: set HOME or %s",
                     variable);
            return NULL;
        }
        if (asprintf(&path, "%s/%s/deeper/%s", home, below, file) < 0)
            path = NULL;
    }
    if (!path)
        app_fail(error, DEEPER_ERROR_MEMORY, "out of memory");
    return path;
}

char *app_data_path(const char *file, deeper_error *error) {
    return user_path("XDG_DATA_HOME", ".local/share", file, error);
}

char *app_cache_path(const char *file, deeper_error *error) {
    return user_path("XDG_CACHE_HOME", ".cache", file, error);
}

bool app_folders_make(const char *path) {
    char *copy = strdup(path);
    bool ok = copy != NULL;
    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && ok;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        ok = !mkdir(copy, 0777) || errno == EEXIST || errno == EISDIR;
        *slash = '/';
    }
    free(copy);
    return ok;
}

deeper_status app_can_write(const char *path, deeper_error *error) {
    struct stat status;
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    bool ok = !path || (folder && !access(folder, W_OK | X_OK));
    if (ok && path && !stat(path, &status) && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        ok = false;
    }
    if (!ok)
        app_fail(error, DEEPER_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    free(folder);
    return ok ? DEEPER_OK : DEEPER_ERROR_IO;
}

char *app_tuning(deeper_error *error) {
    const char *given = getenv("DEEPER_TUNING");
    deeper_error failure = { 0 };
    if (given && !strcmp(given, "none"))
        return NULL;
    char *path = given && *given ? strdup(given) : app_cache_path("tuning.json", NULL);
    bool there = path && ((given && *given) || !access(path, F_OK));
    if (there && deeper_tuning_check(path, &failure) == DEEPER_ERROR_MISMATCH) {
        *error = failure;
        there = false;
    }
    if (there)
        return path; /* what else is wrong with it the session says */
    free(path);
    return NULL;
}
