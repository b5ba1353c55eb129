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
    set(optional_libraries WEBP HEIF TIFF4 ARCHIVE ZIP EXPAT YAML CURL CRYPTO)
endif()

pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(PROTOBUFC REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC_C protoc-c REQUIRED)

# optional_library(PREFIX MODULE PACKAGE WITHOUT): WITHOUT says what the user loses.
macro(optional_library prefix module package without)
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
optional_library(WEBP libwebp libwebp-dev "WebP pictures will be refused")
optional_library(HEIF libheif libheif-dev "HEIC and AVIF pictures will be refused")
optional_library(TIFF4 "libtiff-4 >= 4.5" libtiff-dev "TIFF pictures will be refused")
# giflib has no module for pkg-config.
if(NOT DEEPER_STATIC)
    find_package(GIF 5)
endif()
if(NOT GIF_FOUND)
    message(STATUS "giflib not found: GIF pictures will be refused (install libgif-dev)")
endif()
optional_library(ARCHIVE libarchive libarchive-dev "data sets in tar files will be refused")
optional_library(ZIP libzip libzip-dev ".npz and .pth files will be refused")
optional_library(EXPAT expat libexpat1-dev "boxes in Pascal VOC form will be refused")
optional_library(YAML yaml-0.1 libyaml-dev "data.yaml of YOLO sets will be refused")
optional_library(CURL libcurl libcurl4-openssl-dev "`deeper pull` will be left out")
optional_library(CRYPTO libcrypto libssl-dev "`deeper pull` will be left out")
