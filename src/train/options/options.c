/* options.c - the loops over the rows: defaults, values from text and back, checks. */
#include "train/options/options.h"

#include "base/number.h"
#include "base/random.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_EPOCHS = 30, TUNING_EPOCHS = 10, TUNING_PATIENCE = 3 };
enum { VALUE_SIZE = 4096 + 32, MEMBER_STREAM = 0xe5 };

/* --------------------------------------------------------------------------------------- values */

/* The member of a row as what it is. */
typedef union member {
    void *at;
    int *whole; /* INT, FLAG */
    uint64_t *count;
    double *number;
    const char **text; /* all others */
} member;

static member member_of(deeper_train_options *options, const dp_train_row *r) {
    return (member){ .at = (char *)options + r->offset };
}

static const char *text_of(const deeper_train_options *options, const dp_train_row *r) {
    return *(const char *const *)((const char *)options + r->offset);
}

/* Of INT and NUMBER. */
static double number_of(const deeper_train_options *options, const dp_train_row *r) {
    const void *at = (const char *)options + r->offset;
    return r->option.kind == DEEPER_OPTION_NUMBER ? *(const double *)at : *(const int *)at;
}

static bool in_range(const deeper_option *option, double value) {
    return value >= option->min && value <= option->max;
}

/* Whether `text` is one of the words between bars. */
static bool is_choice(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (const char *word = choices; *word;) {
        size_t size = strcspn(word, "|");
        if (size == length && memcmp(word, text, size) == 0)
            return true;
        word += size + (word[size] == '|');
    }
    return false;
}

static deeper_status fail_choice(const deeper_option *option, const char *text,
                                 deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.60s' is not one of %s", option->name, text,
                   option->value);
}

/* All of `text` as a whole number without a sign. */
static bool parse_count(const char *text, uint64_t *count) {
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *count = strtoull(text, &end, 10);
    return !*end && !errno;
}

/* Sets the member to what the text says; false if it says nothing that the row allows. */
static bool parse(deeper_train_options *options, const dp_train_row *r, const char *text) {
    const deeper_option *option = &r->option;
    member to = member_of(options, r);
    uint64_t count = 0;
    double number = 0;
    switch (option->kind) {
    case DEEPER_OPTION_INT:
        if (!parse_count(text, &count) || !in_range(option, (double)count))
            return false;
        *to.whole = (int)count;
        return true;
    case DEEPER_OPTION_FLAG:
        if (!parse_count(text, &count) || count > 1)
            return false;
        *to.whole = (int)count;
        return true;
    case DEEPER_OPTION_COUNT:
        if (!parse_count(text, &count))
            return false;
        *to.count = count;
        return true;
    case DEEPER_OPTION_NUMBER:
        if (!dp_number_parse(text, strlen(text), &number) || !in_range(option, number))
            return false;
        *to.number = number;
        return true;
    case DEEPER_OPTION_CHOICE:
        if (!is_choice(option->value, text))
            return false;
        break;
    case DEEPER_OPTION_TEXT:
    case DEEPER_OPTION_PATH:
    case DEEPER_OPTION_LIST:
        break;
    }
    *to.text = text;
    return true;
}

void dp_train_row_reset(deeper_train_options *options, const dp_train_row *r) {
    member to = member_of(options, r);
    switch (r->option.kind) {
    case DEEPER_OPTION_INT:
    case DEEPER_OPTION_FLAG:
        *to.whole = 0;
        break;
    case DEEPER_OPTION_COUNT:
        *to.count = 0;
        break;
    case DEEPER_OPTION_NUMBER:
        *to.number = 0;
        break;
    default:
        *to.text = NULL;
        return;
    }
    if (r->option.fallback)
        parse(options, r, r->option.fallback);
}

void dp_train_options_reset(deeper_train_options *options) {
    const dp_train_row *r;
    *options = (deeper_train_options){ .size = sizeof *options };
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        dp_train_row_reset(options, r);
}

void dp_train_options_resolve(deeper_train_options *options) {
    const dp_train_row *r;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (r->option.kind >= DEEPER_OPTION_TEXT && !text_of(options, r))
            *member_of(options, r).text = r->option.fallback;
}

int dp_train_epochs(const deeper_train_options *options) {
    return options->epochs ? options->epochs : options->init ? TUNING_EPOCHS : SCRATCH_EPOCHS;
}

int dp_train_patience(const deeper_train_options *options) {
    bool by_epochs = options->minutes <= 0 && !options->steps;
    return options->patience ? options->patience : options->init && by_epochs ? TUNING_PATIENCE : 0;
}

/* ------------------------------------------------------------------------------------------ set */

/* A name may be written with '_' or with '-'. */
static bool same_letter(char a, char b) {
    return a == b || (a == '-' && b == '_') || (a == '_' && b == '-');
}

static bool is_named(const char *name, const char *text) {
    while (*name && same_letter(*name, *text)) {
        name++;
        text++;
    }
    return *name == *text;
}

/* The letters that two words begin and end with alike: all but one of a name with one typing
 * error. */
static size_t alike(const char *a, const char *b) {
    size_t m = strlen(a), n = strlen(b), shorter = m < n ? m : n, begin = 0, end = 0;
    while (begin < shorter && same_letter(a[begin], b[begin]))
        begin++;
    while (end < shorter - begin && same_letter(a[m - 1 - end], b[n - 1 - end]))
        end++;
    return begin + end;
}

static deeper_status fail_unknown(const char *name, deeper_error *error) {
    const dp_train_row *r;
    const char *nearest = NULL;
    size_t max_letters = strlen(name) / 2;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++) {
        size_t letters = alike(name, r->option.name);
        if (letters > max_letters) {
            max_letters = letters;
            nearest = r->option.name;
        }
    }
    return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                   nearest ? "no training option '%.60s'; did you mean '%s'?"
                           : "no training option '%.60s'",
                   name, nearest);
}

deeper_status dp_train_option_set(deeper_train_options *options, const char *name, const char *text,
                                  deeper_error *error) {
    const dp_train_row *r;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (is_named(r->option.name, name) || is_named(r->option.word, name))
            break;
    if (!r)
        return fail_unknown(name, error);
    if (!text)
        dp_train_row_reset(options, r);
    if (!text || parse(options, r, text))
        return DEEPER_OK;
    const deeper_option *option = &r->option;
    if (option->kind == DEEPER_OPTION_CHOICE)
        return fail_choice(option, text, error);
    if (option->kind == DEEPER_OPTION_FLAG)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.60s' is not 0 or 1", option->name,
                       text);
    return dp_fail(
        error, DEEPER_ERROR_ARGUMENT, "%s: '%.60s' is not a %s from %g to %g", option->name, text,
        option->kind == DEEPER_OPTION_NUMBER ? "number" : "whole number", option->min, option->max);
}

/* ---------------------------------------------------------------------------------------- check */

static deeper_status check_row(const deeper_train_options *options, const dp_train_row *r,
                               deeper_error *error) {
    const deeper_option *option = &r->option;
    if (option->kind == DEEPER_OPTION_CHOICE) {
        const char *text = text_of(options, r);
        return !text || is_choice(option->value, text) ? DEEPER_OK
                                                       : fail_choice(option, text, error);
    }
    if (option->kind != DEEPER_OPTION_INT && option->kind != DEEPER_OPTION_NUMBER)
        return DEEPER_OK;
    double value = number_of(options, r);
    if (in_range(option, value) || (value == 0 && !option->fallback))
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is %g; it may be %g to %g", option->name,
                   value, option->min, option->max);
}

deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error) {
    if (!options->data)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "data is missing: name a folder of class folders to learn from");
    const dp_train_row *r;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        DP_TRY(check_row(options, r, error));
    return DEEPER_OK;
}

uint64_t dp_train_sampling_seed(const deeper_train_options *options) {
    dp_random random = dp_random_at(options->seed, (uint64_t)options->member, MEMBER_STREAM);
    return options->member > 1 ? dp_random_u64(&random) : options->seed;
}

/* ---------------------------------------------------------------------------------------- texts */

/* With as many digits as bring it back to the same bits. */
static void print_number(char *text, size_t size, double number) {
    double back = 0;
    dp_c_locale locale = dp_c_locale_enter();
    snprintf(text, size, "%.12g", number);
    if (!dp_number_parse(text, strlen(text), &back) || back != number)
        snprintf(text, size, "%.17g", number);
    dp_c_locale_leave(locale);
}

/* The value of a row as text, cut to `size`. Whether it is its default. */
static bool print_value(const deeper_train_options *options, const dp_train_row *r, char *value,
                        size_t size) {
    deeper_train_options defaults;
    const char *text, *fallback = r->option.fallback;
    const uint64_t *count = (const uint64_t *)(const void *)((const char *)options + r->offset);
    dp_train_row_reset(&defaults, r);
    switch (r->option.kind) {
    case DEEPER_OPTION_INT:
    case DEEPER_OPTION_FLAG:
    case DEEPER_OPTION_NUMBER:
        print_number(value, size, number_of(options, r));
        return number_of(options, r) == number_of(&defaults, r);
    case DEEPER_OPTION_COUNT:
        snprintf(value, size, "%llu", (unsigned long long)*count);
        return *count == *member_of(&defaults, r).count;
    default:
        text = text_of(options, r);
        snprintf(value, size, "%s", text ? text : "");
        return !text || (fallback && strcmp(text, fallback) == 0);
    }
}

bool dp_train_option_text(const deeper_train_options *options, size_t index, const char **word,
                          char *value, size_t size, bool *set) {
    const dp_train_row *r = dp_train_row_at(index);
    if (!r)
        return false;
    *word = r->option.word;
    *set = !print_value(options, r, value, size);
    return true;
}

/* A word of a shell command, in quotes where it needs them. */
static void add_word(dp_buffer *command, const char *word) {
    dp_buffer_append(command, " ", 1);
    dp_put_shell_word(dp_buffer_sink, command, word);
}

void dp_train_options_command(dp_buffer *command, const deeper_train_options *options) {
    const char *word;
    char value[VALUE_SIZE];
    bool set;
    deeper_train_options shown = *options;
    shown.out = NULL; /* comes last */
    shown.resume = 0;
    dp_buffer_append(command, "deeper train", strlen("deeper train"));
    for (size_t i = 0; dp_train_option_text(&shown, i, &word, value, sizeof value, &set); i++) {
        if (!set)
            continue;
        dp_buffer_printf(command, " --%s", word);
        add_word(command, value);
    }
    dp_buffer_printf(command, " --out");
    add_word(command, options->out ? options->out : "RUN");
}
