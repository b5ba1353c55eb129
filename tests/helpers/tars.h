/* tars.h - tar and IDX files made byte by byte, in memory: what tests and seeds of the fuzzer need,
 * without the libraries that read them. */
#ifndef TEST_TARS_H
#define TEST_TARS_H

#include "helpers/pictures.h"

/* Appends bytes as they are. */
void test_put(test_bytes *out, const void *bytes, size_t size);

/* Appends a ustar header, then the data, filled up to whole blocks. type: '0' a file, '5' a folder,
 * '1' a hard link and '2' a symbolic link to `link`, 'x' pax records and 'L' a GNU name for the
 * next entry, ... */
void test_tar_put(test_bytes *out, const char *name, char type, const char *link, const void *data,
                  size_t size);

/* Two blocks of zeros. */
void test_tar_end(test_bytes *out);

/* An IDX file of `rank` 3 (count pictures of rows x columns) or 1 (count labels), whose bytes are
 * 0, step, 2 step, ... mod 256. */
void test_idx_put(test_bytes *out, int rank, unsigned count, unsigned rows, unsigned columns,
                  unsigned step);

#endif
