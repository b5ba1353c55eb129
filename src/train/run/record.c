/* record.c - see record.h. */
#include "train/run/record.h"

#include "base/files.h"
#include "model/json.h"
#include "train/options/options.h"
#include "train/run/fields.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 20, DEPTH = 3, MOST_FIELDS = 64 };

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
static size_t list_fields(dp_field fields[MOST_FIELDS], const char *version) {
    const dp_train_row *r;
    size_t count = 0;
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (r->option.recorded
            && (!version || version_number(r->option.since) <= version_number(version)))
            fields[count++] = field_of(r);
    return count;
}

json_t *dp_train_options_to_json(const deeper_train_options *options) {
    dp_field fields[MOST_FIELDS];
    return dp_fields_to_json(fields, list_fields(fields, NULL), options);
}

/* What version of the program wrote decides which options the record must have; the others take
 * their defaults. */
static deeper_status read_options(deeper_train_options *options, const json_t *record,
                                  const char *name, deeper_error *error) {
    const char *version = json_string_value(json_object_get(record, "version"));
    const dp_train_row *r;
    dp_field fields[MOST_FIELDS];
    if (!version)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: \"version\" is missing", name);
    for (size_t i = 0; (r = dp_train_row_at(i)) != NULL; i++)
        if (r->option.recorded)
            dp_train_row_reset(options, r);
    return dp_fields_from_json(fields, list_fields(fields, version), options,
                               json_object_get(record, "options"), name, error);
}

deeper_status dp_record_write(const char *path, json_t *record, const deeper_allocator *allocator,
                              deeper_error *error) {
    char *text = record ? json_dumps(record, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(record);
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

deeper_status dp_record_read(json_t **record, deeper_train_options *options, const char *path,
                             const deeper_allocator *allocator, deeper_error *error) {
    void *text = NULL;
    size_t size = 0;
    deeper_status status = dp_file_read(&text, &size, path, LIMIT, allocator, error);
    if (status != DEEPER_OK)
        return dp_fail(error, status, "%.400s; there is no run to resume",
                       error ? error->message : "");
    status = dp_json_parse(record, text, size, DEPTH, path, "the record of the run", 0, error);
    dp_free(allocator, text);
    if (status != DEEPER_OK)
        return status;
    return read_options(options, *record, path, error);
}

void dp_record_move(deeper_train_options *options, const deeper_train_options *given) {
    options->data = given->data ? given->data : options->data;
    options->data_root = given->data_root ? given->data_root : options->data_root;
    options->val = given->val ? given->val : options->val;
    options->init = given->init && options->init ? given->init : options->init;
}
