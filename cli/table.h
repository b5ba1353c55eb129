/* table.h - rows of text with their columns aligned. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

/* Prints lines whose cells end in tabs (the last in the line's end), each column as wide as its
 * widest cell. alignment: 'l' or 'r' a column, which are at most 16. The first line is the heading;
 * a column in which all other lines have nothing is left out. A line without a tab is printed as it
 * is. */
void cli_print_table(const char *lines, const char *alignment);

#endif
