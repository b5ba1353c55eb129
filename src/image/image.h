/* image.h - pictures: one decoded form (8-bit RGB rows), and the decoder of every format that
 * deeper reads. Why here: training, evaluation, serving and the public deeper_image all decode
 * through this one call. What it does not do: files (the caller hands over bytes), resizing
 * (resize.h), tensors (preprocess.h). */
#ifndef DP_IMAGE_IMAGE_H
#define DP_IMAGE_IMAGE_H

#include "base/budget.h"
#include "base/memory.h"

/* A picture. pixels come from `allocator`, unless they are borrowed; freed by dp_image_free. */
typedef struct dp_image {
    int width, height;
    uint8_t *pixels; /* rows of width RGB pixels, top row first */
    const deeper_allocator *allocator;
    ptrdiff_t
        stride;    /* bytes from a row to the next; 0: rows are packed, as all but borrowed are */
    bool borrowed; /* the caller's: only read */
    dp_budget *budget; /* that `taken` bytes go back to, or NULL */
    uint64_t taken;
} dp_image;

/* Bytes from a row to the next. */
static inline ptrdiff_t dp_image_stride(const dp_image *image) {
    return image->stride ? image->stride : (ptrdiff_t)image->width * 3;
}

/* The limits where none are stated: Pillow's, so that both refuse the same pictures, and the memory
 * of one picture of that size. */
enum { DP_MAX_PIXELS = 178956970, DP_MAX_MEGABYTES = 1024 };

/* What a pixel takes while a picture is decoded: itself and its copy while it is turned upright. A
 * decoder may take more (dp_source_start). */
enum { DP_PIXEL_BYTES = 6 };

typedef struct dp_picture_limits {
    uint64_t max_pixels; /* width x height above this is refused before memory is taken; 0:
                            DP_MAX_PIXELS */
    uint64_t max_memory; /* in MB of 2^20 bytes: a picture that takes more is refused, several at
                            once wait for one another; 0: DP_MAX_MEGABYTES */
} dp_picture_limits;

/* The budget that these limits are for all readers of a call. */
void dp_picture_budget_begin(dp_budget *budget, const dp_picture_limits *limits);

typedef struct dp_decode_options {
    dp_picture_limits limits;
    dp_budget *budget; /* what the readers share, or NULL: there is one reader */
    int min_side; /* a JPEG may be decoded at 1/2, 1/4, 1/8 while its short side stays >= this; 0:
                     full size */
    bool ignore_orientation; /* true: EXIF orientation is not applied */
} dp_decode_options;

/* Decodes a picture: JPEG, PNG, WebP, HEIC, AVIF, TIFF (first page), GIF (first frame), PNM (P1-P6)
 * or BMP, told apart by content, to 8-bit RGB with
 * its EXIF orientation applied. 16-bit samples are scaled to 8 with rounding, grey is repeated,
 * CMYK becomes (255-C)(255-K)/255, alpha is composed over white; colour profiles and gamma are not
 * applied. options may be NULL (all zero). `name` stands for the file in messages and is not
 * opened; its bytes are free-form. Errors: FORMAT (empty, not a picture, damaged, cut short),
 * UNSUPPORTED (a format or variant that deeper does not read, named with the remedy), LIMIT (more
 * than max_pixels or max_memory, or a JPEG of more than 100 scans), MEMORY, ARGUMENT. On failure
 * *image is all zero. Freed by dp_image_free. Any number of threads may decode at once. */
deeper_status dp_image_decode(dp_image *image, const void *bytes, size_t size, const char *name,
                              const dp_decode_options *options, const deeper_allocator *allocator,
                              deeper_error *error);

/* Frees the pixels that are not borrowed (NULL is fine) and sets everything to zero. */
void dp_image_free(dp_image *image);

#endif
