/* open.h - the one way to open a file for reading, for the library and for the programs: ordinary
 * files alone, and never a wait. A pipe, a socket or a device with a picture's name would hang a
 * reader for ever. Needs nothing of the other files here, so programs are built with it too. */
#ifndef DP_BASE_OPEN_H
#define DP_BASE_OPEN_H

#include <stdbool.h>
#include <sys/stat.h>

/* A descriptor for reading the ordinary file `path`, closed on exec; *status as fstat has it. What
 * was handed to this process open (/dev/stdin, /dev/fd/N) may be anything but a folder, and is read
 * as it comes. -1: not opened; *why says it, or is NULL where errno does. */
int dp_open(const char *path, struct stat *status, const char **why);

/* Whether `path` is a symbolic link to a folder that it lies in: who walks folders would go round.
 */
bool dp_leads_up(const char *path);

#endif
