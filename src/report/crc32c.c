/* crc32c.c - CRC-32C bit by bit: an event file is some kilobytes, so that no table has to be made
 * or kept. */
#include "report/crc32c.h"

uint32_t dp_crc32c(const void *bytes, size_t size) {
    uint32_t crc = ~0u;
    for (const unsigned char *at = bytes, *end = at + size; at < end; at++) {
        crc ^= *at;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82F63B78u & -(crc & 1));
    }
    return ~crc;
}
