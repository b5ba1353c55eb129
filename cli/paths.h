/* paths.h - where a user's files are kept, as the XDG base directory specification says, and
 * whether files can be made there. */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include <stdbool.h>

/* Path of a file in the user's data folder, $XDG_DATA_HOME/deeper or ~/.local/share/deeper.
 * malloc'ed; NULL after a line on stderr. */
char *cli_data_path(const char *file);

/* The same in the cache folder, $XDG_CACHE_HOME/deeper or ~/.cache/deeper. */
char *cli_cache_path(const char *file);

/* Makes the folders that a file's path names and that are not there; false: errno says why. */
bool cli_folders_make(const char *path);

/* Whether a file can be made at `path` (NULL: none is wanted): its folder is there and may be
 * written in. Else a line on stderr. For what is written at the end of long work, so that this is
 * not done in vain. */
bool cli_can_write(const char *path);

/* The tuning that sessions use: the file that DEEPER_TUNING names, else that of the cache folder if
 * it is there; NULL: none, for DEEPER_TUNING is "none", or the file was measured on another
 * machine, which a note says. Lives as long as the program. */
const char *cli_tuning(void);

#endif
