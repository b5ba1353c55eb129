/* table.c - see table.h. */
#include "table.h"

#include "output.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 16 };

/* The cell at *rest, whose bytes are returned; *rest moves behind it and its tab. */
static size_t cell_next(const char **rest) {
    size_t length = strcspn(*rest, "\t\n");
    *rest += length + ((*rest)[length] == '\t');
    return length;
}

/* Each column's width; 0: it is left out. */
static void measure(const char *lines, int width[COLUMNS]) {
    bool used[COLUMNS] = { false };
    bool heading = true;
    for (int i = 0; i < COLUMNS; i++)
        width[i] = 0;
    for (const char *line = lines; *line; heading = false) {
        const char *end = line + strcspn(line, "\n");
        if (memchr(line, '\t', (size_t)(end - line)))
            for (int i = 0; i < COLUMNS && line < end; i++) {
                int length = (int)cell_next(&line);
                width[i] = length > width[i] ? length : width[i];
                used[i] |= length > 0 && !heading;
            }
        line = end + (*end == '\n');
    }
    for (int i = 0; i < COLUMNS; i++)
        width[i] = used[i] ? width[i] : 0;
}

void cli_print_table(const char *lines, const char *alignment) {
    int width[COLUMNS];
    measure(lines, width);
    for (const char *line = lines; *line;) {
        const char *end = line + strcspn(line, "\n");
        bool cells = memchr(line, '\t', (size_t)(end - line)) != NULL;
        int column = 0, blanks = 0; /* blanks are printed when something follows them */
        for (int i = 0; cells && i < COLUMNS && line < end; i++) {
            const char *cell = line;
            int length = (int)cell_next(&line);
            if (!width[i])
                continue;
            int before = alignment[i] == 'r' ? width[i] - length : 0;
            blanks += (column > 0) + before;
            if (length > 0) {
                cli_print_names("%*s%.*s", blanks, "", length, cell);
                blanks = 0;
            }
            blanks += width[i] - before - length;
            column++;
        }
        if (!cells)
            cli_print_names("%.*s", (int)(end - line), line);
        putchar('\n');
        line = end + (*end == '\n');
    }
}
