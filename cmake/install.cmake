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

list(JOIN DEEPER_PC_REQUIRES ", " pc_requires)
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
