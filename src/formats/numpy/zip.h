/* zip.h - the container of .npz and .pth files: named entries, read from memory through libzip,
 * written without compression. Nothing is ever unpacked to a disk: a name is only compared. A build
 * without libzip writes but does not read. */
#ifndef DP_FORMATS_ZIP_H
#define DP_FORMATS_ZIP_H

#include "base/files.h"

/* All that is read of a file may take DP_ZIP_ROOM plus DP_ZIP_RATIO times its size: weights hardly
 * compress, features by some factors. */
enum { DP_ZIP_ROOM = 64 << 20, DP_ZIP_RATIO = 32 };

typedef struct dp_zip {
    const deeper_allocator *allocator;
    const char *name;    /* of the file, for messages; borrowed */
    struct zip *archive; /* libzip's */
    size_t count;        /* entries */
    size_t left;         /* bytes that may still be read */
} dp_zip;

/* Whether the bytes begin as a zip file with at least one entry does. *entry: the name of the
 * first, `length` bytes, not ended by a zero; what is in the file is told by it. */
bool dp_zip_begins(const unsigned char *bytes, size_t size, const char **entry, size_t *length);

/* The directory of a file in memory, which must outlive *zip. Errors: FORMAT, MEMORY, UNSUPPORTED
 * (a build without libzip); *zip is then closed. */
deeper_status dp_zip_open(dp_zip *zip, const void *bytes, size_t size, const char *name,
                          const deeper_allocator *allocator, deeper_error *error);
void dp_zip_close(dp_zip *zip);

/* Name of entry `index`, as long as the archive is open. */
const char *dp_zip_entry(const dp_zip *zip, size_t index);

/* Index of an entry; -1: there is none. */
int64_t dp_zip_find(const dp_zip *zip, const char *entry);

/* *data (freed by dp_free) = the bytes of an entry, its checksum checked. Errors: FORMAT (damaged),
 * UNSUPPORTED (encrypted, another method than stored and deflate), LIMIT (more than a file of this
 * size may hold), MEMORY. */
deeper_status dp_zip_read(dp_zip *zip, size_t index, unsigned char **data, size_t *size,
                          deeper_error *error);

/* A zip file being written; atomic as dp_writer is. The same entries give the same bytes: they have
 * no time. */
typedef struct dp_zip_writer {
    const char *path; /* borrowed */
    dp_writer *writer;
    dp_buffer directory;
    size_t count;
    uint64_t offset;
    bool too_large; /* 4 GB or 65,535 entries are passed, where the plain form of the format ends */
} dp_zip_writer;

deeper_status dp_zip_create(dp_zip_writer *zip, const char *path, const deeper_allocator *allocator,
                            deeper_error *error);

/* An entry of two pieces, head and data. Failures are told by commit. */
void dp_zip_add(dp_zip_writer *zip, const char *entry, const void *head, size_t head_size,
                const void *data, size_t size);
deeper_status
dp_zip_commit(dp_zip_writer *zip,
              deeper_error *error); /* frees in every case. Errors: LIMIT, MEMORY, IO */
void dp_zip_discard(dp_zip_writer *zip);

#endif
