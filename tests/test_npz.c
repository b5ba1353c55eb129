/* test_npz.c - npz and the zip and .npy under it: what is written comes back to the same bits, what
 * NumPy writes is read, every lie that a header or a directory can tell is refused in one line.
 * That a whole model survives is test_model_file.c's. */
#include "formats/numpy/npy.h"
#include "formats/numpy/npz.h"
#include "helpers/helpers.h"
#include "helpers/zips.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef DP_HAVE_ZIP
#define DP_HAVE_ZIP 0
#endif

#define F4 "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static char *folder;
static char path[TEST_PATH_SIZE];

static int begin(void **state) {
    folder = test_folder();
    test_path(path, folder, "x.npz");
    return 0;
}

static int end(void **state) {
    test_folder_remove(folder);
    return 0;
}

/* A parse that must fail: one line that begins with the name and says `words`. */
static void refused(const void *bytes, size_t size, deeper_status wanted, const char *words) {
    dp_npz file;
    deeper_error error = { 0 };
    deeper_status status = dp_npz_parse(&file, bytes, size, "x.npz", NULL, &error);
    if (status != wanted || !strstr(error.message, words))
        fail_msg("status %d and \"%s\", not %d and \"%s\"", (int)status, error.message, (int)wanted,
                 words);
    assert_memory_equal(error.message, "x.npz: ", 7);
    assert_null(strchr(error.message, '\n'));
    assert_null(file.tensors);
}

static void parsed(dp_npz *file, const test_bytes *bytes) {
    deeper_error error = { 0 };
    if (dp_npz_parse(file, bytes->bytes, bytes->size, "x.npz", NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

/* An npz of one array "a" with this header and data. */
static void one_array(test_bytes *out, const char *header, const void *data, size_t size) {
    test_bytes array = { 0 };
    test_npy_put(&array, header, data, size);
    test_zip_put(out, &(test_zip_entry){ .name = "a.npy", .data = array.bytes, .size = array.size },
                 1);
    free(array.bytes);
}

/* ----------------------------------------------------------------------------- written and read */

static void round_trip(void **state) {
    static const unsigned char data[64] = { 1, 2, 3, 0x3C, 5, 0x80, 0x7F, 0xFF };
    static const dp_dtype types[] = { DP_DTYPE_F32, DP_DTYPE_F16, DP_DTYPE_F64, DP_DTYPE_BOOL,
                                      DP_DTYPE_I8,  DP_DTYPE_U8,  DP_DTYPE_I16, DP_DTYPE_U16,
                                      DP_DTYPE_I32, DP_DTYPE_U32, DP_DTYPE_I64, DP_DTYPE_U64 };
    static const dp_text texts[] = { { "deeper.a", "two\nlines, 지단, \"quoted\"" },
                                     { "empty", "" },
                                     { "b/c", "\xF0\x9F\x90\xB1" } };
    dp_tensor tensors[LENGTH(types) + 2];
    size_t count = LENGTH(types);
    for (size_t i = 0; i < count; i++) {
        tensors[i] = (dp_tensor){
            .name = dp_dtype_name(types[i]), .dtype = types[i], .rank = (int)(i % 4), .data = data
        };
        size_t elements = 1;
        for (size_t d = 0; d < i % 4; d++)
            elements *= tensors[i].shape[d] = d + 1;
        tensors[i].bytes = elements * dp_dtype_bytes(types[i]);
    }
    tensors[count++] =
        (dp_tensor){ .name = "none/at all", .rank = 2, .shape = { 3, 0 }, .data = data };
    tensors[count++] = (dp_tensor){
        .name = "eight", .rank = 8, .shape = { 1, 1, 1, 1, 1, 2, 1, 2 }, .data = data, .bytes = 16
    };

    deeper_error error = { 0 };
    assert_int_equal(dp_npz_write(path, tensors, count, texts, LENGTH(texts), NULL, &error),
                     DEEPER_OK);
    test_bytes bytes = { 0 };
    bytes.bytes = (unsigned char *)test_read(path, &bytes.size);
    assert_true(dp_npz_sniff(bytes.bytes, bytes.size));
    dp_npz file;
    parsed(&file, &bytes);
    assert_int_equal(file.count, count);
    for (size_t i = 0; i < count; i++) {
        const dp_tensor *a = &tensors[i], *b = &file.tensors[i];
        assert_string_equal(a->name, b->name);
        assert_true(a->dtype == b->dtype && a->rank == b->rank && a->bytes == b->bytes);
        assert_memory_equal(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
        assert_memory_equal(a->data, b->data, a->bytes);
    }
    assert_int_equal(file.text_count, LENGTH(texts));
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_string_equal(dp_text_find(file.texts, file.text_count, texts[i].key), texts[i].text);
    dp_npz_free(&file);

    size_t size;
    assert_int_equal(dp_npz_write(path, tensors, count, texts, LENGTH(texts), NULL, &error),
                     DEEPER_OK);
    char *again = test_read(path, &size);
    assert_int_equal(size, bytes.size);
    assert_memory_equal(again, bytes.bytes, size);
    free(again);
    free(bytes.bytes);
}

static void nothing_in_it(void **state) {
    deeper_error error = { 0 };
    test_bytes bytes = { 0 };
    dp_npz file;
    assert_int_equal(dp_npz_write(path, NULL, 0, NULL, 0, NULL, &error), DEEPER_OK);
    bytes.bytes = (unsigned char *)test_read(path, &bytes.size);
    parsed(&file, &bytes);
    assert_int_equal(file.count + file.text_count, 0);
    dp_npz_free(&file);
    free(bytes.bytes);
}

/* Lists of texts are for Python's eyes; the reader checks and leaves them out. */
static void lists_of_texts(void **state) {
    static const char *const names[] = { "a.jpg", "고양이.jpg", "" };
    deeper_error error = { 0 };
    dp_npz_writer npz;
    dp_npz file;
    test_bytes bytes = { 0 };
    assert_int_equal(dp_npz_create(&npz, path, NULL, &error), DEEPER_OK);
    dp_npz_put_texts(&npz, "paths", 1, names, 3);
    assert_int_equal(dp_npz_commit(&npz, &error), DEEPER_OK);
    bytes.bytes = (unsigned char *)test_read(path, &bytes.size);
    const unsigned char *header = bytes.bytes + 30 + strlen("paths.npy");
    assert_memory_equal(header + 10, "{'descr': '<U7', 'fortran_order': False, 'shape': (3,), }",
                        57);
    assert_int_equal(header[128 + 28] | header[128 + 29] << 8, 0xACE0);
    parsed(&file, &bytes);
    assert_int_equal(file.count + file.text_count, 0);
    dp_npz_free(&file);
    free(bytes.bytes);
}

/* A text of megabytes, as the labels of many classes are: written in a time that grows with its
 * length alone. */
static void long_text(void **state) {
    enum { LENGTH_OF_IT = 4 << 20 };
    dp_npz file;
    deeper_error error = { 0 };
    test_bytes bytes = { 0 };
    char *text = malloc(LENGTH_OF_IT + 1);
    assert_non_null(text);
    for (size_t i = 0; i < LENGTH_OF_IT; i++)
        text[i] = (char)('a' + i % 26);
    text[LENGTH_OF_IT] = '\0';
    assert_int_equal(dp_npz_write(path, NULL, 0, &(dp_text){ "key", text }, 1, NULL, &error),
                     DEEPER_OK);
    bytes.bytes = (unsigned char *)test_read(path, &bytes.size);
    parsed(&file, &bytes);
    assert_int_equal(file.text_count, 1);
    assert_string_equal(file.texts[0].text, text);
    dp_npz_free(&file);
    free(bytes.bytes);
    free(text);
}

static void not_written(void **state) {
    const dp_tensor bad_name = { .name = "a\n" },
                    bad_type = { .name = "a", .dtype = DP_DTYPE_BF16 };
    const dp_text bad_text = { "key", "\xc3\x28" };
    deeper_error error = { 0 };
    assert_int_equal(dp_npz_write(path, &bad_name, 1, NULL, 0, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_npz_write(path, &bad_type, 1, NULL, 0, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "BF16, which NumPy does not have"));
    assert_int_equal(dp_npz_write(path, NULL, 0, &bad_text, 1, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(test_folder_count(folder), 0);
    assert_int_equal(dp_npz_write("/nosuch/x.npz", NULL, 0, NULL, 0, NULL, &error),
                     DEEPER_ERROR_IO);
}

/* --------------------------------------------------------------------------------- .npy headers */

static void headers_that_are_read(void **state) {
    static const char *const headers[] = {
        F4,
        "{\"shape\":(2 ,),\"descr\":\"<f4\",\"fortran_order\":False}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}          ",
        "{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 1 , 2 ) , } ",
    };
    static const float data[] = { 1.5F, -2 };
    for (size_t i = 0; i < LENGTH(headers); i++) {
        test_bytes bytes = { 0 };
        dp_npz file;
        one_array(&bytes, headers[i], data, sizeof data);
        parsed(&file, &bytes);
        assert_int_equal(file.count, 1);
        assert_string_equal(file.tensors[0].name, "a");
        assert_int_equal(file.tensors[0].rank, i == 3 ? 2 : 1);
        assert_memory_equal(file.tensors[0].data, data, sizeof data);
        dp_npz_free(&file);
        free(bytes.bytes);
    }
}

static void fortran_order(void **state) {
    static const int16_t columns[] = { 1, 4, 2, 5, 3, 6 }, rows[] = { 1, 2, 3, 4, 5, 6 };
    test_bytes bytes = { 0 };
    dp_npz file;
    one_array(&bytes, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", columns,
              sizeof columns);
    parsed(&file, &bytes);
    assert_memory_equal(file.tensors[0].data, rows, sizeof rows);
    dp_npz_free(&file);
    free(bytes.bytes);
}

static void texts_that_are_read(void **state) {
    static const struct {
        const char *header, *data;
        size_t size;
        const char *text;
    } cases[] = {
        { "{'descr': '<U3', 'fortran_order': False, 'shape': (), }", "a\0\0\0\xE0\xAC\0\0\0\0\0\0",
          12, "a\xEA\xB3\xA0" },
        { "{'descr': '<U0', 'fortran_order': False, 'shape': (), }", "", 0, "" },
        { "{'descr': '|S4', 'fortran_order': False, 'shape': (), }", "ab\xC3\xA9", 4,
          "ab\xC3\xA9" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes bytes = { 0 };
        dp_npz file;
        one_array(&bytes, cases[i].header, cases[i].data, cases[i].size);
        parsed(&file, &bytes);
        assert_int_equal(file.text_count, 1);
        assert_string_equal(file.texts[0].text, cases[i].text);
        dp_npz_free(&file);
        free(bytes.bytes);
    }
}

static void headers_that_lie(void **state) {
    static const struct {
        const char *header;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", DEEPER_ERROR_FORMAT,
          "3 elements of 4 bytes are stated, 8" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }",
          DEEPER_ERROR_FORMAT, "are stated" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
          DEEPER_ERROR_FORMAT, "not a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", DEEPER_ERROR_FORMAT,
          "not a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }", DEEPER_ERROR_FORMAT,
          "not a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", DEEPER_ERROR_FORMAT,
          "not a tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }",
          DEEPER_ERROR_LIMIT, "8 dimensions" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", DEEPER_ERROR_FORMAT,
          "neither True nor False" },
        { "{'descr': '<f4', 'shape': (2,), }", DEEPER_ERROR_FORMAT, "not that of a .npy" },
        { "{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", DEEPER_ERROR_FORMAT, "there twice" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", DEEPER_ERROR_FORMAT,
          "unknown" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", DEEPER_ERROR_FORMAT,
          "not that of a .npy" },
        { "{'descr': '<f4' 'fortran_order': False}", DEEPER_ERROR_FORMAT, "not that of a .npy" },
        { "", DEEPER_ERROR_FORMAT, "not that of a .npy" },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", DEEPER_ERROR_UNSUPPORTED,
          "big-endian" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", DEEPER_ERROR_UNSUPPORTED,
          "Python objects" },
        { "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", DEEPER_ERROR_UNSUPPORTED,
          "type '<c8'" },
        { "{'descr': '<U2x', 'fortran_order': False, 'shape': (1,), }", DEEPER_ERROR_UNSUPPORTED,
          "type '<U2x'" },
        { "{'descr': '<U99999999', 'fortran_order': False, 'shape': (), }",
          DEEPER_ERROR_UNSUPPORTED, "type '<U99999999'" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
          DEEPER_ERROR_UNSUPPORTED, "records" },
        { "{'descr': '<U2', 'fortran_order': False, 'shape': (), }", DEEPER_ERROR_FORMAT,
          "not clean UTF-8" },
        { "{'descr': '|S8', 'fortran_order': False, 'shape': (), }", DEEPER_ERROR_FORMAT,
          "not clean UTF-8" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes bytes = { 0 };
        one_array(&bytes, cases[i].header, "\0\xD8\0\0\xff\xff\xff\xff", 8);
        refused(bytes.bytes, bytes.size, cases[i].status, cases[i].words);
        free(bytes.bytes);
    }
}

/* The fields before the header's text. */
static void arrays_that_are_none(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "", 0, DEEPER_ERROR_FORMAT, "not a .npy" },
        { "\x93NUMPx\1\0\0\0", 10, DEEPER_ERROR_FORMAT, "not a .npy" },
        { "\x93NUMPY\4\0\0\0\0\0", 12, DEEPER_ERROR_UNSUPPORTED, "version" },
        { "\x93NUMPY\1\0\1", 9, DEEPER_ERROR_FORMAT, "cut short" },
        { "\x93NUMPY\2\0\1\0\0", 11, DEEPER_ERROR_FORMAT, "cut short" },
        { "\x93NUMPY\2\0\1\0\0\xff{", 13, DEEPER_ERROR_FORMAT, "cut short" },
        { "\x93NUMPY\3\0\1\0\0\0\n", 13, DEEPER_ERROR_FORMAT, "not that of" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes bytes = { 0 };
        test_zip_put(
            &bytes,
            &(test_zip_entry){ .name = "a.npy", .data = cases[i].bytes, .size = cases[i].size }, 1);
        refused(bytes.bytes, bytes.size, cases[i].status, cases[i].words);
        free(bytes.bytes);
    }
}

/* ------------------------------------------------------------------------------------------ zip */

static void deflated(void **state) {
    static const float data[] = { 1.5F, -2 };
    test_bytes array = { 0 }, bytes = { 0 };
    dp_npz file;
    test_npy_put(&array, F4, data, sizeof data);
    test_zip_put(
        &bytes,
        &(test_zip_entry){
            .name = "a.npy", .data = array.bytes, .size = array.size, .method = TEST_ZIP_DEFLATE },
        1);
    parsed(&file, &bytes);
    assert_memory_equal(file.tensors[0].data, data, sizeof data);
    dp_npz_free(&file);
    free(array.bytes);
    free(bytes.bytes);
}

static void zips_that_lie(void **state) {
    static const float data[] = { 1, 2 };
    test_bytes array = { 0 };
    test_npy_put(&array, F4, data, sizeof data);
    const test_zip_entry good = { .name = "a.npy", .data = array.bytes, .size = array.size };
    const struct {
        test_zip_entry entries[2];
        size_t count;
        deeper_status status;
        const char *words;
    } cases[] = {
        { { good, good }, 2, DEEPER_ERROR_FORMAT, "two arrays are named a.npy" },
        { { good, { .name = "notes.txt" } }, 2, DEEPER_ERROR_FORMAT, "notes.txt is not an array" },
        { { { .name = "a\n.npy" } }, 1, DEEPER_ERROR_FORMAT, "not clean UTF-8" },
        { { { .name = "a.npy", .data = array.bytes, .size = array.size, .wrong_sum = true } },
          1,
          DEEPER_ERROR_FORMAT,
          "damaged" },
        { { { .name = "a.npy", .data = array.bytes, .size = array.size, .flags = 1 } },
          1,
          DEEPER_ERROR_UNSUPPORTED,
          "encrypted" },
        { { { .name = "a.npy", .data = array.bytes, .size = array.size, .method = 12 } },
          1,
          DEEPER_ERROR_UNSUPPORTED,
          "method 12" },
        { { { .name = "a.npy",
              .data = array.bytes,
              .size = array.size,
              .stated_size = 0xFFFFFFF0U } },
          1,
          DEEPER_ERROR_LIMIT,
          "4294967280 bytes, with the others more" },
        { { { .name = "a.npy",
              .data = array.bytes,
              .size = array.size,
              .stated_size = 1 << 20,
              .method = TEST_ZIP_DEFLATE } },
          1,
          DEEPER_ERROR_FORMAT,
          "cannot unpack to 1048576" },
        { { { .name = "a.npy",
              .data = array.bytes,
              .size = array.size,
              .stated_size = 80,
              .method = TEST_ZIP_DEFLATE } },
          1,
          DEEPER_ERROR_FORMAT,
          "damaged" },
        { { { .name = "a.npy",
              .data = array.bytes,
              .size = array.size,
              .stated_size = 20,
              .method = TEST_ZIP_DEFLATE } },
          1,
          DEEPER_ERROR_FORMAT,
          "damaged" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes bytes = { 0 };
        test_zip_put(&bytes, cases[i].entries, cases[i].count);
        refused(bytes.bytes, bytes.size, cases[i].status, cases[i].words);
        free(bytes.bytes);
    }
    free(array.bytes);
}

/* Two entries of zeros, each within the limit, together beyond it. */
static void bomb(void **state) {
    enum { HALF = DP_ZIP_ROOM / 2 + (4 << 20) };
    test_bytes bytes = { 0 }, array = { 0 };
    char header[128];
    unsigned char *zeros = calloc(HALF, 1);
    assert_non_null(zeros);
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }",
             HALF);
    test_npy_put(&array, header, zeros, HALF);
    const test_zip_entry entries[] = {
        { .name = "a.npy", .data = array.bytes, .size = array.size, .method = TEST_ZIP_DEFLATE },
        { .name = "b.npy", .data = array.bytes, .size = array.size, .method = TEST_ZIP_DEFLATE },
    };
    test_zip_put(&bytes, entries, 2);
    refused(bytes.bytes, bytes.size, DEEPER_ERROR_LIMIT, "entry b.npy would unpack to");
    free(zeros);
    free(array.bytes);
    free(bytes.bytes);
}

/* Cut anywhere: an error, in one line. */
static void cut_short(void **state) {
    static const float data[] = { 1, 2 };
    test_bytes bytes = { 0 };
    one_array(&bytes, F4, data, sizeof data);
    for (size_t size = 0; size < bytes.size; size++) {
        void *copy = malloc(size ? size : 1);
        memcpy(copy, bytes.bytes, size);
        dp_npz file;
        deeper_error error = { 0 };
        assert_int_equal(dp_npz_parse(&file, copy, size, "x.npz", NULL, &error),
                         DEEPER_ERROR_FORMAT);
        assert_null(strchr(error.message, '\n'));
        free(copy);
    }
    free(bytes.bytes);
}

static void allocations_fail(void **state) {
    static const int16_t columns[] = { 1, 4, 2, 5, 3, 6 };
    const dp_tensor tensor = {
        .name = "a", .dtype = DP_DTYPE_I16, .rank = 1, .shape = { 6 }, .data = columns, .bytes = 12
    };
    const dp_text text = { "b", "text" };
    test_failing_allocator failing;
    test_bytes arrays[2] = { { 0 } }, bytes = { 0 };
    deeper_error error = { 0 };
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_npz_write(path, &tensor, 1, &text, 1, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
        assert_int_equal(test_folder_count(folder), done);
    }
    test_npy_put(&arrays[0], "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", columns,
                 sizeof columns);
    test_npy_put(&arrays[1], "{'descr': '|S2', 'fortran_order': False, 'shape': (), }", "hi", 2);
    const test_zip_entry entries[] = {
        { .name = "a.npy", .data = arrays[0].bytes, .size = arrays[0].size },
        { .name = "b.npy", .data = arrays[1].bytes, .size = arrays[1].size }
    };
    test_zip_put(&bytes, entries, 2);
    for (long n = 1, done = 0; !done; n++) {
        dp_npz file;
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_npz_parse(&file, bytes.bytes, bytes.size, "x.npz", &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_npz_free(&file);
        assert_int_equal(failing.outstanding, 0);
    }
    free(arrays[0].bytes);
    free(arrays[1].bytes);
    free(bytes.bytes);
}

/* A build without libzip. */
static void not_read(void **state) {
    test_bytes bytes = { 0 };
    one_array(&bytes, F4, "12345678", 8);
    refused(bytes.bytes, bytes.size, DEEPER_ERROR_UNSUPPORTED, "build deeper with libzip");
    free(bytes.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, begin, end),
        cmocka_unit_test_setup_teardown(nothing_in_it, begin, end),
        cmocka_unit_test_setup_teardown(lists_of_texts, begin, end),
        cmocka_unit_test_setup_teardown(long_text, begin, end),
        cmocka_unit_test_setup_teardown(not_written, begin, end),
        cmocka_unit_test(headers_that_are_read),
        cmocka_unit_test(fortran_order),
        cmocka_unit_test(texts_that_are_read),
        cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(arrays_that_are_none),
        cmocka_unit_test(deflated),
        cmocka_unit_test(zips_that_lie),
        cmocka_unit_test(bomb),
        cmocka_unit_test(cut_short),
        cmocka_unit_test_setup_teardown(allocations_fail, begin, end),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(not_read), cmocka_unit_test_setup_teardown(not_written, begin, end)
    };
    return DP_HAVE_ZIP ? cmocka_run_group_tests_name("npz", tests, NULL, NULL)
                       : cmocka_run_group_tests_name("npz", without, NULL, NULL);
}
