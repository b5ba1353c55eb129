/* markup.h - a small checker of the HTML and SVG that we write: stricter than HTML, for our pages
 * are written to be simple. */
#ifndef TEST_HELPERS_MARKUP_H
#define TEST_HELPERS_MARKUP_H

#include <stddef.h>

/* Asserts that tags nest, attributes are quoted, an ampersand begins an entity of ours, the whole
 * is UTF-8 without control characters, and that nothing is fetched or run. */
void test_check_markup(const char *text);

/* How often `word` stands in `text`. */
size_t test_occurrences(const char *text, const char *word);

#endif
