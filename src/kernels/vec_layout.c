/* vec_layout.c - rows of pixels between planar and blocked. Only the picture that comes in and the outputs that go out pass here,
 * so the loops are plain; each writes its side in order while the row stays in the nearest cache. */
#include "kernels/vec_families.h"

void DP_VEC_NAME(block_row)(float *blocked, const float *planar, ptrdiff_t plane, int channels, int width) {
    for (int x = 0; x < width; x++) {
        float *pixel = blocked + (ptrdiff_t)x * DP_VEC_LANES;
        for (int c = 0; c < channels; c++)
            pixel[c] = planar[c * plane + x];
        for (int c = channels; c < DP_VEC_LANES; c++)
            pixel[c] = 0;
    }
}

void DP_VEC_NAME(unblock_row)(float *planar, ptrdiff_t plane, const float *blocked, int channels, int width) {
    for (int c = 0; c < channels; c++)
        for (int x = 0; x < width; x++)
            planar[c * plane + x] = blocked[(ptrdiff_t)x * DP_VEC_LANES + c];
}
