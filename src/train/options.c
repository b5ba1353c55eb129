/* options.c - the table of options. */
#include "train/options.h"

#include "train/init.h"
#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef enum kind { TEXT, WHOLE, NUMBER, SEED } kind;

/* A number is sound from least to most; a text if `words` is NULL or has it between bars. */
typedef struct option {
    const char *name;
    kind kind;
    size_t offset;
    double least, most;
    const char *words;
} option;

#define TEXT_OPTION(member, words)                                                                                                 \
    { #member, TEXT, offsetof(deeper_train_options, member), 0, 0, words }
#define WHOLE_OPTION(member, least, most)                                                                                          \
    { #member, WHOLE, offsetof(deeper_train_options, member), least, most, NULL }
#define NUMBER_OPTION(member, least, most)                                                                                         \
    { #member, NUMBER, offsetof(deeper_train_options, member), least, most, NULL }

static const option options_table[] = {
    TEXT_OPTION(data, NULL),
    TEXT_OPTION(data_root, NULL),
    TEXT_OPTION(val, NULL),
    NUMBER_OPTION(val_fraction, 0.001, 0.9),
    TEXT_OPTION(architecture, NULL),
    TEXT_OPTION(init, NULL),
    WHOLE_OPTION(image_size, 0, 4096),
    { "seed", SEED, offsetof(deeper_train_options, seed), 0, 0, NULL },
    WHOLE_OPTION(epochs, 1, 100000),
    NUMBER_OPTION(minutes, 0, 1e6),
    WHOLE_OPTION(batch, 1, 4096),
    WHOLE_OPTION(accumulate, 1, 4096),
    NUMBER_OPTION(rate, 0, 1000),
    TEXT_OPTION(schedule, "cosine|poly|step|constant"),
    NUMBER_OPTION(warmup_epochs, 0, 1e5),
    NUMBER_OPTION(momentum, 0, 0.9999),
    NUMBER_OPTION(decay, 0, 1),
    NUMBER_OPTION(clip, 0, 1e9),
    NUMBER_OPTION(smoothing, 0, 0.9),
    NUMBER_OPTION(aux_weight, 0, 100),
    TEXT_OPTION(average, "ema|polyak|none"),
    TEXT_OPTION(augment, NULL),
    TEXT_OPTION(freeze, NULL),
    TEXT_OPTION(rates, NULL),
    TEXT_OPTION(class_weights, "none|auto"),
    WHOLE_OPTION(patience, 0, 100000),
    WHOLE_OPTION(keep, 1, 1000),
    NUMBER_OPTION(checkpoint_minutes, 0.0, 1e6),
    NUMBER_OPTION(max_unreadable, 0, 1),
    TEXT_OPTION(initial, "he|xavier|bvlc|gaussian"),
};
enum { OPTIONS = sizeof options_table / sizeof *options_table };

static const void *member(const deeper_train_options *options, const option *row) {
    return (const char *)options + row->offset;
}

/* Whether `text` is one of the words between bars. */
static bool is_word(const char *words, const char *text) {
    size_t length = strlen(text);
    for (const char *word = words; *word;) {
        size_t size = strcspn(word, "|");
        if (size == length && memcmp(word, text, size) == 0)
            return true;
        word += size + (word[size] == '|');
    }
    return false;
}

static deeper_status check_option(const deeper_train_options *options, const option *row, deeper_error *error) {
    if (row->kind == TEXT) {
        const char *text = *(const char *const *)member(options, row);
        if (text && row->words && !is_word(row->words, text))
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is '%.60s'; %s it may be", row->name, text, row->words);
        return DEEPER_OK;
    }
    if (row->kind == SEED)
        return DEEPER_OK;
    double value = row->kind == WHOLE ? *(const int *)member(options, row) : *(const double *)member(options, row);
    if (!(value >= row->least && value <= row->most))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s is %g; %g to %g it may be", row->name, value, row->least, row->most);
    return DEEPER_OK;
}

deeper_status dp_train_options_check(const deeper_train_options *options, deeper_error *error) {
    if (!options->data)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "data is missing: a folder of class folders to learn from");
    for (int i = 0; i < OPTIONS; i++)
        DP_TRY(check_option(options, &options_table[i], error));
    return DEEPER_OK;
}
