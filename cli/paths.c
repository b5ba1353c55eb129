/* paths.c - see paths.h. */
#include "paths.h"

#include "hints.h"
#include "output.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* deeper's file in the folder that `variable` names, else in `below` the home folder. say: whether
 * a failure gets its line. */
static char *user_path(const char *variable, const char *below, const char *file, bool say) {
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
            if (say)
                cli_error("no folder for deeper's files: set HOME or %s", variable);
            return NULL;
        }
        if (asprintf(&path, "%s/%s/deeper/%s", home, below, file) < 0)
            path = NULL;
    }
    if (!path && say)
        cli_error("out of memory");
    return path;
}

char *cli_data_path(const char *file) {
    return user_path("XDG_DATA_HOME", ".local/share", file, true);
}

char *cli_cache_path(const char *file) {
    return user_path("XDG_CACHE_HOME", ".cache", file, true);
}

bool cli_folders_make(const char *path) {
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

bool cli_can_write(const char *path) {
    struct stat status;
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    bool ok = !path || (folder && !access(folder, W_OK | X_OK));
    if (ok && path && !stat(path, &status) && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        ok = false;
    }
    if (!ok)
        cli_error("%s: cannot write: %s", path, strerror(errno));
    free(folder);
    return ok;
}

static char *find_tuning(void) {
    const char *given = getenv("DEEPER_TUNING");
    deeper_error error = { 0 };
    if (given && !strcmp(given, "none"))
        return NULL;
    char *path = given && *given ? strdup(given)
                                 : user_path("XDG_CACHE_HOME", ".cache", "tuning.json", false);
    bool there = path && ((given && *given) || !access(path, F_OK));
    if (there && deeper_tuning_check(path, &error) == DEEPER_ERROR_MISMATCH) {
        cli_note("%s%s", error.message, cli_hint(error.message));
        there = false;
    }
    if (there)
        return path; /* what else is wrong with it the session says */
    free(path);
    return NULL;
}

const char *cli_tuning(void) {
    static bool looked;
    static char *path;
    if (!looked)
        path = find_tuning();
    looked = true;
    return path;
}
