/* tar.h - what is in a tar file, and where: names, offsets and sizes, so that any of it can be read
 * at random without unpacking. What it does not do: say which folder is a class (open_tar.c), read
 * what is inside, follow symbolic links. */
#ifndef DP_DATA_TAR_H
#define DP_DATA_TAR_H

#include "base/memory.h"

typedef struct dp_tar_entry {
    size_t
        name; /* where it begins in the index's text: no "./" or "/" in front, no "/" at the end */
    uint64_t offset, size;
    bool folder;
    bool linked;  /* a hard link, until the index is complete */
    size_t link;  /* where the name it leads to begins in the text */
    size_t order; /* in the file */
} dp_tar_entry;

typedef struct dp_tar_index {
    dp_tar_entry *entries; /* ordinary files and folders */
    size_t count, capacity;
    dp_buffer text;
} dp_tar_index;

/* Whether the first bytes are those of a tar that is not compressed: a header block with its
 * checksum. */
bool dp_tar_begins(const unsigned char *bytes, size_t size);

/* Reads the headers of an open file, from its beginning to its end; what lies between them is
 * skipped. Entries are in the order of a walk through the folders, each sorted by bytes: what is in
 * "a" comes before "a-b". Of entries of one name the last is kept, as when unpacking; hard links
 * become entries of their own. Names that are passed over (names.h), links and devices are left
 * out. path: for messages. Errors: FORMAT (damaged, cut short, a hard link to nothing), UNSUPPORTED
 * (sparse files, a build without libarchive), IO, MEMORY. libarchive allocates with malloc. */
deeper_status dp_tar_index_read(dp_tar_index *index, int file, const char *path,
                                const deeper_allocator *allocator, deeper_error *error);
void dp_tar_index_free(dp_tar_index *index);

#endif
