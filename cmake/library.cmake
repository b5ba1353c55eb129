# libdeeper, static and shared, from the same objects; the .proto readers and the kernels of each instruction set among them.
file(GLOB sources CONFIGURE_DEPENDS src/*/*.c src/*/*/*.c)
file(GLOB vec_sources CONFIGURE_DEPENDS src/kernels/vec_*.c)
list(REMOVE_ITEM sources ${vec_sources})

set(generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
file(GLOB protos CONFIGURE_DEPENDS src/*/*.proto src/*/*/*.proto)
set(proto_sources)
foreach(proto ${protos})
    get_filename_component(stem ${proto} NAME_WE)
    get_filename_component(folder ${proto} DIRECTORY)
    add_custom_command(OUTPUT ${generated}/${stem}.pb-c.c ${generated}/${stem}.pb-c.h
        COMMAND ${PROTOC_C} --c_out=${generated} -I ${folder} ${proto}
        COMMAND ${CMAKE_COMMAND} -D PROTO=${proto} -D HEADER=${generated}/${stem}.pb-c.h -P ${PROJECT_SOURCE_DIR}/cmake/hide_protobuf.cmake
        DEPENDS ${proto} cmake/hide_protobuf.cmake VERBATIM)
    list(APPEND proto_sources ${generated}/${stem}.pb-c.c)
endforeach()

# The generated readers are not ours: only visibility, position-independence and hardening, no warnings.
add_library(deeper_proto OBJECT ${proto_sources})
target_include_directories(deeper_proto PUBLIC ${generated})
target_link_libraries(deeper_proto PUBLIC PkgConfig::PROTOBUFC PRIVATE deeper_hardened)

set(objects $<TARGET_OBJECTS:deeper_proto>)
foreach(isa ${DEEPER_ISAS})
    string(TOUPPER ${isa} ISA)
    add_library(deeper_kernels_${isa} OBJECT ${vec_sources})
    target_link_libraries(deeper_kernels_${isa} PRIVATE deeper_flags)
    target_compile_definitions(deeper_kernels_${isa} PRIVATE DEEPER_BUILD DP_VEC_${ISA}=1)
    target_compile_options(deeper_kernels_${isa} PRIVATE ${DEEPER_FLAGS_${isa}})
    list(APPEND objects $<TARGET_OBJECTS:deeper_kernels_${isa}>)
    set(has_${isa} DP_HAVE_${ISA}=1)
endforeach()

add_library(deeper_objects OBJECT ${sources})
target_link_libraries(deeper_objects PRIVATE deeper_flags deeper_proto ${DEEPER_LIBRARIES})
target_compile_definitions(deeper_objects PRIVATE DEEPER_BUILD ${DEEPER_HAVE} ${has_avx2} ${has_avx512} ${has_neon})
list(APPEND objects $<TARGET_OBJECTS:deeper_objects>)

foreach(kind static shared)
    string(TOUPPER ${kind} KIND)
    add_library(deeper_${kind} ${KIND} ${objects})
    # SOVERSION: see docs/STABILITY.md.
    set_target_properties(deeper_${kind} PROPERTIES OUTPUT_NAME deeper EXPORT_NAME ${kind} VERSION ${PROJECT_VERSION} SOVERSION 1)
    target_include_directories(deeper_${kind} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(deeper_${kind} PRIVATE $<BUILD_INTERFACE:deeper_flags> ${DEEPER_LIBRARIES})
endforeach()
target_link_options(deeper_shared PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/deeper.map)
set_target_properties(deeper_shared PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/deeper.map)
