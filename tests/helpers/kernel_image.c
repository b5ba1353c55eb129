/* kernel_image.c - blocked and planar images for the tests of kernels, from canonical values and
 * back (kernel_harness.h). */
#include "helpers/kernel_harness.h"

#include <math.h>
#include <string.h>

static kernel_image shaped(dp_reference_dims dims, int lanes) {
    return (kernel_image){ .dims = dims,
                           .lanes = lanes,
                           .blocks = (dims.channels + lanes - 1) / lanes };
}

kernel_image kernel_image_spaced(kernel_test *t, dp_reference_dims dims, int lanes, int row_gap,
                                 int block_gap) {
    kernel_image image = shaped(dims, lanes);
    const ptrdiff_t rows = dims.height - 1;
    image.row_gap = row_gap;
    image.row_stride = (ptrdiff_t)(dims.width + row_gap) * lanes;
    image.block_stride = rows * image.row_stride + (ptrdiff_t)(dims.width + block_gap) * lanes;
    image.image_stride = image.blocks * image.block_stride;
    image.data = kernel_floats(
        t, (size_t)((dims.images - 1) * image.image_stride + (image.blocks - 1) * image.block_stride
                    + rows * image.row_stride + (ptrdiff_t)dims.width * lanes));
    return image;
}

kernel_image kernel_image_padded(kernel_test *t, dp_reference_dims dims, int lanes,
                                 dp_reference_window w) {
    kernel_image image = shaped(dims, lanes);
    image.row_stride = (ptrdiff_t)(dims.width + w.pad_left + w.pad_right) * lanes;
    image.block_stride = (dims.height + w.pad_top + w.pad_bottom) * image.row_stride;
    image.image_stride = image.blocks * image.block_stride;
    const size_t count = (size_t)(dims.images * image.image_stride);
    float *data = kernel_floats(t, count);
    memset(data, 0, count * sizeof *data);
    image.data = data + w.pad_top * image.row_stride + (ptrdiff_t)w.pad_left * lanes;
    return image;
}

float *kernel_image_at(const kernel_image *i, int n, int c, int y, int x) {
    return &i->data[n * i->image_stride + c / i->lanes * i->block_stride + y * i->row_stride
                    + (ptrdiff_t)x * i->lanes + c % i->lanes];
}

void kernel_image_put(const kernel_image *image, const double *values) {
    const dp_reference_dims d = image->dims;
    for (int n = 0; n < d.images; n++)
        for (int c = 0; c < image->blocks * image->lanes; c++)
            for (int y = 0; y < d.height; y++)
                for (int x = 0; x < d.width; x++)
                    *kernel_image_at(image, n, c, y, x) = c < d.channels ? (float)*values++ : 0;
}

/* Row y of channel c of image n: canonical values, or nothing for a lane past the channels. */
static void get_row(kernel_test *t, const kernel_image *image, int n, int c, int y, double *row) {
    const dp_reference_dims d = image->dims;
    for (int x = 0; x < d.width; x++) {
        const float value = *kernel_image_at(image, n, c, y, x);
        if (row)
            row[x] = (double)value;
        else if (value != 0)
            kernel_fail(t, "lane %d past the channels is %g", c, (double)value);
    }
    for (int x = d.width; y + 1 < d.height && x < d.width + image->row_gap; x++)
        if (!isnan(*kernel_image_at(image, n, c, y, x)))
            kernel_fail(t, "something was written between rows %d and %d", y, y + 1);
}

double *kernel_image_get(kernel_test *t, const kernel_image *image) {
    const dp_reference_dims d = image->dims;
    double *values = kernel_doubles(t, dp_reference_count(d)), *row = values;
    for (int n = 0; n < d.images; n++)
        for (int c = 0; c < image->blocks * image->lanes; c++)
            for (int y = 0; y < d.height; y++, row += c < d.channels ? d.width : 0)
                get_row(t, image, n, c, y, c < d.channels ? row : NULL);
    return values;
}

int kernel_output_size(int size, int window, int stride, int padding) {
    return (size + padding - window) / stride + 1;
}
