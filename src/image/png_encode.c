/* png_encode.c - PNG written through libpng, whose messages become the status and whose memory is
 * the caller's. */
#include "image/png_encode.h"

#include "base/files.h"

#include <png.h>
#include <setjmp.h>

enum {
    MAX_SIDE = 1000000, /* libpng's own limit on what it writes */
    MAX_FILE = 1 << 30
};

typedef struct encoder {
    dp_buffer *buffer;
    const dp_image *image;
    png_structp codec;
    png_infop info;
    jmp_buf escape;
} encoder;

static PNG_NORETURN void on_error(png_structp codec, png_const_charp what) {
    encoder *png = png_get_error_ptr(codec);
    longjmp(png->escape, 1);
}

static void on_warning(png_structp codec, png_const_charp what) {
}

static png_voidp on_allocate(png_structp codec, png_alloc_size_t size) {
    encoder *png = png_get_mem_ptr(codec);
    return dp_alloc_raw(png->buffer->allocator, size, 1);
}

static void on_free(png_structp codec, png_voidp memory) {
    encoder *png = png_get_mem_ptr(codec);
    dp_free(png->buffer->allocator, memory);
}

static void on_write(png_structp codec, png_bytep bytes, size_t size) {
    encoder *png = png_get_io_ptr(codec);
    if (!dp_buffer_append(png->buffer, bytes, size))
        png_error(codec, "no room");
}

static void on_flush(png_structp codec) {
}

static void encode(encoder *png) {
    const dp_image *image = png->image;
    size_t stride = (size_t)image->width * 3;
    png_set_write_fn(png->codec, png, on_write, on_flush);
    png_set_IHDR(png->codec, png->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png->codec, png->info);
    for (size_t y = 0; y < (size_t)image->height; y++)
        png_write_row(png->codec, image->pixels + y * stride);
    png_write_end(png->codec, png->info);
}

deeper_status dp_png_encode(dp_buffer *buffer, const dp_image *image, deeper_error *error) {
    if (!image->pixels)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "PNG: there is no picture to write");
    if (image->width > MAX_SIDE || image->height > MAX_SIDE)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "PNG: %dx%d has a side above %d pixels; write a smaller picture",
                       image->width, image->height, MAX_SIDE);
    encoder png = { .buffer = buffer, .image = image };
    if (setjmp(png.escape) == 0) {
        png.codec = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &png, on_error, on_warning,
                                              &png, on_allocate, on_free);
        png.info = png.codec ? png_create_info_struct(png.codec) : NULL;
        if (png.info) {
            encode(&png);
            png_destroy_write_struct(&png.codec, &png.info);
            return DEEPER_OK;
        }
    }
    png_destroy_write_struct(&png.codec, &png.info);
    /* The size was checked, so all that can have failed is memory. */
    return dp_fail(error, DEEPER_ERROR_MEMORY, "PNG: out of memory to write a picture of %dx%d",
                   image->width, image->height);
}

deeper_status dp_png_write(const char *path, const dp_image *image,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_buffer buffer;
    dp_writer *writer = NULL;
    dp_buffer_init(&buffer, allocator, MAX_FILE);
    deeper_status status = dp_png_encode(&buffer, image, error);
    if (status == DEEPER_OK)
        status = dp_writer_open(&writer, path, allocator, error);
    else
        dp_fail(error, status, "%s: %s", path, error ? error->message : "");
    if (status == DEEPER_OK) {
        dp_writer_put(writer, buffer.data, buffer.size);
        status = dp_writer_commit(writer, error);
    }
    dp_buffer_free(&buffer);
    return status;
}
