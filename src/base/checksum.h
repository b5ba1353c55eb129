/* checksum.h - a 64-bit CRC: tells a damaged file of ours from a sound one, and one data set from
 * another. No protection against intent. */
#ifndef DP_BASE_CHECKSUM_H
#define DP_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC (ECMA-182's polynomial, reflected, as xz has it) of what `sum` stands for followed by
 * `bytes`; 0 stands for nothing. */
uint64_t dp_checksum(uint64_t sum, const void *bytes, size_t size);

#endif
