/* torch_file.h - what the two halves of the reader of PyTorch files share: torch_file.c knows the
 * forms of a file, torch.c the dictionary in it. Internal to them. */
#ifndef DP_FORMATS_TORCH_FILE_H
#define DP_FORMATS_TORCH_FILE_H

#include "formats/numpy/zip.h"
#include "formats/torch/pickle.h"
#include "formats/torch/torch.h"

/* One array of elements that tensors are views of. */
typedef struct dp_torch_storage {
    const char *key; /* in the pickle */
    size_t key_size;
    dp_dtype dtype;
    size_t elements, bytes;
    const unsigned char *data; /* NULL: not read yet */
} dp_torch_storage;

typedef struct dp_torch_reader {
    dp_torch *file;
    const char *name;
    dp_pickle pickle; /* of the file's dictionary */
    dp_torch_storage *storages;
    size_t storage_count;
    dp_zip zip;         /* the zip form; archive NULL: the older */
    const char *folder; /* of the zip form: "NAME/" */
    size_t folder_size;
    size_t left; /* bytes that tensors in another order may still take */
    deeper_error *error;
} dp_torch_reader;

/* The names that a PyTorch file may say. */
extern const dp_pickle_global dp_torch_globals[];
extern const size_t dp_torch_global_count;

/* Reads the dictionary's pickle and lists the storages that it names. */
deeper_status dp_torch_read_pickle(dp_torch_reader *r, const unsigned char *bytes, size_t size);

/* The storage of a key, NULL if the pickle does not name it. */
dp_torch_storage *dp_torch_find(const dp_torch_reader *r, const char *key, size_t size);

/* Gives a storage its bytes (torch_file.c). */
deeper_status dp_torch_load(dp_torch_reader *r, dp_torch_storage *storage);

/* The file's tensors from the pickle. */
deeper_status dp_torch_collect(dp_torch_reader *r);

/* Makes a block the file's; false if it is NULL or memory is out, and then it is freed. */
bool dp_torch_keep(dp_torch_reader *r, void *block);

#endif
