/* pickles.h - files as torch.save writes them, sound or not: what tests and seeds of the fuzzer
 * need, without PyTorch. */
#ifndef TEST_HELPERS_PICKLES_H
#define TEST_HELPERS_PICKLES_H

#include "helpers/zips.h"

/* A tensor of a state dict, in a storage of its own. What is 0 is as it should be. */
typedef struct test_torch_tensor {
    const char *name;
    const char *type;    /* "FloatStorage" */
    const void *storage; /* its bytes */
    size_t bytes;
    size_t elements; /* of the storage, as the pickle states them */
    int rank;
    size_t shape[9], strides[9];
    bool strided; /* strides are given; else those of C order */
    size_t offset;
    const char *key; /* of the storage; NULL: its place among the tensors */
} test_torch_tensor;

/* Appends instructions. */
void test_pickle_text(test_bytes *out, const char *text);
void test_pickle_int(test_bytes *out, int64_t number);
void test_pickle_global(test_bytes *out, const char *module, const char *name);

/* Appends the pickle of an OrderedDict of tensors, protocol 2; _metadata is set, as modules do. */
void test_torch_pickle(test_bytes *out, const test_torch_tensor *tensors, size_t count);

/* Appends a whole file in the zip form, around any pickle, or in the older form. */
void test_torch_zip(test_bytes *out, const test_bytes *pickle, const test_torch_tensor *tensors,
                    size_t count);
void test_torch_older(test_bytes *out, const test_torch_tensor *tensors, size_t count);

#endif
