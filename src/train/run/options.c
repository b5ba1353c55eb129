/* options.c - the table of options and the loops over it. */
#include "train/run/options.h"

#include "base/number.h"
#include "base/random.h"
#include "train/run/fields.h"

#include <stdio.h>
#include <string.h>

/* A number is sound from least to most; a text if `choice` is NULL or has it between bars, the
 * default first. */
typedef struct option {
    const char *word; /* of the command line */
    dp_field field;
    double least, most;
    const char *choice;
} option;

#define ROW(word, member, kind) word, DP_FIELD(deeper_train_options, member, kind)

static const option table[] = {
    { ROW("data", data, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("root", data_root, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("val", val, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("val-fraction", val_fraction, DP_FIELD_NUMBER), 0.001, 0.9, NULL },
    { ROW("arch", architecture, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("init", init, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("size", image_size, DP_FIELD_INT), 0, 4096, NULL },
    { ROW("seed", seed, DP_FIELD_COUNT), 0, 0, NULL },
    { ROW("epochs", epochs, DP_FIELD_INT), 1, 10000, NULL },
    { ROW("minutes", minutes, DP_FIELD_NUMBER), 0, 1e6, NULL },
    { ROW("batch", batch, DP_FIELD_INT), 1, 4096, NULL },
    { ROW("accumulate", accumulate, DP_FIELD_INT), 1, 4096, NULL },
    { ROW("rate", rate, DP_FIELD_NUMBER), 0, 1000, NULL },
    { ROW("schedule", schedule, DP_FIELD_TEXT), 0, 0, "cosine|poly|step|constant" },
    { ROW("warmup", warmup_epochs, DP_FIELD_NUMBER), 0, 1e4, NULL },
    { ROW("momentum", momentum, DP_FIELD_NUMBER), 0, 0.9999, NULL },
    { ROW("decay", decay, DP_FIELD_NUMBER), 0, 1, NULL },
    { ROW("clip", clip, DP_FIELD_NUMBER), 0, 1e9, NULL },
    { ROW("smoothing", smoothing, DP_FIELD_NUMBER), 0, 0.9, NULL },
    { ROW("aux-weight", aux_weight, DP_FIELD_NUMBER), 0, 100, NULL },
    { ROW("average", average, DP_FIELD_TEXT), 0, 0, "ema|polyak|none" },
    { ROW("augment", augment, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("freeze", freeze, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("rates", rates, DP_FIELD_TEXT), 0, 0, NULL },
    { ROW("class-weights", class_weights, DP_FIELD_TEXT), 0, 0, "none|auto" },
    { ROW("patience", patience, DP_FIELD_INT), 0, 10000, NULL },
    { ROW("keep", keep, DP_FIELD_INT), 1, 1000, NULL },
    { ROW("checkpoint-minutes", checkpoint_minutes, DP_FIELD_NUMBER), 0, 1e6, NULL },
    { ROW("max-unreadable", max_unreadable, DP_FIELD_NUMBER), 0, 1, NULL },
    { ROW("initial", initial, DP_FIELD_TEXT), 0, 0, "he|xavier|bvlc|gaussian" },
    /* The first records of runs did not have these: their defaults hold where they are missing. */
    { ROW("ensemble", ensemble, DP_FIELD_INT), 0, 64, NULL },
    { ROW("member", member, DP_FIELD_INT), 0, 64, NULL },
    /* What follows changes no result and is not recorded. */
    { ROW("threads", threads, DP_FIELD_INT), 0, 256, NULL },
    { ROW("readers", readers, DP_FIELD_INT), 0, 256, NULL },
};
enum {
    ROWS = sizeof table / sizeof *table,
    RECORDED = ROWS - 2,
    LATER = RECORDED - 2,
    VALUE_SIZE = 4096 + 32,
    MEMBER_STREAM = 0xe5
};

static const void *member(const deeper_train_options *options, const option *row) {
    return (const char *)options + row->field.offset;
}

/* Whether `text` is one of the words between bars. */
static bool is_choice(const char *choice, const char *text) {
    size_t length = strlen(text);
    for (const char *word = choice; *word;) {
        size_t size = strcspn(word, "|");
        if (size == length && memcmp(word, text, size) == 0)
            return true;
        word += size + (word[size] == '|');
    }
    return false;
}

static deeper_status check_row(const deeper_train_options *options, const option *row,
                               deeper_error *error) {
    double value;
    switch (row->field.kind) {
    case DP_FIELD_TEXT: {
        const char *text = *(const char *const *)member(options, row);
        if (text && row->choice && !is_choice(row->choice, text))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: '%.60s' is not one of %s",
                           row->field.name, text, row->choice);
        return DEEPER_OK;
    }
    case DP_FIELD_INT:
        value = *(const int *)member(options, row);
        break;
    case DP_FIELD_NUMBER:
        value = *(const double *)member(options, row);
        break;
    default:
        return DEEPER_OK;
    }
    if (!(value >= row->least && value <= row->most))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is %g; it may be %g to %g",
                       row->field.name, value, row->least, row->most);
    return DEEPER_OK;
}

deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error) {
    if (!options->data)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "data is missing: name a folder of class folders to learn from");
    for (int i = 0; i < ROWS; i++)
        DP_TRY(check_row(options, &table[i], error));
    return DEEPER_OK;
}

static void list_fields(dp_field fields[RECORDED]) {
    for (int i = 0; i < RECORDED; i++)
        fields[i] = table[i].field;
}

uint64_t dp_train_sampling_seed(const deeper_train_options *options) {
    dp_random random = dp_random_at(options->seed, (uint64_t)options->member, MEMBER_STREAM);
    return options->member > 1 ? dp_random_u64(&random) : options->seed;
}

json_t *dp_train_options_to_json(const deeper_train_options *options) {
    dp_field fields[RECORDED];
    list_fields(fields);
    return dp_fields_to_json(fields, RECORDED, options);
}

deeper_status dp_train_options_from_json(deeper_train_options *options, const json_t *object,
                                         const char *name, deeper_error *error) {
    dp_field fields[RECORDED];
    size_t count = 0;
    for (int i = 0; i < RECORDED; i++)
        if (i < LATER || json_object_get(object, table[i].field.name))
            fields[count++] = table[i].field;
    return dp_fields_from_json(fields, count, options, object, name, error);
}

static bool same(const option *row, const deeper_train_options *a, const deeper_train_options *b) {
    const char *text;
    switch (row->field.kind) {
    case DP_FIELD_TEXT: /* the default is NULL, or the first choice said */
        text = *(const char *const *)member(a, row);
        return !text || (row->choice && strncmp(row->choice, text, strlen(text)) == 0);
    case DP_FIELD_NUMBER:
        return *(const double *)member(a, row) == *(const double *)member(b, row);
    case DP_FIELD_COUNT:
        return *(const uint64_t *)member(a, row) == *(const uint64_t *)member(b, row);
    default:
        return *(const int *)member(a, row) == *(const int *)member(b, row);
    }
}

static void print_number(char *text, size_t size, double number) {
    dp_c_locale locale = dp_c_locale_enter();
    snprintf(text, size, "%.12g", number);
    dp_c_locale_leave(locale);
}

bool dp_train_option_text(const deeper_train_options *options, size_t index, const char **word,
                          char *value, size_t size, bool *set) {
    const deeper_train_options defaults = DEEPER_TRAIN_OPTIONS_INIT;
    if (index >= ROWS)
        return false;
    const option *row = &table[index];
    const void *at = member(options, row);
    const char *text;
    *word = row->word;
    *set = !same(row, options, &defaults);
    switch (row->field.kind) {
    case DP_FIELD_TEXT:
        text = *(const char *const *)at;
        snprintf(value, size, "%s", text ? text : "");
        break;
    case DP_FIELD_NUMBER:
        print_number(value, size, *(const double *)at);
        break;
    case DP_FIELD_COUNT:
        snprintf(value, size, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    default:
        snprintf(value, size, "%d", *(const int *)at);
    }
    return true;
}

/* A word of a shell command, in quotes where it needs them. */
static void add_word(dp_buffer *command, const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:+-";
    if (*word && !word[strspn(word, plain)]) {
        dp_buffer_printf(command, " %s", word);
        return;
    }
    dp_buffer_append(command, " '", 2);
    for (; *word; word++)
        dp_buffer_append(command, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    dp_buffer_append(command, "'", 1);
}

void dp_train_options_command(dp_buffer *command, const deeper_train_options *options) {
    const char *name;
    char value[VALUE_SIZE], flag[VALUE_SIZE];
    bool set;
    dp_buffer_append(command, "deeper train", strlen("deeper train"));
    for (size_t i = 0; dp_train_option_text(options, i, &name, value, sizeof value, &set); i++) {
        if (!set)
            continue;
        snprintf(flag, sizeof flag, "--%s", name);
        add_word(command, flag);
        add_word(command, value);
    }
    add_word(command, "--out");
    add_word(command, options->out ? options->out : "RUN");
}
