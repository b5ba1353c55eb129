/* zips.h - zip files byte by byte, sound or not: what a test of a reader needs and no library would
 * write. */
#ifndef TEST_HELPERS_ZIPS_H
#define TEST_HELPERS_ZIPS_H

#include "helpers/tars.h"

#include <stdbool.h>
#include <stdint.h>

enum { TEST_ZIP_DEFLATE = 8 };

/* One entry; what is 0 is as it should be. */
typedef struct test_zip_entry {
    const char *name;
    const void *data;
    size_t size;
    int method;     /* 0: stored; TEST_ZIP_DEFLATE: deflated by zlib; others are only stated */
    unsigned flags; /* 1: encrypted, which is only stated */
    unsigned stated_size; /* said instead of the true one, in the directory and before the entry */
    bool wrong_sum;       /* the checksum is not the data's */
} test_zip_entry;

/* Appends the lowest bytes of a number, little-endian. */
void test_put_number(test_bytes *out, uint64_t value, int bytes);

/* Appends a whole zip file to an empty buffer. */
void test_zip_put(test_bytes *out, const test_zip_entry *entries, size_t count);

/* The bytes of a .npy array, version 1.0: the header text as it is, then a newline, then `size`
 * bytes of data. */
void test_npy_put(test_bytes *out, const char *header, const void *data, size_t size);

#endif
