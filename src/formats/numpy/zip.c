/* zip.c - entries out of a zip file in memory. The format is libzip's matter; here are the limits:
 * an entry is read only where its stated size can be true, and all together only as far as the
 * file's size pays for. The writer is zip_write.c. */
#include "formats/numpy/zip.h"

#include <string.h>

enum {
    LOCAL_HEADER = 30,
    LOCAL_NAME_LENGTH = 26
}; /* of the header before each entry's bytes: its size, where the name's length is */

bool dp_zip_begins(const unsigned char *bytes, size_t size, const char **entry, size_t *length) {
    if (size < LOCAL_HEADER || memcmp(bytes, "PK\3\4", 4) != 0)
        return false;
    *length = bytes[LOCAL_NAME_LENGTH] | (size_t)bytes[LOCAL_NAME_LENGTH + 1] << 8;
    *entry = (const char *)bytes + LOCAL_HEADER;
    return *length <= size - LOCAL_HEADER;
}

#ifdef DP_HAVE_ZIP

#include <zip.h>

enum { DEFLATE_BEST = 1032 }; /* no byte of deflate gives more than this many */

static deeper_status fail_zip(const char *name, zip_error_t *why, deeper_error *error) {
    deeper_status status =
        zip_error_code_zip(why) == ZIP_ER_MEMORY ? DEEPER_ERROR_MEMORY : DEEPER_ERROR_FORMAT;
    if (status == DEEPER_ERROR_MEMORY)
        dp_fail(error, status, "%s: out of memory to read its directory", name);
    else
        dp_fail(error, status,
                "%s: not a sound zip file, or cut short (%s); fetch or write it again", name,
                zip_error_strerror(why));
    zip_error_fini(why);
    return status;
}

deeper_status dp_zip_open(dp_zip *zip, const void *bytes, size_t size, const char *name,
                          const deeper_allocator *allocator, deeper_error *error) {
    *zip = (dp_zip){ .allocator = allocator, .name = name };
    if (size == 0) /* to libzip an archive yet to be made */
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: an empty file; fetch or write it again",
                       name);
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &why);
    if (!source)
        return fail_zip(name, &why, error);
    zip->archive = zip_open_from_source(source, ZIP_RDONLY, &why);
    if (!zip->archive) {
        zip_source_free(source);
        return fail_zip(name, &why, error);
    }
    zip_error_fini(&why);
    zip->count = (size_t)zip_get_num_entries(zip->archive, 0);
    if (!dp_size_mul(size, DP_ZIP_RATIO, &zip->left)
        || __builtin_add_overflow(zip->left, (size_t)DP_ZIP_ROOM, &zip->left))
        zip->left = SIZE_MAX;
    return DEEPER_OK;
}

void dp_zip_close(dp_zip *zip) {
    if (zip->archive)
        zip_discard(zip->archive);
    *zip = (dp_zip){ 0 };
}

const char *dp_zip_entry(const dp_zip *zip, size_t index) {
    const char *entry = zip_get_name(zip->archive, index, ZIP_FL_ENC_RAW);
    return entry ? entry : "";
}

int64_t dp_zip_find(const dp_zip *zip, const char *entry) {
    return zip_name_locate(zip->archive, entry, ZIP_FL_ENC_RAW);
}

/* Reads to the end, where libzip compares the checksum. */
static bool read_whole(zip_file_t *file, unsigned char *data, size_t size) {
    size_t have = 0;
    unsigned char beyond;
    for (;;) {
        zip_int64_t got =
            have < size ? zip_fread(file, data + have, size - have) : zip_fread(file, &beyond, 1);
        if (got < 0 || (got > 0 && have == size))
            return false;
        if (got == 0)
            return have == size;
        have += (size_t)got;
    }
}

/* Whether an entry may be read, from what the directory says of it. */
static deeper_status check_entry(const dp_zip *zip, const zip_stat_t *entry, const char *shown,
                                 deeper_error *error) {
    const zip_uint64_t needed =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((entry->valid & needed) != needed)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: its directory does not say how large %.100s is", zip->name, shown);
    if (entry->encryption_method != ZIP_EM_NONE)
        return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: entry %.100s is encrypted; write it without a password", zip->name,
                       shown);
    if (entry->comp_method != ZIP_CM_STORE && entry->comp_method != ZIP_CM_DEFLATE)
        return dp_fail(
            error, DEEPER_ERROR_UNSUPPORTED,
            "%s: entry %.100s is compressed by method %d; stored and deflated entries are read",
            zip->name, shown, (int)entry->comp_method);
    if (entry->size > zip->left)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: entry %.100s would unpack to %llu bytes, with the others more than a "
                       "file of this size may",
                       zip->name, shown, (unsigned long long)entry->size);
    if (entry->size > 0 && entry->size / DEFLATE_BEST > entry->comp_size)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: entry %.100s: %llu bytes cannot unpack to %llu", zip->name, shown,
                       (unsigned long long)entry->comp_size, (unsigned long long)entry->size);
    return DEEPER_OK;
}

deeper_status dp_zip_read(dp_zip *zip, size_t index, unsigned char **data, size_t *size,
                          deeper_error *error) {
    *data = NULL;
    zip_stat_t entry;
    const char *shown = dp_zip_entry(zip, index);
    if (zip_stat_index(zip->archive, index, 0, &entry) != 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: entry %.100s cannot be read", zip->name,
                       shown);
    DP_TRY(check_entry(zip, &entry, shown, error));
    unsigned char *block =
        dp_alloc_raw(zip->allocator, (size_t)entry.size + 1, 1); /* never of no bytes */
    zip_file_t *file = block ? zip_fopen_index(zip->archive, index, 0) : NULL;
    bool whole = file && read_whole(file, block, (size_t)entry.size);
    if (file)
        zip_fclose(file);
    if (!whole) {
        dp_free(zip->allocator, block);
        if (!block || (!file && zip_error_code_zip(zip_get_error(zip->archive)) == ZIP_ER_MEMORY))
            return dp_fail_memory(error, "an entry of a zip file");
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: entry %.100s is damaged; fetch or write the file again", zip->name,
                       shown);
    }
    zip->left -= (size_t)entry.size;
    *data = block;
    *size = (size_t)entry.size;
    return DEEPER_OK;
}

#else

deeper_status dp_zip_open(dp_zip *zip, const void *bytes, size_t size, const char *name,
                          const deeper_allocator *allocator, deeper_error *error) {
    *zip = (dp_zip){ 0 };
    return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: a zip file (.npz, .pth), which this build does not read; build deeper with "
                   "libzip (libzip-dev)",
                   name);
}

void dp_zip_close(dp_zip *zip) {
}

const char *dp_zip_entry(const dp_zip *zip, size_t index) {
    return "";
}

int64_t dp_zip_find(const dp_zip *zip, const char *entry) {
    return -1;
}

deeper_status dp_zip_read(dp_zip *zip, size_t index, unsigned char **data, size_t *size,
                          deeper_error *error) {
    *data = NULL;
    return DEEPER_ERROR_UNSUPPORTED;
}

#endif
