/* labels.c - label tables from their three sources, each a list of (id, name) that goes through one
 * builder. Matching class folders with labels is the evaluator's business. */
#include "model/labels.h"

#include "base/text.h"
#include "model/ilsvrc2012.h"
#include "model/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TEXT = 64 << 20, /* bytes of all ids and names */
    MAX_REPEATED = 512,  /* bytes of a name that two classes have */
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

/* A line of a label file, without blanks at its ends: a first word, and what follows it. */
typedef struct label_line {
    const char *text;
    size_t length, word, rest; /* rest: where what follows the first word begins */
    bool repeated;
} label_line;

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The line at *at, which moves behind it; false at the end. Empty lines at the end do not count. */
static bool next_line(const char *text, size_t size, size_t *at, label_line *line) {
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (*at >= size)
        return false;
    line->text = text + *at;
    const char *end = memchr(line->text, '\n', size - *at);
    line->length = end ? (size_t)(end - line->text) : size - *at;
    *at += line->length + 1;
    for (; line->length > 0 && is_blank(line->text[0]); line->length--)
        line->text++;
    while (line->length > 0 && is_blank(line->text[line->length - 1]))
        line->length--;
    line->word = 0;
    while (line->word < line->length && !is_blank(line->text[line->word]))
        line->word++;
    line->rest = line->word;
    while (line->rest < line->length && is_blank(line->text[line->rest]))
        line->rest++;
    line->repeated = false;
    return true;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/* Whether two words have one form: the same but for their numbers, of which there is at least one:
 * n01440764 and n02102040, 7 and 12. */
static bool same_form(const char *a, size_t a_size, const char *b, size_t b_size) {
    size_t i = 0, j = 0, numbers = 0;
    while (i < a_size && j < b_size) {
        if (is_digit(a[i]) != is_digit(b[j]) || (!is_digit(a[i]) && a[i] != b[j]))
            return false;
        numbers += is_digit(a[i]);
        for (bool number = is_digit(a[i++]); number && i < a_size && is_digit(a[i]);)
            i++;
        for (bool number = is_digit(b[j++]); number && j < b_size && is_digit(b[j]);)
            j++;
    }
    return i == a_size && j == b_size && numbers > 0;
}

/* Whether the lines begin with ids: their first words have all one form. */
static bool has_ids(const char *text, size_t size) {
    label_line first = { 0 }, line;
    size_t at = 0;
    while (next_line(text, size, &at, &line)) {
        if (!first.text)
            first = line;
        if (!same_form(first.text, first.word, line.text, line.word))
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b) {
    const label_line *x = *(label_line *const *)a, *y = *(label_line *const *)b;
    int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    if (order == 0)
        order = (x->length > y->length) - (x->length < y->length);
    return order ? order : x < y ? -1 : x > y;
}

/* Marks the lines that say what an earlier one says. `sorted` has room for all. */
static void mark_repeated(label_line *lines, label_line **sorted, size_t count) {
    for (size_t i = 0; i < count; i++)
        sorted[i] = &lines[i];
    qsort(sorted, count, sizeof *sorted, by_text);
    for (size_t i = 1; i < count; i++)
        sorted[i]->repeated =
            sorted[i]->length == sorted[i - 1]->length
            && memcmp(sorted[i]->text, sorted[i - 1]->text, sorted[i]->length) == 0;
}

/* Adds names that are their own ids. One that came before gets the number of its class behind it:
 * two classes of ImageNet are called crane. */
static deeper_status add_names(builder *b, const char *text, size_t size) {
    const deeper_allocator *allocator = b->text.allocator;
    label_line line;
    size_t count = 0, at = 0;
    while (next_line(text, size, &at, &line))
        count++;
    label_line *lines = dp_alloc(allocator, count + 1, sizeof *lines),
               **sorted = dp_alloc(allocator, count + 1, sizeof(label_line *));
    deeper_status status = lines && sorted ? DEEPER_OK : dp_fail_memory(b->error, "a label table");
    if (status == DEEPER_OK) {
        at = 0;
        for (size_t i = 0; i < count; i++)
            next_line(text, size, &at, &lines[i]);
        mark_repeated(lines, sorted, count);
    }
    for (size_t i = 0; i < count && status == DEEPER_OK; i++) {
        char id[MAX_REPEATED];
        int length = (int)lines[i].length;
        if (lines[i].repeated
            && (length = snprintf(id, sizeof id, "%.*s %zu", length, lines[i].text, i))
                   >= MAX_REPEATED)
            status = dp_fail(b->error, DEEPER_ERROR_LIMIT, "%s: label %zu is over %d bytes long",
                             b->name, i + 1, MAX_REPEATED);
        else
            status = add(b, lines[i].repeated ? id : lines[i].text, (size_t)length, lines[i].text,
                         lines[i].length);
    }
    dp_free(allocator, lines);
    dp_free(allocator, sorted);
    return status;
}

static deeper_status add_lines(builder *b, const char *text, size_t size) {
    label_line line;
    if (!has_ids(text, size))
        return add_names(b, text, size);
    for (size_t at = 0; next_line(text, size, &at, &line);) {
        const char *name = line.rest < line.length ? line.text + line.rest : line.text;
        size_t name_size = line.rest < line.length ? line.length - line.rest : line.word;
        DP_TRY(add(b, line.text, line.word, name, name_size));
    }
    return DEEPER_OK;
}

deeper_status dp_labels_from_text(dp_labels *labels, const char *text, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error) {
    builder b = begin(name, allocator, error);
    size_t mark = dp_byte_order_mark(text, size);
    return finish(&b, add_lines(&b, text + mark, size - mark), labels);
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
