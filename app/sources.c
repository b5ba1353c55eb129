/* sources.c - see sources.h. A small machine with four places that paths come from, innermost
 * first: the folder being walked, the pattern being matched, the list being read, the words of the
 * command line. Memory is bounded by one line and by the names of the folders on the way down. */
#include "sources.h"

#include "base/open.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_DEPTH = 64 };

typedef struct folder {
    char *path;
    struct dirent **names;
    int count, next;
    dev_t device; /* with inode: to notice a link that leads back up */
    ino_t inode;
    size_t pictures; /* handed out of it and of what is below */
} folder;

struct app_sources {
    app_sources_calls tell;
    char *const *words;
    size_t word_count, word;
    int delimiter;
    FILE *list;
    const char *list_name;
    unsigned long line;
    glob_t matches;
    size_t match;
    bool matching;
    folder folders[MAX_DEPTH];
    size_t depth;
    char path[PATH_MAX];
    size_t count;
};

/* Endings of files that a folder walk takes for pictures. The last row is not readable, but silence
 * about such a file would be worse than the reader's word on it. */
static const char *const picture_endings[] = {
    "jpg", "jpeg", "jpe",  "png",  "webp", "bmp",  "ppm", "pgm", "pbm", "pnm", //
    "gif", "tif",  "tiff", "heic", "heif", "avif",
};

static bool picture_name(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof picture_endings / sizeof *picture_endings; i++)
        if (!strcasecmp(dot + 1, picture_endings[i]))
            return true;
    return false;
}

app_sources *app_sources_open(char *const *words, size_t count, bool zero,
                              const app_sources_calls *calls) {
    app_sources *sources = calloc(1, sizeof *sources);
    if (sources) {
        sources->tell = *calls;
        sources->words = words;
        sources->word_count = count;
        sources->delimiter = zero ? 0 : '\n';
    }
    return sources;
}

static void tell(const app_sources *sources, const char *path, const char *message) {
    sources->tell.problem(sources->tell.context, path, message);
}

/* -------------------------------------------------------------------------------------- folders */

static int name_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "__MACOSX") != 0;
}

static int name_order(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void folder_enter(app_sources *sources, const char *path, const struct stat *status) {
    bool loops = sources->depth > 0 && dp_leads_up(path);
    for (size_t i = 0; i < sources->depth; i++)
        loops |= sources->folders[i].device == status->st_dev
                 && sources->folders[i].inode == status->st_ino;
    if (loops) {
        if (sources->tell.note)
            sources->tell.note(sources->tell.context, path,
                               "a link to a folder that it is in; passed over");
        return;
    }
    if (sources->depth == MAX_DEPTH) {
        tell(sources, path, "folders are nested too deeply here; name this one by itself");
        return;
    }
    folder new = { .path = strdup(path), .device = status->st_dev, .inode = status->st_ino };
    new.count = new.path ? scandir(path, &new.names, name_visible, name_order) : -1;
    if (new.count < 0) {
        tell(sources, path, new.path ? strerror(errno) : "out of memory");
        free(new.path);
        return;
    }
    sources->folders[sources->depth++] = new;
}

static void folder_leave(app_sources *sources) {
    folder *last = &sources->folders[--sources->depth];
    if (sources->depth)
        sources->folders[sources->depth - 1].pictures += last->pictures;
    else if (!last->pictures)
        tell(sources, last->path,
             "no pictures in this folder or below it (names that end in .jpg, "
             ".png, .webp, .bmp or .ppm)");
    while (last->count > 0)
        free(last->names[--last->count]);
    free(last->names);
    free(last->path);
}

/* Takes one name of the innermost folder; true if it is a picture, now in sources->path. */
static bool folder_step(app_sources *sources) {
    folder *last = &sources->folders[sources->depth - 1];
    struct stat status;
    if (last->next == last->count) {
        folder_leave(sources);
        return false;
    }
    const char *name = last->names[last->next++]->d_name;
    const char *slash = last->path[strlen(last->path) - 1] == '/' ? "" : "/";
    int length = snprintf(sources->path, sizeof sources->path, "%s%s%s", last->path, slash, name);
    if (length < 0 || (size_t)length >= sizeof sources->path) {
        tell(sources, last->path, "a path in this folder is longer than the system takes");
        return false;
    }
    bool known = !stat(sources->path, &status);
    if (known && S_ISDIR(status.st_mode)) {
        folder_enter(sources, sources->path, &status);
        return false;
    }
    if (!picture_name(name) || (known && !S_ISREG(status.st_mode)))
        return false;
    last->pictures++;
    return true;
}

/* ---------------------------------------------------------------------------------------- lists */

static void list_problem(const app_sources *sources, const char *what) {
    char message[128];
    snprintf(message, sizeof message, "line %lu %s", sources->line, what);
    tell(sources, sources->list_name, message);
}

static void list_close(app_sources *sources) {
    if (ferror(sources->list))
        tell(sources, sources->list_name, strerror(errno));
    if (sources->list != stdin)
        fclose(sources->list);
    sources->list = NULL;
}

/* A picture that is piped to "-" would be some thousand paths that are not there. */
static bool list_is_picture(const app_sources *sources, size_t length) {
    static const char *const marks[] = { "\xff\xd8\xff", "\x89PNG", "RIFF", "GIF8" };
    for (size_t i = 0; sources->line == 1 && i < sizeof marks / sizeof *marks; i++)
        if (length >= strlen(marks[i]) && !memcmp(sources->path, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* Reads one entry into sources->path; false if it was blank or bad, or if the list ended (it is
 * closed then). */
static bool list_step(app_sources *sources) {
    size_t length = 0;
    bool zeros = false;
    int c;
    sources->line++;
    while ((c = getc(sources->list)) != EOF && c != sources->delimiter) {
        zeros |= c == 0;
        if (length < sizeof sources->path)
            sources->path[length] = (char)c;
        length += length < sizeof sources->path;
    }
    if (list_is_picture(sources, length)) {
        list_problem(sources, "is a picture's, not a path; a picture is named itself (/dev/stdin "
                              "for one that is piped)");
        list_close(sources);
        return false;
    }
    if (c == EOF)
        list_close(sources);
    if (length == sizeof sources->path) {
        list_problem(sources, zeros ? "is too long; paths ended by zero bytes need -0"
                                    : "is longer than a path can be");
        return false;
    }
    if (zeros) {
        list_problem(sources, "holds a zero byte; paths ended by zero bytes need -0");
        return false;
    }
    if (sources->delimiter == '\n' && length && sources->path[length - 1] == '\r')
        length--;
    size_t mark = sources->line == 1 ? dp_byte_order_mark(sources->path, length) : 0;
    length -= mark;
    memmove(sources->path, sources->path + mark, length);
    sources->path[length] = 0;
    return length > 0;
}

/* ---------------------------------------------------------------------------------------- words */

static void pattern_start(app_sources *sources, const char *pattern) {
    int failed = glob(pattern, 0, NULL, &sources->matches);
    if (failed) {
        tell(sources, pattern,
             failed == GLOB_NOMATCH ? "no file matches this pattern"
                                    : "this pattern could not be read");
        globfree(&sources->matches);
        return;
    }
    sources->matching = true;
    sources->match = 0;
}

/* Starts the list that a word names; false if the word names none. */
static bool list_start(app_sources *sources, const char *word) {
    if (strcmp(word, "-") && word[0] != '@')
        return false;
    sources->line = 0;
    sources->list_name = word[0] == '@' ? word + 1 : "standard input";
    sources->list = stdin;
    if (word[0] == '@') {
        struct stat status;
        const char *why;
        int file = dp_open(word + 1, &status, &why);
        sources->list = file >= 0 ? fdopen(file, "r") : NULL;
        if (!sources->list)
            tell(sources, sources->list_name, why ? why : strerror(errno));
        if (!sources->list && file >= 0)
            close(file);
    }
    return true;
}

/* A path that was named: a folder is entered, anything else is a picture (true). */
static bool path_take(app_sources *sources) {
    struct stat status;
    if (stat(sources->path, &status) || !S_ISDIR(status.st_mode))
        return true;
    folder_enter(sources, sources->path, &status);
    return false;
}

static bool path_copy(app_sources *sources, const char *path) {
    size_t length = strlen(path);
    if (!length || length >= sizeof sources->path) {
        tell(sources, length ? path : "''", length ? "longer than a path can be" : "an empty name");
        return false;
    }
    memcpy(sources->path, path, length + 1);
    return path_take(sources);
}

static bool word_take(app_sources *sources, const char *word) {
    struct stat status;
    if (list_start(sources, word))
        return false;
    if (strpbrk(word, "*?[") && stat(word, &status)) {
        pattern_start(sources, word);
        return false;
    }
    return path_copy(sources, word);
}

static bool match_take(app_sources *sources) {
    if (sources->match < sources->matches.gl_pathc)
        return path_copy(sources, sources->matches.gl_pathv[sources->match++]);
    globfree(&sources->matches);
    sources->matching = false;
    return false;
}

int app_sources_next(void *context, const char **path, int64_t *label) {
    app_sources *sources = context;
    for (bool taken = false; !taken;) {
        if (sources->depth)
            taken = folder_step(sources);
        else if (sources->matching)
            taken = match_take(sources);
        else if (sources->list)
            taken = list_step(sources) && path_take(sources);
        else if (sources->word < sources->word_count)
            taken = word_take(sources, sources->words[sources->word++]);
        else
            return 0;
    }
    sources->count++;
    *path = sources->path;
    *label = -1;
    return 1;
}

size_t app_sources_count(const app_sources *sources) {
    return sources->count;
}

void app_sources_close(app_sources *sources) {
    if (!sources)
        return;
    while (sources->depth) {
        sources->folders[0].pictures = 1; /* an early end is no empty folder */
        folder_leave(sources);
    }
    if (sources->matching)
        globfree(&sources->matches);
    if (sources->list)
        list_close(sources);
    free(sources);
}
