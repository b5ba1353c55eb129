/* zip_write.c - a zip file of stored entries, written in one pass: each entry a header and its
 * bytes, then the directory. Why not libzip's writer: it writes the file itself, not through
 * dp_writer, and the plain form is three records. Fields are little-endian; offsets and sizes end
 * at 4 GB. */
#include "formats/numpy/zip.h"

#include <string.h>
#include <zlib.h>

enum {
    VERSION = 20,          /* of the format: 2.0 */
    UTF8_NAMES = 1 << 11,  /* flag */
    NO_DATE = 0x0021,      /* 1980-01-01, the earliest that there is */
    LARGEST = 0xFFFFFFFEU, /* above, the sizes of zip64 would be needed */
    MAX_ENTRIES = 0xFFFE
};

static unsigned char *put16(unsigned char *at, unsigned value) {
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
    return at + 2;
}

static unsigned char *put32(unsigned char *at, uint64_t value) {
    return put16(put16(at, (unsigned)value & 0xFFFFU), (unsigned)(value >> 16) & 0xFFFFU);
}

/* What header and directory say alike of an entry: 26 bytes. */
static unsigned char *put_entry(unsigned char *at, uint32_t checksum, size_t size,
                                size_t name_length) {
    at = put16(at, VERSION);
    at = put16(at, UTF8_NAMES);
    at = put16(at, 0); /* stored */
    at = put16(at, 0); /* time */
    at = put16(at, NO_DATE);
    at = put32(at, checksum);
    at = put32(at, size);
    at = put32(at, size);
    at = put16(at, (unsigned)name_length);
    return put16(at, 0); /* no extra field */
}

/* zlib counts in unsigned int. */
static uint32_t checksum_of(uint32_t checksum, const unsigned char *bytes, size_t size) {
    const size_t piece = 1U << 30;
    for (size_t done = 0; done < size; done += piece)
        checksum = (uint32_t)crc32(checksum, bytes + done,
                                   (unsigned)(size - done < piece ? size - done : piece));
    return checksum;
}

deeper_status dp_zip_create(dp_zip_writer *zip, const char *path, const deeper_allocator *allocator,
                            deeper_error *error) {
    *zip = (dp_zip_writer){ .path = path };
    dp_buffer_init(&zip->directory, allocator, LARGEST);
    return dp_writer_open(&zip->writer, path, allocator, error);
}

void dp_zip_add(dp_zip_writer *zip, const char *entry, const void *head, size_t head_size,
                const void *data, size_t size) {
    unsigned char record[64], *end;
    size_t length = strlen(entry), total = head_size + size;
    if (zip->too_large || length > UINT16_MAX || size > LARGEST - head_size
        || zip->offset > LARGEST - total || zip->count == MAX_ENTRIES) {
        zip->too_large = true;
        return;
    }
    uint32_t checksum = checksum_of(checksum_of(0, head, head_size), data, size);
    end = put_entry(put32(record, 0x04034B50), checksum, total, length);
    size_t front = (size_t)(end - record);
    dp_writer_put(zip->writer, record, front);
    dp_writer_put(zip->writer, entry, length);
    dp_writer_put(zip->writer, head, head_size);
    dp_writer_put(zip->writer, data, size);
    end = put_entry(put16(put32(record, 0x02014B50), VERSION), checksum, total, length);
    end = put16(end, 0); /* comment */
    end = put16(end, 0); /* disk */
    end = put16(end, 0); /* internal and */
    end = put32(end, 0); /* external attributes */
    end = put32(end, zip->offset);
    dp_buffer_append(&zip->directory, record, (size_t)(end - record));
    dp_buffer_append(&zip->directory, entry, length);
    zip->offset += front + length + total;
    zip->count++;
}

deeper_status dp_zip_commit(dp_zip_writer *zip, deeper_error *error) {
    unsigned char record[32], *end = put32(record, 0x06054B50);
    deeper_status status = DEEPER_OK;
    if (zip->too_large || zip->offset > LARGEST - zip->directory.size)
        status = dp_fail(error, DEEPER_ERROR_LIMIT,
                         "%s: not written: larger than the 4 GB or %d entries that it may have; "
                         "write .safetensors",
                         zip->path, MAX_ENTRIES);
    else if (zip->directory.failed)
        status = dp_fail_memory(error, "the directory of a zip file");
    if (status != DEEPER_OK) {
        dp_zip_discard(zip);
        return status;
    }
    end = put32(end, 0); /* disks */
    end = put16(put16(end, (unsigned)zip->count), (unsigned)zip->count);
    end = put32(put32(end, zip->directory.size), zip->offset);
    end = put16(end, 0); /* comment */
    if (zip->count)
        dp_writer_put(zip->writer, zip->directory.data, zip->directory.size);
    dp_writer_put(zip->writer, record, (size_t)(end - record));
    status = dp_writer_commit(zip->writer, error);
    dp_buffer_free(&zip->directory);
    *zip = (dp_zip_writer){ 0 };
    return status;
}

void dp_zip_discard(dp_zip_writer *zip) {
    dp_writer_discard(zip->writer);
    dp_buffer_free(&zip->directory);
    *zip = (dp_zip_writer){ 0 };
}
