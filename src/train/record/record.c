/* record.c - see record.h. */
#include "train/record/record.h"

#include "base/files.h"
#include "base/text.h"
#include "train/options/options.h"
#include "train/record/fields.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 20, DEPTH = 3, MAX_FIELDS = 64, NEVER = 10000 /* epochs, the most */ };

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static dp_field field_of(const dp_train_row *r) {
    static const dp_field_kind kinds[] = {
        [DEEPER_OPTION_INT] = DP_FIELD_INT,       [DEEPER_OPTION_COUNT] = DP_FIELD_COUNT,
        [DEEPER_OPTION_NUMBER] = DP_FIELD_NUMBER, [DEEPER_OPTION_FLAG] = DP_FIELD_INT,
        [DEEPER_OPTION_TEXT] = DP_FIELD_TEXT,     [DEEPER_OPTION_PATH] = DP_FIELD_TEXT,
        [DEEPER_OPTION_CHOICE] = DP_FIELD_TEXT,   [DEEPER_OPTION_LIST] = DP_FIELD_TEXT
    };
    return (dp_field){ r->option.name, kinds[r->option.kind], r->offset, 1 };
}

/* "0.12.3" as a number that grows with it. */
static long version_number(const char *version) {
    char *end = NULL;
    long major = strtol(version, &end, 10);
    return 1000 * major + (*end == '.' ? strtol(end + 1, NULL, 10) : 0);
}

/* The recorded rows, or (version not NULL) those of them that this version has; returns how many.
 */
static size_t list_fields(dp_field fields[MAX_FIELDS], const char *version) {
    const dp_train_row *r;
    size_t count = 0;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (r->option.recorded
            && (!version || version_number(r->option.since) <= version_number(version)))
            fields[count++] = field_of(r);
    return count;
}

/* ---------------------------------------------------------------------------------------- write */

static const dp_field run_fields[] = {
    DP_FIELD(dp_run_facts, version, DP_FIELD_TEXT),
    DP_FIELD(dp_run_facts, data, DP_FIELD_TEXT),
    DP_FIELD(dp_run_facts, classes, DP_FIELD_INT),
    DP_FIELD(dp_run_facts, train_images, DP_FIELD_COUNT),
    DP_FIELD(dp_run_facts, val_images, DP_FIELD_COUNT),
};
static const dp_field trained_fields[] = {
    DP_FIELD(dp_trained, data, DP_FIELD_TEXT),
    DP_FIELD(dp_trained, train_images, DP_FIELD_COUNT),
    DP_FIELD(dp_trained, val_images, DP_FIELD_COUNT),
    DP_FIELD(dp_trained, epoch, DP_FIELD_INT),
    DP_FIELD(dp_trained, epochs, DP_FIELD_INT),
    DP_FIELD(dp_trained, seed, DP_FIELD_COUNT),
    DP_FIELD(dp_trained, val_top1, DP_FIELD_NUMBER),
    DP_FIELD(dp_trained, val_top5, DP_FIELD_NUMBER),
    DP_FIELD(dp_trained, val_loss, DP_FIELD_NUMBER),
};

typedef struct command {
    const char *command;
} command;
static const dp_field command_field = DP_FIELD(command, command, DP_FIELD_TEXT);

void dp_record_command(dp_buffer *text, const dp_record_options *options) {
    dp_train_options_command(text, options->again);
    for (int i = 1; options->extended && i < options->extended->count; i++) {
        dp_buffer_printf(text, " && deeper train --resume --epochs %llu --out ",
                         (unsigned long long)options->extended->stages[i].steps);
        dp_put_shell_word(dp_buffer_sink, text, options->again->out);
    }
}

static bool add_command(dp_object *record, const dp_record_options *options,
                        const deeper_allocator *allocator) {
    dp_buffer text;
    dp_buffer_init(&text, allocator, LIMIT);
    dp_record_command(&text, options);
    bool sound = !text.failed && dp_object_add(record, &command_field, 1, &(command){ text.data });
    dp_buffer_free(&text);
    return sound;
}

/* malloc'ed; NULL: it cannot be made. */
static char *record_text(const dp_run_facts *facts, const dp_record_options *options,
                         const deeper_allocator *allocator) {
    dp_field fields[MAX_FIELDS];
    size_t count = list_fields(fields, NULL);
    dp_object *record = dp_object_create();
    bool sound = dp_object_add(record, run_fields, facts->data ? COUNT_OF(run_fields) : 1, facts)
                 && dp_object_add(dp_object_put(record, "options"), fields, count, options->given)
                 && add_command(record, options, allocator);
    if (sound && options->resolved)
        sound = dp_object_add(dp_object_put(record, "resolved"), fields, count, options->resolved);
    char *text = sound ? dp_object_text(record, true) : NULL;
    dp_object_free(record);
    return text;
}

char *dp_trained_text(const dp_trained *trained) {
    dp_object *object = dp_object_create();
    char *text = dp_object_add(object, trained_fields, COUNT_OF(trained_fields), trained)
                     ? dp_object_text(object, false)
                     : NULL;
    dp_object_free(object);
    return text;
}

deeper_status dp_record_write(const char *path, const dp_run_facts *facts,
                              const dp_record_options *options, const deeper_allocator *allocator,
                              deeper_error *error) {
    char *text = record_text(facts, options, allocator);
    if (!text)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not written: a path or an option is not UTF-8, or memory is out", path);
    dp_writer *writer = NULL;
    deeper_status status = dp_writer_open(&writer, path, allocator, error);
    if (status == DEEPER_OK) {
        dp_writer_put(writer, text, strlen(text));
        dp_writer_put(writer, "\n", 1);
        status = dp_writer_commit(writer, error);
    }
    free(text);
    return status;
}

/* ----------------------------------------------------------------------------------------- read */

/* What version of the program wrote decides which options the record must have; the others take
 * their defaults. */
static deeper_status read_options(deeper_train_options *options, const dp_object *record,
                                  const char *name, deeper_error *error) {
    const dp_train_row *r;
    dp_field fields[MAX_FIELDS];
    dp_run_facts facts = { 0 };
    DP_TRY(dp_object_read(record, run_fields, 1, &facts, name, error));
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (r->option.recorded)
            dp_train_row_reset(options, r);
    const char *version = facts.version ? facts.version : "";
    DP_TRY(dp_object_read(dp_object_member(record, "options"), fields, list_fields(fields, version),
                          options, name, error));
    if (options->patience == 0 && version_number(version) < version_number("0.2"))
        options->patience = NEVER; /* what 0 said then */
    return DEEPER_OK;
}

deeper_status dp_record_read(dp_object **record, dp_run_facts *facts, deeper_train_options *options,
                             const char *path, const deeper_allocator *allocator,
                             deeper_error *error) {
    void *text = NULL;
    size_t size = 0;
    deeper_status status = dp_file_read(&text, &size, path, LIMIT, allocator, error);
    if (status != DEEPER_OK)
        return dp_fail(error, status, "%.400s; there is no run to resume",
                       error ? error->message : "");
    status = dp_object_parse(record, text, size, DEPTH, path, "the record of the run", 0, error);
    dp_free(allocator, text);
    if (status == DEEPER_OK && facts)
        status = dp_object_read(*record, run_fields, COUNT_OF(run_fields), facts, path, error);
    return status == DEEPER_OK ? read_options(options, *record, path, error) : status;
}

void dp_record_move(deeper_train_options *options, const deeper_train_options *given) {
    options->data = given->data ? given->data : options->data;
    options->data_root = given->data_root ? given->data_root : options->data_root;
    options->val = given->val ? given->val : options->val;
    options->init = given->init && options->init ? given->init : options->init;
}
