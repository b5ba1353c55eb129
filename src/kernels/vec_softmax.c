/* vec_softmax.c - softmax over the channels of one pixel. Scalar: a network has one of some
 * thousand values, a few microseconds. The exponentials are summed in double precision, so that
 * their number does not matter. A NaN makes every output NaN. */
#include "kernels/vec_families.h"

static ptrdiff_t place(int channel, ptrdiff_t block_stride) {
    return channel / DP_VEC_LANES * block_stride + channel % DP_VEC_LANES;
}

void DP_VEC_NAME(softmax)(float *out, ptrdiff_t out_block_stride, const float *in,
                          ptrdiff_t in_block_stride, int channels) {
    float largest = -INFINITY;
    for (int c = 0; c < channels; c++)
        if (in[place(c, in_block_stride)] > largest)
            largest = in[place(c, in_block_stride)];
    double sum = 0;
    for (int c = 0; c < channels; c++) {
        float power = expf(in[place(c, in_block_stride)] - largest);
        out[place(c, out_block_stride)] = power;
        sum += (double)power;
    }
    const float scale = (float)(1 / sum);
    for (int c = 0; c < channels; c++)
        out[place(c, out_block_stride)] *= scale;
    for (int c = channels; c % DP_VEC_LANES != 0; c++)
        out[place(c, out_block_stride)] = 0;
}
