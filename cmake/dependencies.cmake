# What the project links (docs/ARCHITECTURE.md says why each). jansson, libjpeg-turbo, libpng, zlib and protobuf-c are required; an
# optional library that is missing removes its feature, said here in one line and at use by the
# program.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# A static program takes archives alone, and of the optional libraries those whose own dependencies
# come as archives on Debian.
if(DEEPER_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -static")
    set(optional_libraries WEBP)
else()
    set(optional_libraries WEBP HEIF TIFF ARCHIVE ZIP EXPAT YAML CURL CRYPTO)
endif()

# What the library and its tests link (DEEPER_LIBRARIES), the definitions that say which of the optional
# libraries are among it (DEEPER_HAVE, DP_HAVE_PREFIX=1), and for install.cmake, as PREFIX=MODULE, what
# a static link needs besides (DEEPER_MODULES).
set(DEEPER_LIBRARIES Threads::Threads m)
set(DEEPER_HAVE)
set(DEEPER_MODULES JANSSON=jansson JPEG=libjpeg PNG=libpng ZLIB=zlib PROTOBUFC=libprotobuf-c)
foreach(module ${DEEPER_MODULES})
    string(REGEX REPLACE "=.*" "" prefix ${module})
    string(REGEX REPLACE ".*=" "" module ${module})
    pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
    list(APPEND DEEPER_LIBRARIES PkgConfig::${prefix})
    list(APPEND DEEPER_PC_REQUIRES ${module})
endforeach()
find_program(PROTOC_C protoc-c REQUIRED)

# optional_module(PREFIX MODULE PACKAGE WITHOUT): WITHOUT says what the user loses.
macro(optional_module prefix module package without)
    if(${prefix} IN_LIST optional_libraries)
        pkg_check_modules(${prefix} IMPORTED_TARGET ${module})
    endif()
    if(NOT ${prefix}_FOUND)
        if(DEEPER_STATIC)
            message(STATUS "${module} is not linked statically: ${without}")
        else()
            message(STATUS "${module} not found: ${without} (install ${package})")
        endif()
    endif()
endmacro()

# optional_library(PREFIX MODULE PACKAGE WITHOUT [-lNAME]): the same for what the library links. With -lNAME, deeper.pc
# names the shared library instead of the module, which asks for the development packages of all that
# it is made of, and its own package does not bring them.
macro(optional_library prefix module package without)
    optional_module(${prefix} "${module}" ${package} "${without}")
    if(${prefix}_FOUND)
        string(REGEX REPLACE " .*" "" name "${module}")
        list(APPEND DEEPER_LIBRARIES PkgConfig::${prefix})
        list(APPEND DEEPER_HAVE DP_HAVE_${prefix}=1)
        list(APPEND DEEPER_MODULES ${prefix}=${name})
        if(${ARGC} GREATER 4)
            string(APPEND DEEPER_PC_LIBS "${ARGN} ")
        else()
            list(APPEND DEEPER_PC_REQUIRES ${name})
        endif()
    endif()
endmacro()
optional_library(WEBP libwebp libwebp-dev "WebP pictures will be refused")
optional_library(HEIF libheif libheif-dev "HEIC and AVIF pictures will be refused" -lheif)
optional_library(TIFF "libtiff-4 >= 4.5" libtiff-dev "TIFF pictures will be refused" -ltiff)
optional_library(ARCHIVE libarchive libarchive-dev "data sets in tar files will be refused" -larchive)
optional_library(ZIP libzip libzip-dev ".npz and .pth files will be refused" -lzip)
optional_library(EXPAT expat libexpat1-dev "boxes in Pascal VOC form will be refused")
optional_library(YAML yaml-0.1 libyaml-dev "data.yaml of YOLO sets will be refused")
# giflib has no module for pkg-config; DEEPER_PACKAGES: what is found by a finder of CMake's own.
if(NOT DEEPER_STATIC)
    find_package(GIF 5)
endif()
if(GIF_FOUND)
    list(APPEND DEEPER_LIBRARIES GIF::GIF)
    list(APPEND DEEPER_HAVE DP_HAVE_GIF=1)
    list(APPEND DEEPER_PACKAGES GIF)
    string(APPEND DEEPER_PC_LIBS "-lgif ")
else()
    message(STATUS "giflib not found: GIF pictures will be refused (install libgif-dev)")
endif()
optional_module(CURL libcurl libcurl4-openssl-dev "`deeper pull` will be left out")
optional_module(CRYPTO libcrypto libssl-dev "`deeper pull` will be left out")
