/* pnm.c - the portable pixmaps P1 to P6: bits, grey and colour, as text or binary, maxval 1 to
 * 65535. The first picture of a file is read. PAM (P7) and PFM are named by foreign.c. */
#include "image/decoder.h"

#include <string.h>

enum { MAX_MAXVAL = 65535 };

/* What 'P1'..'P6' say: bits (1 is black), samples a pixel, text or binary. */
typedef struct kind {
    bool bits, text;
    int samples;
} kind;

static const kind kinds[6] = {
    { .bits = true, .text = true, .samples = 1 },
    { .text = true, .samples = 1 },
    { .text = true, .samples = 3 },
    { .bits = true, .samples = 1 },
    { .samples = 1 },
    { .samples = 3 },
};

typedef struct reader {
    const dp_source *source;
    size_t at;
    deeper_status status; /* of the first failure */
} reader;

static bool fail(reader *pnm, const char *what) {
    if (pnm->at >= pnm->source->size)
        pnm->status = dp_source_cut_short(pnm->source, "PNM");
    else
        pnm->status =
            dp_fail_at(pnm->source->error, DEEPER_ERROR_FORMAT, (int64_t)pnm->at,
                       "%s: damaged PNM (%s at byte %zu)", pnm->source->name, what, pnm->at);
    return false;
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space and comments (from '#' to the end of the line). */
static void skip_space(reader *pnm) {
    const dp_source *source = pnm->source;
    for (bool comment = false; pnm->at < source->size; pnm->at++) {
        uint8_t byte = source->bytes[pnm->at];
        if (byte == '#')
            comment = true;
        else if (comment)
            comment = byte != '\n' && byte != '\r';
        else if (!is_space(byte))
            return;
    }
}

/* A decimal number, at most `limit` (which leaves room for ten times as much). */
static bool read_number(reader *pnm, uint64_t limit, uint64_t *value) {
    const dp_source *source = pnm->source;
    skip_space(pnm);
    size_t start = pnm->at;
    uint64_t number = 0;
    for (; pnm->at < source->size && source->bytes[pnm->at] >= '0' && source->bytes[pnm->at] <= '9';
         pnm->at++) {
        number = number * 10 + (uint64_t)(source->bytes[pnm->at] - '0');
        if (number > limit)
            return fail(pnm, "too large a number");
    }
    *value = number;
    return pnm->at > start || fail(pnm, "no number");
}

/* One digit of a P1; they need no space between them. */
static bool read_digit(reader *pnm, uint64_t *value) {
    skip_space(pnm);
    if (pnm->at >= pnm->source->size
        || (pnm->source->bytes[pnm->at] != '0' && pnm->source->bytes[pnm->at] != '1'))
        return fail(pnm, "neither 0 nor 1");
    *value = pnm->source->bytes[pnm->at++] == '0'; /* a set bit is black */
    return true;
}

/* One row of samples, each 0..maxval, into `row` scaled to 0..255. */
static bool read_text_row(reader *pnm, const kind *form, uint64_t maxval, size_t samples,
                          uint8_t *row) {
    for (size_t i = 0; i < samples; i++) {
        uint64_t value = 0;
        if (!(form->bits ? read_digit(pnm, &value) : read_number(pnm, maxval, &value)))
            return false;
        row[i] = (uint8_t)((value * 255 + maxval / 2) / maxval);
    }
    return true;
}

/* The same for a binary row, whose bytes are known to be there. */
static bool read_binary_row(reader *pnm, const kind *form, uint64_t maxval, size_t samples,
                            uint8_t *row) {
    const uint8_t *bytes = pnm->source->bytes + pnm->at;
    for (size_t i = 0; i < samples; i++) {
        uint64_t value;
        if (form->bits)
            value = !(bytes[i / 8] >> (7 - i % 8) & 1);
        else
            value = maxval < 256 ? bytes[i] : (uint64_t)bytes[2 * i] << 8 | bytes[2 * i + 1];
        if (value > maxval)
            return fail(pnm, "a sample above the maxval in the row");
        row[i] = (uint8_t)((value * 255 + maxval / 2) / maxval);
    }
    return true;
}

static bool read_header(reader *pnm, const kind *form, uint64_t *width, uint64_t *height,
                        uint64_t *maxval) {
    *maxval = 1;
    if (!read_number(pnm, UINT32_MAX, width) || !read_number(pnm, UINT32_MAX, height)
        || (!form->bits && !read_number(pnm, MAX_MAXVAL, maxval)))
        return false;
    if (*maxval == 0)
        return fail(pnm, "a maxval of 0");
    /* One white byte ends the header; the next may be a sample that looks like white space. */
    if (pnm->at >= pnm->source->size || !is_space(pnm->source->bytes[pnm->at]))
        return fail(pnm, "no space after the header");
    pnm->at++;
    return true;
}

/* Bytes that the rows take, at the least for text (a digit each and a space between them). The size
 * has been checked. */
static uint64_t bytes_needed(const kind *form, uint64_t row_bytes, uint64_t samples,
                             uint64_t height) {
    if (form->text)
        return form->bits ? samples * height : samples * height * 2 - 1;
    return row_bytes * height;
}

deeper_status dp_pnm_decode(dp_image *image, int *orientation, const dp_source *source) {
    const kind *form = &kinds[source->bytes[1] - '1'];
    reader pnm = { .source = source, .at = 2 };
    uint64_t width = 0, height = 0, maxval = 0;
    if (!read_header(&pnm, form, &width, &height, &maxval))
        return pnm.status;
    DP_TRY(dp_source_check_size(source, width, height));
    uint64_t samples = width * (uint64_t)form->samples;
    uint64_t row_bytes = form->bits ? (width + 7) / 8 : samples * (maxval < 256 ? 1 : 2);
    if (bytes_needed(form, row_bytes, samples, height) > source->size - pnm.at)
        return dp_source_cut_short(source, "PNM");
    DP_TRY(dp_source_start(source, image, width, height, 0));

    for (uint64_t y = 0; y < height; y++) {
        uint8_t *row = image->pixels + y * width * 3;
        if (!(form->text ? read_text_row : read_binary_row)(&pnm, form, maxval, samples, row))
            return pnm.status;
        if (!form->text)
            pnm.at += row_bytes;
        if (form->samples == 1) /* grey spreads to three from the right, so that nothing is
                                   overwritten before it is read */
            for (uint64_t x = width; x-- > 0;)
                memset(row + x * 3, row[x], 3);
    }
    return DEEPER_OK;
}
