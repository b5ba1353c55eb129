/* temporary.h - the names under which files are written before they have their own, and what is
 * left of them where a writer was killed. A temporary file is locked by who writes it (flock), so
 * that one without a lock is dead, whatever process, container or machine it came from. */
#ifndef DP_BASE_TEMPORARY_H
#define DP_BASE_TEMPORARY_H

#include "base/memory.h"

/* Makes TARGET.tmp-PID-RANDOM, the name of the target cut where the whole would be too long for a
 * file system, and locks it; removes dead ones of the same target. *file: its descriptor; *name:
 * freed by dp_free. False with errno set. */
bool dp_temporary_make(int *file, char **name, const char *target,
                       const deeper_allocator *allocator);

/* Removes all dead ones from a folder. Errors: IO (the folder cannot be read). */
deeper_status dp_temporaries_remove(const char *folder, deeper_error *error);

#endif
