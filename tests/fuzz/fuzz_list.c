/* fuzz_list.c - any bytes as a list file, and as a table. Checked: every path lies in its line and
 * is whole, labels are below the limit, lines only go forward, and a fault is told once, at the
 * end; cells lie in the text, one after the other, and columns among them.
 *
 * covers: src/data/list.c src/data/table.c */
#include "data/list.h"
#include "data/table.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void read_table(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    fuzz_demand(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    dp_table table = { .text = text, .size = size, .separator = ',' };
    dp_table_begins(text, size, &table.separator);
    dp_table_columns columns;
    size_t before = 0;
    while (dp_table_read(&table)) {
        fuzz_demand(table.count > 0 && table.count <= DP_TABLE_CELLS && table.next > before);
        for (size_t i = 0; i < table.count; i++)
            fuzz_demand(table.cells[i] >= text + before
                        && table.cells[i] + strlen(table.cells[i]) <= text + size);
        if (dp_table_header(&columns, &table))
            fuzz_demand(columns.path >= 0 && (size_t)columns.path < table.count
                        && (size_t)columns.label < table.count);
        before = table.next;
    }
    fuzz_demand(table.wrong || table.next == size);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text =
        malloc(size); /* of exactly this size, for the sanitizer to see what is read past it */
    fuzz_demand(text || size == 0);
    if (size)
        memcpy(text, data, size);
    dp_list list = { .text = text, .size = size };
    const char *path;
    size_t label, line = 0;
    while (dp_list_read(&list, &path, &label)) {
        size_t length = strlen(path), at = (size_t)(path - text);
        fuzz_demand(!list.wrong && list.line > line && at == list.begin && length > 0
                    && at + length < list.end);
        fuzz_demand(list.end <= size && label < DP_LIST_LABELS
                    && memcmp(path, data + at, length) == 0);
        line = list.line;
    }
    fuzz_demand(list.wrong ? list.line > line && list.begin < list.end : list.next == size);
    free(text);
    read_table(data, size);
    return 0;
}
