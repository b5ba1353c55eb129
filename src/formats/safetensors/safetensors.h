/* safetensors.h - the container of model files: named tensors and a map of texts. Reads any sound
 * file of the format, writes ours.
 *
 *   8 bytes   N, little-endian: bytes of the header
 *   N bytes   JSON, white space allowed at its end:
 *             {"__metadata__": {KEY: TEXT, ...},
 *              TENSOR: {"dtype": "F32", "shape": [64, 3, 7, 7], "data_offsets": [BEGIN, END]}, ...}
 *   the rest  the tensors' bytes; offsets count from here and must tile it, without overlap or hole
 *
 * It knows nothing of networks (model_file.c does). */
#ifndef DP_FORMATS_SAFETENSORS_H
#define DP_FORMATS_SAFETENSORS_H

#include "model/tensor.h"

enum {
    DP_SAFETENSORS_PREFIX = 8, /* bytes of the header's length */
    DP_SAFETENSORS_MAX_HEADER =
        8 << 20 /* larger headers are refused: deeper's own limit, the format's is 100 MB */
};

typedef struct dp_safetensors {
    const deeper_allocator *allocator;
    dp_tensor *tensors; /* in the order of their bytes */
    size_t count;
    dp_text *metadata; /* in the order of the file */
    size_t metadata_count;
    struct json_t *header; /* owns all names and texts */
} dp_safetensors;

/* Whether the bytes begin as such a file does; it may still be damaged. */
bool dp_safetensors_sniff(const unsigned char *bytes, size_t size);

/* Reads the header of a file in memory; tensors point into `bytes`, which must outlive *file.
 * `name` stands for the file in messages. Names, keys and texts are UTF-8 without control
 * characters, but for newlines and tabs in texts. Errors: FORMAT, LIMIT (header, number of values,
 * rank), UNSUPPORTED (an unknown element type), MEMORY; *file is then empty. */
deeper_status dp_safetensors_parse(dp_safetensors *file, const void *bytes, size_t size,
                                   const char *name, const deeper_allocator *allocator,
                                   deeper_error *error);
void dp_safetensors_free(dp_safetensors *file);

/* The metadata text of a key, NULL if there is none. */
const char *dp_safetensors_text(const dp_safetensors *file, const char *key);

/* Writes a file, atomically: the tensors in the order given, the data at a multiple of 64 bytes.
 * The same arguments give the same bytes. Errors: ARGUMENT (a name or text that could not be read
 * back), LIMIT (the header), MEMORY, IO. */
deeper_status dp_safetensors_write(const char *path, const dp_tensor *tensors, size_t count,
                                   const dp_text *metadata, size_t metadata_count,
                                   const deeper_allocator *allocator, deeper_error *error);

#endif
