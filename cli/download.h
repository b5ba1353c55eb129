/* download.h - brings one file to a path: from http, https or another file; resumed, bounded, hash
 * checked, renamed when complete. */
#ifndef CLI_DOWNLOAD_H
#define CLI_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_download {
    const char *source; /* http://, https://, file:// or a path */
    const char *path;   /* where the file goes; PATH.part holds what has come so far */
    const char *hash;   /* "sha1:HEX" or "sha256:HEX" */
    uint64_t max_bytes;
    /* filled: */
    bool present;         /* the file was there already */
    uint64_t bytes;       /* of the whole file */
    uint64_t resumed_at;  /* bytes that an earlier try had brought */
    char found_hash[140]; /* in full */
} cli_download;

/* Whether `hash` has the form stated above, with all of its digits. */
bool cli_hash_ok(const char *hash);

/* Returns CLI_DONE, or CLI_FAILED after a line on stderr. After a broken transfer PATH.part stays
 * and the next call goes on from it; after a wrong hash it is removed. PATH is replaced only by a
 * complete, checked file. Creates the folder of PATH. */
int cli_download_run(cli_download *download);

#endif
