# Tests: tests/test_*.c, each a cmocka program linked with the static library (hidden symbols included), run by ctest. What several of
# them use stands in tests/helpers and tests/reference. Tests that need recorded data look for it
# through DEEPER_TEST_DATA at run time.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# A sanitizer or an emulator makes a test several times slower; the limit is there for hangs, not
# for speed.
set(DEEPER_TEST_TIMEOUT 300)
if(DEEPER_SANITIZE OR CMAKE_CROSSCOMPILING)
    set(DEEPER_TEST_TIMEOUT 1800)
endif()
# An allocation that cannot be had must be NULL under the sanitizer too: the tests ask for such.
set(DEEPER_TEST_ENVIRONMENT ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1)

file(GLOB support_sources CONFIGURE_DEPENDS tests/helpers/*.c tests/reference/*.c)
add_library(test_support STATIC ${support_sources})
target_link_libraries(test_support PUBLIC deeper_flags deeper_static deeper_proto PkgConfig::CMOCKA ${DEEPER_LIBRARIES})
target_include_directories(test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_compile_definitions(test_support PUBLIC
    ${DEEPER_HAVE} TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TEST_BINARY_DIR="${PROJECT_BINARY_DIR}")

file(GLOB test_sources CONFIGURE_DEPENDS tests/test_*.c)
foreach(source ${test_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE test_support)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${DEEPER_TEST_TIMEOUT} ENVIRONMENT "${DEEPER_TEST_ENVIRONMENT}")
endforeach()

# The kernels: one program, one test a family, which is a file. It times them too (--bench), but not
# here.
file(GLOB kernel_sources CONFIGURE_DEPENDS tests/kernels/*.c)
add_executable(test_kernels ${kernel_sources})
target_link_libraries(test_kernels PRIVATE test_support)
list(FILTER kernel_sources EXCLUDE REGEX "/main\\.c$")
foreach(source ${kernel_sources})
    get_filename_component(family ${source} NAME_WE)
    add_test(NAME test_kernels_${family} COMMAND test_kernels --only ${family})
    set_tests_properties(test_kernels_${family} PROPERTIES TIMEOUT ${DEEPER_TEST_TIMEOUT} ENVIRONMENT "${DEEPER_TEST_ENVIRONMENT}")
endforeach()

# These read again what they have written as .npz.
if(NOT ZIP_FOUND)
    set_tests_properties(test_features test_verify PROPERTIES DISABLED TRUE)
endif()

# What ./check selects by label. threads: what uses several, for ThreadSanitizer; the rest runs on
# one thread or is figures, formats, kernels. figures: long comparisons with recorded figures, whose
# code shorter tests run too.
set_property(TEST test_threads test_loader test_api test_api_data test_api_pictures test_plan test_orders test_gradient
    test_weight_gradient test_tuning test_limits test_scores test_verify test_features test_ensemble test_find_rate test_train test_train_trouble
    APPEND PROPERTY LABELS threads)
set_property(TEST test_accuracy test_training_vectors APPEND PROPERTY LABELS figures)
# `ctest -j` begins with the long ones, so that no processor is idle while the last one ends.
set_property(TEST test_training_vectors test_train test_gradient test_weight_gradient test_accuracy test_api_memory test_caffemodel
    test_onnx_write test_compare PROPERTY COST 10)

# The commands of the program, as a user types them.
include(cmake/cli_tests.cmake OPTIONAL)
