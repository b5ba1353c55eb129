/* image.c - a picture from bytes: finds the format by content, hands over to its decoder, applies
 * orientation. Also the memory and size limits that every decoder goes through. What a refused file
 * is, foreign.c says. */
#include "image/image.h"

#include "image/decoder.h"

#include <limits.h>
#include <string.h>

#define MAGIC(text) text, sizeof text - 1

/* The formats by their first bytes ('?': any). */
static const struct {
    const char *pattern;
    size_t length;
    dp_decoder *decode;
} formats[] = {
    { MAGIC("\xFF\xD8"), dp_jpeg_decode },
    { MAGIC("\x89PNG\r\n\x1A\n"), dp_png_decode },
    { MAGIC("RIFF\?\?\?\?WEBP"), dp_webp_decode },
    { MAGIC("GIF8"), dp_gif_decode },
    { MAGIC("II*\0"), dp_tiff_decode },
    { MAGIC("MM\0*"), dp_tiff_decode },
    { MAGIC("II+\0"), dp_tiff_decode }, /* BigTIFF */
    { MAGIC("MM\0+"), dp_tiff_decode },
    { MAGIC("\?\?\?\?ftyphe"), dp_heif_decode }, /* HEIC */
    { MAGIC("\?\?\?\?ftypmif1"), dp_heif_decode },
    { MAGIC("\?\?\?\?ftypmsf1"), dp_heif_decode },
    { MAGIC("\?\?\?\?ftypavi"), dp_heif_decode }, /* AVIF */
    { MAGIC("BM"), dp_bmp_decode },
    { MAGIC("P1"), dp_pnm_decode },
    { MAGIC("P2"), dp_pnm_decode },
    { MAGIC("P3"), dp_pnm_decode },
    { MAGIC("P4"), dp_pnm_decode },
    { MAGIC("P5"), dp_pnm_decode },
    { MAGIC("P6"), dp_pnm_decode },
};

bool dp_source_begins(const dp_source *source, const char *pattern, size_t length) {
    if (source->size < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '?' && (uint8_t)pattern[i] != source->bytes[i])
            return false;
    return true;
}

deeper_status dp_source_check_size(const dp_source *source, uint64_t width, uint64_t height) {
    if (width < 1 || height < 1)
        return dp_fail(source->error, DEEPER_ERROR_FORMAT, "%s: a picture of no pixels (%llux%llu)",
                       source->name, (unsigned long long)width, (unsigned long long)height);
    if (width > INT_MAX || height > INT_MAX || width > source->limits.max_pixels / height)
        return dp_fail(
            source->error, DEEPER_ERROR_LIMIT,
            "%s: %llux%llu is more than the limit of %llu pixels (max_pixels); make it smaller",
            source->name, (unsigned long long)width, (unsigned long long)height,
            (unsigned long long)source->limits.max_pixels);
    return DEEPER_OK;
}

void dp_picture_budget_begin(dp_budget *budget, const dp_picture_limits *limits) {
    dp_budget_begin(budget, (limits->max_memory ? limits->max_memory : DP_MAX_MEGABYTES) << 20);
}

/* Takes what decoding a picture of that size takes from the limit, and from the budget of all. */
static deeper_status take_memory(const dp_source *source, dp_image *image, uint64_t width,
                                 uint64_t height, uint64_t more) {
    uint64_t bytes = width * height * DP_PIXEL_BYTES + more;
    if (bytes >> 20 > source->limits.max_memory
        || (bytes >> 20 == source->limits.max_memory && bytes << 44))
        return dp_fail(source->error, DEEPER_ERROR_LIMIT,
                       "%s: %llux%llu takes %llu MB to decode, more than the limit of %llu MB "
                       "(max_memory); make it smaller",
                       source->name, (unsigned long long)width, (unsigned long long)height,
                       (unsigned long long)(bytes + (1 << 20) - 1) >> 20,
                       (unsigned long long)source->limits.max_memory);
    if (source->budget) {
        dp_budget_take(source->budget, bytes);
        image->budget = source->budget;
        image->taken = bytes;
    }
    return DEEPER_OK;
}

deeper_status dp_source_start(const dp_source *source, dp_image *image, uint64_t width,
                              uint64_t height, uint64_t more) {
    DP_TRY(dp_source_check_size(source, width, height));
    DP_TRY(take_memory(source, image, width, height, more));
    size_t pixels = 0;
    if (dp_size_mul((size_t)width, (size_t)height, &pixels))
        image->pixels = dp_alloc_raw(source->allocator, pixels, 3);
    if (!image->pixels)
        return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory for %llux%llu pixels",
                       source->name, (unsigned long long)width, (unsigned long long)height);
    image->width = (int)width;
    image->height = (int)height;
    image->allocator = source->allocator;
    return DEEPER_OK;
}

deeper_status dp_source_cut_short(const dp_source *source, const char *format) {
    return dp_fail_at(source->error, DEEPER_ERROR_FORMAT, (int64_t)source->size,
                      "%s: cut short, the %s ends before the picture does; fetch or save it again",
                      source->name, format);
}

deeper_status dp_source_without(const dp_source *source, const char *format, const char *package) {
    return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: this build reads no %s; convert it to JPEG or PNG, or build deeper with %s "
                   "installed",
                   source->name, format, package);
}

deeper_status dp_source_damaged(const dp_source *source, const char *format, const char *what) {
    return dp_fail(source->error, DEEPER_ERROR_FORMAT,
                   "%s: damaged %s (%s); fetch or save it again", source->name, format, what);
}

void dp_over_white(uint8_t *rgb, const uint8_t *rgba, size_t count) {
    for (size_t i = 0; i < count; i++, rgb += 3, rgba += 4) {
        unsigned alpha = rgba[3], white = (255 - alpha) * 255;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgba[c] * alpha + white + 127) / 255);
    }
}

static deeper_status decode_by_content(dp_image *image, int *orientation, const dp_source *source) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (dp_source_begins(source, formats[i].pattern, formats[i].length))
            return formats[i].decode(image, orientation, source);
    return dp_source_refuse(source);
}

deeper_status dp_image_decode(dp_image *image, const void *bytes, size_t size, const char *name,
                              const dp_decode_options *options, const deeper_allocator *allocator,
                              deeper_error *error) {
    *image = (dp_image){ 0 };
    dp_source source = {
        .bytes = bytes, .size = size, .name = name, .allocator = allocator, .error = error
    };
    static const dp_decode_options none = { 0 };
    options = options ? options : &none;
    source.limits = options->limits;
    if (!source.limits.max_pixels)
        source.limits.max_pixels = DP_MAX_PIXELS;
    if (!source.limits.max_memory)
        source.limits.max_memory = DP_MAX_MEGABYTES;
    source.budget = options->budget;
    source.min_side = options->min_side;
    source.as_stored = options->ignore_orientation;
    if (!name || (!bytes && size))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a picture to decode needs a name and bytes");

    int orientation = 1;
    deeper_status status = decode_by_content(image, &orientation, &source);
    if (status == DEEPER_OK && !options->ignore_orientation)
        status = dp_image_orient(image, orientation, error);
    if (status != DEEPER_OK)
        dp_image_free(image);
    return status;
}

void dp_image_free(dp_image *image) {
    if (!image->borrowed)
        dp_free(image->allocator, image->pixels);
    if (image->budget)
        dp_budget_give(image->budget, image->taken);
    *image = (dp_image){ 0 };
}
