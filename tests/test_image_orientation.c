/* test_image_orientation.c - every way in which a JPEG, PNG or WebP says how it is to be turned,
 * and which of several counts: the first EXIF block, and XMP only where EXIF says nothing, as in
 * Pillow's ImageOps.exif_transpose. A turned picture of 5x3 is 3x5. */
#include "helpers/helpers.h"
#include "helpers/pictures.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { TURNED = 6, UPRIGHT = 1, UPSIDE_DOWN = 3, ROOM = 4096 };

/* Bytes in the making. */
typedef struct block {
    uint8_t bytes[ROOM];
    size_t size;
} block;

static void put(block *to, const void *bytes, size_t size) {
    assert_true(to->size + size <= ROOM);
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_number(block *to, size_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        put(to, &(uint8_t){ (uint8_t)(value >> shift) }, 1);
}

static void put_exif(block *to, bool prefix, int orientation) {
    uint8_t exif[TEST_EXIF_SIZE];
    test_make_exif(exif, orientation, true);
    put(to, "Exif\0", prefix ? 6 : 0);
    put(to, exif, sizeof exif);
}

static void put_xmp(block *to, const char *form, int orientation) {
    char text[200];
    put(to, text, (size_t)snprintf(text, sizeof text, form, orientation));
}

static const char attribute[] = "<x:xmpmeta><rdf tiff:Orientation=\"%d\"/></x:xmpmeta>";
static const char element[] = "<rdf><tiff:OrientationX/><tiff:Orientation>%d</tiff:Orientation>";

/* The file with `middle` put in at `at`. */
static test_bytes insert(test_bytes file, size_t at, const block *middle) {
    test_bytes out = { malloc(file.size + middle->size), file.size + middle->size };
    memcpy(out.bytes, file.bytes, at);
    memcpy(out.bytes + at, middle->bytes, middle->size);
    memcpy(out.bytes + at + middle->size, file.bytes + at, file.size - at);
    free(file.bytes);
    return out;
}

static void assert_turned(test_bytes file, bool turned, const char *what) {
    dp_image image;
    deeper_error error = { 0 };
    if (dp_image_decode(&image, file.bytes, file.size, "x", NULL, NULL, &error))
        fail_msg("%s: %s", what, error.message);
    if (image.width != (turned ? 3 : 5))
        fail_msg("%s: %dx%d", what, image.width, image.height);
    dp_image_free(&image);
    free(file.bytes);
}

/* ----------------------------------------------------------------------------------------- JPEG */

static void put_marker(block *to, const block *data) {
    put(to, "\xFF\xE1", 2);
    put_number(to, data->size + 2, 2);
    put(to, data->bytes, data->size);
}

static test_bytes jpeg_with(const block *markers) {
    return insert(test_make_jpeg(&(test_jpeg){ .width = 5, .height = 3, .model = TEST_RGB }), 2,
                  markers);
}

static void jpeg(void **state) {
    static const struct {
        const char *what;
        int exif[2], xmp; /* orientations in the order of the file; 0: no such marker */
        bool turned;
    } cases[] = {
        { "one EXIF block", { TURNED, 0 }, 0, true },
        { "upright, then turned", { UPRIGHT, TURNED }, 0, false },
        { "turned, then upright", { TURNED, UPRIGHT }, 0, true },
        { "a value that there is not, then turned", { 9, TURNED }, 0, false },
        { "XMP alone", { 0, 0 }, TURNED, true },
        { "XMP beside EXIF", { UPSIDE_DOWN, 0 }, TURNED, false },
        { "XMP of a value that there is not", { 0, 0 }, 9, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int form = 0; form < 2; form++) {
            block markers = { .size = 0 }, xmp = { .size = 0 };
            put(&xmp, "http://ns.adobe.com/xap/1.0/", 29);
            put_xmp(&xmp, form ? element : attribute, cases[i].xmp);
            if (cases[i].xmp)
                put_marker(&markers, &xmp);
            for (int e = 0; e < 2; e++) {
                block exif = { .size = 0 };
                put_exif(&exif, true, cases[i].exif[e]);
                if (cases[i].exif[e])
                    put_marker(&markers, &exif);
            }
            assert_turned(jpeg_with(&markers), cases[i].turned, cases[i].what);
        }
}

/* ------------------------------------------------------------------------------------------ PNG */

static void put_chunk(block *to, const char *name, const block *data) {
    put_number(to, data->size, 4);
    size_t begin = to->size;
    put(to, name, 4);
    put(to, data->bytes, data->size);
    put_number(to, crc32(0, to->bytes + begin, (uInt)(to->size - begin)), 4);
}

static test_bytes png_with(const block *chunks) {
    enum { AFTER_HEADER = 8 + 25 };
    return insert(
        test_make_png(&(test_png){ .width = 5, .height = 3, .colour = 2 /* RGB */, .depth = 8 }),
        AFTER_HEADER, chunks);
}

static void deflate_into(block *to, const block *text) {
    uLongf size = (uLongf)(ROOM - to->size);
    assert_int_equal(compress(to->bytes + to->size, &size, text->bytes, (uLong)text->size), Z_OK);
    to->size += size;
}

/* EXIF in hexadecimal, as ImageMagick writes it. */
static void put_profile(block *to, int orientation) {
    block exif = { .size = 0 };
    char text[32];
    put_exif(&exif, true, orientation);
    put(to, text, (size_t)snprintf(text, sizeof text, "\nexif\n%8zu\n", exif.size));
    for (size_t i = 0; i < exif.size; i++)
        put(to, text,
            (size_t)snprintf(text, sizeof text, i % 36 == 35 ? "%02x\n" : "%02x", exif.bytes[i]));
}

static void png(void **state) {
    static const char keyword[] = "Raw profile type exif", xmp_keyword[] = "XML:com.adobe.xmp";
    for (int prefix = 0; prefix < 2; prefix++) {
        block chunks = { .size = 0 }, exif = { .size = 0 };
        put_exif(&exif, prefix != 0, TURNED);
        put_chunk(&chunks, "eXIf", &exif);
        assert_turned(png_with(&chunks), true, prefix ? "eXIf with a prefix" : "eXIf");
    }
    for (int packed = 0; packed < 2; packed++) {
        block chunks = { .size = 0 }, profile = { .size = 0 }, xmp = { .size = 0 };
        block data = { .size = 0 }, international = { .size = 0 };
        put_profile(&profile, TURNED);
        put(&data, keyword, sizeof keyword);
        put(&data, "", packed ? 1 : 0); /* the method */
        if (packed)
            deflate_into(&data, &profile);
        else
            put(&data, profile.bytes, profile.size);
        put_chunk(&chunks, packed ? "zTXt" : "tEXt", &data);
        assert_turned(png_with(&chunks), true, "a raw profile");

        put_xmp(&xmp, attribute, TURNED);
        put(&international, xmp_keyword, sizeof xmp_keyword);
        put(&international, packed ? "\1\0en\0x" : "\0\0en\0x", 7);
        if (packed)
            deflate_into(&international, &xmp);
        else
            put(&international, xmp.bytes, xmp.size);
        chunks.size = 0;
        put_chunk(&chunks, "iTXt", &international);
        assert_turned(png_with(&chunks), true, "XMP");

        block exif = { .size = 0 };
        put_exif(&exif, false, UPRIGHT);
        put_chunk(&chunks, "eXIf", &exif);
        assert_turned(png_with(&chunks), false, "XMP beside eXIf");
    }
}

/* Texts that end early, unpack to too much or to nothing change nothing. */
static void png_damaged(void **state) {
    static const char keyword[] = "Raw profile type exif";
    block profile = { .size = 0 }, whole = { .size = 0 };
    put_profile(&profile, TURNED);
    put(&whole, keyword, sizeof keyword);
    put(&whole, "", 1);
    deflate_into(&whole, &profile);
    for (size_t size = 0; size < whole.size / 2; size++) {
        block part = whole, chunks = { .size = 0 };
        part.size = size;
        put_chunk(&chunks, "zTXt", &part);
        assert_turned(png_with(&chunks), false, "a profile cut short");
    }
    block bomb = { .size = 0 }, chunks = { .size = 0 };
    uint8_t *zeros = calloc(1 << 20, 1);
    put(&bomb, keyword, sizeof keyword);
    put(&bomb, "", 1);
    uLongf room = (uLongf)(ROOM - bomb.size);
    assert_int_equal(compress(bomb.bytes + bomb.size, &room, zeros, 1 << 20), Z_OK);
    bomb.size += room;
    put_chunk(&chunks, "zTXt", &bomb);
    assert_turned(png_with(&chunks), false, "a megabyte of zeros");
    free(zeros);
}

/* ----------------------------------------------------------------------------------------- WebP */

static void webp(void **state) {
    for (int beside = 0; beside < 2; beside++) {
        test_bytes file = test_make_webp(beside ? TEST_WEBP_EXIF : TEST_WEBP_LOSSLESS);
        block xmp = { .size = 0 }, chunk = { .size = 0 };
        put_xmp(&xmp, attribute, beside ? UPRIGHT : TURNED);
        put(&chunk, "XMP ", 4);
        for (int i = 0; i < 4; i++)
            put_number(&chunk, xmp.size >> 8 * i & 0xFF, 1);
        put(&chunk, xmp.bytes, xmp.size + xmp.size % 2);
        test_bytes whole = insert(file, file.size, &chunk);
        size_t riff = whole.size - 8;
        for (int i = 0; i < 4; i++)
            whole.bytes[4 + i] = (uint8_t)(riff >> 8 * i);
        dp_image image;
        deeper_error error = { 0 };
        deeper_status status =
            dp_image_decode(&image, whole.bytes, whole.size, "x", NULL, NULL, &error);
        if (status == DEEPER_ERROR_UNSUPPORTED) { /* a build without libwebp */
            free(whole.bytes);
            skip();
        }
        if (status)
            fail_msg("%s", error.message);
        assert_int_equal(image.width, 2); /* stored 3x2 */
        dp_image_free(&image);
        free(whole.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg),
        cmocka_unit_test(png),
        cmocka_unit_test(png_damaged),
        cmocka_unit_test(webp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
