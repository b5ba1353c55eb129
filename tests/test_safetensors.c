/* test_safetensors.c - the container: what is written comes back to the bit, and every way in which
 * a header can lie is refused in one line. Weights and models are test_model_file.c's. */
#include "base/files.h"
#include "formats/safetensors/safetensors.h"
#include "helpers/helpers.h"
#include "model/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;

static int begin(void **state) {
    folder = test_folder();
    return 0;
}

static int end(void **state) {
    test_folder_remove(folder);
    return 0;
}

/* A block of exactly 8 + header + data bytes, so that a sanitizer sees the first read past it. */
static unsigned char *make(size_t *size, const char *header, size_t data) {
    size_t length = strlen(header);
    *size = 8 + length + data;
    unsigned char *bytes = calloc(*size, 1);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    return bytes;
}

/* Parses and frees; the message, if any, must be one line that begins with the name. */
static deeper_status parse(const void *bytes, size_t size, deeper_error *error) {
    dp_safetensors file;
    *error = (deeper_error){ 0 };
    deeper_status status = dp_safetensors_parse(&file, bytes, size, "x.st", NULL, error);
    if (status == DEEPER_OK) {
        dp_safetensors_free(&file);
    } else {
        assert_int_equal(error->status, status);
        assert_memory_equal(error->message, "x.st: ", 6);
        assert_null(strchr(error->message, '\n'));
        assert_null(file.tensors);
    }
    return status;
}

static void check(const char *header, size_t data, deeper_status wanted, const char *words) {
    size_t size;
    unsigned char *bytes = make(&size, header, data);
    deeper_error error;
    deeper_status status = parse(bytes, size, &error);
    free(bytes);
    if (status != wanted || (wanted != DEEPER_OK && !strstr(error.message, words)))
        fail_msg("%s\n-> %d, not %d: %s", header, status, wanted, error.message);
}

static void refused(void **state) {
    static const struct {
        const char *header;
        size_t data;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":"
          "\"F32\",\"shape\":[2],"
          "\"data_offsets\":[4,12]}}",
          12, DEEPER_ERROR_FORMAT, "tensors a and b overlap" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\","
          "\"shape\":[8],"
          "\"data_offsets\":[0,8]}}",
          8, DEEPER_ERROR_FORMAT, "tensors a and b overlap" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\","
          "\"shape\":[2],"
          "\"data_offsets\":[3,5]}}",
          5, DEEPER_ERROR_FORMAT, "1 bytes before tensor b belong to none" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, DEEPER_ERROR_FORMAT,
          "before tensor a" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 5, DEEPER_ERROR_FORMAT,
          "the last 3 bytes" },
        { "{}", 1, DEEPER_ERROR_FORMAT, "the last 1 bytes" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7,
          DEEPER_ERROR_FORMAT, "cut short" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,0]}}", 2, DEEPER_ERROR_FORMAT,
          "[BEGIN, END]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2,4]}}", 2,
          DEEPER_ERROR_FORMAT, "[BEGIN, END]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[-2,0]}}", 2,
          DEEPER_ERROR_FORMAT, "[BEGIN, END]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2.0]}}", 2,
          DEEPER_ERROR_FORMAT, "[BEGIN, END]" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[2]}}", 2, DEEPER_ERROR_FORMAT, "[BEGIN, END]" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
          DEEPER_ERROR_FORMAT, "3 of F32 takes 12 bytes" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,8]}}", 8, DEEPER_ERROR_FORMAT,
          "one number of F32" },
        { "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
          DEEPER_ERROR_UNSUPPORTED, "type F33" },
        { "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, DEEPER_ERROR_FORMAT, "no dtype" },
        { "{\"a\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, DEEPER_ERROR_FORMAT,
          "no dtype" },
        { "{\"a\":[]}", 0, DEEPER_ERROR_FORMAT, "no dtype" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, DEEPER_ERROR_FORMAT,
          "no shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
          DEEPER_ERROR_FORMAT, "dimension 0" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,\"2\"],\"data_offsets\":[0,8]}}", 8,
          DEEPER_ERROR_FORMAT, "dimension 1" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
          DEEPER_ERROR_FORMAT, "more than memory can hold" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
          DEEPER_ERROR_FORMAT, "more than memory can hold" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", 0,
          DEEPER_ERROR_FORMAT, "not sound JSON" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
          DEEPER_ERROR_LIMIT, "9 dimensions" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{\"dtype\":\"U8\","
          "\"shape\":[0],"
          "\"data_offsets\":[0,0]}}",
          0, DEEPER_ERROR_FORMAT, "duplicate" },
        { "{\"a\\u001b[2J\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
          DEEPER_ERROR_FORMAT, "control characters" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", 0, DEEPER_ERROR_FORMAT,
          "not sound JSON" },
        { "{\"a\": \xff}", 0, DEEPER_ERROR_FORMAT, "not sound JSON" },
        { "{} x", 0, DEEPER_ERROR_FORMAT, "not sound JSON" },
        { "[]", 0, DEEPER_ERROR_FORMAT, "does not begin with {" },
        { " {}", 0, DEEPER_ERROR_FORMAT, "does not begin with {" },
        { "", 3, DEEPER_ERROR_FORMAT, "does not begin with {" },
        { "{\"a\":{\"shape\":[[1]]}}", 0, DEEPER_ERROR_FORMAT, "brackets deeper" },
        { "{\"__metadata__\":[]}", 0, DEEPER_ERROR_FORMAT, "not an object" },
        { "{\"__metadata__\":{\"a\":1}}", 0, DEEPER_ERROR_FORMAT, "__metadata__ a is not a text" },
        { "{\"__metadata__\":{\"a\":\"\\u0007\"}}", 0, DEEPER_ERROR_FORMAT,
          "control characters in it" },
        { "{\"__metadata__\":{\"a\\n\":\"\"}}", 0, DEEPER_ERROR_FORMAT,
          "key with control characters" },
        { "{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, DEEPER_ERROR_FORMAT, "not sound JSON" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].header, cases[i].data, cases[i].status, cases[i].words);
}

static void accepted(void **state) {
    static const struct {
        const char *header;
        size_t data;
    } cases[] = {
        { "{}", 0 },
        { "{}      ", 0 },
        { "{\"__metadata__\":{\"a\":\"two\\nlines\\tand 지단\"}}", 0 },
        { "{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8 },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[0,0]}}", 0 },
        /* Out of order, and an empty tensor at each edge. */
        { "{\"c\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},\"b\":{\"dtype\":\"U8\","
          "\"shape\":[0],\"data_offsets\":["
          "1,1]},"
          "\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},\"d\":{\"dtype\":\"I64\","
          "\"shape\":[0],\"data_offsets\":["
          "3,3]}}",
          3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].header, cases[i].data, DEEPER_OK, "");
}

/* The length field against the file's size, at its edges. */
static void refused_lengths(void **state) {
    deeper_error error;
    unsigned char bytes[64] = { 0 };
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(parse(bytes, size, &error), DEEPER_ERROR_FORMAT);
    memcpy(bytes + 8, "{}", 2);
    bytes[0] = 2;
    assert_int_equal(parse(bytes, 10, &error), DEEPER_OK);
    assert_int_equal(parse(bytes, 9, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "cut short"));
    bytes[0] = 0;
    bytes[4] = 1; /* 4 GB */
    assert_int_equal(parse(bytes, 10, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "4294967296 bytes"));
    assert_int_equal(error.offset, 0);
    memset(bytes, 0xFF, 8);
    assert_int_equal(parse(bytes, 10, &error), DEEPER_ERROR_LIMIT);

    size_t size = 8 + DP_SAFETENSORS_MAX_HEADER + 1;
    unsigned char *large = malloc(size);
    memset(large, ' ', size);
    memcpy(large, "\0\0\x80\0\0\0\0\0{}", 10); /* 8 MB to the byte */
    assert_int_equal(parse(large, size - 1, &error), DEEPER_OK);
    large[0] = 1;
    assert_int_equal(parse(large, size, &error), DEEPER_ERROR_LIMIT);
    free(large);
}

/* A header of brackets that jansson would turn into a hundred times its size. */
static void bounded_values(void **state) {
    size_t pairs = DP_JSON_MAX_VALUES, size = 8 + 6 + 3 * pairs;
    unsigned char *bytes = malloc(size);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)(size - 8) >> 8 * i);
    memcpy(bytes + 8, "{\"a\":[", 6);
    for (size_t i = 0; i < pairs; i++)
        memcpy(bytes + 14 + 3 * i, "[],", 3);
    deeper_error error;
    assert_int_equal(parse(bytes, size, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "values"));
    free(bytes);
}

/* Every prefix of a sound file is refused and none read past. */
static void every_cut(void **state) {
    size_t size;
    unsigned char *bytes =
        make(&size, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    deeper_error error;
    assert_int_equal(parse(bytes, size, &error), DEEPER_OK);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut ? cut : 1);
        memcpy(part, bytes, cut);
        assert_int_equal(parse(part, cut, &error), DEEPER_ERROR_FORMAT);
        free(part);
    }
    free(bytes);
}

static void round_trip(void **state) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, "모델.safetensors");
    float weights[6] = { 1.5F, -0.0F, NAN, INFINITY, 0x1p-149F, -3 };
    unsigned char bytes[3] = { 0, 127, 255 };
    const dp_tensor tensors[] = {
        { .name = "b/1x1.weight",
          .rank = 2,
          .shape = { 2, 3 },
          .data = weights,
          .bytes = sizeof weights },
        { .name = "a", .dtype = DP_DTYPE_U8, .rank = 1, .shape = { 3 }, .data = bytes, .bytes = 3 },
        { .name = "none", .dtype = DP_DTYPE_I64, .rank = 1, .shape = { 0 } },
    };
    const dp_text texts[] = { { "z", "quotes \" and \\ and\nlines" }, { "a", "지단" } };
    deeper_error error = { 0 };
    assert_int_equal(dp_safetensors_write(path, tensors, 3, texts, 2, NULL, &error), DEEPER_OK);
    size_t size, again_size;
    char *file_bytes = test_read(path, &size);
    assert_true(dp_safetensors_sniff((unsigned char *)file_bytes, size));
    assert_int_equal(size % 64, (sizeof weights + sizeof bytes) % 64);

    dp_safetensors file;
    assert_int_equal(dp_safetensors_parse(&file, file_bytes, size, path, NULL, &error), DEEPER_OK);
    assert_int_equal(file.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(file.tensors[i].name, tensors[i].name);
        assert_int_equal(file.tensors[i].dtype, tensors[i].dtype);
        assert_int_equal(file.tensors[i].rank, tensors[i].rank);
        assert_memory_equal(file.tensors[i].shape, tensors[i].shape, sizeof tensors[i].shape);
        assert_int_equal(file.tensors[i].bytes, tensors[i].bytes);
        if (tensors[i].bytes)
            assert_memory_equal(file.tensors[i].data, tensors[i].data, tensors[i].bytes);
    }
    assert_int_equal(file.metadata_count, 2);
    assert_string_equal(file.metadata[0].key, "z");
    assert_string_equal(dp_safetensors_text(&file, "z"), texts[0].text);
    assert_string_equal(dp_safetensors_text(&file, "a"), texts[1].text);
    assert_null(dp_safetensors_text(&file, "b"));
    dp_safetensors_free(&file);

    assert_int_equal(dp_safetensors_write(path, tensors, 3, texts, 2, NULL, &error), DEEPER_OK);
    char *again = test_read(path, &again_size);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, file_bytes, size);
    free(again);
    free(file_bytes);
}

static void write_refused(void **state) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, "x.safetensors");
    deeper_error error = { 0 };
    const dp_tensor bad_name = { .name = "a\nb" };
    assert_int_equal(dp_safetensors_write(path, &bad_name, 1, NULL, 0, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    const dp_text bad_text = { "key", "\xc3\x28" };
    assert_int_equal(dp_safetensors_write(path, NULL, 0, &bad_text, 1, NULL, &error),
                     DEEPER_ERROR_ARGUMENT);
    char *long_text = calloc(DP_SAFETENSORS_MAX_HEADER + 1, 1);
    memset(long_text, 'x', DP_SAFETENSORS_MAX_HEADER);
    const dp_text too_long = { "key", long_text };
    assert_int_equal(dp_safetensors_write(path, NULL, 0, &too_long, 1, NULL, &error),
                     DEEPER_ERROR_LIMIT);
    free(long_text);
    assert_int_equal(test_folder_count(folder), 0);
    test_path(path, folder, "no/such/folder");
    assert_int_equal(dp_safetensors_write(path, NULL, 0, NULL, 0, NULL, &error), DEEPER_ERROR_IO);
}

static float one(dp_dtype dtype, uint64_t bits) {
    unsigned char bytes[9]; /* from an odd address */
    for (int i = 0; i < 8; i++)
        bytes[i + 1] = (unsigned char)(bits >> 8 * i);
    dp_tensor tensor = { .dtype = dtype, .data = bytes + 1, .bytes = dp_dtype_bytes(dtype) };
    float value;
    dp_tensor_read(&tensor, &value);
    return value;
}

/* Against the definition of each format: all 65536 numbers of the short ones. */
static void element_types(void **state) {
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
        double wanted = exponent == 31  ? fraction ? (double)NAN : (double)INFINITY
                        : exponent == 0 ? ldexp(fraction, -24)
                                        : ldexp(1024 + fraction, (int)exponent - 25);
        float value = one(DP_DTYPE_F16, bits);
        assert_int_equal(signbit(value) != 0, bits >> 15);
        assert_true(isnan(wanted) ? isnan(value) : fabs((double)value) == wanted);
        uint32_t full;
        value = one(DP_DTYPE_BF16, bits);
        memcpy(&full, &value, 4);
        if (!isnan(value)) /* a signalling one may come back quiet */
            assert_int_equal(full, bits << 16);
    }
    assert_true(one(DP_DTYPE_F32, 0xC0490FDBU) == -0x1.921fb6p+1F);
    assert_true(one(DP_DTYPE_F64, 0x400921FB54442D18U)
                == 0x1.921fb6p+1F); /* pi, rounded to nearest */
    dp_dtype dtype;
    for (int i = 0; i < DP_DTYPE_COUNT; i++) {
        assert_true(dp_dtype_from_name(&dtype, dp_dtype_name((dp_dtype)i)));
        assert_int_equal(dtype, i);
        assert_int_equal(dp_dtype_is_weight((dp_dtype)i), i <= DP_DTYPE_F64);
    }
    assert_false(dp_dtype_from_name(&dtype, "f32"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused_lengths),
        cmocka_unit_test(bounded_values),
        cmocka_unit_test(every_cut),
        cmocka_unit_test_setup_teardown(round_trip, begin, end),
        cmocka_unit_test_setup_teardown(write_refused, begin, end),
        cmocka_unit_test(element_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
