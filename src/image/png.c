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
    uint8_t *row; /* one with alpha, before it is composed, or of a pass; or NULL */
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

/* Interlaced: seven small pictures, whose pixels are put where they belong, so that no second
 * picture is kept. */
static void read_passes(reader *png, dp_image *image, bool alpha) {
    png_uint_32 width = (png_uint_32)image->width, height = (png_uint_32)image->height;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
        png_uint_32 columns = PNG_PASS_COLS(width, pass), rows = PNG_PASS_ROWS(height, pass);
        for (png_uint_32 r = 0; columns && r < rows; r++) {
            uint8_t *line =
                image->pixels + (size_t)PNG_ROW_FROM_PASS_ROW(r, pass) * (size_t)width * 3;
            png_read_row(png->codec, png->row, NULL);
            for (size_t c = 0; c < columns; c++) {
                uint8_t *pixel = line + (size_t)PNG_COL_FROM_PASS_COL(c, pass) * 3;
                if (alpha)
                    dp_over_white(pixel, png->row + c * 4, 1);
                else
                    memcpy(pixel, png->row + c * 3, 3);
            }
        }
    }
}

static void read_rows(reader *png, dp_image *image, bool alpha) {
    size_t width = (size_t)image->width;
    for (size_t y = 0; y < (size_t)image->height; y++) {
        uint8_t *pixels = image->pixels + y * width * 3;
        png_read_row(png->codec, alpha ? png->row : pixels, NULL);
        if (alpha)
            dp_over_white(pixels, png->row, width);
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
    bool interlaced = png_get_interlace_type(codec, png->info) != PNG_INTERLACE_NONE;
    DP_TRY(dp_source_start(source, image, width, height, 0));

    set_transforms(codec);
    png_read_update_info(codec, png->info);
    bool alpha = png_get_channels(codec, png->info) == 4;
    if (alpha || interlaced) {
        png->row = dp_alloc_raw(source->allocator, width, 4);
        if (!png->row)
            return dp_fail(source->error, DEEPER_ERROR_MEMORY, "%s: out of memory for a row",
                           source->name);
    }
    (interlaced ? read_passes : read_rows)(png, image, alpha);
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
    dp_free(source->allocator, png.row);
    return png.status;
}
