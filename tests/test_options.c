/* test_options.c - the rows of the training options: complete and of the header's types, defaults
 * within their ranges, texts set and refused, recorded in run.json, shown by the program; and what
 * structures of options begin as, in each C and in C++. */
#include "helpers/runs.h"
#include "train/options/options.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER TEST_SOURCE_DIR "/include/deeper/deeper.h"

enum { LINE = 512 };

static bool is_text(const deeper_option *option) {
    return option->kind >= DEEPER_OPTION_TEXT;
}

static deeper_train_options defaults(void) {
    deeper_train_options options = DEEPER_TRAIN_OPTIONS_INIT;
    return options;
}

/* ------------------------------------------------------------------------------------- the rows */

/* Takes the comments out of `text`. */
static void strip_comments(char *text) {
    for (char *begin; (begin = strstr(text, "/*")) != NULL;) {
        char *end = strstr(begin, "*/") + 2;
        memmove(begin, end, strlen(end) + 1);
    }
}

/* Every member of the structure has a row, of its type. */
static void test_members(void **state) {
    static const char *const types[] = {
        [DEEPER_OPTION_INT] = "int",         [DEEPER_OPTION_COUNT] = "uint64_t",
        [DEEPER_OPTION_NUMBER] = "double",   [DEEPER_OPTION_FLAG] = "int",
        [DEEPER_OPTION_TEXT] = "constchar*", [DEEPER_OPTION_PATH] = "constchar*",
        [DEEPER_OPTION_LIST] = "constchar*", [DEEPER_OPTION_CHOICE] = "constchar*"
    };
    const deeper_option *option;
    char wanted[LINE];
    size_t size, members = 0, rows = 0, length = 0;
    char *header = test_read(HEADER, &size);
    assert_non_null(header);
    strip_comments(header);
    char *begin = strstr(header, "typedef struct deeper_train_options {");
    assert_non_null(begin);
    *strstr(begin, "} deeper_train_options;") = '\0';
    for (const char *from = begin; *from; from++) {
        members += *from == ';';
        if (!strchr(" \n", *from))
            begin[length++] = *from;
    }
    begin[length] = '\0';
    for (; (option = deeper_train_option(rows)) != NULL; rows++) {
        snprintf(wanted, sizeof wanted, ";%s%s;", types[option->kind], option->name);
        if (!strstr(begin, wanted))
            fail_msg("no member '%s'", wanted);
    }
    assert_int_equal(rows, members - 1); /* size */
    assert_null(deeper_train_option(rows));
    free(header);
}

static void test_rows_are_complete(void **state) {
    const deeper_option *option, *other;
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        assert_true(strlen(option->name) && strlen(option->word) && strlen(option->help));
        assert_null(strpbrk(option->word, "_ "));
        assert_null(strchr(option->help, '\n'));
        assert_null(strstr(option->help, "--")); /* a form or a binding has no dashes */
        assert_int_not_equal(option->help[strlen(option->help) - 1], '.');
        assert_true(strchr("0123456789", option->since[0]) && strchr(option->since, '.'));
        assert_true(!option->value == (option->kind == DEEPER_OPTION_FLAG));
        assert_true(option->recorded || !option->decides);
        assert_true(is_text(option) || option->kind == DEEPER_OPTION_FLAG
                    || option->min < option->max);
        for (size_t k = 0; k < i && (other = deeper_train_option(k)) != NULL; k++)
            assert_true(strcmp(option->name, other->name) != 0
                        && strcmp(option->word, other->word) != 0);
    }
}

/* The text of a default gives the default, whichever way the option is called, and NULL does. */
static void test_defaults(void **state) {
    const deeper_option *option;
    const deeper_train_options fresh = defaults();
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        const char *const names[] = { option->name, option->word };
        for (int k = 0; k < 2; k++) {
            deeper_train_options options = defaults();
            deeper_error error = { 0 };
            if (deeper_train_set(&options, names[k], option->fallback, &error))
                fail_msg("%s", error.message);
            if (!is_text(option))
                assert_memory_equal(&options, &fresh, sizeof fresh);
            assert_int_equal(deeper_train_set(&options, names[k], NULL, &error), DEEPER_OK);
            assert_memory_equal(&options, &fresh, sizeof fresh);
        }
    }
    assert_true(fresh.batch == 32 && fresh.seed == 1 && fresh.decay == 2e-4 && !fresh.schedule);
}

/* ------------------------------------------------------------------------------------------ set */

static void refused(const char *name, const char *text, const char *const wants[4]) {
    deeper_train_options options = defaults();
    const deeper_train_options before = options;
    deeper_error error = { 0 };
    if (deeper_train_set(&options, name, text, &error) != DEEPER_ERROR_ARGUMENT)
        fail_msg("%s takes '%s'", name, text);
    for (int i = 0; i < 4 && wants[i]; i++)
        if (!strstr(error.message, wants[i]))
            fail_msg("no '%s' in: %s", wants[i], error.message);
    assert_memory_equal(&options, &before, sizeof before);
}

static void test_ranges(void **state) {
    const deeper_option *option;
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        char low[32], high[32], above[32], below[32], quoted[40];
        deeper_train_options options = defaults();
        if (option->kind != DEEPER_OPTION_INT && option->kind != DEEPER_OPTION_NUMBER)
            continue;
        snprintf(low, sizeof low, "%.12g", option->min);
        snprintf(high, sizeof high, "%.12g", option->max);
        snprintf(below, sizeof below, "%.12g", option->min - 1);
        snprintf(above, sizeof above, "%.12g", option->max + 1);
        snprintf(quoted, sizeof quoted, "'%s'", above);
        assert_int_equal(deeper_train_set(&options, option->name, low, NULL), DEEPER_OK);
        if (deeper_train_set(&options, option->name, high, NULL))
            assert_non_null(strchr(high, 'e')); /* a whole number is written out */
        refused(option->name, above, (const char *const[4]){ option->name, quoted, "from", "to" });
        refused(option->name, below, (const char *const[4]){ option->name, "from" });
        refused(option->name, "", (const char *const[4]){ option->name, "number from" });
        refused(option->name, "5x", (const char *const[4]){ option->name, "'5x'" });
    }
}

static void test_values(void **state) {
    deeper_train_options options = defaults();
    const char list[] = "conv1,conv2";
    assert_int_equal(deeper_train_set(&options, "freeze", list, NULL), DEEPER_OK);
    assert_ptr_equal(options.freeze, list); /* borrowed */
    assert_int_equal(deeper_train_set(&options, "class-weights", "auto", NULL), DEEPER_OK);
    assert_string_equal(options.class_weights, "auto");
    assert_int_equal(deeper_train_set(&options, "val_fraction", "0.25", NULL), DEEPER_OK);
    assert_true(options.val_fraction == 0.25);
    assert_int_equal(deeper_train_set(&options, "seed", "18446744073709551615", NULL), DEEPER_OK);
    assert_true(options.seed == UINT64_MAX);
    assert_int_equal(deeper_train_set(&options, "resume", "1", NULL), DEEPER_OK);
    assert_int_equal(options.resume, 1);
    refused("resume", "2", (const char *const[4]){ "resume", "'2'", "0 or 1" });
    refused("seed", "18446744073709551616", (const char *const[4]){ "seed", "whole number" });
    refused("seed", "-1", (const char *const[4]){ "seed", "'-1'" });
    refused("rate", "nan", (const char *const[4]){ "rate", "'nan'", "0 to 1000" });
    refused("epochs", "2.5", (const char *const[4]){ "epochs", "'2.5' is not a whole number" });
    refused("schedule", "linear",
            (const char *const[4]){ "schedule", "'linear'", "cosine|poly|step|constant" });
    refused("schedule", "cos", (const char *const[4]){ "schedule" });
    refused("epoch", "1", (const char *const[4]){ "'epoch'", "did you mean 'epochs'?" });
    refused("momemtum", "1", (const char *const[4]){ "did you mean 'momentum'?" });
    refused("val-fracton", "1", (const char *const[4]){ "did you mean 'val_fraction'?" });
    refused("zzz", "1", (const char *const[4]){ "no training option 'zzz'" });
    assert_int_equal(deeper_train_set(NULL, "rate", "1", NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(deeper_train_set(&options, NULL, "1", NULL), DEEPER_ERROR_ARGUMENT);
    options.size = 1;
    assert_int_equal(deeper_train_set(&options, "rate", "1", NULL), DEEPER_ERROR_ARGUMENT);
}

/* What a program sets itself is held to the same ranges; where there is no fallback, 0 is the
 * default. */
static void test_structures_are_checked(void **state) {
    const deeper_option *option;
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        const double values[] = { option->max + 1, option->min - 1, 0 };
        bool whole = option->kind == DEEPER_OPTION_INT;
        for (int k = 0; k < 3 && (whole || option->kind == DEEPER_OPTION_NUMBER); k++) {
            deeper_train_options options = defaults();
            deeper_error error = { 0 };
            void *at = (char *)&options + dp_train_row_at(i)->offset;
            bool sound = values[k] == 0 && (option->min <= 0 || !option->fallback);
            options.data = "none";
            if (whole)
                *(int *)at = (int)values[k];
            else
                *(double *)at = values[k];
            assert_int_equal(dp_train_options_check(&options, &error),
                             sound ? DEEPER_OK : DEEPER_ERROR_ARGUMENT);
            if (!sound && strncmp(error.message, option->name, strlen(option->name)) != 0)
                fail_msg("%s: %s", option->name, error.message);
        }
    }
    deeper_train_options options = defaults();
    deeper_error error = { 0 };
    options.data = "none";
    options.average = "em";
    assert_int_equal(dp_train_options_check(&options, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "average: 'em' is not one of ema|polyak|none"));
}

/* ------------------------------------------------------------------------------------- run.json */

static char *record_of(const deeper_train_options *options, char path[TEST_PATH_SIZE]) {
    size_t size;
    test_path(path, options->out, "run.json");
    char *text = test_read(path, &size);
    assert_non_null(text);
    return text;
}

/* All that is recorded is there, and nothing else; what a version did not have may be missing from
 * its records, and is the default then. */
static void test_recorded(void **state) {
    run_host h = { 0 };
    deeper_train_result result;
    char path[TEST_PATH_SIZE];
    const deeper_option *option;
    size_t recorded = 0;
    deeper_error error = { 0 };
    deeper_train_options options = run_options("recorded");
    options.epochs = 1;
    options.threads = 1;
    run_well(&options, &h);
    char *text = record_of(&options, path);
    json_t *record = json_loads(text, 0, NULL), *kept = json_object_get(record, "options");
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        recorded += option->recorded != 0;
        if (!json_object_get(kept, option->name) == (option->recorded != 0))
            fail_msg("%s", option->name);
    }
    assert_int_equal(json_object_size(kept), recorded);

    char copy[TEST_PATH_SIZE]; /* which would be gone by instead */
    test_path(copy, options.out, "checkpoints/run.json");
    assert_int_equal(unlink(copy), 0);
    options.resume = 1;
    json_object_del(kept, "momentum");
    char *edited = json_dumps(record, 0);
    test_write(path, edited, strlen(edited));
    free(edited);
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "\"momentum\" is missing"));
    json_object_set_new(record, "version", json_string("0.0.9"));
    edited = json_dumps(record, 0);
    test_write(path, edited, strlen(edited));
    free(edited);
    assert_int_equal(run_do(&options, &h, &result, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "architecture")); /* of the defaults */
    json_decref(record);
    free(text);
}

/* ------------------------------------------------------------------------------------ outsiders */

/* What a command prints; NULL: it cannot be run here. Freed by the caller. */
static char *output_of(const char *command) {
    enum { LIMIT = 1 << 16 };
    char *text = calloc(1, LIMIT + 1);
    FILE *pipe = popen(command, "r");
    assert_non_null(text);
    assert_non_null(pipe);
    text[fread(text, 1, LIMIT, pipe)] = 0;
    if (pclose(pipe) == 0)
        return text;
    free(text);
    return NULL;
}

/* Makes one blank of every run of blanks and newlines. */
static void flatten(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++)
        if (!strchr(" \n", *from))
            *to++ = *from;
        else if (to == text || to[-1] != ' ')
            *to++ = ' ';
    *to = '\0';
}

/* The program has every row, with its default. */
static void test_program(void **state) {
    const deeper_option *option;
    char *help = output_of("COLUMNS=100 " TEST_BINARY_DIR "/deeper help train 2>/dev/null");
    if (!help) {
        print_message("the program does not run here\n");
        skip();
    }
    flatten(help);
    for (size_t i = 0; (option = deeper_train_option(i)) != NULL; i++) {
        char wanted[LINE];
        snprintf(wanted, sizeof wanted, "--%s%s%s", option->word, " ",
                 option->value ? option->value : "");
        if (!strstr(help, wanted))
            fail_msg("no '%s' in the help", wanted);
        snprintf(wanted, sizeof wanted, "(default %s)", option->fallback ? option->fallback : "");
        if (option->fallback && !strstr(strstr(help, option->word), wanted))
            fail_msg("no '%s' of --%s in the help", wanted, option->word);
    }
    free(help);
}

/* Each _INIT of the header as an initialiser, without a warning, by whatever compilers there are.
 */
static void test_init_compiles(void **state) {
    static const char *const compilers[] = { "cc -std=c11 -xc", "cc -std=c17 -xc",
                                             "cc -std=c2x -xc", "c++ -std=c++17 -xc++" };
    char path[TEST_PATH_SIZE], command[2 * TEST_PATH_SIZE];
    size_t size, count = 0;
    char *folder = test_folder(), *header = test_read(HEADER, &size);
    assert_non_null(header);
    test_path(path, folder, "init");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("#include <deeper/deeper.h>\n", out);
    for (char *at = header; (at = strstr(at, "#define DEEPER_")) != NULL; at++) {
        char name[LINE], value[LINE];
        if (sscanf(at, "#define %500s %500s", name, value) != 2 || !strstr(value, "_init()"))
            continue;
        *strstr(value, "_init()") = '\0';
        fprintf(out,
                "size_t of_%zu(void);\nsize_t of_%zu(void) {\n    %s it = %s;\n"
                "    return it.size - sizeof it;\n}\n",
                count, count, value, name);
        count++;
    }
    fclose(out);
    assert_in_range(count, 12, 100);
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++) {
        snprintf(command, sizeof command, "echo | %s -fsyntax-only - 2>/dev/null", compilers[i]);
        if (system(command) != 0) {
            print_message("no %s here\n", compilers[i]);
            continue;
        }
        snprintf(command, sizeof command,
                 "%s -Wall -Wextra -Werror -pedantic -I" TEST_SOURCE_DIR
                 "/include -fsyntax-only %s",
                 compilers[i], path);
        if (system(command) != 0)
            fail_msg("%s refuses", compilers[i]);
    }
    free(header);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),       cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_values),        cmocka_unit_test(test_structures_are_checked),
        cmocka_unit_test(test_recorded),      cmocka_unit_test(test_program),
        cmocka_unit_test(test_init_compiles),
    };
    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
