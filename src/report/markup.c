/* markup.c - names of files and classes come from anywhere; here they become harmless. One rule of
 * what text is: dp_text_clean. */
#include "report/markup.h"

#include "base/text.h"

#include <string.h>

enum { UTF8_MAX = 4 }; /* bytes of a character */

/* Bytes of the character that text begins with; 0 if it begins with none that may be shown. */
static size_t character(const char *text) {
    for (size_t size = 1; size <= UTF8_MAX && text[size - 1]; size++)
        if (dp_text_clean(text, size, true))
            return size;
    return 0;
}

static const char *escape(char byte) {
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put(dp_buffer *buffer, const char *text, bool escaped) {
    if (!text)
        return;
    while (*text) {
        size_t size = character(text);
        const char *other = size == 0 ? "\xEF\xBF\xBD" : escaped ? escape(*text) : NULL;
        if (other)
            dp_buffer_append(buffer, other, strlen(other));
        else
            dp_buffer_append(buffer, text, size);
        text += size ? size : 1;
    }
}

void dp_markup_plain(dp_buffer *buffer, const char *text) {
    put(buffer, text, false);
}

void dp_markup_text(dp_buffer *buffer, const char *text) {
    put(buffer, text, true);
}

void dp_markup_base64(dp_buffer *buffer, const void *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes;
    for (size_t left = size; left > 0;) {
        size_t taken = left < 3 ? left : 3;
        unsigned word = 0;
        for (size_t i = 0; i < 3; i++)
            word = word << 8 | (i < taken ? at[i] : 0u);
        char group[4] = { digits[word >> 18], digits[word >> 12 & 63], '=', '=' };
        if (taken > 1)
            group[2] = digits[word >> 6 & 63];
        if (taken > 2)
            group[3] = digits[word & 63];
        dp_buffer_append(buffer, group, sizeof group);
        at += taken;
        left -= taken;
    }
}
