/* box_table.c - lines cut into cells, cells found by the names of their columns. */
#include "data/box_table.h"
#include "base/number.h"
#include "data/boxes_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CELLS = 64, CELL = 1024 };

static const struct {
    const char *name;
    int column;
} known[] = { { "filename", DP_COLUMN_PHOTO },
              { "file", DP_COLUMN_PHOTO },
              { "image", DP_COLUMN_PHOTO },
              { "image_path", DP_COLUMN_PHOTO },
              { "path", DP_COLUMN_PHOTO },
              { "image_name", DP_COLUMN_PHOTO },
              { "class", DP_COLUMN_CLASS },
              { "label", DP_COLUMN_CLASS },
              { "name", DP_COLUMN_CLASS },
              { "class_name", DP_COLUMN_CLASS },
              { "xmin", DP_COLUMN_X0 },
              { "x1", DP_COLUMN_X0 },
              { "x_min", DP_COLUMN_X0 },
              { "ymin", DP_COLUMN_Y0 },
              { "y1", DP_COLUMN_Y0 },
              { "y_min", DP_COLUMN_Y0 },
              { "xmax", DP_COLUMN_X1 },
              { "x2", DP_COLUMN_X1 },
              { "x_max", DP_COLUMN_X1 },
              { "ymax", DP_COLUMN_Y1 },
              { "y2", DP_COLUMN_Y1 },
              { "y_max", DP_COLUMN_Y1 },
              { "width", DP_COLUMN_WIDTH },
              { "height", DP_COLUMN_HEIGHT },
              { "image_width", DP_COLUMN_WIDTH },
              { "image_height", DP_COLUMN_HEIGHT },
              { "score", DP_COLUMN_SCORE },
              { "confidence", DP_COLUMN_SCORE },
              { "conf", DP_COLUMN_SCORE } };

struct dp_box_table {
    int columns[DP_COLUMNS]; /* which cell each is, -1: none */
    char cells[CELLS][CELL];
    size_t count; /* 0: the line is too long */
};

static void cut(dp_box_table *t, const char *line, size_t size) {
    size_t length = 0;
    bool quoted = false;
    t->count = 1;
    for (size_t i = 0; i < size; i++) {
        const bool twice = line[i] == '"' && quoted && i + 1 < size && line[i + 1] == '"';
        if (line[i] == '"' && !twice) {
            quoted = !quoted;
            continue;
        }
        i += twice;
        if (line[i] == ',' && !quoted) {
            t->cells[t->count - 1][length] = '\0';
            length = 0;
            if (t->count++ == CELLS)
                break;
        } else if (length + 1 == CELL) {
            t->count = CELLS + 1;
            break;
        } else {
            t->cells[t->count - 1][length++] = line[i];
        }
    }
    if (t->count > CELLS)
        t->count = 0;
    else
        t->cells[t->count - 1][length] = '\0';
}

/* Finds the columns by the names in the line that was cut. False: it does not name them. */
static bool read_names(dp_box_table *t, int need) {
    for (int c = 0; c < DP_COLUMNS; c++)
        t->columns[c] = -1;
    for (size_t i = 0; i < t->count; i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strcasecmp(t->cells[i], known[k].name) == 0 && t->columns[known[k].column] < 0)
                t->columns[known[k].column] = (int)i;
    for (int c = 0; c <= DP_COLUMN_Y1; c++)
        if (t->columns[c] < 0)
            return false;
    return t->columns[need] >= 0;
}

const char *dp_box_table_text(const dp_box_table *table, int column) {
    const int cell = table->columns[column];
    return cell >= 0 && (size_t)cell < table->count ? table->cells[cell] : "";
}

double dp_box_table_number(const dp_box_table *table, int column) {
    const char *text = dp_box_table_text(table, column);
    double value = (double)NAN;
    return dp_number_parse(text, strlen(text), &value) ? value : (double)NAN;
}

deeper_box dp_box_table_box(const dp_box_table *table) {
    const double x = dp_box_table_number(table, DP_COLUMN_X0),
                 y = dp_box_table_number(table, DP_COLUMN_Y0);
    return (deeper_box){ x, y, dp_box_table_number(table, DP_COLUMN_X1) - x,
                         dp_box_table_number(table, DP_COLUMN_Y1) - y };
}

/* Whether the line that was cut names the columns; if not, they are keras-retinanet's. */
static deeper_status first_line(dp_box_table *t, int need, bool *names, const char *where,
                                deeper_error *error) {
    static const int plain[DP_COLUMNS] = { 0, 5, 1, 2, 3, 4, -1, -1, -1 };
    *names = read_names(t, need);
    if (*names)
        return DEEPER_OK;
    memcpy(t->columns, plain, sizeof plain);
    if (t->count == 6 && plain[need] >= 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_FORMAT,
                   "%s: no table of boxes; its first line names filename, class, xmin, ymin, xmax, "
                   "ymax%s",
                   where, need == DP_COLUMN_SCORE ? " and score" : "");
}

deeper_status dp_box_table_read(const char *text, size_t size, const char *name, int need,
                                deeper_status (*take)(void *context, const dp_box_table *table,
                                                      const char *where),
                                void *context, const deeper_allocator *allocator,
                                deeper_error *error) {
    dp_lines lines = { .text = text, .size = size };
    deeper_status status = DEEPER_OK;
    const char *line;
    size_t length;
    char where[DEEPER_MESSAGE_SIZE];
    dp_box_table *t = dp_alloc(allocator, 1, sizeof *t);
    if (!t)
        return dp_fail_memory(error, "a line of a table");
    for (bool first = true; status == DEEPER_OK && dp_lines_next(&lines, &line, &length);) {
        bool names = false;
        if (length == 0)
            continue;
        cut(t, line, length);
        snprintf(where, sizeof where, "%.300s:%zu", name, lines.number);
        if (first)
            status = first_line(t, need, &names, where, error);
        if (status == DEEPER_OK && !names)
            status = take(context, t, where);
        first = false;
    }
    dp_free(allocator, t);
    return status;
}
