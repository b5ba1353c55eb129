/* gif.c - the first frame of a GIF through giflib: on its screen, interlaced or not, transparency
 * over white. What the frame leaves free of the screen is transparent, or the first colour, as
 * Pillow has it. Built without giflib, every GIF is refused with the remedy. */
#include "image/decoder.h"

#ifdef DP_HAVE_GIF

#include <gif_lib.h>
#include <string.h>

typedef struct reader {
    const dp_source *source;
    size_t at;
    bool ended; /* the file had fewer bytes than were asked for */
} reader;

static int on_read(GifFileType *gif, GifByteType *bytes, int size) {
    reader *r = gif->UserData;
    size_t left = r->source->size - r->at, taken = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, r->source->bytes + r->at, taken);
    r->at += taken;
    r->ended |= taken < (size_t)size;
    return (int)taken;
}

static deeper_status fail(const reader *r, int code) {
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return dp_fail(r->source->error, DEEPER_ERROR_MEMORY,
                       "%s: out of memory in the GIF decoder", r->source->name);
    if (r->ended)
        return dp_source_cut_short(r->source, "GIF");
    const char *what = GifErrorString(code);
    return dp_source_damaged(r->source, "GIF", what ? what : "it holds no frame");
}

/* Goes to the first frame; *clear: its transparent index, or -1. */
static deeper_status find_frame(const reader *r, GifFileType *gif, int *clear) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    *clear = NO_TRANSPARENT_COLOR;
    while (record != IMAGE_DESC_RECORD_TYPE) {
        if (DGifGetRecordType(gif, &record) != GIF_OK || record == TERMINATE_RECORD_TYPE)
            return fail(r, gif->Error);
        GifByteType *block = NULL;
        int code = 0;
        GraphicsControlBlock control;
        if (record != EXTENSION_RECORD_TYPE)
            continue;
        if (DGifGetExtension(gif, &code, &block) != GIF_OK)
            return fail(r, gif->Error);
        if (code == GRAPHICS_EXT_FUNC_CODE && block
            && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            *clear = control.TransparentColor;
        while (block)
            if (DGifGetExtensionNext(gif, &block) != GIF_OK)
                return fail(r, gif->Error);
    }
    return DGifGetImageDesc(gif) == GIF_OK ? DEEPER_OK : fail(r, gif->Error);
}

/* What each index looks like; one past the palette is black, without a palette all are grey. */
static void find_colours(const GifFileType *gif, int clear, uint8_t colours[256][3]) {
    const ColorMapObject *map = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap;
    for (int i = 0; i < 256; i++) {
        memset(colours[i], map ? 0 : i, 3);
        if (map && i < map->ColorCount)
            memcpy(colours[i],
                   (uint8_t[3]){ map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue },
                   3);
        if (i == clear)
            memset(colours[i], 255, 3);
    }
}

static deeper_status read_frame(const reader *r, GifFileType *gif, dp_image *image, int clear,
                                uint8_t *line) {
    static const struct {
        int first, step;
    } passes[] = { { 0, 8 }, { 4, 8 }, { 2, 4 }, { 1, 2 } }, whole = { 0, 1 };
    const GifImageDesc *frame = &gif->Image;
    uint8_t colours[256][3];
    find_colours(gif, clear, colours);
    const uint8_t *around = colours[clear >= 0 ? clear : 0];
    size_t width = (size_t)image->width, count = width * (size_t)image->height;
    for (size_t i = 0; i < count; i++)
        memcpy(image->pixels + 3 * i, around, 3);
    for (size_t p = 0; p < (frame->Interlace ? sizeof passes / sizeof *passes : 1); p++)
        for (int y = frame->Interlace ? passes[p].first : whole.first; y < frame->Height;
             y += frame->Interlace ? passes[p].step : whole.step) {
            if (DGifGetLine(gif, line, frame->Width) != GIF_OK)
                return fail(r, gif->Error);
            uint8_t *pixels =
                image->pixels + ((size_t)(frame->Top + y) * width + (size_t)frame->Left) * 3;
            for (int x = 0; x < frame->Width; x++)
                memcpy(pixels + 3 * x, colours[line[x]], 3);
        }
    return DEEPER_OK;
}

static deeper_status decode(const reader *r, GifFileType *gif, dp_image *image) {
    int clear;
    DP_TRY(find_frame(r, gif, &clear));
    const GifImageDesc *frame = &gif->Image;
    if (frame->Width < 1 || frame->Height < 1)
        return dp_source_damaged(r->source, "GIF", "its frame has no pixels");
    int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
    DP_TRY(dp_source_start(r->source, image, (uint64_t)(right > gif->SWidth ? right : gif->SWidth),
                           (uint64_t)(bottom > gif->SHeight ? bottom : gif->SHeight), 0));
    uint8_t *line = dp_alloc_raw(r->source->allocator, (size_t)frame->Width, 1);
    if (!line)
        return dp_fail_memory(r->source->error, "a row of a GIF");
    deeper_status status = read_frame(r, gif, image, clear, line);
    dp_free(r->source->allocator, line);
    return status;
}

deeper_status dp_gif_decode(dp_image *image, int *orientation, const dp_source *source) {
    reader r = { .source = source };
    int code = 0;
    GifFileType *gif = DGifOpen(&r, on_read, &code);
    if (!gif)
        return fail(&r, code);
    deeper_status status = decode(&r, gif, image);
    DGifCloseFile(gif, &code);
    return status;
}

#else

deeper_status dp_gif_decode(dp_image *image, int *orientation, const dp_source *source) {
    return dp_source_without(source, "GIF", "libgif-dev");
}

#endif
