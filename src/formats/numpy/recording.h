/* recording.h - tensors that another program recorded: an npz of named arrays, or a folder of raw
 * files NAME_SHAPE.f32 such as conv1_1x64x112x112.f32 (little-endian floats; what follows the
 * shape, as in input_1x3x224x224_bgr.f32, is left out of the name). It knows nothing of networks
 * (eval/verify.c does). */
#ifndef DP_FORMATS_RECORDING_H
#define DP_FORMATS_RECORDING_H

#include "formats/numpy/npz.h"

typedef struct dp_recording {
    const deeper_allocator *allocator;
    const dp_tensor *tensors; /* those that dp_tensor_read can read, in the order of the file, or of
                                 the names in a folder */
    size_t count;
    dp_npz npz;       /* what owns them: of a file, */
    dp_tensor *files; /* or of a folder: names and data by dp_free */
} dp_recording;

/* Errors: those of dp_file_read and dp_npz_parse; FORMAT (a file of other bytes than its shape, no
 * array at all), LIMIT (4 GB); *recording is then empty. */
deeper_status dp_recording_open(dp_recording *recording, const char *path,
                                const deeper_allocator *allocator, deeper_error *error);
void dp_recording_free(dp_recording *recording);

#endif
