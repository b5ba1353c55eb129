/* paths.h - where a user's files are kept, as the XDG base directory specification says, and
 * whether files can be made there. */
#ifndef APP_PATHS_H
#define APP_PATHS_H

#include <deeper/deeper.h>

#include <stdbool.h>

/* Path of a file in the user's data folder, $XDG_DATA_HOME/deeper or ~/.local/share/deeper.
 * malloc'ed; NULL: *error says why. */
char *app_data_path(const char *file, deeper_error *error);

/* The same in the cache folder, $XDG_CACHE_HOME/deeper or ~/.cache/deeper. */
char *app_cache_path(const char *file, deeper_error *error);

/* Makes the folders that a file's path names and that are not there; false: errno says why. */
bool app_folders_make(const char *path);

/* Whether a file can be made at `path` (NULL: none is wanted): its folder is there and may be
 * written in. For what is written at the end of long work, so that this is not done in vain.
 * Errors: IO. */
deeper_status app_can_write(const char *path, deeper_error *error);

/* The tuning that sessions use: the file that DEEPER_TUNING names, else that of the cache folder if
 * it is there; NULL: none, for DEEPER_TUNING is "none", or the file was measured on another machine
 * (*error, MISMATCH, tells of that; else it stays as it is). malloc'ed. */
char *app_tuning(deeper_error *error);

#endif
