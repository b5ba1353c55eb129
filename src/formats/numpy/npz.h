/* npz.h - NumPy's archive of named arrays: what numpy.savez writes and numpy.load reads, both ways.
 * A text alone (no dimensions) is how the deeper.* texts of a model are kept: in Python,
 * str(numpy.load("m.npz")["deeper.source"]). It knows nothing of networks (model_file.c does). */
#ifndef DP_FORMATS_NPZ_H
#define DP_FORMATS_NPZ_H

#include "formats/numpy/zip.h"
#include "model/tensor.h"

typedef struct dp_npz {
    const deeper_allocator *allocator;
    dp_tensor *tensors; /* arrays of numbers in the order of the file, in C order */
    size_t count;
    dp_text *texts; /* texts of no dimensions */
    size_t text_count;
    void **blocks; /* what owns names, bytes and texts */
    size_t block_count;
} dp_npz;

/* Whether the bytes begin as such a file does: a zip whose first entry is a .npy array. */
bool dp_npz_sniff(const unsigned char *bytes, size_t size);

/* Reads all arrays of a file in memory into memory of their own. Arrays of texts that have
 * dimensions are checked and left out. `name` stands for the file in messages. Errors: those of
 * dp_zip_open, dp_zip_read and dp_npy_parse; FORMAT (an entry that is no array, a name that is not
 * clean UTF-8 or there twice); *file is then empty. */
deeper_status dp_npz_parse(dp_npz *file, const void *bytes, size_t size, const char *name,
                           const deeper_allocator *allocator, deeper_error *error);
void dp_npz_free(dp_npz *file);

/* An npz being written; atomic, and the same arguments give the same bytes. Names must be unique.
 * The first failure is kept and told by commit. */
typedef struct dp_npz_writer {
    const deeper_allocator *allocator;
    dp_zip_writer zip;
    deeper_error failure;
} dp_npz_writer;

deeper_status dp_npz_create(dp_npz_writer *npz, const char *path, const deeper_allocator *allocator,
                            deeper_error *error);
void dp_npz_put(dp_npz_writer *npz,
                const dp_tensor *tensor); /* ARGUMENT: a type that NumPy does not have, a name that
                                             is not clean */

/* Texts (UTF-8; newlines and tabs allowed) as an array of `rank` 0 (one text) or 1 (`count` of
 * them). */
void dp_npz_put_texts(dp_npz_writer *npz, const char *name, int rank, const char *const *texts,
                      size_t count);

deeper_status dp_npz_commit(dp_npz_writer *npz, deeper_error *error); /* frees in every case */
void dp_npz_discard(dp_npz_writer *npz);

/* A whole file: tensors, then texts. As dp_safetensors_write. */
deeper_status dp_npz_write(const char *path, const dp_tensor *tensors, size_t count,
                           const dp_text *texts, size_t text_count,
                           const deeper_allocator *allocator, deeper_error *error);

#endif
