/* list.h - the text of a list file, a picture a line: `PATH LABEL`, the form of Caffe's image
 * lists. LABEL is the last word of the line, a number below DP_LIST_LABELS; PATH is all before it
 * and may hold spaces. Blanks at the end of a line (a carriage return among them) and blank lines
 * do not count. It opens no file. */
#ifndef DP_DATA_LIST_H
#define DP_DATA_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum { DP_LIST_LABELS = 1000000 };

/* A text being read. Set text and size, zero the rest; text[0..size) is written to. */
typedef struct dp_list {
    char *text;
    size_t size;
    size_t begin, end; /* the line that was read last: text[begin..end) */
    size_t next;       /* where the line after it begins */
    size_t line;       /* its number, from 1 */
    const char *wrong; /* what is wrong with it, NULL: nothing */
} dp_list;

/* The next line that is not blank: its path, ended with a zero byte, lies in the text. False at the
 * end of the text, or at a line that is not of the form: then list->wrong says why. */
bool dp_list_read(dp_list *list, const char **path, size_t *label);

#endif
