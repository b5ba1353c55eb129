/* journal.c - see journal.h for the layout. Reads and writes are at offsets, so that replaying does
 * not move the end. */
#include "base/journal.h"

#include "base/arithmetic.h"
#include "base/checksum.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALIGN = 64 };
static const char magic[8] = { 'D', 'P', 'J', 'R', 'N', 'L', '1', '\n' };
static const uint32_t ORDER = 0x01020304;

typedef struct start {
    char magic[8];
    uint32_t order, header_size;
    uint64_t record_size, checksum;
} start;

struct dp_journal {
    const deeper_allocator *allocator;
    char *path, *part; /* as the caller named it; while it grows */
    bool growing;
    int file;
    void *header;
    size_t header_size, record_size;
    uint64_t first; /* byte of the first record */
    uint64_t count;
};

/* ---------------------------------------------------------------------------------------- bytes */

static const char *name_of(const dp_journal *j) {
    return j->growing ? j->part : j->path;
}

static deeper_status read_at(const dp_journal *j, void *bytes, size_t size, uint64_t offset,
                             deeper_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t now = pread(j->file, (char *)bytes + done, size - done, (off_t)(offset + done));
        if (now < 0 && errno != EINTR)
            return dp_fail_errno(error, name_of(j), "cannot read");
        if (now == 0)
            return dp_fail_at(error, DEEPER_ERROR_FORMAT, (int64_t)(offset + done),
                              "%s: is cut short", name_of(j));
        done += now > 0 ? (size_t)now : 0;
    }
    return DEEPER_OK;
}

static deeper_status write_at(const dp_journal *j, const void *bytes, size_t size, uint64_t offset,
                              deeper_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t now =
            pwrite(j->file, (const char *)bytes + done, size - done, (off_t)(offset + done));
        if (now == 0) /* no progress, and no reason given */
            errno = ENOSPC;
        if (now == 0 || (now < 0 && errno != EINTR))
            return dp_fail_errno(error, name_of(j), "cannot write");
        done += now > 0 ? (size_t)now : 0;
    }
    return DEEPER_OK;
}

static uint64_t place(const dp_journal *j, uint64_t index) {
    return j->first + index * (j->record_size + sizeof(uint64_t));
}

static uint64_t checksum(const dp_journal *j, uint64_t index, const void *record) {
    return dp_checksum(dp_checksum(0, &index, sizeof index), record, j->record_size);
}

/* -------------------------------------------------------------------------------------- opening */

void dp_journal_close(dp_journal *j) {
    if (!j)
        return;
    if (j->file >= 0)
        close(j->file);
    dp_free(j->allocator, j->header);
    dp_free(j->allocator, j->path);
    dp_free(j->allocator, j->part);
    dp_free(j->allocator, j);
}

static deeper_status begin(dp_journal **journal, const char *path, bool growing,
                           const deeper_allocator *allocator, deeper_error *error) {
    static const char ending[] = ".part";
    dp_journal *j = dp_alloc(allocator, 1, sizeof *j);
    if (!j)
        return dp_fail_memory(error, "a journal");
    size_t length = strlen(path);
    *j = (dp_journal){
        .allocator = allocator, .growing = growing, .file = -1, .path = dp_strdup(allocator, path)
    };
    j->part = dp_alloc(allocator, length + sizeof ending, 1);
    *journal = j;
    if (!j->path || !j->part)
        return dp_fail_memory(error, "the name of a journal");
    memcpy(j->part, path, length);
    memcpy(j->part + length, ending, sizeof ending);
    return DEEPER_OK;
}

static void lay_out(dp_journal *j) {
    j->first = dp_round_up(sizeof(start) + j->header_size, ALIGN);
}

/* Reads the header, and counts the records by the size of the file. */
static deeper_status read_start(dp_journal *j, deeper_error *error) {
    start s;
    struct stat status;
    DP_TRY(read_at(j, &s, sizeof s, 0, error));
    if (memcmp(s.magic, magic, sizeof magic) != 0)
        return dp_fail_at(error, DEEPER_ERROR_FORMAT, 0, "%s: is no file of saved answers",
                          name_of(j));
    if (s.order != ORDER)
        return dp_fail_at(error, DEEPER_ERROR_UNSUPPORTED, 8,
                          "%s: was written by a machine with another order of bytes", name_of(j));
    if (s.header_size > DP_JOURNAL_HEADER_MAX || s.record_size < 1
        || s.record_size > DP_JOURNAL_RECORD_MAX)
        return dp_fail_at(error, DEEPER_ERROR_LIMIT, 12,
                          "%s: a header of %u or records of %llu bytes are more than is read",
                          name_of(j), s.header_size, (unsigned long long)s.record_size);
    j->header_size = s.header_size;
    j->record_size = (size_t)s.record_size;
    lay_out(j);
    j->header = dp_alloc_raw(j->allocator, j->header_size + 1, 1);
    if (!j->header)
        return dp_fail_memory(error, "the header of a journal");
    DP_TRY(read_at(j, j->header, j->header_size, sizeof s, error));
    if (dp_checksum(s.record_size, j->header, j->header_size) != s.checksum)
        return dp_fail_at(error, DEEPER_ERROR_FORMAT, sizeof s, "%s: its header is damaged",
                          name_of(j));
    if (fstat(j->file, &status) != 0)
        return dp_fail_errno(error, name_of(j), "cannot read");
    uint64_t size = (uint64_t)status.st_size;
    j->count = size > j->first ? (size - j->first) / (j->record_size + sizeof(uint64_t)) : 0;
    return DEEPER_OK;
}

static deeper_status open_whole(dp_journal *j, deeper_error *error) {
    if (dp_is_folder(j->path) < 0 && dp_is_folder(j->part) == 0)
        return dp_fail(error, DEEPER_ERROR_IO,
                       "%s: is not finished; %s is what there is of it, to go on with", j->path,
                       j->part);
    DP_TRY(dp_file_open(&j->file, j->path, error));
    return read_start(j, error);
}

static deeper_status finish_open(dp_journal **journal, dp_journal *j, deeper_status status) {
    if (status == DEEPER_OK)
        *journal = j;
    else
        dp_journal_close(j);
    return status;
}

deeper_status dp_journal_open(dp_journal **journal, const char *path,
                              const deeper_allocator *allocator, deeper_error *error) {
    dp_journal *j = NULL;
    deeper_status status = begin(&j, path, false, allocator, error);
    if (status == DEEPER_OK)
        status = open_whole(j, error);
    return finish_open(journal, j, status);
}

/* Of a file that another process writes both would lose. */
static deeper_status take_lock(const dp_journal *j, deeper_error *error) {
    if (lockf(j->file, F_TLOCK, 0) == 0
        || (errno != EACCES && errno != EAGAIN)) /* some file systems have no locks */
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_IO, "%s: is being written by another process", j->part);
}

/* Writes what comes before the records, and makes it last: a part whose header a loss of power took
 * could not be gone on with. */
static deeper_status write_start(dp_journal *j, const void *header, deeper_error *error) {
    start s = { .order = ORDER,
                .header_size = (uint32_t)j->header_size,
                .record_size = j->record_size };
    memcpy(s.magic, magic, sizeof magic);
    s.checksum = dp_checksum(s.record_size, header, j->header_size);
    lay_out(j);
    j->header = dp_alloc(j->allocator, j->header_size + 1, 1);
    if (!j->header)
        return dp_fail_memory(error, "the header of a journal");
    memcpy(j->header, header, j->header_size);
    static const char zeros[ALIGN];
    uint64_t used = sizeof s + j->header_size;
    DP_TRY(write_at(j, &s, sizeof s, 0, error));
    DP_TRY(write_at(j, header, j->header_size, sizeof s, error));
    DP_TRY(write_at(j, zeros, (size_t)(j->first - used), used, error));
    return dp_journal_sync(j, false, error);
}

static deeper_status create(dp_journal *j, const void *header, deeper_error *error) {
    j->file = open(j->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (j->file < 0 && errno == EEXIST)
        return dp_fail(
            error, DEEPER_ERROR_ARGUMENT,
            "%s: is an evaluation that was broken off; resume goes on with it, or remove it",
            j->part);
    if (j->file < 0)
        return dp_fail_errno(error, j->part, "cannot write");
    deeper_status status = take_lock(j, error);
    if (status == DEEPER_OK)
        status = write_start(j, header, error);
    if (status != DEEPER_OK)
        unlink(j->part); /* nothing is in it */
    return status;
}

deeper_status dp_journal_create(dp_journal **journal, const char *path, const void *header,
                                size_t header_size, size_t record_size,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_journal *j = NULL;
    if (header_size > DP_JOURNAL_HEADER_MAX || record_size > DP_JOURNAL_RECORD_MAX)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: a header of %zu or records of %zu bytes are more than is written", path,
                       header_size, record_size);
    deeper_status status = begin(&j, path, true, allocator, error);
    if (status == DEEPER_OK) {
        j->header_size = header_size;
        j->record_size = record_size;
        status = create(j, header, error);
    }
    return finish_open(journal, j, status);
}

/* The records up to the first that is not sound; the rest is cut off. What cannot be read now may
 * be read later, and stays. */
static deeper_status keep_sound(dp_journal *j, deeper_error *error) {
    void *record = dp_alloc_raw(j->allocator, j->record_size, 1);
    if (!record)
        return dp_fail_memory(error, "a record of a journal");
    uint64_t sound = 0;
    deeper_status status = DEEPER_OK;
    while (sound < j->count && (status = dp_journal_read(j, sound, record, error)) == DEEPER_OK)
        sound++;
    dp_free(j->allocator, record);
    if (status != DEEPER_OK && status != DEEPER_ERROR_FORMAT)
        return status;
    j->count = sound;
    return ftruncate(j->file, (off_t)place(j, sound)) == 0
               ? DEEPER_OK
               : dp_fail_errno(error, j->part, "cannot write");
}

/* Whether a file of `size` bytes, which begins with `s` as far as it goes, is of a journal whose
 * header was broken off. Anything else may be another's file. */
static bool is_broken_off(const start *s, uint64_t size) {
    size_t known = size < sizeof s->magic ? (size_t)size : sizeof s->magic;
    return memcmp(s->magic, magic, known) == 0
           && (size < sizeof *s || size < sizeof *s + s->header_size);
}

/* Opens the part of a journal that is being written; *there: it holds more than a header that was
 * broken off, which is removed. */
static deeper_status open_part(dp_journal *j, bool *there, deeper_error *error) {
    struct stat status;
    start s = { 0 };
    *there = false;
    j->file = open(j->part, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (j->file < 0 && errno == ENOENT)
        return DEEPER_OK;
    if (j->file < 0 || fstat(j->file, &status) != 0)
        return dp_fail_errno(error, j->part, "cannot open");
    if (!S_ISREG(status.st_mode))
        return dp_fail(error, DEEPER_ERROR_IO, "%s: is not an ordinary file", j->part);
    DP_TRY(take_lock(j, error));
    uint64_t size = (uint64_t)status.st_size;
    DP_TRY(read_at(j, &s, size < sizeof s ? (size_t)size : sizeof s, 0, error));
    *there = !is_broken_off(&s, size);
    if (!*there && unlink(j->part) != 0)
        return dp_fail_errno(error, j->part, "cannot remove");
    return DEEPER_OK;
}

deeper_status dp_journal_resume(dp_journal **journal, const char *path,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_journal *j = NULL;
    bool there = false;
    *journal = NULL;
    deeper_status status = begin(&j, path, true, allocator, error);
    if (status == DEEPER_OK)
        status = open_part(j, &there, error);
    if (status == DEEPER_OK && !there) {
        dp_journal_close(j);
        return DEEPER_OK;
    }
    if (status == DEEPER_OK)
        status = read_start(j, error);
    if (status == DEEPER_OK)
        status = keep_sound(j, error);
    return finish_open(journal, j, status);
}

/* -------------------------------------------------------------------------------------- records */

const void *dp_journal_header(const dp_journal *j, size_t *size) {
    *size = j->header_size;
    return j->header;
}

size_t dp_journal_record_size(const dp_journal *j) {
    return j->record_size;
}

uint64_t dp_journal_count(const dp_journal *j) {
    return j->count;
}

deeper_status dp_journal_read(const dp_journal *j, uint64_t index, void *record,
                              deeper_error *error) {
    uint64_t sum = 0, at = place(j, index);
    DP_TRY(read_at(j, &sum, sizeof sum, at, error));
    DP_TRY(read_at(j, record, j->record_size, at + sizeof sum, error));
    if (checksum(j, index, record) == sum)
        return DEEPER_OK;
    return dp_fail_at(error, DEEPER_ERROR_FORMAT, (int64_t)at, "%s: record %llu is damaged",
                      name_of(j), (unsigned long long)index);
}

deeper_status dp_journal_append(dp_journal *j, const void *record, deeper_error *error) {
    uint64_t sum = checksum(j, j->count, record), at = place(j, j->count);
    DP_TRY(write_at(j, &sum, sizeof sum, at, error));
    DP_TRY(write_at(j, record, j->record_size, at + sizeof sum, error));
    j->count++;
    return DEEPER_OK;
}

deeper_status dp_journal_sync(dp_journal *j, bool done, deeper_error *error) {
    if (!j->growing)
        return DEEPER_OK;
    if (fsync(j->file) != 0)
        return dp_fail_errno(error, j->part, "cannot write");
    if (!done)
        return DEEPER_OK;
    DP_TRY(dp_file_rename(j->part, j->path, j->allocator, error));
    j->growing = false;
    return DEEPER_OK;
}
