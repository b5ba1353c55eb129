/* markup.h - text and bytes from outside made fit for a page: escaped, repaired, base64. NULL
 * stands for no text. */
#ifndef DP_REPORT_MARKUP_H
#define DP_REPORT_MARKUP_H

#include "base/memory.h"

/* The text as it is, but bytes that are not UTF-8 and control characters (newline and tab excepted)
 * replaced by U+FFFD each. */
void dp_markup_plain(dp_buffer *buffer, const char *text);

/* The same with & < > " ' escaped: safe as text and as a quoted attribute of HTML and SVG. */
void dp_markup_text(dp_buffer *buffer, const char *text);

/* RFC 4648 with padding, on one line. */
void dp_markup_base64(dp_buffer *buffer, const void *bytes, size_t size);

#endif
