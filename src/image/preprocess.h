/* preprocess.h - from a picture to the network's input: the one preprocessing engine of training,
 * evaluation and serving. Why one: a network that is served with other pixels than it was trained
 * on is quietly worse; the model file keeps this structure. */
#ifndef DP_IMAGE_PREPROCESS_H
#define DP_IMAGE_PREPROCESS_H

#include "image/resize.h"

typedef enum dp_resize_rule {
    DP_RESIZE_SHORT,  /* short side to `side`, aspect kept; the long side is floor(side * long /
                         short) */
    DP_RESIZE_SQUASH, /* to side x side, aspect ignored */
    DP_RESIZE_NONE /* only enlarged, short side to `size`, aspect kept, when smaller than the crop;
                      `side` is not used */
} dp_resize_rule;

/* "short", "squash", "none", as the model file keeps them. */
const char *dp_resize_rule_name(dp_resize_rule rule);
bool dp_resize_rule_from_name(dp_resize_rule *rule, const char *name); /* false: no such rule */

typedef struct dp_preprocess {
    int size;     /* side of the network's square input: the crop */
    int channels; /* 3, or 1: luminance (299 R + 587 G + 114 B) / 1000 (ITU-R 601, as Pillow's "L"),
                     of the resized pixels */
    bool bgr;     /* channel order B, G, R; without meaning when channels is 1 */
    float mean[3],
        scale[3]; /* in the network's channel order: tensor = (level 0..255 - mean) * scale */
    dp_resize_rule rule;
    int side; /* of the resized picture; >= size for SHORT and SQUASH */
    dp_filter filter;
} dp_preprocess;

/* Checks a dp_preprocess that came from a file or a caller. Errors: ARGUMENT, naming the field. */
deeper_status dp_preprocess_check(const dp_preprocess *preprocess, deeper_error *error);

/* Floats of one input of the network: channels x size x size. */
size_t dp_preprocess_floats(const dp_preprocess *preprocess);

/* Width and height of the whole picture, which is image_width x image_height, as the rule resizes
 * it. Errors: LIMIT (a picture so elongated that its resized long side exceeds
 * DP_RESIZE_MAX_SIDE). */
deeper_status dp_preprocess_resized(const dp_preprocess *preprocess, int image_width,
                                    int image_height, int *width, int *height, deeper_error *error);

/* tensor[c][y][x] = (level + shift - mean) * scale of a picture as it is, of any size. shift is
 * added to the levels R, G, B (which stay unrounded and may leave 0..255), or NULL: none. */
void dp_preprocess_tensor(const dp_preprocess *preprocess, const dp_image *image,
                          const float shift[3], float *tensor);

/* The way back: the levels of a tensor of size x size, rounded and clipped to 0..255, as a picture
 * (grey if it has one channel), to look at. Freed by dp_image_free. Errors: MEMORY. */
deeper_status dp_preprocess_picture(dp_image *image, const dp_preprocess *preprocess,
                                    const float *tensor, const deeper_allocator *allocator,
                                    deeper_error *error);

/* Luminance 0..255 of a pixel, rounded as Pillow's "L" does. */
int dp_luminance(const uint8_t rgb[3]);

/* One readable line: "resize 256x256 (bilinear, aspect ignored), centre crop 224, BGR, minus 104
 * 117 123". Always ended by a zero byte, cut to `size`. */
void dp_preprocess_describe(const dp_preprocess *preprocess, char *text, size_t size);

#endif
