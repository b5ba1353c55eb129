/* webp.c - WebP through libwebp: lossy and lossless stills, transparency over white, orientation
 * from the EXIF chunk. Animations are refused by name. Built without libwebp, every WebP is refused
 * with the remedy. */
#include "image/decoder.h"

#ifdef DP_HAVE_WEBP

#include <string.h>
#include <webp/decode.h>

enum { RIFF_HEADER = 12, CHUNK_HEADER = 8 };

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A WebP file is chunks of (4-byte name, 4-byte size, data, padded to even). The orientation that
 * the first chunk `name` says; 0: none. */
static int orientation_in(const dp_source *source, const char *name,
                          int (*read)(const uint8_t *bytes, size_t size)) {
    for (size_t at = RIFF_HEADER; source->size - at >= CHUNK_HEADER;) {
        size_t length = get32(source->bytes + at + 4), rest = source->size - at - CHUNK_HEADER;
        if (length > rest)
            break;
        if (memcmp(source->bytes + at, name, 4) == 0)
            return read(source->bytes + at + CHUNK_HEADER, length);
        length += length & 1;
        at += CHUNK_HEADER + (length < rest ? length : rest);
    }
    return 0;
}

static int find_orientation(const dp_source *source) {
    int orientation = orientation_in(source, "EXIF", dp_exif_orientation);
    if (!orientation)
        orientation = orientation_in(source, "XMP ", dp_xmp_orientation);
    return orientation ? orientation : 1;
}

static deeper_status fail(const dp_source *source, VP8StatusCode code) {
    static const char *const texts[] = { [VP8_STATUS_INVALID_PARAM] = "a parameter is out of range",
                                         [VP8_STATUS_BITSTREAM_ERROR] =
                                             "the coded data is not sound",
                                         [VP8_STATUS_UNSUPPORTED_FEATURE] =
                                             "a feature that libwebp does not know" };
    if (code == VP8_STATUS_NOT_ENOUGH_DATA || code == VP8_STATUS_SUSPENDED)
        return dp_source_cut_short(source, "WebP");
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory in the WebP decoder",
                       source->name);
    size_t index = (size_t)code;
    const char *what = index < sizeof texts / sizeof *texts ? texts[index] : NULL;
    return dp_source_damaged(source, "WebP", what ? what : "libwebp stopped");
}

static deeper_status decode_into(const dp_source *source, uint8_t *pixels, int width, int height,
                                 bool alpha) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: the installed libwebp differs from the one deeper was built with",
                       source->name);
    int stride = width * (alpha ? 4 : 3);
    config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){ .rgba = pixels,
                                             .stride = stride,
                                             .size = (size_t)stride * (size_t)height };
    VP8StatusCode code = WebPDecode(source->bytes, source->size, &config);
    return code == VP8_STATUS_OK ? DEEPER_OK : fail(source, code);
}

deeper_status dp_webp_decode(dp_image *image, int *orientation, const dp_source *source) {
    /* libwebp reads a still whose last bytes are missing as if they were there, so the file's own
     * size is checked first. */
    if (get32(source->bytes + 4) > source->size - CHUNK_HEADER)
        return dp_source_cut_short(source, "WebP");
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(source->bytes, source->size, &features);
    if (code != VP8_STATUS_OK)
        return fail(source, code);
    if (features.has_animation)
        return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: an animated WebP is not read; save one frame as JPEG or PNG",
                       source->name);
    DP_TRY(dp_source_start(source, image, (uint64_t)features.width, (uint64_t)features.height,
                           8 * (uint64_t)features.width * (uint64_t)features.height));
    *orientation = find_orientation(source);
    if (!features.has_alpha)
        return decode_into(source, image->pixels, image->width, image->height, false);

    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *rgba = dp_alloc_raw(source->allocator, count, 4);
    if (!rgba)
        return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory for its transparency",
                       source->name);
    deeper_status status = decode_into(source, rgba, image->width, image->height, true);
    if (status == DEEPER_OK)
        dp_over_white(image->pixels, rgba, count);
    dp_free(source->allocator, rgba);
    return status;
}

#else

deeper_status dp_webp_decode(dp_image *image, int *orientation, const dp_source *source) {
    return dp_source_without(source, "WebP", "libwebp-dev");
}

#endif
