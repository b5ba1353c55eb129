/* paths.c - see paths.h. */
#include "paths.h"

#include "hints.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cli_can_write(const char *path) {
    deeper_error error = { 0 };
    bool can = !app_can_write(path, &error);
    if (!can)
        cli_error("%s", error.message);
    return can;
}

static char *find_tuning(void) {
    const char *given = getenv("DEEPER_TUNING");
    deeper_error error = { 0 };
    if (given && !strcmp(given, "none"))
        return NULL;
    char *path = given && *given ? strdup(given) : app_cache_path("tuning.json", NULL);
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
