/* sources.h - from the words of a command line to a stream of picture paths, for
 * deeper_classify_stream. */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_sources cli_sources;

/* Pictures named by words: a file; a folder (walked through, in byte order of the names, hidden
 * names left out, files that end like pictures); a pattern in quotes ("*.jpg"); "-" = paths on
 * stdin, "@FILE" = paths in a file, each a line or, with `zero`, ended by a zero byte. The words
 * are borrowed. NULL if memory is out. */
cli_sources *cli_sources_open(char *const *words, size_t count, bool zero);
void cli_sources_close(cli_sources *sources);

/* As deeper_source.next: the next path, with label -1. Opens folders and reads lists only as far as
 * needed. What cannot be read goes to cli_problem; a file that does not exist is handed out, for
 * the reader of pictures to report. */
int cli_sources_next(void *context, const char **path, int64_t *label);

/* Paths handed out so far. */
size_t cli_sources_count(const cli_sources *sources);

#endif
