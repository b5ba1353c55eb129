/* table.c - see table.h. */
#include "data/table.h"

#include "data/names.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Whether line[0..length) ends in a number that blanks part from a path. */
static bool is_list_line(const char *line, size_t length) {
    size_t word = length;
    while (word > 0 && line[word - 1] >= '0' && line[word - 1] <= '9')
        word--;
    if (word == length || word == 0 || !is_blank(line[word - 1]))
        return false;
    while (word > 0 && is_blank(line[word - 1]))
        word--;
    return word > 0 && line[word - 1] != ',' && line[word - 1] != ';';
}

bool dp_table_begins(const char *text, size_t size, char *separator) {
    size_t begin = 0;
    while (begin < size && (is_blank(text[begin]) || text[begin] == '\n'))
        begin++;
    const char *line = text + begin, *newline = memchr(line, '\n', size - begin);
    size_t length = newline ? (size_t)(newline - line) : size - begin;
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    if (is_list_line(line, length))
        return false;
    *separator = memchr(line, '\t', length) ? '\t' : memchr(line, ',', length) ? ',' : ';';
    return memchr(line, *separator, length) != NULL;
}

/* A cell in quotes, whose opening one stands at *at; its text moves down to its beginning. Returns
 * where it ends; NULL: it is not closed. */
static char *unquote(dp_table *table, size_t *at) {
    char *out = table->text + *at;
    for (++*at; *at < table->size; ++*at) {
        char byte = table->text[*at];
        if (byte == '"' && table->text[*at + 1] != '"') {
            ++*at;
            return out;
        }
        *at += byte == '"';
        table->line += byte == '\n';
        *out++ = byte;
    }
    return NULL;
}

/* The cell that begins at *at, moved to its end. */
static bool read_cell(dp_table *table, size_t *at, char **cell) {
    char *text = table->text, *end;
    while (*at < table->size && text[*at] != table->separator && is_blank(text[*at]))
        ++*at;
    *cell = text + *at;
    if (text[*at] == '"' && *at < table->size) {
        end = unquote(table, at);
        if (!end) {
            table->wrong = "a quotation mark is not closed";
            return false;
        }
        while (*at < table->size && text[*at] != table->separator && text[*at] != '\n')
            ++*at;
    } else {
        while (*at < table->size && text[*at] != table->separator && text[*at] != '\n')
            ++*at;
        end = text + *at;
        while (end > *cell && is_blank(end[-1]))
            end--;
    }
    char last = *at < table->size ? text[*at] : '\n';
    *end = '\0';
    table->next = *at + (*at < table->size);
    *at = table->next;
    table->line += last == '\n';
    return true;
}

bool dp_table_read(dp_table *table) {
    while (table->next < table->size) {
        size_t at = table->next;
        char last = table->separator;
        table->count = 0;
        while (last == table->separator) {
            if (table->count == DP_TABLE_CELLS)
                table->wrong = "more than 64 cells";
            size_t before = table->line;
            if (table->wrong || !read_cell(table, &at, &table->cells[table->count]))
                return false;
            table->count++;
            last = table->next == table->size || table->line > before ? '\n' : table->separator;
        }
        if (table->count > 1 || *table->cells[0])
            return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- columns */

/* What columns are called, the surest first. */
static const char *const path_words[] = {
    "path",     "file_path", "filepath",   "image_path", "img_path", "file",
    "filename", "file_name", "image_name", "image",      "img",      "picture",
    "photo",    "image_id",  "src",        "id",         "name",
};
static const char *const label_words[] = {
    "label",  "class",  "class_name", "classname", "label_name", "category",
    "labels", "target", "species",    "breed",     "y",
};
static const char *const part_words[] = { "part", "split", "set", "subset", "partition" };

/* The column with the first of the words; -1: none. */
static int find_column(const dp_table *table, const char *const *words, size_t count) {
    for (size_t w = 0; w < count; w++)
        for (size_t c = 0; c < table->count; c++)
            if (strcasecmp(table->cells[c], words[w]) == 0)
                return (int)c;
    return -1;
}

bool dp_table_header(dp_table_columns *columns, const dp_table *table) {
    int rank;
    *columns = (dp_table_columns){
        .path = find_column(table, path_words, sizeof path_words / sizeof *path_words),
        .label = find_column(table, label_words, sizeof label_words / sizeof *label_words),
        .part = find_column(table, part_words, sizeof part_words / sizeof *part_words),
    };
    if (columns->path >= 0 && columns->label >= 0)
        return true;
    bool named =
        table->count == 3 && dp_name_part(table->cells[2], strlen(table->cells[2]), &rank) >= 0;
    bool fits = table->count == 2 || named;
    *columns = (dp_table_columns){ .path = 0, .label = fits ? 1 : -1, .part = named ? 2 : -1 };
    return fits && !strpbrk(table->cells[0], "./"); /* no picture's path: names unknown to us */
}
