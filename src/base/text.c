/* text.c - see text.h. */
#include "base/text.h"

#include <string.h>

size_t dp_utf8_decode(const char *text, size_t size, uint32_t *code) {
    static const uint32_t min[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* below are overlong forms */
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    if (length == 0 || length > size || lead > 0xF4)
        return 0;
    *code = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3FU);
    }
    return *code < min[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000) ? 0
                                                                                          : length;
}

size_t dp_utf8_encode(char bytes[4], uint32_t code) {
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(lead[length] | code);
    return length;
}

size_t dp_byte_order_mark(const char *text, size_t size) {
    static const char mark[3] = { '\xEF', '\xBB', '\xBF' };
    return size >= sizeof mark && memcmp(text, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

bool dp_text_clean(const char *text, size_t size, bool lines) {
    for (size_t at = 0, length = 0; at < size; at += length) {
        uint32_t code = 0;
        length = dp_utf8_decode(text + at, size - at, &code);
        if (length == 0)
            return false;
        if ((code < 0x20 && !(lines && (code == '\n' || code == '\t')))
            || (code >= 0x7F && code < 0xA0))
            return false;
    }
    return true;
}

/* Puts `text` with `other` in the place of every `byte`. */
static void put_replaced(dp_text_sink *sink, void *context, const char *text, char byte,
                         const char *other) {
    for (const char *next; (next = strchr(text, byte)) != NULL; text = next + 1) {
        sink(context, text, (size_t)(next - text));
        sink(context, other, strlen(other));
    }
    sink(context, text, strlen(text));
}

void dp_put_shell_word(dp_text_sink *sink, void *context, const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:+-";
    if (*word && !word[strspn(word, plain)]) {
        sink(context, word, strlen(word));
        return;
    }
    sink(context, "'", 1);
    put_replaced(sink, context, word, '\'', "'\\''");
    sink(context, "'", 1);
}

void dp_put_csv_cell(dp_text_sink *sink, void *context, const char *cell) {
    if (!strpbrk(cell, ",\"\r\n")) {
        sink(context, cell, strlen(cell));
        return;
    }
    sink(context, "\"", 1);
    put_replaced(sink, context, cell, '"', "\"\"");
    sink(context, "\"", 1);
}
