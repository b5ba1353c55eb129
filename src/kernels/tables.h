/* tables.h - the tables that vec_table.c leaves, one per instruction set. Only those of this build
 * are defined; dp_kernels_for is the way to them. */
#ifndef DP_KERNELS_TABLES_H
#define DP_KERNELS_TABLES_H

#include "kernels/kernels.h"

extern const dp_kernels dp_kernels_portable, dp_kernels_avx2, dp_kernels_avx512, dp_kernels_neon;

#endif
