/* sources.h - from words (of a command line) to a stream of picture paths, for
 * deeper_classify_stream. */
#ifndef APP_SOURCES_H
#define APP_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct app_sources app_sources;

/* Who is told what of the walk. */
typedef struct app_sources_calls {
    void (*problem)(void *context, const char *path, const char *message); /* cannot be read */
    void (*note)(void *context, const char *path,
                 const char *message); /* is passed over; may be NULL */
    void *context;
} app_sources_calls;

/* Pictures named by words: a file; a folder (walked through, in byte order of the names, hidden
 * names and __MACOSX left out, links to a folder that they lie in passed over, files that end like
 * pictures); a pattern in quotes ("*.jpg"); "-" = paths on stdin, "@FILE" = paths in a file, each a
 * line or, with `zero`, ended by a zero byte. The words are borrowed. NULL if memory is out. */
app_sources *app_sources_open(char *const *words, size_t count, bool zero,
                              const app_sources_calls *calls);
void app_sources_close(app_sources *sources);

/* As deeper_source.next: the next path, with label -1. Opens folders and reads lists only as far as
 * needed. A file that does not exist is handed out, for the reader of pictures to report. */
int app_sources_next(void *context, const char **path, int64_t *label);

/* Paths handed out so far. */
size_t app_sources_count(const app_sources *sources);

#endif
