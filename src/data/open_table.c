/* open_table.c - a CSV list of pictures as a data set: path, label and, where a column says it, the
 * part. Labels that are all numbers are outputs of a model as they are; else classes are the
 * labels, sorted by bytes. */
#include "base/files.h"
#include "data/list.h"
#include "data/names.h"
#include "data/store.h"
#include "data/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct row {
    dp_picture picture;
    const char *label; /* in the text of the file */
    int part;
} row;

typedef struct rows {
    row *items;
    size_t count, capacity;
    bool numbers; /* all labels are */
    bool parts;
} rows;

static bool is_number(const char *label) {
    size_t digits = strspn(label, "0123456789");
    return digits > 0 && digits <= 6 && !label[digits];
}

static deeper_status add_row(rows *all, dp_dataset *dataset, const char *folder,
                             const dp_table *table, const dp_table_columns *columns,
                             deeper_error *error) {
    int rank, part = DP_WHOLE;
    size_t needed = (size_t)(columns->path > columns->label ? columns->path : columns->label);
    if (columns->part >= 0 && (size_t)columns->part > needed)
        needed = (size_t)columns->part;
    if (table->count <= needed || !*table->cells[columns->path] || !*table->cells[columns->label])
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s:%zu: has no path or no label; each row needs both", dataset->path,
                       table->line);
    if (columns->part >= 0) {
        const char *word = table->cells[columns->part];
        part = dp_name_part(word, strlen(word), &rank);
        if (part < 0)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s:%zu: '%.60s' is no part; parts are train, val and test",
                           dataset->path, table->line, word);
    }
    void *items = all->items;
    if (!dp_reserve(dataset->allocator, &items, &all->capacity, all->count + 1, sizeof(row)))
        return dp_fail_names(dataset, error);
    all->items = items;
    row *added = &all->items[all->count++];
    added->label = table->cells[columns->label];
    added->part = part;
    all->numbers = all->numbers && is_number(added->label);
    all->parts |= part != DP_WHOLE;
    return dp_list_picture(dataset, &added->picture, folder, table->cells[columns->path])
               ? DEEPER_OK
               : dp_fail_names(dataset, error);
}

static deeper_status read_rows(rows *all, dp_dataset *dataset, const char *folder, dp_table *table,
                               deeper_error *error) {
    dp_table_columns columns = { 0, -1, -1 };
    bool header = dp_table_read(table) && dp_table_header(&columns, table);
    if (!table->wrong && columns.label < 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s:%zu: %zu columns without a heading that says which are the path and the "
                       "label; begin the file with one, such as path,label",
                       dataset->path, table->line, table->count);
    for (bool more = !table->wrong && (!header || dp_table_read(table)); more;
         more = dp_table_read(table))
        DP_TRY(add_row(all, dataset, folder, table, &columns, error));
    if (table->wrong)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s:%zu: %s", dataset->path, table->line + 1,
                       table->wrong);
    return all->count > 0
               ? DEEPER_OK
               : dp_fail(error, DEEPER_ERROR_FORMAT, "%s: a list without pictures", dataset->path);
}

/* -------------------------------------------------------------------------------------- classes */

static int compare_labels(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names the classes by their labels, and gives each row its class. */
static deeper_status name_classes(dp_dataset *dataset, rows *all, const char **labels,
                                  deeper_error *error) {
    size_t count = 0, text;
    for (size_t i = 0; i < all->count; i++)
        labels[i] = all->items[i].label;
    qsort(labels, all->count, sizeof *labels, compare_labels);
    for (size_t i = 0; i < all->count; i++)
        if (count == 0 || strcmp(labels[count - 1], labels[i]) != 0)
            labels[count++] = labels[i];
    for (size_t c = 0; c < count; c++)
        if (!dp_store_path(dataset->store, &text, "", labels[c])
            || !dp_dataset_add_class(dataset, text))
            return dp_fail_names(dataset, error);
    for (size_t i = 0; i < all->count; i++) {
        const char **place =
            bsearch(&all->items[i].label, labels, count, sizeof *labels, compare_labels);
        all->items[i].picture.class_index = (uint32_t)(place - labels);
    }
    return DEEPER_OK;
}

static deeper_status make_classes(dp_dataset *dataset, rows *all, deeper_error *error) {
    if (!all->numbers) {
        const char **labels = dp_alloc_raw(dataset->allocator, all->count, sizeof *labels);
        deeper_status status =
            labels ? name_classes(dataset, all, labels, error) : dp_fail_names(dataset, error);
        dp_free(dataset->allocator, labels);
        return status;
    }
    for (size_t i = 0; i < all->count; i++) {
        size_t label = (size_t)strtoul(all->items[i].label, NULL, 10);
        all->items[i].picture.class_index = (uint32_t)label;
        while (dataset->class_count <= label)
            if (!dp_dataset_add_class(dataset, 0))
                return dp_fail_names(dataset, error);
    }
    return dp_dataset_number_classes(dataset, error);
}

/* ---------------------------------------------------------------------------------------- parts */

static const char *const part_names[DP_PARTS] = { "train", "val", "test" };

/* The rows of one part; *set stays NULL where there are none. */
static deeper_status take_part(dp_dataset **set, const dp_dataset *dataset, const rows *all,
                               int part, deeper_error *error) {
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].part != part)
            continue;
        if (!*set)
            *set = dp_dataset_create_part(dataset);
        if (!*set || !dp_dataset_add(*set, &all->items[i].picture))
            return dp_fail_names(dataset, error);
    }
    if (!*set || part == DP_WHOLE)
        return DEEPER_OK;
    dp_buffer path;
    dp_buffer_init(&path, dataset->allocator, strlen(dataset->path) + 16);
    dp_buffer_printf(&path, "%s:%s", dataset->path, part_names[part]);
    if (path.failed) {
        dp_buffer_free(&path);
        return dp_fail_names(dataset, error);
    }
    dp_free(dataset->allocator, (*set)->path);
    (*set)->path = path.data;
    return DEEPER_OK;
}

/* inner: the part that was named after the list, which is then a set by itself; or NULL. */
static deeper_status take_parts(dp_dataset *sets[DP_SETS], const dp_dataset *dataset,
                                const rows *all, const char *inner, deeper_error *error) {
    int rank, wanted = inner ? dp_name_part(inner, strlen(inner), &rank) : -1;
    for (int part = 0; part < DP_SETS; part++)
        if (!inner || part == wanted)
            DP_TRY(take_part(&sets[inner ? DP_WHOLE : part], dataset, all, part, error));
    if (!inner || sets[DP_WHOLE])
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: has no part '%s'", dataset->path, inner);
}

deeper_status dp_open_table(dp_dataset *sets[DP_SETS], dp_dataset *dataset, const char *folder,
                            const char *inner, dp_table *table, deeper_error *error) {
    rows all = { .numbers = true };
    deeper_status status = read_rows(&all, dataset, folder, table, error);
    if (status == DEEPER_OK)
        status = make_classes(dataset, &all, error);
    if (status == DEEPER_OK)
        status = take_parts(sets, dataset, &all, inner, error);
    for (int i = 0; i < DP_SETS && status != DEEPER_OK; i++) {
        dp_dataset_free(sets[i]);
        sets[i] = NULL;
    }
    dp_free(dataset->allocator, all.items);
    return status;
}
