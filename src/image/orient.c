/* orient.c - orientation: finding it in EXIF data or XMP text, and turning the picture. Why here:
 * JPEG, PNG and WebP all carry the same two blocks. Of EXIF only the orientation tag of the first
 * directory is read. What counts is what Pillow's ImageOps.exif_transpose goes by: the first EXIF
 * block, and XMP only where that has no orientation. */
#include "image/decoder.h"

#include <string.h>

/* EXIF data is a TIFF file: "II" (little) or "MM" (big endian), 42, the offset of a directory of
 * 12-byte entries. */
enum { TIFF_HEADER = 8, ENTRY = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

static unsigned get16(const uint8_t *at, bool big) {
    return big ? (unsigned)at[0] << 8 | at[1] : (unsigned)at[1] << 8 | at[0];
}

static uint32_t get32(const uint8_t *at, bool big) {
    return big ? (uint32_t)get16(at, big) << 16 | get16(at + 2, big)
               : (uint32_t)get16(at + 2, big) << 16 | get16(at, big);
}

int dp_exif_orientation(const uint8_t *bytes, size_t size) {
    static const char prefix[6] = "Exif\0";
    if (size >= sizeof prefix && memcmp(bytes, prefix, sizeof prefix) == 0) {
        bytes += sizeof prefix;
        size -= sizeof prefix;
    }
    if (size < TIFF_HEADER || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return 0;
    bool big = bytes[0] == 'M';
    size_t at = get32(bytes + 4, big);
    if (get16(bytes + 2, big) != 42 || at > size || size - at < 2)
        return 0;
    unsigned entries = get16(bytes + at, big);
    for (at += 2; entries > 0 && size - at >= ENTRY; entries--, at += ENTRY) {
        if (get16(bytes + at, big) != TAG_ORIENTATION)
            continue;
        unsigned value = get16(bytes + at + 8, big);
        return get16(bytes + at + 2, big) == TYPE_SHORT && value >= 1 && value <= 8 ? (int)value
                                                                                    : 1;
    }
    return 0;
}

int dp_xmp_orientation(const uint8_t *bytes, size_t size) {
    static const char tag[] = "tiff:Orientation";
    const size_t length = sizeof tag - 1;
    for (size_t at = 0; at + length < size; at++) {
        const uint8_t *attribute = memchr(bytes + at, tag[0], size - at);
        if (!attribute)
            return 0;
        at = (size_t)(attribute - bytes);
        size_t after = at + length;
        if (size - at <= length || memcmp(attribute, tag, length) != 0)
            continue;
        if (bytes[after] == '=' && size - after > 1 && bytes[after + 1] == '"')
            after += 2;
        else if (bytes[after] == '>')
            after += 1;
        else
            continue;
        if (after < size && bytes[after] >= '0' && bytes[after] <= '9')
            return bytes[after] >= '1' && bytes[after] <= '8' ? bytes[after] - '0' : 1;
    }
    return 0;
}

deeper_status dp_image_orient(dp_image *image, int orientation, deeper_error *error) {
    /* What takes the stored picture to the upright one: which stored axis runs along an upright
     * row, from which end each is read. */
    static const struct {
        bool swap, from_right, from_bottom;
    } turns[9] = {
        [2] = { false, true, false }, [3] = { false, true, true }, [4] = { false, false, true },
        [5] = { true, false, false }, [6] = { true, false, true }, [7] = { true, true, true },
        [8] = { true, true, false },
    };
    if (orientation < 2 || orientation > 8)
        return DEEPER_OK;
    bool swap = turns[orientation].swap, from_right = turns[orientation].from_right,
         from_bottom = turns[orientation].from_bottom;
    int width = swap ? image->height : image->width, height = swap ? image->width : image->height;
    uint8_t *pixels = dp_alloc_raw(image->allocator, (size_t)width * (size_t)height, 3);
    if (!pixels)
        return dp_fail_memory(error, "turning a picture upright");

    ptrdiff_t stride = (ptrdiff_t)image->width * 3;
    ptrdiff_t right = from_right ? -3 : 3, down = from_bottom ? -stride : stride;
    ptrdiff_t along_row = swap ? down : right, along_column = swap ? right : down;
    const uint8_t *corner = image->pixels + (from_right ? stride - 3 : 0)
                            + (from_bottom ? (image->height - 1) * stride : 0);
    uint8_t *out = pixels;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = corner + y * along_column;
        for (int x = 0; x < width; x++, out += 3)
            memcpy(out, row + x * along_row, 3);
    }
    dp_free(image->allocator, image->pixels);
    image->pixels = pixels;
    image->width = width;
    image->height = height;
    return DEEPER_OK;
}
