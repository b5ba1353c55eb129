/* checksum.c - the CRC takes eight bytes a round by eight tables, which are made anew in each call
 * (the library keeps no globals); for short texts the plain loop over bits is quicker than making
 * them. */
#include "base/checksum.h"

#include <string.h>

static const uint64_t POLYNOMIAL = 0xC96C5795D7870F42;
enum { SHORT = 4096 };

static uint64_t shift_bits(uint64_t sum) {
    for (int bit = 0; bit < 8; bit++)
        sum = (sum >> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
    return sum;
}

static uint64_t by_bits(uint64_t sum, const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        sum = shift_bits(sum ^ bytes[i]);
    return sum;
}

uint64_t dp_checksum(uint64_t sum, const void *data, size_t size) {
    const unsigned char *bytes = data;
    sum = ~sum;
    if (size < SHORT)
        return ~by_bits(sum, bytes, size);
    uint64_t tables[8][256];
    for (int i = 0; i < 256; i++)
        tables[0][i] = shift_bits((uint64_t)i);
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word = 0;
        for (int i = 7; i >= 0; i--)
            word = word << 8 | bytes[i];
        word ^= sum;
        sum = 0;
        for (int i = 0; i < 8; i++)
            sum ^= tables[7 - i][(word >> 8 * i) & 0xFF];
    }
    return ~by_bits(sum, bytes, size);
}

uint64_t dp_block_sum(const void *data, size_t size) {
    enum { LANES = 8 };
    uint64_t lanes[LANES] = { 0 };
    const unsigned char *bytes = data;
    size_t lines = size / sizeof lanes;
    for (size_t i = 0; i < lines; i++, bytes += sizeof lanes) {
        uint64_t line[LANES];
        memcpy(line, bytes, sizeof line);
        for (int k = 0; k < LANES;
             k++) { /* the turn brings high bits down, the product low ones up */
            uint64_t mixed = lanes[k] ^ line[k];
            lanes[k] = (mixed << 29 | mixed >> 35) * UINT64_C(0x9E3779B97F4A7C15);
        }
    }
    uint64_t sum = dp_checksum(size, lanes, sizeof lanes);
    return dp_checksum(sum, bytes, size % sizeof lanes);
}

uint64_t dp_hash(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash;
}
