/* gradient_tables.h - the tables that vec_gradient_table.c leaves, one per instruction set. Only
 * those of this build are defined; dp_gradient_kernels_for is the way to them. */
#ifndef DP_KERNELS_GRADIENT_TABLES_H
#define DP_KERNELS_GRADIENT_TABLES_H

#include "kernels/gradient.h"

extern const dp_gradient_kernels dp_gradient_kernels_portable, dp_gradient_kernels_avx2,
    dp_gradient_kernels_avx512, dp_gradient_kernels_neon;

#endif
