/* png_orientation.c - where a PNG says how it is to be turned: the chunk eXIf, with or without
 * "Exif\0\0" in front; the text "Raw profile type exif" in which ImageMagick keeps EXIF in
 * hexadecimal; the text "XML:com.adobe.xmp". Why not libpng's own: it refuses the prefix and keeps
 * whole texts, which a hostile file can blow up. Here a text costs at most TEXT_MAX bytes. It does
 * not check checksums: libpng has read the file to its end before. */
#include "image/decoder.h"

#include <string.h>
#include <zlib.h>

enum {
    SIGNATURE = 8,
    CHUNK_HEADER = 8,   /* length, big-endian, and name */
    CHUNK_CHECKSUM = 4, /* behind the data */
    TEXT_MAX = 1 << 17  /* twice the largest EXIF block of a JPEG */
};

/* A chunk's data, or what of it has not been read. */
typedef struct chunk {
    const uint8_t *bytes;
    size_t size;
} chunk;

/* The next chunk from *at on, which moves behind it; false at the end. */
static bool next_chunk(const dp_source *source, size_t *at, char name[4], chunk *data) {
    if (source->size - *at < CHUNK_HEADER)
        return false;
    const uint8_t *head = source->bytes + *at;
    size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > source->size - *at - CHUNK_HEADER)
        return false;
    memcpy(name, head + 4, 4);
    *data = (chunk){ head + CHUNK_HEADER, length };
    *at += CHUNK_HEADER + length;
    *at += source->size - *at < CHUNK_CHECKSUM ? source->size - *at : CHUNK_CHECKSUM;
    return true;
}

/* Passes over a text of the chunk and the 0 that ends it; false: it has no end. */
static bool skip_text(chunk *data) {
    const uint8_t *end = memchr(data->bytes, 0, data->size);
    if (!end)
        return false;
    data->size -= (size_t)(end + 1 - data->bytes);
    data->bytes = end + 1;
    return true;
}

static bool skip_bytes(chunk *data, size_t count) {
    if (data->size < count)
        return false;
    data->bytes += count;
    data->size -= count;
    return true;
}

/* The bytes of a text chunk's text, inflated if need be, at most TEXT_MAX of them into `text`;
 * 0: it is another chunk, has another keyword or is damaged. */
static size_t read_text(const char name[4], chunk data, const char *keyword, uint8_t *text) {
    const size_t length = strlen(keyword) + 1;
    bool plain = memcmp(name, "tEXt", 4) == 0, international = memcmp(name, "iTXt", 4) == 0;
    bool packed = memcmp(name, "zTXt", 4) == 0;
    if (!(plain || international || packed) || data.size < length
        || memcmp(data.bytes, keyword, length) != 0)
        return 0;
    skip_bytes(&data, length);
    if (international) {
        packed = data.size > 0 && data.bytes[0] == 1;
        if (!skip_bytes(&data, 2) || !skip_text(&data) || !skip_text(&data)) /* language, keyword */
            return 0;
    } else if (packed && !skip_bytes(&data, 1)) { /* the method, which is deflate */
        return 0;
    }
    if (!packed) {
        size_t size = data.size < TEXT_MAX ? data.size : TEXT_MAX;
        memcpy(text, data.bytes, size);
        return size;
    }
    z_stream inflater = { .next_in = (Bytef *)(uintptr_t)data.bytes,
                          .avail_in = (uInt)data.size,
                          .next_out = text,
                          .avail_out = TEXT_MAX };
    if (inflateInit(&inflater) != Z_OK)
        return 0;
    int result = inflate(&inflater, Z_FINISH);
    size_t size = TEXT_MAX - inflater.avail_out;
    inflateEnd(&inflater);
    return result == Z_STREAM_END || result == Z_BUF_ERROR ? size : 0;
}

static int digit_of(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ImageMagick's form: an empty line, the name, the length, then hexadecimal digits in lines.
 * Decoded in place. */
static int raw_profile_orientation(uint8_t *text, size_t size) {
    size_t at = 0, count = 0;
    for (int lines = 0; lines < 3 && at < size; at++)
        lines += text[at] == '\n';
    for (int high = -1; at < size; at++) {
        int digit = digit_of(text[at]);
        if (digit < 0)
            continue;
        if (high >= 0)
            text[count++] = (uint8_t)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    return dp_exif_orientation(text, count);
}

deeper_status dp_png_orientation(int *orientation, const dp_source *source) {
    uint8_t *text = dp_alloc_raw(source->allocator, TEXT_MAX, 1);
    if (!text)
        return dp_fail_memory(source->error, "the texts of a PNG");
    int exif = 0, profile = 0, xmp = 0;
    char name[4];
    chunk data;
    for (size_t at = SIGNATURE; !exif && next_chunk(source, &at, name, &data);) {
        if (memcmp(name, "eXIf", 4) == 0)
            exif = dp_exif_orientation(data.bytes, data.size);
        size_t size = profile ? 0 : read_text(name, data, "Raw profile type exif", text);
        if (size)
            profile = raw_profile_orientation(text, size);
        size = xmp ? 0 : read_text(name, data, "XML:com.adobe.xmp", text);
        if (size)
            xmp = dp_xmp_orientation(text, size);
    }
    dp_free(source->allocator, text);
    *orientation = exif ? exif : profile ? profile : xmp ? xmp : 1;
    return DEEPER_OK;
}
