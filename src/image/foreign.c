/* foreign.c - says what a file is that deeper does not read, and what to do about it. Why here: a
 * folder of downloaded photos has videos, raw files and error pages among it under names such as
 * photo.jpg; "bad file" helps nobody. It looks at the first bytes only and decides nothing else. */
#include "image/decoder.h"

#include <string.h>
#include <strings.h>

#define MAGIC(text) text, sizeof text - 1

#define CONVERT "convert it to JPEG or PNG"

/* First match wins; '?' is any byte. */
static const struct {
    const char *pattern;
    size_t length;
    const char *name, *remedy;
} known[] = {
    { MAGIC("\?\?\?\?ftypcrx"), "Canon raw (CR3)", CONVERT },
    { MAGIC("\?\?\?\?ftyp"), "video (MP4 or QuickTime)", "extract its frames as JPEG or PNG" },
    { MAGIC("\x1A\x45\xDF\xA3"), "video (Matroska or WebM)", "extract its frames as JPEG or PNG" },
    { MAGIC("RIFF\?\?\?\?AVI "), "video (AVI)", "extract its frames as JPEG or PNG" },
    { MAGIC("\xFF\x0A"), "JPEG XL", CONVERT },
    { MAGIC("\0\0\0\x0CJXL "), "JPEG XL", CONVERT },
    { MAGIC("\0\0\0\x0CjP  "), "JPEG 2000", CONVERT },
    { MAGIC("\xFF\x4F\xFF\x51"), "JPEG 2000", CONVERT },
    { MAGIC("%PDF"), "PDF", "export its pages as JPEG or PNG" },
    { MAGIC("%!PS"), "PostScript", "export its pages as JPEG or PNG" },
    { MAGIC("8BPS"), "Photoshop (PSD)", CONVERT },
    { MAGIC("P7\n"), "PAM", "convert it to PNG or PPM" },
    { MAGIC("Pf\n"), "PFM", CONVERT },
    { MAGIC("PF\n"), "PFM", CONVERT },
    { MAGIC("qoif"), "QOI", CONVERT },
    { MAGIC("v/1\x01"), "OpenEXR", CONVERT },
    { MAGIC("#?RADIANCE"), "Radiance HDR", CONVERT },
    { MAGIC("DDS "), "DDS", CONVERT },
    { MAGIC("\0\0\x01\0"), "icon (ICO)", CONVERT },
    { MAGIC("SIMPLE  ="), "FITS", CONVERT },
    { MAGIC("\x93NUMPY"), "NumPy array", "save it as PNG" },
    { MAGIC("PK\x03\x04"), "zip archive", "unpack it" },
    { MAGIC("\x1F\x8B"), "gzip file", "unpack it" },
};

/* Enough to pass the comments and the XML line that come before a page's or drawing's first
 * element. */
enum { LOOK = 1024 };

static bool has_element(const char *text, size_t size, const char *element) {
    size_t length = strlen(element);
    for (size_t i = 0; i + length <= size; i++)
        if (strncasecmp(text + i, element, length) == 0)
            return true;
    return false;
}

static bool is_text(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0x7F || (bytes[i] < 0x20 && !(bytes[i] >= '\t' && bytes[i] <= '\r')))
            return false;
    return true;
}

deeper_status dp_source_refuse(const dp_source *source) {
    const char *name = source->name;
    if (source->size == 0)
        return dp_fail(source->error, DEEPER_ERROR_FORMAT, "%s: empty file; fetch or save it again",
                       name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (dp_source_begins(source, known[i].pattern, known[i].length))
            return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED, "%s: %s is not read; %s", name,
                           known[i].name, known[i].remedy);

    size_t look = source->size < LOOK ? source->size : LOOK;
    const char *text = (const char *)source->bytes;
    if (is_text(source->bytes, look)) {
        if (has_element(text, look, "<svg"))
            return dp_fail(source->error, DEEPER_ERROR_UNSUPPORTED,
                           "%s: SVG is not read; export it as PNG", name);
        if (has_element(text, look, "<!doctype html") || has_element(text, look, "<html"))
            return dp_fail(source->error, DEEPER_ERROR_FORMAT,
                           "%s: not a picture but a web page (a failed download?); fetch it again",
                           name);
        if (has_element(text, look, "version https://git-lfs"))
            return dp_fail(source->error, DEEPER_ERROR_FORMAT,
                           "%s: not a picture but a Git LFS pointer; run `git lfs pull`", name);
        return dp_fail(
            source->error, DEEPER_ERROR_FORMAT,
            "%s: not a picture but text; JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, PNM and BMP are "
            "read",
            name);
    }
    return dp_fail(
        source->error, DEEPER_ERROR_FORMAT,
        "%s: not a picture that deeper reads; JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, PNM "
        "and BMP are",
        name);
}
