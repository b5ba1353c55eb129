/* scratch.c - see scratch.h. */
#include "helpers/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/dev/shm/deeper_fuzz_XXXXXX";

static void remove_folder(void) {
    rmdir(folder);
}

const char *test_scratch(void) {
    static const char *created;
    if (!created) {
        if (access("/dev/shm", W_OK) != 0)
            snprintf(folder, sizeof folder, "/tmp/deeper_fuzz_XXXXXX");
        created = mkdtemp(folder);
        if (!created || atexit(remove_folder) != 0)
            abort();
    }
    return created;
}
