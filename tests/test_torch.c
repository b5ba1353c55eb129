/* test_torch.c - PyTorch's files: those that PyTorch wrote (tests/vectors/torch_small.py), damaged
 * and hostile ones. The unpickler alone is test_pickle.c's, torchvision's names are
 * test_torchvision.c's. */
#include "formats/formats.h"
#include "formats/torch/torch.h"
#include "helpers/helpers.h"
#include "helpers/pickles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef DP_HAVE_ZIP
#define DP_HAVE_ZIP 0
#endif

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static deeper_status parse(dp_torch *file, const test_bytes *bytes, deeper_error *error) {
    *error = (deeper_error){ 0 };
    return dp_torch_parse(file, bytes->bytes, bytes->size, "x.pth", NULL, error);
}

static void refused(const test_bytes *bytes, deeper_status wanted, const char *words) {
    dp_torch file;
    deeper_error error;
    deeper_status status = parse(&file, bytes, &error);
    if (status != wanted || !strstr(error.message, words))
        fail_msg("status %d and \"%s\", not %d and \"%s\"", (int)status, error.message, (int)wanted,
                 words);
    assert_memory_equal(error.message, "x.pth: ", 7);
    assert_null(strchr(error.message, '\n'));
    assert_null(file.tensors);
}

/* --------------------------------------------------------------------- files that PyTorch wrote */

/* The file of a name in torch_small.txt; freed by the caller. */
static test_bytes recorded(const char *name) {
    test_bytes bytes = { 0 };
    size_t size;
    char *text = test_read(TEST_SOURCE_DIR "/tests/vectors/torch_small.txt", &size);
    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        for (const char *hex = line + length + 1; hex[0] && hex[1]; hex += 2) {
            unsigned byte;
            assert_int_equal(sscanf(hex, "%2x", &byte), 1);
            test_put_number(&bytes, byte, 1);
        }
    }
    free(text);
    assert_true(bytes.size > 0);
    return bytes;
}

static void has(const dp_torch *file, const char *name, dp_dtype type, int rank,
                const size_t *shape, const float *values) {
    const dp_tensor *tensor = NULL;
    size_t elements;
    float read[8];
    for (size_t i = 0; i < file->count; i++)
        tensor = strcmp(file->tensors[i].name, name) == 0 ? &file->tensors[i] : tensor;
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, type);
    assert_int_equal(tensor->rank, rank);
    if (rank)
        assert_memory_equal(tensor->shape, shape, (size_t)rank * sizeof *shape);
    assert_true(dp_tensor_elements(tensor, &elements) && elements <= LENGTH(read));
    if (!values)
        return;
    dp_tensor_read(tensor, read);
    assert_memory_equal(read, values, elements * sizeof *read);
}

static void files_of_pytorch(void **state) {
    static const char *const names[] = { "zip", "older", "protocol4" };
    for (size_t i = DP_HAVE_ZIP ? 0 : 1; i < (DP_HAVE_ZIP ? LENGTH(names) : 2); i++) {
        test_bytes bytes = recorded(names[i]);
        dp_torch file;
        deeper_error error;
        assert_true(dp_torch_sniff(bytes.bytes, bytes.size));
        if (parse(&file, &bytes, &error) != DEEPER_OK)
            fail_msg("%s: %s", names[i], error.message);
        assert_int_equal(file.count, 8);
        has(&file, "plain", DP_DTYPE_F32, 2, (size_t[]){ 2, 3 }, (float[]){ 0, 1, 2, 3, 4, 5 });
        has(&file, "turned", DP_DTYPE_F32, 2, (size_t[]){ 3, 2 }, (float[]){ 7, 13, 8, 14, 9, 15 });
        has(&file, "parameter", DP_DTYPE_F32, 1, (size_t[]){ 2 }, (float[]){ 0.5F, -1 });
        has(&file, "half", DP_DTYPE_F16, 1, (size_t[]){ 2 }, (float[]){ 1.5F, -2 });
        has(&file, "brain", DP_DTYPE_BF16, 1, (size_t[]){ 2 }, (float[]){ 1.5F, -2 });
        has(&file, "double", DP_DTYPE_F64, 1, (size_t[]){ 1 }, (float[]){ 0.1F });
        has(&file, "count", DP_DTYPE_I64, 0, NULL, NULL);
        has(&file, "flag", DP_DTYPE_BOOL, 1, (size_t[]){ 2 }, NULL);
        dp_torch_free(&file);
        for (size_t size = 0; size < bytes.size;
             size += 1 + size / 37) { /* cut anywhere: an error in one line */
            test_bytes cut = { malloc(size + 1), size };
            memcpy(cut.bytes, bytes.bytes, size);
            assert_int_not_equal(parse(&file, &cut, &error), DEEPER_OK);
            assert_null(strchr(error.message, '\n'));
            free(cut.bytes);
        }
        free(bytes.bytes);
    }
}

static void checkpoints(void **state) {
    test_bytes nested = recorded("nested"), module = recorded("module");
    dp_torch file;
    deeper_error error;
    assert_int_equal(parse(&file, &nested, &error), DEEPER_OK);
    assert_int_equal(file.count, 1);
    has(&file, "plain", DP_DTYPE_F32, 2, (size_t[]){ 2, 3 }, (float[]){ 0, 1, 2, 3, 4, 5 });
    dp_torch_free(&file);
    refused(&module, DEEPER_ERROR_UNSUPPORTED,
            "asks to call torch.nn.modules.linear.Linear; refused");
    free(nested.bytes);
    free(module.bytes);
}

/* --------------------------------------------------------------------------------- hostile ones */

/* A file in both forms of one tensor, which must be refused. */
static void refused_tensor(const test_torch_tensor *tensor, deeper_status status,
                           const char *words) {
    test_bytes pickle = { 0 }, zip = { 0 }, older = { 0 };
    test_torch_pickle(&pickle, tensor, 1);
    test_torch_zip(&zip, &pickle, tensor, 1);
    test_torch_older(&older, tensor, 1);
    refused(&zip, status, words);
    if (!tensor->key
        && tensor->bytes == tensor->elements * sizeof(float)) /* these two are said otherwise */
        refused(&older, status, words);
    free(pickle.bytes);
    free(zip.bytes);
    free(older.bytes);
}

static void tensors_that_lie(void **state) {
    static const float data[6] = { 0 };
#define ONE                                                                                        \
    .name = "a", .type = "FloatStorage", .storage = data, .bytes = sizeof data, .elements = 6
    static const struct {
        test_torch_tensor tensor;
        const char *words;
    } cases[] = {
        { { ONE, .rank = 1, .shape = { 7 } }, "tensor a has more elements than its storage" },
        { { ONE, .rank = 1, .shape = { 6 }, .offset = 1 }, "tensor a reaches outside its storage" },
        { { ONE, .rank = 1, .shape = { 1 }, .offset = 6 }, "tensor a reaches outside its storage" },
        { { ONE, .rank = 2, .shape = { 2, 2 }, .strided = true, .strides = { 5, 1 } },
          "reaches outside" },
        { { ONE, .rank = 2, .shape = { 2, 2 }, .strided = true,
            .strides = { INT64_MAX, INT64_MAX } },
          "reaches outside" },
        { { ONE, .rank = 1, .shape = { 1000 }, .strided = true, .strides = { 0 } },
          "more elements" },
        { { ONE, .rank = 2, .shape = { INT64_MAX, 4 } }, "more elements" },
        { { ONE, .rank = 1, .shape = { (size_t)-1 } }, "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 2 }, .strided = true, .strides = { (size_t)-1 } },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 2 }, .offset = (size_t)-1 },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 9, .shape = { 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
          "no sound storage, offset, shape" },
        { { ONE, .rank = 1, .shape = { 1 }, .key = "../../etc/passwd" },
          "storage ../../etc/passwd is not in the file" },
        { { ONE, .rank = 1, .shape = { 1 }, .key = "../byteorder" }, "is not in the file" },
        { { .name = "a",
            .type = "FloatStorage",
            .storage = data,
            .bytes = 20,
            .elements = 6,
            .rank = 1,
            .shape = { 6 } },
          "storage 0 has 20 bytes for 6 elements of F32" },
        { { .name = "a",
            .type = "FloatStorage",
            .storage = data,
            .bytes = 24,
            .elements = (size_t)1 << 62,
            .rank = 1,
            .shape = { 6 } },
          "a storage of 4611686018427387904 elements" },
        { { .name = "a\n", .type = "FloatStorage", .storage = data, .bytes = 24, .elements = 6 },
          "not clean text" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        refused_tensor(&cases[i].tensor, DEEPER_ERROR_FORMAT, cases[i].words);
    refused_tensor(&(test_torch_tensor){ .name = "a",
                                         .type = "ComplexFloatStorage",
                                         .storage = data,
                                         .bytes = 24,
                                         .elements = 6 },
                   DEEPER_ERROR_UNSUPPORTED, "asks to call torch.ComplexFloatStorage; refused");
}

/* Pickles of another shape than a state dict's, in the zip form. */
static void dictionaries_that_are_none(void **state) {
#define STORAGE(count) "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK" count "tQ"
    static const struct {
        const char *bytes;
        size_t size;
        deeper_status status;
        const char *words;
    } cases[] = {
        { "N.", 2, DEEPER_ERROR_FORMAT, "no dictionary of tensors in it" },
        { "}.", 2, DEEPER_ERROR_FORMAT, "no dictionary of tensors in it" },
        { "}X\5\0\0\0modelh\0s.", 15, DEEPER_ERROR_FORMAT, "memo" },
        { "}q\0X\5\0\0\0modelh\0s.", 17, DEEPER_ERROR_FORMAT,
          "no dictionary of tensors in it" }, /* a loop */
        { "K\1Q.", 4, DEEPER_ERROR_FORMAT, "no storage of tensors" },
        { "cos\nsystem\n.", 12, DEEPER_ERROR_UNSUPPORTED, "asks to call os.system; refused" },
        { STORAGE("\1") STORAGE("\2") "\x86.", 2 * 51 + 4 - 2, DEEPER_ERROR_FORMAT,
          "storage 0 is stated in two ways" },
        { "}K\1ctorch._utils\n_rebuild_tensor_v2\n)Rs.", 40, DEEPER_ERROR_FORMAT,
          "not clean text" },
        { "}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n)Rs.", 44, DEEPER_ERROR_FORMAT,
          "tensor a has no sound storage" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        test_bytes pickle = { (unsigned char *)(uintptr_t)cases[i].bytes, cases[i].size },
                   zip = { 0 };
        test_torch_zip(&zip, &pickle, NULL, 0);
        refused(&zip, cases[i].status, cases[i].words);
        free(zip.bytes);
    }
}

static void other_zips_and_pickles(void **state) {
    test_bytes bytes = { 0 };
    test_zip_put(&bytes, &(test_zip_entry){ .name = "notes.txt" }, 1);
    refused(&bytes, DEEPER_ERROR_FORMAT,
            "neither a PyTorch state dict (data.pkl) nor NumPy arrays");
    free(bytes.bytes);
    const test_zip_entry big[] = { { .name = "m/data.pkl", .data = "}.", .size = 2 },
                                   { .name = "m/byteorder", .data = "big", .size = 3 } };
    bytes = (test_bytes){ 0 };
    test_zip_put(&bytes, big, 2);
    refused(&bytes, DEEPER_ERROR_UNSUPPORTED, "not little-endian");
    free(bytes.bytes);
    bytes = (test_bytes){ (unsigned char *)(uintptr_t) "\x80\4}.", 4 };
    assert_true(dp_torch_sniff(bytes.bytes, bytes.size));
    refused(&bytes, DEEPER_ERROR_UNSUPPORTED, "a pickle that torch.save did not write");
}

static void allocations_fail(void **state) {
    static const char *const names[] = { "zip", "older" };
    for (size_t i = DP_HAVE_ZIP ? 0 : 1; i < LENGTH(names); i++) {
        test_bytes bytes = recorded(names[i]);
        for (long n = 1, done = 0; !done; n++) {
            test_failing_allocator failing;
            dp_torch file;
            deeper_error error = { 0 };
            test_failing_allocator_init(&failing, n);
            deeper_status status =
                dp_torch_parse(&file, bytes.bytes, bytes.size, "x.pth", &failing.allocator, &error);
            done = failing.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            dp_torch_free(&file);
            assert_int_equal(failing.outstanding, 0);
        }
        free(bytes.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_pytorch),       cmocka_unit_test(checkpoints),
        cmocka_unit_test(tensors_that_lie),       cmocka_unit_test(dictionaries_that_are_none),
        cmocka_unit_test(other_zips_and_pickles), cmocka_unit_test(allocations_fail),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(files_of_pytorch),
        cmocka_unit_test(allocations_fail),
    };
    return DP_HAVE_ZIP ? cmocka_run_group_tests_name("torch", tests, NULL, NULL)
                       : cmocka_run_group_tests_name("torch", without, NULL, NULL);
}
