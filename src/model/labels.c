/* labels.c - label tables from their three sources, each a list of (id, name) that goes through one
 * builder. Matching class folders with labels is the evaluator's business. */
#include "model/labels.h"

#include "base/text.h"
#include "model/ilsvrc2012.h"
#include "model/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_TEXT = 64 << 20, /* bytes of all ids and names */
    JSON_DEPTH = 2       /* [[ */
};

/* A table in the making: "ID\0NAME\0" one after the other. */
typedef struct builder {
    dp_buffer text;
    size_t count;
    const char *name; /* of the file, for messages */
    deeper_error *error;
} builder;

static deeper_status add(builder *b, const char *id, size_t id_size, const char *name,
                         size_t name_size) {
    if (b->count == DP_LABELS_MAX)
        return dp_fail(b->error, DEEPER_ERROR_LIMIT,
                       "%s: more than the %d labels that deeper reads", b->name, DP_LABELS_MAX);
    if (id_size == 0 || !dp_text_clean(id, id_size, false)
        || !dp_text_clean(name, name_size, false))
        return dp_fail(b->error, DEEPER_ERROR_FORMAT,
                       "%s: label %zu is empty, not UTF-8 or has control characters in it", b->name,
                       b->count + 1);
    dp_buffer_append(&b->text, id, id_size);
    dp_buffer_append(&b->text, "", 1);
    dp_buffer_append(&b->text, name, name_size);
    dp_buffer_append(&b->text, "", 1);
    b->count++;
    return DEEPER_OK;
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const dp_label *)a)->id, ((const dp_label *)b)->id);
}

static deeper_status check_unique(const builder *b, const dp_labels *labels) {
    dp_label *sorted = dp_alloc_raw(b->text.allocator, labels->count, sizeof *sorted);
    if (!sorted)
        return dp_fail_memory(b->error, "a label table");
    memcpy(sorted, labels->items, labels->count * sizeof *sorted);
    qsort(sorted, labels->count, sizeof *sorted, by_id);
    deeper_status status = DEEPER_OK;
    for (size_t i = 1; i < labels->count && status == DEEPER_OK; i++)
        if (by_id(&sorted[i - 1], &sorted[i]) == 0)
            status = dp_fail(b->error, DEEPER_ERROR_FORMAT, "%s: two classes have the id %.100s",
                             b->name, sorted[i].id);
    dp_free(b->text.allocator, sorted);
    return status;
}

/* Turns what was added, if `status` is good, into *labels; frees the builder in every case. */
static deeper_status finish(builder *b, deeper_status status, dp_labels *labels) {
    const deeper_allocator *allocator = b->text.allocator;
    *labels = (dp_labels){ .count = b->count, .text = b->text.data };
    if (status == DEEPER_OK && b->count == 0)
        status =
            dp_fail(b->error, DEEPER_ERROR_FORMAT, "%s: a label table without labels", b->name);
    if (status == DEEPER_OK) {
        labels->items =
            b->text.failed ? NULL : dp_alloc(allocator, labels->count, sizeof *labels->items);
        if (!labels->items)
            status = dp_fail_memory(b->error, "a label table");
    }
    char *next = labels->text;
    for (size_t i = 0; i < labels->count && status == DEEPER_OK; i++) {
        labels->items[i].id = next;
        labels->items[i].name = next += strlen(next) + 1;
        next += strlen(next) + 1;
    }
    if (status == DEEPER_OK)
        status = check_unique(b, labels);
    if (status != DEEPER_OK)
        dp_labels_free(labels, allocator);
    return status;
}

static builder begin(const char *name, const deeper_allocator *allocator, deeper_error *error) {
    builder b = { .name = name, .error = error };
    dp_buffer_init(&b.text, allocator, MAX_TEXT);
    return b;
}

static deeper_status add_json(builder *b, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i), *id = json_array_get(pair, 0),
                     *name = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_string(id) || !json_is_string(name))
            return dp_fail(b->error, DEEPER_ERROR_FORMAT,
                           "%s: deeper.labels: entry %zu is not [ID, NAME]", b->name, i + 1);
        DP_TRY(add(b, json_string_value(id), json_string_length(id), json_string_value(name),
                   json_string_length(name)));
    }
    return DEEPER_OK;
}

deeper_status dp_labels_from_json(dp_labels *labels, const char *json, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error) {
    json_t *list = NULL;
    *labels = (dp_labels){ 0 };
    DP_TRY(dp_json_parse(&list, json, strlen(json), JSON_DEPTH, name, "deeper.labels", -1, error));
    builder b = begin(name, allocator, error);
    deeper_status status = finish(&b, add_json(&b, list), labels);
    json_decref(list);
    return status;
}

char *dp_labels_to_json(const dp_labels *labels) {
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < labels->count; i++)
        failed |= json_array_append_new(
            list, json_pack("[s, s]", labels->items[i].id, labels->items[i].name));
    char *text = failed ? NULL : json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static deeper_status add_lines(builder *b, const char *text, size_t size) {
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    for (size_t at = 0; at < size;) {
        const char *line = text + at, *end = memchr(line, '\n', size - at);
        size_t length = end ? (size_t)(end - line) : size - at;
        at += length + 1;
        if (length > 0 && line[length - 1] == '\r')
            length--;
        const char *space = memchr(line, ' ', length);
        size_t id_size = space ? (size_t)(space - line) : length;
        size_t name_at = space ? id_size + 1 : 0;
        DP_TRY(add(b, line, id_size, line + name_at, length - name_at));
    }
    return DEEPER_OK;
}

deeper_status dp_labels_from_text(dp_labels *labels, const char *text, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error) {
    builder b = begin(name, allocator, error);
    return finish(&b, add_lines(&b, text, size), labels);
}

deeper_status dp_labels_ilsvrc2012(dp_labels *labels, const deeper_allocator *allocator,
                                   deeper_error *error) {
    builder b = begin("ILSVRC-2012", allocator, error);
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; i < DP_ILSVRC2012_CLASSES && status == DEEPER_OK; i++) {
        const dp_ilsvrc_class *class = &dp_ilsvrc2012[i];
        status = add(&b, class->id, strlen(class->id), class->name, strlen(class->name));
    }
    return finish(&b, status, labels);
}

void dp_labels_free(dp_labels *labels, const deeper_allocator *allocator) {
    dp_free(allocator, labels->items);
    dp_free(allocator, labels->text);
    *labels = (dp_labels){ 0 };
}
