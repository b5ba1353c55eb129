/* fuzz.h - what several fuzz targets need. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <deeper/deeper.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, which is a finding, unless it holds. */
void fuzz_demand(bool holds);

/* An allocator that refuses a block above *limit bytes: memory is bounded as a caller could bound
 * it. */
deeper_allocator fuzz_bounded(const size_t *limit);

#endif
