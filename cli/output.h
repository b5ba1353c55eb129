/* output.h - how the program speaks: results on stdout as text or JSON lines, all else on stderr,
 * one progress line. State is kept here, in one place, because a process has one terminal.
 * Thread-safe where stated. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <deeper/deeper.h>

void cli_output_begin(bool json, bool quiet);

/* Flushes stdout. Returns `code`, or CLI_FAILED after a line on stderr if anything on stdout was
 * lost (a full disk). */
int cli_output_end(int code);

bool cli_json(void);

/* "deeper: ..." on stderr; returns CLI_FAILED. Thread-safe. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the library's message. An argument that the library does not take came from the
 * command line: CLI_USAGE. */
int cli_failure(const deeper_error *error);

/* A note on stderr that --quiet leaves out. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "deeper: warning: ..." on stderr, also with --quiet; bold on a terminal. */
void cli_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An input that could not be read: "deeper: PATH: REASON" on stderr, and {"path","error"} on stdout
 * with --json. `message` may begin with "PATH: ", as the library's messages do. Counted.
 * Thread-safe. */
void cli_problem(const char *path, const char *message);
size_t cli_problems(void);

/* Prints `value` as one line on stdout at once and frees it. False if it could not be printed
 * (cli_output_end tells why). Thread-safe. */
bool cli_print_json(json_t *value);

/* fwrite as a dp_text_sink (base/text.h); the context is the FILE. */
void cli_file_sink(void *file, const char *bytes, size_t size);

/* Writes text for people: '?' in place of what would move a terminal (dp_put_shown). */
void cli_print_text(const char *text);

/* The same for printf with names in it that others gave; lines and tabs stay. */
void cli_print_names(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether stdout may be coloured: a terminal, TERM not dumb, no NO_COLOR. */
bool cli_colour(void);

/* Whether stdout is a terminal, where results scroll by and a progress line would be in the way. */
bool cli_stdout_terminal(void);

/* Flushes stdout; false if output was lost. */
bool cli_flush(void);

enum { CLI_NUMBER_SIZE = 32 };

/* "6,998,552" and "53.5 MB", into `text`, which is returned. */
const char *cli_grouped(uint64_t value, char text[CLI_NUMBER_SIZE]);
const char *cli_bytes(uint64_t bytes, char text[CLI_NUMBER_SIZE]);

/* A count to three digits, "159", "115K" or "1.58G", as the paper prints them. */
const char *cli_short_count(uint64_t count, char text[CLI_NUMBER_SIZE]);

/* Prints "a,b,c" after a title, broken at its commas into lines of up to 80 columns. */
void cli_print_list(const char *title, const char *list);

double cli_now(void); /* monotonic seconds */

/* Progress on stderr: one line that is redrawn on a terminal, else a plain line every ten seconds.
 * Silent with --quiet. */
typedef struct cli_progress {
    const char *what; /* "pictures", or NULL: bytes */
    double started, shown;
    uint64_t first;
} cli_progress;

/* first: what was done before, which does not count for the speed. */
void cli_progress_begin(cli_progress *progress, const char *what, uint64_t first);
void cli_progress_show(cli_progress *progress, uint64_t done,
                       uint64_t total); /* total 0: not known */
void cli_progress_end(void);

/* The same as the library calls it: context is the cli_progress. And cli_problem, which needs no
 * context. */
void cli_on_progress(void *context, uint64_t done, uint64_t total);
void cli_on_problem(void *context, const char *path, const char *message);

/* Whether there is a terminal for a line that is redrawn; its columns, or 80. False with
 * --quiet. */
bool cli_live_possible(int *columns);

/* Draws `text` in place of the progress line, cut to the terminal's columns. Only where
 * cli_live_possible. */
void cli_live(const char *text);

#endif
