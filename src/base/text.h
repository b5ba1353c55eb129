/* text.h - what a text is, and how one is written so that others read it back: UTF-8, words of a
 * shell, cells of a table. Why here: what a stranger's file may call a thing is decided once, and
 * the library's pages and the program print the same. No memory is taken and nothing can fail, so
 * the programs are built with this file too: it is the one of src/ that they include. */
#ifndef DP_BASE_TEXT_H
#define DP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes 1..4 of the UTF-8 sequence that text[size] (size >= 1) begins with, *code its code point;
 * 0: there is none. Overlong forms, surrogates and numbers above U+10FFFF are none. */
size_t dp_utf8_decode(const char *text, size_t size, uint32_t *code);

/* The other way: writes 1..4 bytes and returns their number; 0 for what is no code point. */
size_t dp_utf8_encode(char bytes[4], uint32_t code);

/* Whether text[size] is UTF-8 without control characters (C0, DEL, C1), so that it can be printed
 * and matched as it is. lines: newline and tab are allowed. */
bool dp_text_clean(const char *text, size_t size, bool lines);

/* Whether a terminal shows a character and does nothing else: no control character, none that turns
 * the direction of the text around it (embeddings, overrides, isolates). */
bool dp_code_shown(uint32_t code);

/* Bytes of the byte order mark that a text file of Notepad or Excel begins with: 3, else 0. */
size_t dp_byte_order_mark(const char *text, size_t size);

/* Of the names offered the one that a word most likely meant: fewest typing errors apart, and few
 * at all (2 in a word of 4 letters or more, else 1). */
typedef struct dp_nearest {
    const char *word, *name; /* name: NULL while none is near */
    size_t length, name_length;
    size_t errors;
} dp_nearest;

dp_nearest dp_nearest_to(const char *word, size_t length);
void dp_nearest_offer(dp_nearest *nearest, const char *name, size_t length);
void dp_nearest_offer_choices(dp_nearest *nearest, const char *choices); /* "a|b|c" */

/* text[size]: "; did you mean NAME?", or "" where no name is near; text is returned. */
const char *dp_nearest_say(const dp_nearest *nearest, char *text, size_t size);

/* Where a written text goes, piece by piece: a buffer, a file. */
typedef void dp_text_sink(void *context, const char *bytes, size_t size);

/* One word of a shell's command line, in quotes where it needs them. */
void dp_put_shell_word(dp_text_sink *sink, void *context, const char *word);

/* Text for people's eyes: '?' in place of what is not shown (dp_code_shown), and of bytes that
 * would be controls where the terminal does not read UTF-8. lines: newline and tab stay. */
void dp_put_shown(dp_text_sink *sink, void *context, const char *text, bool lines);

/* One cell of a CSV table (RFC 4180), in quotes where it needs them. What a spreadsheet would run
 * as a formula gets an apostrophe in front. */
void dp_put_csv_cell(dp_text_sink *sink, void *context, const char *cell);

#endif
