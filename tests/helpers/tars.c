/* tars.c - headers with their checksums, as tars.h has them. */
#include "helpers/tars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 512,
    NAME = 0,
    MODE = 100,
    SIZE = 124,
    TIME = 136,
    CHECKSUM = 148,
    TYPE = 156,
    LINK = 157,
    MAGIC = 257,
    NAME_SIZE = 100
};

void test_put(test_bytes *out, const void *bytes, size_t size) {
    unsigned char *grown = realloc(out->bytes, out->size + size + 1);
    if (!grown) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    if (size)
        memcpy(grown + out->size, bytes, size);
    out->bytes = grown;
    out->size += size;
}

void test_tar_put(test_bytes *out, const char *name, char type, const char *link, const void *data,
                  size_t size) {
    unsigned char header[BLOCK] = { 0 };
    static const unsigned char zeros[BLOCK];
    unsigned sum = 0;
    memcpy(header + NAME, name, strlen(name) < NAME_SIZE ? strlen(name) : NAME_SIZE);
    memcpy(header + MODE, "0000644", 7);
    snprintf((char *)header + SIZE, 12, "%011zo", size);
    memcpy(header + TIME, "00000000000", 11);
    memset(header + CHECKSUM, ' ', 8);
    header[TYPE] = (unsigned char)type;
    if (link)
        memcpy(header + LINK, link, strlen(link) < NAME_SIZE ? strlen(link) : NAME_SIZE);
    memcpy(header + MAGIC, "ustar\00000", 8);
    for (int i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + CHECKSUM, 8, "%06o", sum);
    test_put(out, header, BLOCK);
    test_put(out, data, size);
    test_put(out, zeros, (BLOCK - size % BLOCK) % BLOCK);
}

void test_tar_end(test_bytes *out) {
    static const unsigned char zeros[2 * BLOCK];
    test_put(out, zeros, sizeof zeros);
}

static void put_word(test_bytes *out, unsigned word) {
    const unsigned char bytes[4] = { (unsigned char)(word >> 24), (unsigned char)(word >> 16),
                                     (unsigned char)(word >> 8), (unsigned char)word };
    test_put(out, bytes, sizeof bytes);
}

void test_idx_put(test_bytes *out, int rank, unsigned count, unsigned rows, unsigned columns,
                  unsigned step) {
    put_word(out, 0x800 + (unsigned)rank);
    put_word(out, count);
    if (rank == 3) {
        put_word(out, rows);
        put_word(out, columns);
    }
    for (unsigned i = 0; i < (rank == 3 ? count * rows * columns : count); i++) {
        unsigned char byte = (unsigned char)(i * step);
        test_put(out, &byte, 1);
    }
}
