/* pickles.c - see pickles.h. */
#include "helpers/pickles.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void test_pickle_text(test_bytes *out, const char *text) {
    test_put(out, "X", 1);
    test_put_number(out, strlen(text), 4);
    test_put(out, text, strlen(text));
}

void test_pickle_int(test_bytes *out, int64_t number) {
    bool small = number >= 0 && number < 256;
    if (small || (number >= INT32_MIN && number <= INT32_MAX)) {
        test_put(out, small ? "K" : "J", 1);
        test_put_number(out, (uint64_t)number, small ? 1 : 4);
        return;
    }
    test_put(out, "\x8A\x08", 2);
    test_put_number(out, (uint64_t)number, 8);
}

void test_pickle_global(test_bytes *out, const char *module, const char *name) {
    test_put(out, "c", 1);
    test_put(out, module, strlen(module));
    test_put(out, "\n", 1);
    test_put(out, name, strlen(name));
    test_put(out, "\n", 1);
}

static void put_key(test_bytes *out, const test_torch_tensor *tensor, size_t place) {
    char key[32];
    snprintf(key, sizeof key, "%zu", place);
    test_pickle_text(out, tensor->key ? tensor->key : key);
}

static void put_sizes(test_bytes *out, const size_t *sizes, int rank) {
    test_put(out, "(", 1);
    for (int i = 0; i < rank; i++)
        test_pickle_int(out, (int64_t)sizes[i]);
    test_put(out, "t", 1);
}

static void put_tensor(test_bytes *out, const test_torch_tensor *tensor, size_t place) {
    size_t strides[9], stride = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= tensor->shape[i];
    }
    test_pickle_text(out, tensor->name);
    test_pickle_global(out, "torch._utils", "_rebuild_tensor_v2");
    test_put(out, "((", 2);
    test_pickle_text(out, "storage");
    test_pickle_global(out, "torch", tensor->type);
    put_key(out, tensor, place);
    test_pickle_text(out, "cpu");
    test_pickle_int(out, (int64_t)tensor->elements);
    test_put(out, "tQ", 2);
    test_pickle_int(out, (int64_t)tensor->offset);
    put_sizes(out, tensor->shape, tensor->rank);
    put_sizes(out, tensor->strided ? tensor->strides : strides, tensor->rank);
    test_put(out, "\x89", 1);
    test_pickle_global(out, "collections", "OrderedDict");
    test_put(out, ")RtR", 4);
}

void test_torch_pickle(test_bytes *out, const test_torch_tensor *tensors, size_t count) {
    test_put(out, "\x80\x02", 2);
    test_pickle_global(out, "collections", "OrderedDict");
    test_put(out, ")Rq\0(", 5);
    for (size_t i = 0; i < count; i++)
        put_tensor(out, &tensors[i], i);
    test_put(out, "u}", 2);
    test_pickle_text(out, "_metadata");
    test_put(out, "}sb.", 4);
}

void test_torch_zip(test_bytes *out, const test_bytes *pickle, const test_torch_tensor *tensors,
                    size_t count) {
    test_zip_entry *entries = calloc(count + 2, sizeof *entries);
    char(*names)[64] = calloc(count + 1, sizeof *names);
    if (!entries || !names)
        abort();
    entries[0] =
        (test_zip_entry){ .name = "m/data.pkl", .data = pickle->bytes, .size = pickle->size };
    entries[1] = (test_zip_entry){ .name = "m/byteorder", .data = "little", .size = 6 };
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "m/data/%zu", i);
        entries[2 + i] = (test_zip_entry){ .name = names[i],
                                           .data = tensors[i].storage,
                                           .size = tensors[i].bytes };
    }
    test_zip_put(out, entries, count + 2);
    free(entries);
    free(names);
}

void test_torch_older(test_bytes *out, const test_torch_tensor *tensors, size_t count) {
    static const char front[] =
        "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.\x80\x02}(";
    test_put(out, front, sizeof front - 1);
    test_pickle_text(out, "little_endian");
    test_put(out, "\x88u.", 3);
    test_torch_pickle(out, tensors, count);
    test_put(out, "\x80\x02](", 4);
    for (size_t i = 0; i < count; i++)
        put_key(out, &tensors[i], i);
    test_put(out, "e.", 2);
    for (size_t i = 0; i < count; i++) {
        test_put_number(out, tensors[i].elements, 8);
        test_put(out, tensors[i].storage, tensors[i].bytes);
    }
}
