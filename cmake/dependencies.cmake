# What the project links (docs/ARCHITECTURE.md says why each). jansson, libjpeg-turbo, libpng and protobuf-c are required; an optional
# library that is missing removes its feature, said here in one line and at use by the program.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(PROTOBUFC REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC_C protoc-c REQUIRED)

pkg_check_modules(WEBP IMPORTED_TARGET libwebp)
if(NOT WEBP_FOUND)
    message(STATUS "libwebp not found: WebP pictures will be refused (install libwebp-dev)")
endif()
pkg_check_modules(CURL IMPORTED_TARGET libcurl)
pkg_check_modules(CRYPTO IMPORTED_TARGET libcrypto)
if(NOT CURL_FOUND OR NOT CRYPTO_FOUND)
    message(STATUS "libcurl or libcrypto not found: `deeper pull` will be left out (install libcurl4-openssl-dev libssl-dev)")
endif()
