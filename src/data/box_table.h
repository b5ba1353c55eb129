/* box_table.h - tables with a box a line: columns found by the names of the first line (those of
 * TensorFlow's and Roboflow's exports and their kin), or without such a line keras-retinanet's
 * path,x1,y1,x2,y2,class. Cells may be in quotes (RFC 4180). */
#ifndef DP_DATA_BOX_TABLE_H
#define DP_DATA_BOX_TABLE_H

#include "base/memory.h"

enum {
    DP_COLUMN_PHOTO,
    DP_COLUMN_CLASS,
    DP_COLUMN_X0,
    DP_COLUMN_Y0,
    DP_COLUMN_X1,
    DP_COLUMN_Y1,
    DP_COLUMN_SCORE,
    DP_COLUMN_WIDTH,
    DP_COLUMN_HEIGHT,
    DP_COLUMNS
};

/* A line, cut. */
typedef struct dp_box_table dp_box_table;

/* A cell: its text, "" where there is none; as a number, NAN where it is none. */
const char *dp_box_table_text(const dp_box_table *table, int column);
double dp_box_table_number(const dp_box_table *table, int column);

/* From the corners, which count from 0, the second one just outside. */
deeper_box dp_box_table_box(const dp_box_table *table);

/* Calls `take` for every line but that of the names and empty ones; `where` is "NAME:LINE". A line
 * or cell that is too long comes without cells. need: a column that must be named beside those of
 * photo, class and corners, or one of these. Errors: FORMAT (the first line is of neither form),
 * MEMORY, those of take. */
deeper_status dp_box_table_read(const char *text, size_t size, const char *name, int need,
                                deeper_status (*take)(void *context, const dp_box_table *table,
                                                      const char *where),
                                void *context, const deeper_allocator *allocator,
                                deeper_error *error);

#endif
