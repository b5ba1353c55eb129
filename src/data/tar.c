/* tar.c - the headers of a tar file, read once through libarchive, which knows their dialects
 * (ustar, pax, GNU, old). Words: a folder's name sorts before the names in it, and these before
 * whatever else begins alike: '/' sorts below every byte. */
#include "data/tar.h"

#include "data/names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef DP_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#endif

enum { BLOCK = 512, CHECKSUM = 148, CHECKSUM_SIZE = 8, READ_BLOCK = 1 << 16 };

#define TEXT_LIMIT UINT32_MAX /* bytes of all names */

bool dp_tar_begins(const unsigned char *bytes, size_t size) {
    unsigned sum = 0, stated = 0;
    if (size < BLOCK)
        return false;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : bytes[i];
    const unsigned char *digit = bytes + CHECKSUM;
    while (digit < bytes + CHECKSUM + CHECKSUM_SIZE && *digit == ' ')
        digit++;
    for (; digit < bytes + CHECKSUM + CHECKSUM_SIZE && *digit >= '0' && *digit <= '7'; digit++)
        stated = stated * 8 + (*digit - '0');
    return bytes[0] != 0 && sum == stated;
}

void dp_tar_index_free(dp_tar_index *index) {
    dp_free(index->text.allocator, index->entries);
    dp_buffer_free(&index->text);
    *index = (dp_tar_index){ 0 };
}

#ifdef DP_HAVE_ARCHIVE

static const char *name_of(const dp_tar_index *index, const dp_tar_entry *entry) {
    return index->text.data + entry->name;
}

static deeper_status fail_memory(const char *path, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for the names in the tar", path);
}

/* ---------------------------------------------------------------------------------------- order */

static int compare_names(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    int left = *a == '/' ? 1
               : *a      ? (unsigned char)*a + 1
                         : 0,
        right = *b == '/' ? 1
                : *b      ? (unsigned char)*b + 1
                          : 0;
    return left - right;
}

static int compare_entries(const void *a, const void *b, void *context) {
    const dp_tar_entry *left = a, *right = b;
    int names = compare_names(name_of(context, left), name_of(context, right));
    return names ? names : left->order < right->order ? -1 : 1;
}

/* Sorts, and keeps the last of each name. */
static void sort(dp_tar_index *index) {
    size_t kept = 0;
    if (index->count > 1)
        qsort_r(index->entries, index->count, sizeof *index->entries, compare_entries, index);
    for (size_t i = 0; i < index->count; i++) {
        const dp_tar_entry *entry = &index->entries[i];
        if (i + 1 == index->count || strcmp(name_of(index, entry), name_of(index, entry + 1)) != 0)
            index->entries[kept++] = *entry;
    }
    index->count = kept;
}

static const char *link_of(const dp_tar_index *index, const dp_tar_entry *entry) {
    return index->text.data + entry->link;
}

/* The entry of that name in the sorted index; NULL: none. */
static const dp_tar_entry *find(const dp_tar_index *index, const char *name) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(name, name_of(index, &index->entries[middle]));
        if (order == 0)
            return &index->entries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Gives hard links the bytes of what they lead to. */
static deeper_status resolve(dp_tar_index *index, const char *path, deeper_error *error) {
    for (size_t i = 0; i < index->count; i++) {
        dp_tar_entry *entry = &index->entries[i];
        if (!entry->linked)
            continue;
        const dp_tar_entry *other = find(index, link_of(index, entry));
        if (!other || other->folder || other->linked)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s:%s: a hard link to %s, which is no file in the tar; pack it again",
                           path, name_of(index, entry), link_of(index, entry));
        entry->offset = other->offset;
        entry->size = other->size;
    }
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- entries */

/* The name without what leads nowhere in front and the slash at the end; its length. 0: the top
 * folder itself, or a name that is passed over (names.h). */
static size_t plain_name(const char **name, bool folder) {
    const char *at = *name;
    while (*at == '/' || (at[0] == '.' && (at[1] == '/' || at[1] == 0)))
        at++;
    size_t length = strlen(at);
    while (length > 0 && at[length - 1] == '/')
        length--;
    for (size_t begin = 0, end; begin < length; begin = end + 1) {
        for (end = begin; end < length && at[end] != '/';)
            end++;
        if (end > begin && dp_name_ignored(at + begin, end - begin, folder || end < length))
            return 0;
    }
    *name = at;
    return length;
}

static bool add(dp_tar_index *index, const char *name, size_t length, const dp_tar_entry *entry) {
    dp_buffer *text = &index->text;
    void *entries = index->entries;
    if (!dp_reserve(text->allocator, &entries, &index->capacity, index->count + 1,
                    sizeof *index->entries))
        return false;
    index->entries = entries;
    dp_tar_entry *added = &index->entries[index->count];
    *added = *entry;
    added->name = text->size;
    added->order = index->count++;
    return dp_buffer_append(text, name, length) && dp_buffer_append(text, "", 1);
}

static deeper_status add_entry(dp_tar_index *index, struct archive *archive,
                               struct archive_entry *from, uint64_t file_size, const char *path,
                               deeper_error *error) {
    const char *name = archive_entry_pathname(from), *link = archive_entry_hardlink(from);
    name = name ? name : archive_entry_pathname_utf8(from);
    dp_tar_entry entry = { .offset = (uint64_t)archive_filter_bytes(archive, 0),
                           .folder = archive_entry_filetype(from) == AE_IFDIR };
    size_t length = name ? plain_name(&name, entry.folder) : 0;
    if (length == 0 || !(entry.folder || link || archive_entry_filetype(from) == AE_IFREG))
        return DEEPER_OK;
    if (link) {
        size_t link_length = plain_name(&link, false);
        entry.linked = true;
        entry.link = index->text.size;
        if (!dp_buffer_append(&index->text, link, link_length)
            || !dp_buffer_append(&index->text, "", 1))
            return fail_memory(path, error);
    } else if (!entry.folder)
        entry.size = (uint64_t)archive_entry_size(from);
    if (archive_entry_sparse_count(from) > 0)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s:%.*s: stored as a sparse file; pack the tar without --sparse", path,
                       (int)length, name);
    if (entry.size > file_size || entry.offset > file_size - entry.size)
        return dp_fail_at(error, DEEPER_ERROR_FORMAT, (int64_t)file_size,
                          "%s: cut short, it ends inside %.*s; fetch or pack it again", path,
                          (int)length, name);
    return add(index, name, length, &entry) ? DEEPER_OK : fail_memory(path, error);
}

static deeper_status read_entries(dp_tar_index *index, struct archive *archive, int file,
                                  const char *path, deeper_error *error) {
    struct stat status;
    struct archive_entry *entry = NULL;
    if (fstat(file, &status) != 0 || lseek(file, 0, SEEK_SET) != 0)
        return dp_fail_errno(error, path, "cannot read the tar");
    archive_read_support_format_tar(archive);
    int code = archive_read_open_fd(archive, file, READ_BLOCK);
    while (code == ARCHIVE_OK || code == ARCHIVE_WARN) {
        code = archive_read_next_header(archive, &entry);
        if (code == ARCHIVE_OK || code == ARCHIVE_WARN)
            DP_TRY(add_entry(index, archive, entry, (uint64_t)status.st_size, path, error));
    }
    if (code == ARCHIVE_EOF)
        return DEEPER_OK;
    if (archive_errno(archive) == ENOMEM)
        return fail_memory(path, error);
    const char *why = archive_error_string(archive);
    return dp_fail_at(error, DEEPER_ERROR_FORMAT, archive_filter_bytes(archive, 0),
                      "%s: damaged tar (%s); fetch or pack it again", path, why ? why : "unknown");
}

deeper_status dp_tar_index_read(dp_tar_index *index, int file, const char *path,
                                const deeper_allocator *allocator, deeper_error *error) {
    *index = (dp_tar_index){ 0 };
    dp_buffer_init(&index->text, allocator, TEXT_LIMIT);
    struct archive *archive = archive_read_new();
    if (!archive)
        return fail_memory(path, error);
    deeper_status status = read_entries(index, archive, file, path, error);
    archive_read_free(archive);
    if (status == DEEPER_OK) {
        sort(index);
        status = resolve(index, path, error);
    }
    if (status != DEEPER_OK)
        dp_tar_index_free(index);
    return status;
}

#else

deeper_status dp_tar_index_read(dp_tar_index *index, int file, const char *path,
                                const deeper_allocator *allocator, deeper_error *error) {
    *index = (dp_tar_index){ 0 };
    return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: a tar, but this build has no libarchive to read it with; unpack it", path);
}

#endif
