# Toolchain of the aarch64 preset: Debian's cross compiler, the Arm libraries that scripts/fetch-aarch64-libraries unpacks under
# build/, and qemu-user to run the tests.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(libraries ${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-libraries)
get_filename_component(libraries ${libraries} ABSOLUTE)
set(library_path ${libraries}/lib/aarch64-linux-gnu:${libraries}/usr/lib/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${libraries})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${libraries})
set(CMAKE_C_FLAGS_INIT "-isystem ${libraries}/usr/include -isystem ${libraries}/usr/include/aarch64-linux-gnu")
foreach(kind EXE SHARED)
    set(CMAKE_${kind}_LINKER_FLAGS_INIT
        "-Wl,-rpath-link,${libraries}/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,${libraries}/lib/aarch64-linux-gnu")
endforeach()

# Loader and C library must be one version, so both come from the unpacked packages, even where the
# system has an arm64 C library too.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${libraries} -E LD_LIBRARY_PATH=${library_path})
