/* zips.c - see zips.h. */
#include "helpers/zips.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void test_put_number(test_bytes *out, uint64_t value, int bytes) {
    unsigned char little[8];
    for (int i = 0; i < bytes; i++)
        little[i] = (unsigned char)(value >> 8 * i);
    test_put(out, little, (size_t)bytes);
}

/* What header and directory say alike of an entry. */
static void put_fields(test_bytes *out, const test_zip_entry *entry, size_t packed) {
    uint32_t sum = (uint32_t)crc32(0, entry->data, (unsigned)entry->size) ^ entry->wrong_sum;
    const struct {
        uint64_t value;
        int bytes;
    } fields[] = { { 20, 2 },
                   { entry->flags, 2 },
                   { (unsigned)entry->method, 2 },
                   { 0x00210000, 4 }, /* no time */
                   { sum, 4 },
                   { packed, 4 },
                   { entry->stated_size ? entry->stated_size : entry->size, 4 },
                   { strlen(entry->name), 2 },
                   { 0, 2 } };
    unsigned char record[26], *end = record;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int k = 0; k < fields[i].bytes; k++)
            *end++ = (unsigned char)(fields[i].value >> 8 * k);
    test_put(out, record, sizeof record);
}

/* The entry's data as it is written; *own: to be freed. */
static const void *pack(const test_zip_entry *entry, size_t *size, void **own) {
    *own = NULL;
    *size = entry->size;
    if (entry->method != TEST_ZIP_DEFLATE)
        return entry->data;
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)entry->data,
                        .avail_in = (unsigned)entry->size };
    if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t room = deflateBound(&stream, entry->size);
    stream.next_out = *own = malloc(room);
    stream.avail_out = (unsigned)room;
    if (!*own || deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    *size = stream.total_out;
    deflateEnd(&stream);
    return *own;
}

void test_zip_put(test_bytes *out, const test_zip_entry *entries, size_t count) {
    test_bytes directory = { 0 };
    for (size_t i = 0; i < count; i++) {
        size_t offset = out->size, packed;
        void *own;
        const void *data = pack(&entries[i], &packed, &own);
        test_put_number(out, 0x04034B50, 4);
        put_fields(out, &entries[i], packed);
        test_put(out, entries[i].name, strlen(entries[i].name));
        test_put(out, data, packed);
        test_put_number(&directory, 0x02014B50, 4);
        test_put_number(&directory, 20, 2);
        put_fields(&directory, &entries[i], packed);
        test_put_number(&directory, 0, 6);
        test_put_number(&directory, 0, 4);
        test_put_number(&directory, offset, 4);
        test_put(&directory, entries[i].name, strlen(entries[i].name));
        free(own);
    }
    size_t begin = out->size;
    test_put(out, directory.bytes, directory.size);
    test_put_number(out, 0x06054B50, 4);
    test_put_number(out, 0, 4);
    test_put_number(out, count, 2);
    test_put_number(out, count, 2);
    test_put_number(out, directory.size, 4);
    test_put_number(out, begin, 4);
    test_put_number(out, 0, 2);
    free(directory.bytes);
}

void test_npy_put(test_bytes *out, const char *header, const void *data, size_t size) {
    test_put(out, "\x93NUMPY\1\0", 8);
    test_put_number(out, strlen(header) + 1, 2);
    test_put(out, header, strlen(header));
    test_put(out, "\n", 1);
    test_put(out, data, size);
}
