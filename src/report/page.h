/* page.h - what the pages have in common: the frame with its style sheet, tiles of figures,
 * numbers, commands. Names and titles of parts are trusted markup, all other text is escaped. What
 * it does not do: files (output.h), curves (plot.h). */
#ifndef DP_REPORT_PAGE_H
#define DP_REPORT_PAGE_H

#include "base/memory.h"

#define DP_PAGE_DASH "\xE2\x80\x93" /* what is not known */

/* All up to the first heading, which is the title; and all after the last section. */
void dp_page_begin(dp_buffer *buffer, const char *title);
void dp_page_end(dp_buffer *buffer);

/* Opens a tile up to its figure, inside <dl class="tiles">; and closes it. */
void dp_page_begin_tile(dp_buffer *buffer, const char *name);
void dp_page_end_tile(dp_buffer *buffer);

/* With that many digits; a dash where it is not finite. */
void dp_page_number(dp_buffer *buffer, double value, int digits);

/* A section with a command to copy. */
void dp_page_command(dp_buffer *buffer, const char *title, const char *command);

enum { DP_PAGE_NAME = 64 };

/* What a path is called on a page: its last part, that of the folder for a run's model; at most
 * DP_PAGE_NAME - 1 bytes, the end of longer names. `text` is returned. */
const char *dp_page_name(const char *path, char text[DP_PAGE_NAME]);

#endif
