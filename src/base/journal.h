/* journal.h - a file that grows by records of one size while something long is computed, and loses
 * nothing of it to a kill. Why here: dp_writer makes files that appear whole; the answers of an
 * evaluation are too many to be kept in memory and too dear to be computed again. What it does not
 * do: say what header and records are.
 *
 * PATH.part while it grows, PATH once it is finished: "DPJRNL1\n", 0x01020304 as the machine stores
 * it, bytes of the header (u32), bytes of a record (u64), checksum of the header (u64), the header,
 * zeros up to a multiple of 64; then for each record its checksum (u64, of its number and bytes)
 * and its bytes. */
#ifndef DP_BASE_JOURNAL_H
#define DP_BASE_JOURNAL_H

#include "base/memory.h"

typedef struct dp_journal dp_journal;

enum { DP_JOURNAL_HEADER_MAX = 8 << 20, DP_JOURNAL_RECORD_MAX = 1 << 30 };

/* Opens a finished journal to read. Errors: IO, FORMAT (no journal, damaged, cut short; a PATH.part
 * is named if there is only that), LIMIT, UNSUPPORTED (of a machine with another order of bytes),
 * MEMORY. */
deeper_status dp_journal_open(dp_journal **journal, const char *path,
                              const deeper_allocator *allocator, deeper_error *error);

/* Begins PATH.part. Errors: IO; ARGUMENT if there is a PATH.part, which resume would go on with. */
deeper_status dp_journal_create(dp_journal **journal, const char *path, const void *header,
                                size_t header_size, size_t record_size,
                                const deeper_allocator *allocator, deeper_error *error);

/* Opens PATH.part to go on with it, cut down to its sound records. *journal is NULL if there is
 * none, or was none but a header that was broken off. Errors: those of dp_journal_open; IO if
 * another process is writing it. */
deeper_status dp_journal_resume(dp_journal **journal, const char *path,
                                const deeper_allocator *allocator, deeper_error *error);

/* The header (lives with the journal), the bytes of a record, the records that are there. */
const void *dp_journal_header(const dp_journal *journal, size_t *size);
size_t dp_journal_record_size(const dp_journal *journal);
uint64_t dp_journal_count(const dp_journal *journal);

/* Reads record `index` (below the count). Errors: FORMAT (its checksum differs), IO. */
deeper_status dp_journal_read(const dp_journal *journal, uint64_t index, void *record,
                              deeper_error *error);

/* Adds a record; for journals that were created or resumed. Errors: IO. */
deeper_status dp_journal_append(dp_journal *journal, const void *record, deeper_error *error);

/* Makes what was added last through a loss of power, and, with `done`, gives the file its name;
 * one that has it stays as it is. Errors: IO. */
deeper_status dp_journal_sync(dp_journal *journal, bool done, deeper_error *error);

/* Closes; what was added stays. NULL is a no-op. */
void dp_journal_close(dp_journal *journal);

#endif
