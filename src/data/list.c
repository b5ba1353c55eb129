/* list.c - lines cut into a path and a label. */
#include "data/list.h"

#include <string.h>

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Moves on to the next line that is not blank, without the blanks at its end. */
static bool next_line(dp_list *list) {
    while (list->next < list->size) {
        list->begin = list->next;
        list->line++;
        const char *newline = memchr(list->text + list->begin, '\n', list->size - list->begin);
        list->end = newline ? (size_t)(newline - list->text) : list->size;
        list->next = list->end + (newline != NULL);
        while (list->end > list->begin && is_blank(list->text[list->end - 1]))
            list->end--;
        if (list->end > list->begin)
            return true;
    }
    return false;
}

/* The number in text[0..length); false: not one, or too large. */
static bool read_label(const char *text, size_t length, size_t *label) {
    *label = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *label = *label * 10 + (size_t)(text[i] - '0');
        if (*label >= DP_LIST_LABELS)
            return false;
    }
    return length > 0;
}

bool dp_list_read(dp_list *list, const char **path, size_t *label) {
    if (!next_line(list))
        return false;
    char *line = list->text + list->begin;
    size_t length = list->end - list->begin, word = length;
    while (word > 0 && !is_blank(line[word - 1]))
        word--;
    size_t path_end = word;
    while (path_end > 0 && is_blank(line[path_end - 1]))
        path_end--;
    if (path_end == 0 || memchr(line, 0, length))
        list->wrong = "not of the form `PATH LABEL`; a data set is a folder of class folders or a "
                      "list of such lines";
    else if (!read_label(line + word, length - word, label))
        list->wrong = "the last word is not a label, which is a number from 0 to 999999";
    if (list->wrong)
        return false;
    line[path_end] = '\0';
    *path = line;
    return true;
}
