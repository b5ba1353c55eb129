# Fuzz targets: tests/fuzz/fuzz_*.c, each LLVMFuzzerTestOneInput for one parser. tests/fuzz/seeds_*.c are programs that write seed
# corpora: `seeds_X FOLDER` fills FOLDER/<target>/. In the fuzz preset the targets link libFuzzer
# (`./check --fuzz` runs them); in every other build tests/fuzz/main.c replays the seeds and a few
# thousand mutations of them, as a test.
file(GLOB seed_sources CONFIGURE_DEPENDS tests/fuzz/seeds_*.c)
file(GLOB maker_sources CONFIGURE_DEPENDS tests/helpers/pictures*.c tests/helpers/tars.c tests/helpers/onnx_maker.c
    tests/helpers/zips.c tests/helpers/pickles.c tests/helpers/scratch.c
    tests/helpers/seeds.c tests/helpers/fuzz.c)
file(GLOB target_sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
set(seeds_folder ${PROJECT_BINARY_DIR}/seeds)

add_library(fuzz_flags INTERFACE)
target_link_libraries(fuzz_flags INTERFACE deeper_flags deeper_static deeper_proto ${DEEPER_LIBRARIES})

# Files made byte by byte, for seeds, and for targets that put what they are given into a sound
# container.
add_library(fuzz_makers STATIC ${maker_sources})
target_include_directories(fuzz_makers PUBLIC tests)
target_link_libraries(fuzz_makers PUBLIC fuzz_flags)

foreach(source ${seed_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE fuzz_makers)
    if(BUILD_TESTING)
        add_test(NAME ${name} COMMAND ${name} ${seeds_folder})
        set_tests_properties(${name} PROPERTIES FIXTURES_SETUP seeds TIMEOUT ${DEEPER_TEST_TIMEOUT})
    endif()
endforeach()

foreach(source ${target_sources})
    get_filename_component(name ${source} NAME_WE)
    if(DEEPER_FUZZ)
        add_executable(${name} ${source})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${source} tests/fuzz/main.c)
        add_test(NAME ${name} COMMAND ${name} ${seeds_folder}/${name})
        set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED seeds TIMEOUT ${DEEPER_TEST_TIMEOUT}
            ENVIRONMENT "${DEEPER_TEST_ENVIRONMENT}")
    endif()
    target_link_libraries(${name} PRIVATE fuzz_makers)
endforeach()

# As in tests.cmake: it reads .npz again.
if(NOT ZIP_FOUND AND NOT DEEPER_FUZZ)
    set_tests_properties(fuzz_save PROPERTIES DISABLED TRUE)
endif()
