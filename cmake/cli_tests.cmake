# Tests of the program as a user runs it: tests/cli/test_*.sh, each in an empty folder of its own, with helpers beside them in C (a small
# HTTP server, a reader of JSON lines, a maker of small models). 77 means skipped. Not run in cross
# builds.
if(TARGET deeper AND NOT CMAKE_CROSSCOMPILING)
    foreach(helper http_server json_get make_model)
        add_executable(cli_${helper} tests/cli/${helper}.c)
        target_link_libraries(cli_${helper} PRIVATE deeper_flags deeper_static PkgConfig::JANSSON)
    endforeach()
    file(GLOB cli_tests CONFIGURE_DEPENDS tests/cli/test_*.sh)
    foreach(script ${cli_tests})
        get_filename_component(name ${script} NAME_WE)
        string(REPLACE test_ cli_ name ${name})
        add_test(NAME ${name} COMMAND sh ${script} $<TARGET_FILE:deeper>)
        set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${DEEPER_TEST_TIMEOUT}
            ENVIRONMENT "${DEEPER_TEST_ENVIRONMENT};HELPERS=$<TARGET_FILE_DIR:cli_json_get>;SOURCE=${PROJECT_SOURCE_DIR}")
    endforeach()
    # Faults are preloaded, which a sanitizer does not let happen before itself.
    if(NOT DEEPER_SANITIZE)
        add_library(fault MODULE tests/fault/fault.c)
        target_compile_definitions(fault PRIVATE _GNU_SOURCE)
        target_compile_options(fault PRIVATE -O1 -Wall -Wextra)
        target_link_libraries(fault PRIVATE ${CMAKE_DL_LIBS})
        set_target_properties(fault PROPERTIES PREFIX "" C_VISIBILITY_PRESET default)
        add_test(NAME cli_faults COMMAND sh ${PROJECT_SOURCE_DIR}/tests/fault/faults.sh $<TARGET_FILE:deeper> $<TARGET_FILE:fault>)
        set_tests_properties(cli_faults PROPERTIES TIMEOUT ${DEEPER_TEST_TIMEOUT} COST 10
            ENVIRONMENT "${DEEPER_TEST_ENVIRONMENT};HELPERS=$<TARGET_FILE_DIR:cli_json_get>")
    endif()
    set_property(TEST cli_eval cli_features cli_compare cli_train APPEND PROPERTY LABELS threads)
    set_property(TEST cli_recorded APPEND PROPERTY LABELS figures)
    set_property(TEST cli_train cli_train_kill cli_tutorial cli_compare cli_recorded PROPERTY COST 10)
endif()
