# Flags for everything that is ours, as one interface target. No contraction outside explicit FMA: the same bits from every compiler.
add_library(deeper_flags INTERFACE)
# Files above 2 GB on 32 bits too.
target_compile_definitions(deeper_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(deeper_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wwrite-strings
    -Wno-unused-parameter -ffp-contract=off -fno-math-errno)

# Hardened, as distributions build: what reads files of strangers shall fall where it stumbles. A sanitizer does that better, and
# _FORTIFY_SOURCE needs an optimising compiler. The generated readers of library.cmake have the
# same flags.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
set(hardening -fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
add_library(deeper_hardened INTERFACE)
set(CMAKE_REQUIRED_FLAGS -Werror) # clang only warns of a flag that it does not use
foreach(flag ${hardening})
    string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
    check_c_compiler_flag(${flag} ${have})
    if(${have})
        target_compile_options(deeper_hardened INTERFACE ${flag})
    endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)
if(NOT DEEPER_SANITIZE)
    target_compile_options(deeper_hardened INTERFACE "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")
endif()
check_linker_flag(C -Wl,-z,relro,-z,now,-z,noexecstack HAVE_RELRO)
if(HAVE_RELRO)
    target_link_options(deeper_hardened INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(NOT DEEPER_STATIC)
    include(CheckPIESupported)
    check_pie_supported(LANGUAGES C) # else CMAKE_POSITION_INDEPENDENT_CODE compiles so and does not link so
endif()
target_link_libraries(deeper_flags INTERFACE deeper_hardened)

if(DEEPER_WERROR)
    target_compile_options(deeper_flags INTERFACE -Werror)
endif()
if(DEEPER_SANITIZE)
    target_compile_options(deeper_flags INTERFACE -fsanitize=${DEEPER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(deeper_flags INTERFACE -fsanitize=${DEEPER_SANITIZE})
endif()
if(DEEPER_FUZZ)
    target_compile_options(deeper_flags INTERFACE -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(deeper_flags INTERFACE -fprofile-instr-generate)
endif()
target_include_directories(deeper_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)

# Which instruction sets the kernels are built for, each with its flags. "portable" is always there.
set(DEEPER_ISAS portable)
set(DEEPER_FLAGS_portable "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    list(APPEND DEEPER_ISAS avx2 avx512)
    set(DEEPER_FLAGS_avx2 -mavx2 -mfma -mf16c)
    set(DEEPER_FLAGS_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND DEEPER_ISAS neon)
    set(DEEPER_FLAGS_neon "")
endif()
