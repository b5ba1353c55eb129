/* float_mode.c - see float_mode.h. */
#include "base/float_mode.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

void dp_float_save(fenv_t *caller) {
    fegetenv(caller);
    fesetenv(FE_DFL_ENV);
}

void dp_float_restore(fenv_t *caller) {
    fesetenv(caller);
}

uint64_t dp_float_mode_enter(void) {
#if defined(__x86_64__)
    enum { FLUSH_RESULTS = 0x8000, FLUSH_OPERANDS = 0x40, ROUNDING = 0x6000, TRAPS_OFF = 0x1F80 };
    unsigned old = _mm_getcsr();
    _mm_setcsr((old & ~(unsigned)ROUNDING) | FLUSH_RESULTS | FLUSH_OPERANDS | TRAPS_OFF);
    return old;
#elif defined(__aarch64__)
    static const uint64_t flush = UINT64_C(1) << 24, rounding = UINT64_C(3) << 22,
                          traps = UINT64_C(0x9F00);
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" ::"r"((old & ~(rounding | traps)) | flush));
    return old;
#else
    return 0;
#endif
}

void dp_float_mode_leave(uint64_t old) {
#if defined(__x86_64__)
    _mm_setcsr((unsigned)old);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" ::"r"(old));
#endif
}
