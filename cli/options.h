/* options.h - commands and their options as const tables. The one table of a command feeds parsing,
 * --help, the man pages and the shell completions, so that they cannot differ. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the program returns to the shell. A signal ends it with 128 + its number, as the shell
 * counts. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,     /* the command could not do its work */
    CLI_USAGE = 2,      /* the command line is wrong */
    CLI_UNREADABLE = 3, /* some inputs could not be read: named, the rest done */
    CLI_THRESHOLD = 4   /* a threshold that the caller stated was not met */
};

typedef enum cli_kind {
    CLI_FLAG,        /* takes no value, or, behind '=' alone, one of `value` if that lists some */
    CLI_TEXT,        /* any value */
    CLI_FILE,        /* a path; completed as one */
    CLI_INTEGER,     /* a whole number within [min, max] */
    CLI_REAL,        /* a finite number within [min, max] */
    CLI_CHOICE,      /* one of `value`, which lists them: "1|10" */
    CLI_MODEL,       /* a model: a path, or the name of a published one */
    CLI_ARCH,        /* an architecture with its options: "googlenet:norm=bn" */
    CLI_NETWORK,     /* either of these two */
    CLI_PUBLISHED,   /* the name of a published model */
    CLI_COMMAND_NAME /* of this program */
} cli_kind;

typedef struct cli_option {
    const char *name; /* without its dashes */
    char letter;      /* of the short form, or 0 */
    cli_kind kind;
    const char *value;    /* what help calls the value, or the choices; NULL for a flag */
    const char *fallback; /* the value when none is given, as a user would type it; NULL: none */
    double min, max;      /* of a number, both included */
    const char *help;     /* one line without a full stop */
} cli_option;

typedef struct cli_args cli_args;

typedef struct cli_command {
    const char *name;
    const char *summary;     /* one line */
    const char *operands;    /* as usage shows them: "IMAGE|FOLDER|GLOB|- ..." */
    const char *description; /* paragraphs with '\n' between them; ends without one */
    const char *examples;    /* "COMMAND LINE\n" each */
    const cli_option *options;
    size_t option_count;
    const cli_option *(*more)(size_t index); /* options after these, NULL past the last; NULL: no
                                                more */
    size_t min_operands, max_operands;
    cli_kind operand;                 /* what each is, for completion */
    int (*run)(const cli_args *args); /* returns an enum cli_exit */
} cli_command;

enum { CLI_MOST_OPTIONS = 64 }; /* of one command, the common ones included */

struct cli_args {
    const cli_command *command;
    const char *values[CLI_MOST_OPTIONS]; /* by position in the command's table; NULL: not given */
    char **operands;                      /* points into argv, whose order it may change */
    size_t operand_count;
};

/* Rows of a command's table: name, letter of the short form (0: none), what the value is, the value
 * that holds without it (NULL: none), help. */
#define CLI_ROW_FLAG(name_, letter_, help_)                                                        \
    { .name = name_, .letter = letter_, .kind = CLI_FLAG, .help = help_ }
#define CLI_ROW_FLAG_OR(name_, letter_, choices_, help_)                                           \
    { .name = name_, .letter = letter_, .kind = CLI_FLAG, .value = choices_, .help = help_ }
#define CLI_ROW_TEXT(name_, letter_, value_, fallback_, help_)                                     \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = CLI_TEXT, .value = value_,                       \
        .fallback = fallback_, .help = help_                                                       \
    }
#define CLI_ROW_FILE(name_, letter_, value_, help_)                                                \
    { .name = name_, .letter = letter_, .kind = CLI_FILE, .value = value_, .help = help_ }
#define CLI_ROW_MODEL(name_, letter_, value_, help_)                                               \
    { .name = name_, .letter = letter_, .kind = CLI_MODEL, .value = value_, .help = help_ }
#define CLI_ROW_ARCH(name_, letter_, fallback_, help_)                                             \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = CLI_ARCH, .value = "ARCH",                       \
        .fallback = fallback_, .help = help_                                                       \
    }
#define CLI_ROW_CHOICE(name_, letter_, choices_, fallback_, help_)                                 \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = CLI_CHOICE, .value = choices_,                   \
        .fallback = fallback_, .help = help_                                                       \
    }
#define CLI_ROW_WHOLE(name_, letter_, value_, fallback_, min_, max_, help_)                        \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = CLI_INTEGER, .value = value_,                    \
        .fallback = fallback_, .min = min_, .max = max_, .help = help_                             \
    }
#define CLI_ROW_REAL(name_, letter_, value_, fallback_, min_, max_, help_)                         \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = CLI_REAL, .value = value_,                       \
        .fallback = fallback_, .min = min_, .max = max_, .help = help_                             \
    }

/* What several commands take as a set of pictures. */
#define CLI_A_SET                                                                                  \
    "a folder of class folders, a tar of them (or TAR:FOLDER), a CSV of paths and labels, a file " \
    "of \"PATH LABEL\" lines, LABEL a class number from 0, or IDX pictures"

/* Rows that several commands share. */
#define CLI_OPTION_MODEL                                                                           \
    CLI_ROW_MODEL("model", 'm', "MODEL",                                                           \
                  "a model file, a run's folder, or the name of a pulled one")
#define CLI_OPTION_THREADS                                                                         \
    CLI_ROW_WHOLE(                                                                                 \
        "threads", 't', "N", NULL, 1, 256,                                                         \
        "threads to use (default: DEEPER_THREADS, else the processors that this process may use)")
#define CLI_OPTION_MEMORY                                                                          \
    CLI_ROW_CHOICE("memory", 0, "fast|low", "fast",                                                \
                   "low: convolutions without Winograd's algorithm, 40 MB less for GoogLeNet, at " \
                   "half the speed")
#define CLI_OPTION_MAX_PIXELS                                                                      \
    CLI_ROW_WHOLE("max-pixels", 0, "N", NULL, 1, 1e12,                                             \
                  "larger pictures are not read (default: 178956970)")
#define CLI_OPTION_MAX_MEMORY                                                                      \
    CLI_ROW_WHOLE("max-memory", 0, "MB", NULL, 1, 1e6,                                             \
                  "that pictures take while they are decoded, all together, and likewise the "     \
                  "network (default: 1024, for each image that is computed at once)")
#define CLI_OPTION_ARCH                                                                            \
    CLI_ROW_ARCH("arch", 'a', "googlenet",                                                         \
                 "an architecture with made-up weights; the speed is the same")
#define CLI_OPTION_SIZE                                                                            \
    CLI_ROW_WHOLE("size", 0, "N", NULL, 28, 1024,                                                  \
                  "side of the picture of --arch in pixels (default: 224)")
#define CLI_OPTION_BATCH CLI_ROW_WHOLE("batch", 'b', "N", "1", 1, 256, "images a run")
#define CLI_OPTION_CROPS                                                                           \
    CLI_ROW_CHOICE("crops", 'c', "1|10|144", "1",                                                  \
                   "views of a picture whose answers are combined: the centre, corners and "       \
                   "centre with mirrors, or the paper's 144")
#define CLI_OPTION_COMBINE                                                                         \
    CLI_ROW_CHOICE("combine", 0, "mean|max|geometric", "mean",                                     \
                   "how the answers become one: the mean of the softmax, its largest or its "      \
                   "geometric mean, of each class")
#define CLI_OPTION_LABELS                                                                          \
    CLI_ROW_FILE("labels", 'l', "FILE",                                                            \
                 "lines of \"ID NAME\", one a class, in place of the model's own")
#define CLI_OPTION_PREPROCESS                                                                      \
    CLI_ROW_TEXT("preprocess", 0, "NAME|JSON", NULL,                                               \
                 "how pictures become the input, in place of what the model says: bvlc, "          \
                 "torchvision, inception ... ('deeper "                                            \
                 "convert --list' lists them)")
#define CLI_OPTION_ANSWER                                                                          \
    CLI_ROW_CHOICE("answer", 0, "softmax|sigmoid|as-is", NULL,                                     \
                   "what makes probabilities of an ONNX file's output, where its graph does not "  \
                   "show it")
#define CLI_OPTION_ROOT(letter_)                                                                   \
    CLI_ROW_FILE("root", letter_, "FOLDER",                                                        \
                 "where the paths of a list start (default: the list's folder)")
#define CLI_OPTION_PART                                                                            \
    CLI_ROW_CHOICE("part", 0, "train|val|test", NULL,                                              \
                   "which part of --data, which may be RUN/split.csv (default: val, else test)")
#define CLI_OPTION_STRICT                                                                          \
    CLI_ROW_FLAG(                                                                                  \
        "strict", 0,                                                                               \
        "exit with 3 if a picture could not be read; without, that is named and counted, "         \
        "and the exit code is 0")

#define CLI_OPTION_NULL                                                                            \
    CLI_ROW_FLAG("null", '0', "paths in lists end in a zero byte (find -print0)")

/* Of networks that are described, not opened. */
#define CLI_OPTION_PIXELS(help_) CLI_ROW_WHOLE("size", 's', "PIXELS", "224", 1, 4096, help_)
#define CLI_OPTION_CLASSES(help_) CLI_ROW_WHOLE("classes", 'n', "N", "1000", 1, 1000000, help_)

/* Option `index` of a command, its own first, then those that all commands have; NULL past the
 * last. */
const cli_option *cli_option_at(const cli_command *command, size_t index);

typedef enum cli_parsed { CLI_PARSED, CLI_PARSED_HELP, CLI_PARSED_BAD } cli_parsed;

/* Fills *args from the words after the command's name. Operands and options may mix; "--" ends
 * options. Values are checked here, so the getters below cannot fail. On CLI_PARSED_BAD one line
 * with a hint went to stderr. */
cli_parsed cli_parse(cli_args *args, const cli_command *command, int count, char **words);

/* Whether the command has such an option. */
bool cli_has(const cli_args *args, const char *name);

/* Value of an option by its long name (which must be in the table): given, else its fallback. */
bool cli_given(const cli_args *args, const char *name);
bool cli_flag(const cli_args *args, const char *name);
const char *cli_text(const cli_args *args, const char *name); /* NULL: neither */
int cli_choice(const cli_args *args, const char *name);       /* position among the choices */
int cli_integer(const cli_args *args, const char *name);      /* 0: neither */
double cli_real(const cli_args *args, const char *name);      /* 0: neither */
uint64_t cli_count(const cli_args *args, const char *name);   /* 0: neither */

/* The command line again, for a shell: options in the order of the table, then operands; malloc'ed,
 * NULL if memory is out. */
char *cli_command_line(const cli_args *args);

/* A word in quotes where a shell needs them, for a command that is to be copied; malloc'ed, NULL if
 * memory is out. */
char *cli_shell_word(const char *word);

/* Prints "deeper COMMAND: ..." and where help is, to stderr; returns CLI_USAGE. */
int cli_usage(const cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a word that the command does not take. */
int cli_unexpected(const cli_command *command, const char *word);

#endif
