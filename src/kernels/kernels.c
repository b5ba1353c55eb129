/* kernels.c - from the name of an instruction set to its table, as far as this build has it.
 * Whether the CPU can run it is for dp_isa_supported to say. */
#include "kernels/tables.h"

static const dp_kernels *const tables[DP_ISA_COUNT] = {
    [DP_ISA_PORTABLE] = &dp_kernels_portable,
#ifdef DP_HAVE_AVX2
    [DP_ISA_AVX2] = &dp_kernels_avx2,
#endif
#ifdef DP_HAVE_AVX512
    [DP_ISA_AVX512] = &dp_kernels_avx512,
#endif
#ifdef DP_HAVE_NEON
    [DP_ISA_NEON] = &dp_kernels_neon,
#endif
};

const dp_kernels *dp_kernels_for(dp_isa isa) {
    return tables[isa];
}
