/* table.h - the rows of a CSV text (RFC 4180, separated by comma, semicolon or tab), cut in place,
 * and the columns of a list of pictures: path, label, part. It opens no file. */
#ifndef DP_DATA_TABLE_H
#define DP_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { DP_TABLE_CELLS = 64 };

/* A text being read. Set text, size, next and separator, zero the rest; text[0..size) is written
 * to, and text[size] is a zero byte. */
typedef struct dp_table {
    char *text;
    size_t size, next;
    char separator;
    size_t line; /* of the last row's end, from 1 */
    char *cells[DP_TABLE_CELLS];
    size_t count;
    const char *wrong; /* what is wrong with the row, NULL: nothing */
} dp_table;

/* Whether the first line that is not blank is a table's row and none of `PATH NUMBER` (list.h);
 * *separator is what stands between its cells. */
bool dp_table_begins(const char *text, size_t size, char *separator);

/* The next row that is not blank, its cells without blanks around them. False at the end of the
 * text, or at a row that is not closed or has too many cells: then table->wrong says why. */
bool dp_table_read(dp_table *table);

/* Where a list's columns are; part: -1 if there is none. */
typedef struct dp_table_columns {
    int path, label, part;
} dp_table_columns;

/* The columns, from the first row. True: that row is a header; without one they are path, label
 * and, where the third cell names a part, part. False and columns->label == -1: no such columns. */
bool dp_table_header(dp_table_columns *columns, const dp_table *table);

#endif
