/* crc32c.h - the checksum of TensorBoard's records. */
#ifndef DP_REPORT_CRC32C_H
#define DP_REPORT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli: reflected polynomial 0x82F63B78, start and end inverted), as RFC 3720 B.4
 * has it. */
uint32_t dp_crc32c(const void *bytes, size_t size);

#endif
