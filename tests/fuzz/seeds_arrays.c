/* seeds_arrays.c - seeds for the readers of npz and PyTorch files: small sound files of every kind
 * that each tells apart.
 *
 *     seeds_arrays FOLDER        fills FOLDER/fuzz_npz, fuzz_pickle, fuzz_torch */
#include "helpers/pickles.h"
#include "helpers/seeds.h"

#include <stdlib.h>
#include <string.h>

/* `first` (a byte that chooses; -1: none), then the bytes, which are freed. */
static void save(int first, test_bytes *bytes) {
    if (first < 0)
        seeds_save(bytes->bytes, bytes->size);
    else
        seeds_save_after(first, bytes->bytes, bytes->size);
    free(bytes->bytes);
    *bytes = (test_bytes){ 0 };
}

/* ------------------------------------------------------------------------------------------ npz */

static void arrays(void) {
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 4), }",
        "{'descr': '<U4', 'fortran_order': False, 'shape': (), }",
        "{'descr': '|S16', 'fortran_order': False, 'shape': (), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (16,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
        "{'descr': '<U1', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{\"shape\":(16),\"descr\":\"|b1\",\"fortran_order\":False}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }",
    };
    static const char data[16] = "a\0\0\0b\0\0\0\xE0\xAC\0\0\0\0\0";
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (int choice = 1; choice < 64; choice = 2 * choice + 1) {
            test_bytes array = { 0 };
            test_npy_put(&array, headers[i], data, sizeof data);
            save(choice & ~2 & ~16, &array);
        }
    test_bytes second = { 0 };
    test_put(&second, "\x93NUMPY\2\0\1\0\0\0\n", 13);
    save(1, &second);
    test_npy_put(&second, headers[0], data, sizeof data);
    save(32 | 16 | 1, &second); /* one of two is encrypted */
    test_npy_put(&second, headers[0], data, sizeof data);
    save(2 | 1, &second); /* deflated */
}

static void archives(void) {
    static const char data[16] = "0123456789abcdef";
    for (int method = 0; method <= 12; method += method ? 4 : TEST_ZIP_DEFLATE) {
        test_bytes array = { 0 }, zip = { 0 };
        test_npy_put(&array, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", data,
                     sizeof data);
        const test_zip_entry entries[] = {
            { .name = "a.npy", .data = array.bytes, .size = array.size, .method = method },
            { .name = "b/c.npy",
              .data = array.bytes,
              .size = array.size,
              .wrong_sum = method == 12 },
            { .name = "d.npy", .data = array.bytes, .size = array.size, .stated_size = 0x70000000 }
        };
        for (size_t count = 0; count <= 3; count++) {
            test_zip_put(&zip, entries, count);
            save(0, &zip);
        }
        free(array.bytes);
    }
}

/* -------------------------------------------------------------------------------------- PyTorch */

static const float numbers[16] = { 1, 2, 3 };

#define STORED .storage = numbers, .bytes = sizeof numbers
static const test_torch_tensor tensors[] = {
    { .name = "a.weight",
      .type = "FloatStorage",
      STORED,
      .elements = 16,
      .rank = 4,
      .shape = { 2, 2, 2, 2 } },
    { .name = "a.bias",
      .type = "DoubleStorage",
      STORED,
      .elements = 8,
      .rank = 1,
      .shape = { 4 },
      .offset = 4 },
    { .name = "b",
      .type = "HalfStorage",
      STORED,
      .elements = 32,
      .rank = 2,
      .shape = { 4, 8 },
      .strided = true,
      .strides = { 1, 4 } },
    { .name = "n", .type = "LongStorage", STORED, .elements = 8 },
};

static void checkpoint(test_bytes *out) {
    static const char front[] = "}(X\5\0\0\0epochK\3X\5\0\0\0model";
    test_put(out, front, sizeof front - 1);
    test_torch_pickle(out, tensors, 4);
    out->size--; /* its STOP */
    test_put(out, "u.", 2);
}

static void pickles(int first) {
    static const struct {
        const char *bytes;
        size_t size;
    } others[] = {
#define PICKLE(text) { text, sizeof text - 1 }
        PICKLE("cos\nsystem\nX\2\0\0\0ls\x85R."),
        PICKLE("\x80\4\x95\6\0\0\0\0\0\0\0}\x94(K\1K\2u."),
        PICKLE("]q\0(h\0NI\x88\x89M\1\2J\1\2\3\4\x8a\3\1\2\3G\0\0\0\0\0\0\0\0e."),
        PICKLE("]q\0(h\0N\x88\x89M\1\2J\1\2\3\4\x8a\3\1\2\3G\0\0\0\0\0\0\0\0e."),
        PICKLE("]r\1\0\0\0K\1aj\1\0\0\0a\x94h\2N\x86NNN\x87("
               "NNt\x8c\1aX\1\0\0\0b\x8d\1\0\0\0\0\0\0\0cU\1dT\1\0\0\0e(00011."),
        PICKLE("]K\1a2\x86."),
        PICKLE("(NN1]N0."),
        PICKLE("\x8c\x0b"
               "collections\x8c\x0bOrderedDict\x93)R(K\1K\2uK\3K\4s}b."),
        PICKLE("ctorch._utils\n_rebuild_tensor_v2\n)R."),
        PICKLE("K\1Q."),
    };
    test_bytes out = { 0 };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        test_put(&out, others[i].bytes, others[i].size);
        save(first, &out);
    }
    for (size_t count = 0; count <= 4; count++) {
        test_torch_pickle(&out, tensors, count);
        save(first, &out);
    }
    checkpoint(&out);
    save(first, &out);
}

static void files(void) {
    test_bytes pickle = { 0 }, out = { 0 };
    for (size_t count = 1; count <= 4; count += 3) {
        test_torch_pickle(&pickle, tensors, count);
        test_torch_zip(&out, &pickle, tensors, count);
        save(0, &out);
        for (int choice = 1; choice < 16; choice += 2) {
            test_put(&out, pickle.bytes, pickle.size);
            save(choice, &out);
        }
        test_torch_older(&out, tensors, count);
        save(0, &out);
        free(pickle.bytes);
        pickle = (test_bytes){ 0 };
    }
    test_put(&out, "\x80\4}.", 4);
    save(0, &out);
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_npz");
    arrays();
    archives();
    seeds_begin("fuzz_pickle");
    pickles(-1);
    seeds_begin("fuzz_torch");
    pickles(1);
    files();
    return 0;
}
