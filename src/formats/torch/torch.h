/* torch.h - PyTorch's files of tensors: state dicts as torch.save writes them, in its zip form and
 * the older one of a row of pickles. Nothing of a pickle is run (pickle.h). It knows nothing of
 * networks (torchvision.c does).
 *
 *   zip    NAME/data.pkl, the pickled dictionary, and NAME/data/KEY, the elements of each storage
 *   older  five pickles (a magic number, 1001, facts of the machine, the dictionary, the keys),
 *          then for each key 8 bytes of length and the elements
 *
 * A tensor is a view of a storage: offset, shape, strides. */
#ifndef DP_FORMATS_TORCH_H
#define DP_FORMATS_TORCH_H

#include "model/tensor.h"

typedef struct dp_torch {
    const deeper_allocator *allocator;
    dp_tensor *tensors; /* in the order of the dictionary, in C order */
    size_t count, capacity;
    void **blocks; /* what owns names and bytes */
    size_t block_count, block_capacity;
} dp_torch;

/* Whether the bytes begin as such a file does: a zip whose first entry is no .npy array, or a
 * pickle. */
bool dp_torch_sniff(const unsigned char *bytes, size_t size);

/* Reads a file in memory, which must outlive *file. The state dict is the file's dictionary or, in
 * a checkpoint, the one under "state_dict", "model_state_dict", "model" or "net"; what in it is no
 * tensor is left out. `name` stands for the file in messages. Errors: those of dp_zip_open,
 * dp_zip_read and dp_pickle_parse; FORMAT (no dictionary of tensors, a tensor outside its storage),
 * UNSUPPORTED, LIMIT, MEMORY; *file is then empty. */
deeper_status dp_torch_parse(dp_torch *file, const void *bytes, size_t size, const char *name,
                             const deeper_allocator *allocator, deeper_error *error);
void dp_torch_free(dp_torch *file);

#endif
