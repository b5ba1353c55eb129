/* output.c - see output.h. Nothing here knows a command. */
#include "output.h"

#include "app/json.h"
#include "base/text.h"
#include "hints.h"
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static bool json_mode, quiet_mode, stderr_terminal, colour_mode;
static bool line_open; /* a progress line stands on the terminal; guarded by the lock of stderr */
static atomic_size_t problems;
static atomic_int output_errno; /* of the first write to stdout that failed; 0: none */

void cli_output_begin(bool json, bool quiet) {
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    json_mode = json;
    quiet_mode = quiet;
    stderr_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    colour_mode =
        isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no_colour && *no_colour);
}

bool cli_json(void) {
    return json_mode;
}

bool cli_colour(void) {
    return colour_mode;
}

bool cli_stdout_terminal(void) {
    return isatty(STDOUT_FILENO);
}

bool cli_flush(void) {
    errno = 0;
    if ((fflush(stdout) || ferror(stdout)) && !output_errno)
        output_errno = errno ? errno : EIO;
    return !output_errno;
}

int cli_output_end(int code) {
    cli_progress_end();
    cli_flush();
    if (fclose(stdout) && !output_errno)
        output_errno = errno;
    if (!output_errno)
        return code;
    if (output_errno != EPIPE) /* a reader that has seen enough is no news */
        cli_error("standard output: %s; the output is not complete", strerror(output_errno));
    return CLI_FAILED;
}

/* ------------------------------------------------------------------------------------- messages */

static void line_clear(void) {
    if (line_open)
        fputs("\r\033[K", stderr);
    line_open = false;
}

void cli_file_sink(void *file, const char *bytes, size_t size) {
    fwrite(bytes, 1, size, file);
}

void cli_print_text(const char *text) {
    dp_put_shown(cli_file_sink, stdout, text, false);
}

void cli_print_names(const char *format, ...) {
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0) {
        output_errno = ENOMEM;
        return;
    }
    dp_put_shown(cli_file_sink, stdout, text, true);
    free(text);
}

static void message_print(const char *prefix, const char *suffix, const char *format,
                          va_list list) {
    char text[2048];
    vsnprintf(text, sizeof text, format, list);
    flockfile(stderr);
    line_clear();
    fputs(prefix, stderr);
    dp_put_shown(cli_file_sink, stderr, text, false);
    fputs(suffix, stderr);
    putc('\n', stderr);
    funlockfile(stderr);
}

int cli_error(const char *format, ...) {
    va_list list;
    va_start(list, format);
    message_print("deeper: ", "", format, list);
    va_end(list);
    return CLI_FAILED;
}

int cli_failure(const deeper_error *error) {
    cli_error("%s%s", error->message, cli_hint(error));
    return error->status == DEEPER_ERROR_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

void cli_note(const char *format, ...) {
    va_list list;
    if (quiet_mode)
        return;
    va_start(list, format);
    message_print("", "", format, list);
    va_end(list);
}

void cli_warning(const char *format, ...) {
    const char *no_colour = getenv("NO_COLOR");
    bool bold = stderr_terminal && !(no_colour && *no_colour);
    va_list list;
    va_start(list, format);
    message_print(bold ? "\033[1;33mdeeper: warning: " : "deeper: warning: ", bold ? "\033[0m" : "",
                  format, list);
    va_end(list);
}

void cli_problem(const char *path, const char *message) {
    size_t length = strlen(path);
    if (!strncmp(message, path, length) && message[length] == ':' && message[length + 1] == ' ')
        message += length + 2;
    problems++;
    cli_error("%s: %s", path, message);
    if (json_mode)
        cli_print_json(APP_OBJECT(app_text(KEY_path, path), app_text(KEY_error, message)));
}

size_t cli_problems(void) {
    return problems;
}

/* ----------------------------------------------------------------------------------------- JSON */

bool cli_print_json(json_t *value) {
    char *line = app_json_line(value);
    if (!line) {
        output_errno = ENOMEM;
        return false;
    }
    flockfile(stdout);
    fputs(line, stdout);
    putc('\n', stdout);
    bool whole = cli_flush();
    funlockfile(stdout);
    free(line);
    return whole;
}

/* -------------------------------------------------------------------------------------- numbers */

const char *cli_grouped(uint64_t value, char text[CLI_NUMBER_SIZE]) {
    char digits[CLI_NUMBER_SIZE];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, value), at = 0;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *cli_bytes(uint64_t bytes, char text[CLI_NUMBER_SIZE]) {
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(text, CLI_NUMBER_SIZE, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

const char *cli_short_count(uint64_t count, char text[CLI_NUMBER_SIZE]) {
    static const char units[] = "KMGT";
    double value = (double)count;
    int unit = -1;
    for (; value >= 999.5 && unit + 1 < (int)sizeof units - 1; unit++)
        value /= 1000;
    int decimals = unit < 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, CLI_NUMBER_SIZE, "%.*f%.*s", decimals, value, unit >= 0,
             &units[unit < 0 ? 0 : unit]);
    return text;
}

void cli_print_list(const char *title, const char *list) {
    enum { WIDTH = 80 };
    const int indent = (int)strlen(title);
    int column = printf("%s", title);
    while (*list) {
        int length = (int)strcspn(list, ",");
        length += list[length] == ',';
        if (column > indent && column + length > WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        }
        column += printf("%.*s", length, list);
        list += length;
    }
    putchar('\n');
}

double cli_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ------------------------------------------------------------------------------------- progress */

void cli_progress_begin(cli_progress *progress, const char *what, uint64_t first) {
    double now = cli_now();
    *progress = (cli_progress){ .what = what, .started = now, .shown = now, .first = first };
}

void cli_progress_show(cli_progress *progress, uint64_t done, uint64_t total) {
    double now = cli_now(), spent = now - progress->started;
    char text[4][CLI_NUMBER_SIZE], share[48] = "", left[48] = "";
    if (quiet_mode || now - progress->shown < (stderr_terminal ? 0.1 : 10))
        return;
    progress->shown = now;
    double rate = spent > 0 ? (double)(done - progress->first) / spent : 0;
    const char *(*format)(uint64_t, char *) = progress->what ? cli_grouped : cli_bytes;
    if (total) {
        snprintf(share, sizeof share, " of %s (%.0f %%)", format(total, text[1]),
                 100.0 * (double)done / (double)total);
        double seconds =
            rate > 0 ? (double)(total - done) / rate : 1e6; /* a rate of none says nothing */
        if (done < total && seconds < 1e6)
            snprintf(left, sizeof left, ", %d:%02d left", (int)seconds / 60, (int)seconds % 60);
    }
    if (progress->what)
        snprintf(text[3], sizeof text[3], "%.1f", rate);
    else
        cli_bytes((uint64_t)rate, text[3]);
    char line[256];
    snprintf(line, sizeof line, "%s%s%s%s, %s/s%s", format(done, text[0]), share,
             progress->what ? " " : "", progress->what ? progress->what : "", text[3], left);
    if (stderr_terminal)
        cli_live(line);
    else
        cli_note("%s", line);
}

void cli_progress_end(void) {
    flockfile(stderr);
    line_clear();
    fflush(stderr);
    funlockfile(stderr);
}

void cli_on_progress(void *context, uint64_t done, uint64_t total) {
    cli_progress_show(context, done, total);
}

void cli_on_problem(void *context, const char *path, const char *message) {
    cli_problem(path, message);
}

bool cli_live_possible(int *columns) {
    struct winsize size = { 0 };
    *columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    return stderr_terminal && !quiet_mode;
}

void cli_live(const char *text) {
    int columns;
    cli_live_possible(&columns);
    flockfile(stderr);
    line_clear();
    fprintf(stderr, "%.*s", columns - 1, text); /* a full line would wrap on some terminals */
    line_open = true;
    fflush(stderr);
    funlockfile(stderr);
}
