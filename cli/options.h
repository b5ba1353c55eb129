/* options.h - commands and their options as const tables. The one table of a command feeds parsing, --help, the man pages and the
 * shell completions, so that they cannot differ. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What the program returns to the shell. A signal ends it with 128 + its number, as the shell counts. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,     /* the command could not do its work */
    CLI_USAGE = 2,      /* the command line is wrong */
    CLI_UNREADABLE = 3, /* some inputs could not be read: named, the rest done */
    CLI_THRESHOLD = 4   /* a threshold that the caller stated was not met */
};

typedef enum cli_kind {
    CLI_FLAG,    /* takes no value */
    CLI_TEXT,    /* any value */
    CLI_FILE,    /* a path; completed as one */
    CLI_INTEGER, /* a whole number within [least, most] */
    CLI_REAL,    /* a finite number within [least, most] */
    CLI_CHOICE   /* one of `value`, which lists them: "1|10" */
} cli_kind;

typedef struct cli_option {
    const char *name; /* without its dashes */
    char letter;      /* of the short form, or 0 */
    cli_kind kind;
    const char *value;    /* what help calls the value, or the choices; NULL for a flag */
    const char *fallback; /* the value when none is given, as a user would type it; NULL: none */
    double least, most;   /* of a number, both included */
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
    size_t least_operands, most_operands;
    int (*run)(const cli_args *args); /* returns an enum cli_exit */
} cli_command;

enum { CLI_MOST_OPTIONS = 64 }; /* of one command, the common ones included */

struct cli_args {
    const cli_command *command;
    const char *values[CLI_MOST_OPTIONS]; /* by position in the command's table; NULL: not given */
    char **operands;                      /* points into argv, whose order it may change */
    size_t operand_count;
};

/* Rows that several commands share. */
#define CLI_OPTION_MODEL                                                                                                           \
    { .name = "model", .letter = 'm', .kind = CLI_FILE, .value = "MODEL", .help = "a model file, or the name of a pulled one" }
#define CLI_OPTION_THREADS                                                                                                         \
    {                                                                                                                              \
        .name = "threads", .letter = 't', .kind = CLI_INTEGER, .value = "N", .least = 1, .most = 256,                              \
        .help = "threads to use (default: DEEPER_THREADS, else the processors that this process may use)"                          \
    }
#define CLI_OPTION_MEMORY                                                                                                          \
    {                                                                                                                              \
        .name = "memory", .kind = CLI_CHOICE, .value = "fast|low", .fallback = "fast",                                             \
        .help = "low: convolutions without Winograd's algorithm, 40 MB less for GoogLeNet, at two thirds of the speed"             \
    }
#define CLI_OPTION_ARCH                                                                                                            \
    {                                                                                                                              \
        .name = "arch", .letter = 'a', .kind = CLI_TEXT, .value = "ARCH", .fallback = "googlenet",                                 \
        .help = "an architecture with made-up weights; the speed is the same"                                                      \
    }
#define CLI_OPTION_SIZE                                                                                                            \
    {                                                                                                                              \
        .name = "size", .kind = CLI_INTEGER, .value = "N", .least = 28, .most = 1024,                                              \
        .help = "side of the picture of --arch in pixels (default: 224)"                                                           \
    }
#define CLI_OPTION_BATCH                                                                                                           \
    {                                                                                                                              \
        .name = "batch", .letter = 'b', .kind = CLI_INTEGER, .value = "N", .fallback = "1", .least = 1, .most = 256,               \
        .help = "images a run"                                                                                                     \
    }
#define CLI_OPTION_CROPS                                                                                                           \
    {                                                                                                                              \
        .name = "crops", .letter = 'c', .kind = CLI_CHOICE, .value = "1|10|144", .fallback = "1",                                  \
        .help = "views of a picture whose answers are combined: the centre, corners and centre with mirrors, or the paper's 144"   \
    }
#define CLI_OPTION_COMBINE                                                                                                         \
    {                                                                                                                              \
        .name = "combine", .kind = CLI_CHOICE, .value = "mean|max|geometric", .fallback = "mean",                                  \
        .help = "how the answers become one: the mean of the softmax, its largest or its geometric mean, of each class"            \
    }
#define CLI_OPTION_LABELS                                                                                                          \
    {                                                                                                                              \
        .name = "labels", .letter = 'l', .kind = CLI_FILE, .value = "FILE",                                                        \
        .help = "lines of \"ID NAME\", one a class, in place of the model's own"                                                   \
    }

#define CLI_OPTION_PREPROCESS                                                                                                      \
    {                                                                                                                              \
        .name = "preprocess", .kind = CLI_TEXT, .value = "NAME|JSON",                                                              \
        .help = "how pictures become the input, in place of what the model says: bvlc, torchvision, inception ... ('deeper "       \
                "convert --list' lists them)"                                                                                      \
    }

/* Option `index` of a command, its own first, then those that all commands have; NULL past the last. */
const cli_option *cli_option_at(const cli_command *command, size_t index);

typedef enum cli_parsed { CLI_PARSED, CLI_PARSED_HELP, CLI_PARSED_BAD } cli_parsed;

/* Fills *args from the words after the command's name. Operands and options may mix; "--" ends options. Values are checked here, so
 * the getters below cannot fail. On CLI_PARSED_BAD one line with a hint went to stderr. */
cli_parsed cli_parse(cli_args *args, const cli_command *command, int count, char **words);

/* Whether the command has such an option. */
bool cli_has(const cli_args *args, const char *name);

/* Value of an option by its long name (which must be in the table): given, else its fallback. */
bool cli_given(const cli_args *args, const char *name);
cli_kind cli_kind_of(const cli_args *args, const char *name);
bool cli_flag(const cli_args *args, const char *name);
const char *cli_text(const cli_args *args, const char *name); /* NULL: neither */
int cli_choice(const cli_args *args, const char *name);       /* position among the choices */
int cli_integer(const cli_args *args, const char *name);      /* 0: neither */
double cli_real(const cli_args *args, const char *name);      /* 0: neither */

/* The command line again, for a shell: options in the order of the table, then operands; malloc'ed, NULL if memory is out. */
char *cli_command_line(const cli_args *args);

/* Prints "deeper COMMAND: ..." and where help is, to stderr; returns CLI_USAGE. */
int cli_usage(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The name at[0..count-1] that `word` most likely meant (few typing errors apart), or NULL. */
const char *cli_nearest(const char *word, const char *const *at, size_t count);

#endif
