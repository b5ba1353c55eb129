/* record.c - see record.h. */
#include "train/run/record.h"

#include "base/files.h"
#include "model/json.h"
#include "train/run/options.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 20, DEPTH = 3 };

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
    return dp_train_options_from_json(options, json_object_get(*record, "options"), path, error);
}

void dp_record_move(deeper_train_options *options, const deeper_train_options *given) {
    options->data = given->data ? given->data : options->data;
    options->data_root = given->data_root ? given->data_root : options->data_root;
    options->val = given->val ? given->val : options->val;
    options->init = given->init && options->init ? given->init : options->init;
}
