/* text.c - see text.h. */
#include "base/text.h"

#include <stdio.h>
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

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

bool dp_code_shown(uint32_t code) {
    return !is_control(code) && !(code >= 0x202A && code <= 0x202E)
           && !(code >= 0x2066 && code <= 0x2069);
}

bool dp_text_clean(const char *text, size_t size, bool lines) {
    for (size_t at = 0, length = 0; at < size; at += length) {
        uint32_t code = 0;
        length = dp_utf8_decode(text + at, size - at, &code);
        if (length == 0)
            return false;
        if (is_control(code) && !(lines && (code == '\n' || code == '\t')))
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

void dp_put_shown(dp_text_sink *sink, void *context, const char *text, bool lines) {
    for (size_t left = strlen(text), length; left > 0; text += length, left -= length) {
        uint32_t code = 0;
        length = dp_utf8_decode(text, left, &code);
        if (length == 0) { /* a byte of another encoding */
            length = 1;
            code = (unsigned char)*text;
        }
        bool shown = dp_code_shown(code) || (lines && (code == '\n' || code == '\t'));
        sink(context, shown ? text : "?", shown ? length : 1);
    }
}

void dp_put_csv_cell(dp_text_sink *sink, void *context, const char *cell) {
    const char *before = *cell && strchr("=+-@\t\r", *cell) ? "'" : "";
    if (!strpbrk(cell, ",\"\r\n")) {
        sink(context, before, strlen(before));
        sink(context, cell, strlen(cell));
        return;
    }
    sink(context, "\"", 1);
    sink(context, before, strlen(before));
    put_replaced(sink, context, cell, '"', "\"\"");
    sink(context, "\"", 1);
}

/* -------------------------------------------------------------------------------- what was meant
 */

enum { MAX_WORD = 31 };

static size_t smaller_of(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool same_letter(char a, char b) {
    const bool letter = (a >= 'A' && a <= 'Z') || (a >= 'a' && a <= 'z');
    return a == b || (letter && (a ^ b) == 0x20);
}

/* Typing errors between two words: letters inserted, left out, replaced, or two neighbours swapped;
 * capitals are none. */
static size_t word_distance(const char *a, size_t m, const char *b, size_t n) {
    size_t cost[MAX_WORD + 1][MAX_WORD + 1];
    if (m > MAX_WORD || n > MAX_WORD)
        return MAX_WORD;
    for (size_t i = 0; i <= m; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= n; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= m; i++)
        for (size_t j = 1; j <= n; j++) {
            size_t best = smaller_of(cost[i - 1][j], cost[i][j - 1]) + 1;
            best = smaller_of(best, cost[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller_of(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    return cost[m][n];
}

dp_nearest dp_nearest_to(const char *word, size_t length) {
    return (dp_nearest){ .word = word, .length = length, .errors = length <= 3 ? 2 : 3 };
}

void dp_nearest_offer(dp_nearest *nearest, const char *name, size_t length) {
    size_t errors = word_distance(nearest->word, nearest->length, name, length);
    if (errors >= nearest->errors || errors >= length) /* not a word of other letters altogether */
        return;
    nearest->errors = errors;
    nearest->name = name;
    nearest->name_length = length;
}

void dp_nearest_offer_choices(dp_nearest *nearest, const char *choices) {
    for (size_t length; *choices; choices += length + (choices[length] == '|')) {
        length = strcspn(choices, "|");
        dp_nearest_offer(nearest, choices, length);
    }
}

const char *dp_nearest_say(const dp_nearest *nearest, char *text, size_t size) {
    text[0] = '\0';
    if (nearest->name)
        snprintf(text, size, "; did you mean %.*s?", (int)nearest->name_length, nearest->name);
    return text;
}
