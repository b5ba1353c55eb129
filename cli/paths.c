/* paths.c - see paths.h. */
#include "paths.h"

#include "output.h"

bool cli_can_write(const char *path) {
    deeper_error error = { 0 };
    bool can = !app_can_write(path, &error);
    if (!can)
        cli_error("%s", error.message);
    return can;
}

const char *cli_tuning(void) {
    static bool looked;
    static char *path;
    deeper_error error = { 0 };
    if (!looked)
        path = app_tuning(&error);
    looked = true;
    if (error.status)
        cli_note("%s ('deeper tune')", error.message);
    return path;
}
