/* png.c - PNG through libpng: every colour type and depth, transparency over white, interlace. Why
 * not its defaults: libpng prints, keeps text and profiles that a hostile file can blow up, and
 * lets bad checksums of side chunks pass. Here messages become the status, chunks that touch
 * neither pixels nor orientation are skipped, and any bad checksum is an error. It does not apply
 * gamma or colour profiles. */
#include "image/decoder.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

typedef struct reader {
    const dp_source *source;
    size_t at; /* bytes handed to libpng so far */
    bool out_of_memory;
    deeper_status status;
    png_structp codec;
    png_infop info;
    uint8_t *rgba; /* rows with alpha, before they are composed; or NULL */
    jmp_buf escape;
} reader;

static deeper_status out_of_memory(const reader *png) {
    return dp_fail(png->source->error, DEEPER_ERROR_MEMORY, "%s: out of memory in the PNG decoder",
                   png->source->name);
}

static PNG_NORETURN void on_error(png_structp codec, png_const_charp what) {
    reader *png = png_get_error_ptr(codec);
    if (png->out_of_memory)
        png->status = out_of_memory(png);
    else if (png->at > png->source->size)
        png->status = dp_source_cut_short(png->source, "PNG");
    else
        png->status = dp_source_damaged(png->source, "PNG", what);
    longjmp(png->escape, 1);
}

static void on_warning(png_structp codec, png_const_charp what) {
}

static png_voidp on_allocate(png_structp codec, png_alloc_size_t size) {
    reader *png = png_get_mem_ptr(codec);
    void *memory = dp_alloc_raw(png->source->allocator, size, 1);
    png->out_of_memory |= !memory;
    return memory;
}

static void on_free(png_structp codec, png_voidp memory) {
    reader *png = png_get_mem_ptr(codec);
    dp_free(png->source->allocator, memory);
}

static void on_read(png_structp codec, png_bytep bytes, size_t size) {
    reader *png = png_get_io_ptr(codec);
    if (size > png->source->size - png->at) {
        png->at = png->source->size + 1;
        png_error(codec, "end of file");
    }
    memcpy(bytes, png->source->bytes + png->at, size);
    png->at += size;
}

/* Asks for 8-bit RGB, or RGBA where the file has transparency. */
static void set_transforms(png_structp codec) {
    png_set_expand(codec);
    png_set_scale_16(codec);
    png_set_gray_to_rgb(codec);
}

/* Rows arrive in `passes` sweeps; those with alpha are gathered in png->rgba (all of them if
 * interlaced, else one) and composed in the last sweep. */
static void read_rows(reader *png, dp_image *image, int passes) {
    size_t width = (size_t)image->width;
    for (int pass = 1; pass <= passes; pass++)
        for (size_t y = 0; y < (size_t)image->height; y++) {
            uint8_t *pixels = image->pixels + y * width * 3;
            uint8_t *row = png->rgba ? png->rgba + (passes > 1 ? y : 0) * width * 4 : pixels;
            png_read_row(png->codec, row, NULL);
            if (png->rgba && pass == passes)
                dp_over_white(pixels, row, width);
        }
}

static deeper_status decode(reader *png, dp_image *image, int *orientation) {
    const dp_source *source = png->source;
    png_structp codec = png->codec;
    png_set_read_fn(codec, png, on_read);
    png_set_user_limits(codec, PNG_UINT_31_MAX,
                        PNG_UINT_31_MAX); /* our own limit, with its message, follows */
    png_set_crc_action(codec, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(codec, png->info);
    png_uint_32 width = png_get_image_width(codec, png->info),
                height = png_get_image_height(codec, png->info);
    DP_TRY(dp_source_start(source, image, width, height));

    set_transforms(codec);
    int passes = png_set_interlace_handling(codec);
    png_read_update_info(codec, png->info);
    if (png_get_channels(codec, png->info) == 4) {
        size_t rows = passes > 1 ? height : 1, row_bytes = (size_t)width * 4;
        png->rgba = dp_alloc_raw(source->allocator, rows, row_bytes);
        if (!png->rgba)
            return dp_fail(source->error, DEEPER_ERROR_MEMORY,
                           "%s: out of memory for its transparency", source->name);
    }
    read_rows(png, image, passes);
    png_read_end(codec, png->info); /* to the end chunk: a file without one is cut short */
    if (png->out_of_memory)         /* libpng lets side chunks go for want of memory */
        return out_of_memory(png);
    return dp_png_orientation(orientation, source);
}

deeper_status dp_png_decode(dp_image *image, int *orientation, const dp_source *source) {
    reader png = { .source = source };
    if (setjmp(png.escape) == 0) {
        png.codec = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &png, on_error, on_warning,
                                             &png, on_allocate, on_free);
        png.info = png.codec ? png_create_info_struct(png.codec) : NULL;
        png.status = png.info ? decode(&png, image, orientation) : out_of_memory(&png);
    }
    png_destroy_read_struct(&png.codec, &png.info, NULL);
    dp_free(source->allocator, png.rgba);
    return png.status;
}
