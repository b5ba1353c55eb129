# What `cmake --install` puts where: the program (program.cmake), both libraries, the header, deeper.pc for pkg-config and a CMake
# package with the targets deeper::shared and deeper::static. Everything installed finds its
# neighbours by relative paths.
include(CMakePackageConfigHelpers)

install(FILES include/deeper/deeper.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deeper)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples FILES_MATCHING PATTERN "*.c")
install(FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR}) # README links to them

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/deeper)
foreach(kind static shared)
    install(TARGETS deeper_${kind} EXPORT deeper_${kind})
    install(EXPORT deeper_${kind} NAMESPACE deeper:: DESTINATION ${package_dir} FILE deeper-${kind}.cmake)
endforeach()

# What a static link needs besides: the modules that dependencies.cmake found, by its names for them.
set(DEEPER_MODULES JANSSON=jansson JPEG=libjpeg PNG=libpng ZLIB=zlib PROTOBUFC=libprotobuf-c)
foreach(module WEBP=libwebp EXPAT=expat YAML=yaml-0.1)
    string(REGEX REPLACE "=.*" "_FOUND" found ${module})
    if(${found})
        list(APPEND DEEPER_MODULES ${module})
    endif()
endforeach()
list(TRANSFORM DEEPER_MODULES REPLACE ".*=" "" OUTPUT_VARIABLE pc_requires)
list(JOIN pc_requires ", " pc_requires)
# The modules of libarchive, libzip, libheif and libtiff ask for the development packages of all that they are made
# of, which their packages do not bring: they are linked by their names, as shared libraries.
set(pc_libs "")
foreach(module HEIF=libheif TIFF4=libtiff-4 ARCHIVE=libarchive ZIP=libzip)
    string(REGEX REPLACE "=.*" "_FOUND" found ${module})
    if(${found})
        list(APPEND DEEPER_MODULES ${module})
        string(REGEX REPLACE ".*=lib([a-z]+).*" "-l\\1 " library ${module})
        string(APPEND pc_libs "${library}")
    endif()
endforeach()
if(GIF_FOUND) # which has no module
    set(DEEPER_GIF GIF)
    string(APPEND pc_libs "-lgif ")
endif()

set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix ${pc_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
configure_file(cmake/deeper.pc.in deeper.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/deeper.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(cmake/deeperConfig.cmake.in deeperConfig.cmake INSTALL_DESTINATION ${package_dir}
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(deeperConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deeperConfig.cmake ${PROJECT_BINARY_DIR}/deeperConfigVersion.cmake DESTINATION ${package_dir})
