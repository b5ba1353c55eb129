/* npy.h - one array as NumPy's .npy form has it: the header before its bytes, to and from a
 * dp_tensor.
 *
 *   6 bytes   "\x93NUMPY"
 *   2 bytes   version 1.0, 2.0 or 3.0
 *   2 or 4    L, little-endian: bytes of the text that follows
 *   L bytes   {'descr': '<f4', 'fortran_order': False, 'shape': (64, 3, 7, 7), }, spaces, a newline
 *   the rest  the elements
 *
 * Little-endian numbers, and texts: '<U7' (7 code points of 4 bytes) and '|S7' (7 bytes), both
 * filled up with zeros. Arrays of Python objects (which are pickles), records and complex numbers
 * are refused. */
#ifndef DP_FORMATS_NPY_H
#define DP_FORMATS_NPY_H

#include "model/tensor.h"

typedef enum dp_npy_kind { DP_NPY_NUMBERS, DP_NPY_UNICODE, DP_NPY_BYTES } dp_npy_kind;

typedef struct dp_npy {
    dp_npy_kind kind;
    size_t element; /* bytes of one */
    bool fortran;   /* the first index runs fastest */
    dp_tensor
        tensor; /* without a name; dtype is set for numbers only; data points into the bytes */
} dp_npy;

/* Reads bytes[size], which are the whole array. file and entry name it in messages. Errors: FORMAT,
 * UNSUPPORTED (the element types above), LIMIT (rank). */
deeper_status dp_npy_parse(dp_npy *array, const unsigned char *bytes, size_t size, const char *file,
                           const char *entry, deeper_error *error);

enum { DP_NPY_HEADER = 384 }; /* holds the header of every shape that a dp_tensor can have */

/* The header of an array of numbers (the tensor's dtype, which NumPy must have: not BF16, F8), and
 * of one of texts of `width` code points in the tensor's shape. Returns its bytes, a multiple of
 * 64; 0: NumPy has no such type. */
size_t dp_npy_header(char header[DP_NPY_HEADER], const dp_tensor *tensor);
size_t dp_npy_text_header(char header[DP_NPY_HEADER], const dp_tensor *tensor, size_t width);

#endif
