/* checksum.h - a CRC that tells a damaged file of ours from a sound one, and a hash that tells
 * names and data sets from each other. Both of 64 bits, and no protection against intent. */
#ifndef DP_BASE_CHECKSUM_H
#define DP_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC (ECMA-182's polynomial, reflected, as xz has it) of what `sum` stands for followed by
 * `bytes`; 0 stands for nothing. */
uint64_t dp_checksum(uint64_t sum, const void *bytes, size_t size);

/* A sum of a large block at the speed of memory, to tell a damaged one: 64-byte lines in eight
 * lanes, then the CRC of the lanes and of what is left. The same on every machine that stores the
 * lowest byte first. */
uint64_t dp_block_sum(const void *bytes, size_t size);

/* FNV-1a: the hash of what `hash` stands for followed by `bytes`; DP_HASH_START stands for
 * nothing. */
#define DP_HASH_START UINT64_C(0xCBF29CE484222325)
uint64_t dp_hash(uint64_t hash, const void *bytes, size_t size);

#endif
