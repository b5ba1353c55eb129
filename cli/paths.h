/* paths.h - what the program says of a user's files (app/paths.h). */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include "app/paths.h"

/* app_can_write; false after a line on stderr. */
bool cli_can_write(const char *path);

/* The tuning that sessions use: the file that DEEPER_TUNING names, else that of the cache folder if
 * it is there; NULL: none, for DEEPER_TUNING is "none", or the file was measured on another
 * machine, which a note says. Lives as long as the program. */
const char *cli_tuning(void);

#endif
