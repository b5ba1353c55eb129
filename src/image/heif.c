/* heif.c - the primary picture of a HEIC or AVIF file through libheif, transparency over white. It
 * is turned as the file's own boxes say; its EXIF block, by the standard, says nothing of that.
 * Built without libheif, every such file is refused with the remedy. */
#include "image/decoder.h"

#ifdef DP_HAVE_HEIF

#include <libheif/heif.h>
#include <string.h>

static deeper_status fail(const dp_source *source, struct heif_error failure) {
    if (failure.code == heif_error_Memory_allocation_error
        && failure.subcode == heif_suberror_Security_limit_exceeded)
        return dp_fail(source->error, DEEPER_ERROR_LIMIT, "%s: %s; make it smaller", source->name,
                       failure.message);
    if (failure.code == heif_error_Memory_allocation_error)
        return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory in the HEIF decoder",
                       source->name);
    if (failure.code == heif_error_Unsupported_feature
        || failure.code == heif_error_Unsupported_filetype)
        return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                       "%s: the installed libheif cannot read it (%.200s); convert it to JPEG or "
                       "PNG",
                       source->name, failure.message);
    return dp_source_damaged(source, "HEIF", failure.message);
}

static deeper_status copy_rows(const dp_source *source, dp_image *image,
                               const struct heif_image *decoded, bool alpha) {
    int stride = 0;
    const uint8_t *rows = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
    if (!rows || heif_image_get_width(decoded, heif_channel_interleaved) != image->width
        || heif_image_get_height(decoded, heif_channel_interleaved) != image->height)
        return dp_source_damaged(source, "HEIF", "its size is another than it says");
    size_t width = (size_t)image->width;
    for (size_t y = 0; y < (size_t)image->height; y++) {
        uint8_t *pixels = image->pixels + y * width * 3;
        const uint8_t *row = rows + (ptrdiff_t)y * stride;
        if (alpha)
            dp_over_white(pixels, row, width);
        else
            memcpy(pixels, row, width * 3);
    }
    return DEEPER_OK;
}

static deeper_status decode(const dp_source *source, dp_image *image,
                            const struct heif_image_handle *handle) {
    bool stored = source->as_stored;
    uint64_t width = (uint64_t)(stored ? heif_image_handle_get_ispe_width(handle)
                                       : heif_image_handle_get_width(handle)),
             height = (uint64_t)(stored ? heif_image_handle_get_ispe_height(handle)
                                        : heif_image_handle_get_height(handle));
    bool alpha = heif_image_handle_has_alpha_channel(handle) != 0;
    DP_TRY(dp_source_start(source, image, width, height, 8 * width * height));
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options)
        return dp_fail_memory(source->error, "the HEIF decoder");
    options->ignore_transformations = stored;
    options->convert_hdr_to_8bit = 1;
    options->strict_decoding = 1;
    struct heif_image *decoded = NULL;
    struct heif_error failure = heif_decode_image(
        handle, &decoded, heif_colorspace_RGB,
        alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, options);
    deeper_status status = failure.code == heif_error_Ok ? copy_rows(source, image, decoded, alpha)
                                                         : fail(source, failure);
    heif_image_release(decoded);
    heif_decoding_options_free(options);
    return status;
}

deeper_status dp_heif_decode(dp_image *image, int *orientation, const dp_source *source) {
    struct heif_context *context = heif_context_alloc();
    struct heif_image_handle *handle = NULL;
    if (!context)
        return dp_fail_memory(source->error, "the HEIF decoder");
    struct heif_error failure =
        heif_context_read_from_memory_without_copy(context, source->bytes, source->size, NULL);
    if (failure.code == heif_error_Ok)
        failure = heif_context_get_primary_image_handle(context, &handle);
    deeper_status status =
        failure.code == heif_error_Ok ? decode(source, image, handle) : fail(source, failure);
    heif_image_handle_release(handle);
    heif_context_free(context);
    return status;
}

#else

deeper_status dp_heif_decode(dp_image *image, int *orientation, const dp_source *source) {
    return dp_source_without(source, "HEIC and AVIF", "libheif-dev");
}

#endif
