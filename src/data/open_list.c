/* open_list.c - a list file as a data set: `PATH LABEL` lines (which list.c cuts), or a CSV table
 * (open_table.c). */
#include "base/files.h"
#include "base/text.h"
#include "data/list.h"
#include "data/store.h"
#include "data/table.h"

#include <string.h>

#define LIST_LIMIT UINT32_MAX /* bytes of a list file */

bool dp_list_picture(dp_dataset *dataset, dp_picture *picture, const char *folder,
                     const char *path) {
    size_t place = path[0] == '/' ? 0 : strlen(folder);
    place += place > 0 && folder[place - 1] != '/';
    *picture = (dp_picture){ .place = (uint32_t)place };
    return dp_store_path(dataset->store, &picture->name, path[0] == '/' ? "" : folder, path);
}

static deeper_status add_line(dp_dataset *dataset, const char *folder, const char *path,
                              size_t label, deeper_error *error) {
    bool have = true;
    dp_picture picture;
    while (have && dataset->class_count <= label)
        have = dp_dataset_add_class(dataset, 0);
    if (!have || !dp_list_picture(dataset, &picture, folder, path))
        return dp_fail_names(dataset, error);
    picture.class_index = (uint32_t)label;
    return dp_dataset_add(dataset, &picture) ? DEEPER_OK : dp_fail_names(dataset, error);
}

static deeper_status read_lines(dp_dataset *dataset, const char *folder, char *text, size_t size,
                                deeper_error *error) {
    dp_list list = { .text = text, .size = size };
    const char *path;
    size_t label;
    while (dp_list_read(&list, &path, &label))
        DP_TRY(add_line(dataset, folder, path, label, error));
    if (list.wrong)
        return dp_fail_at(error, DEEPER_ERROR_FORMAT, (int64_t)list.begin, "%s:%zu: %s",
                          dataset->path, list.line, list.wrong);
    if (dataset->image_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: a list without lines; each is `PATH LABEL`",
                       dataset->path);
    return dp_dataset_number_classes(dataset, error);
}

/* The text of a list: its pictures come into the empty `dataset`, those of a table into sets that
 * share its store. */
static deeper_status read_text(dp_dataset *sets[DP_SETS], dp_dataset *dataset, const char *folder,
                               const char *inner, char *text, size_t size, deeper_error *error) {
    size_t mark = dp_byte_order_mark(text, size);
    dp_table table = { .text = text, .size = size, .next = mark };
    if (dp_table_begins(text + mark, size - mark, &table.separator))
        return dp_open_table(sets, dataset, folder, inner, &table, error);
    if (inner)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: has no parts, so there is no part %s in it", dataset->path, inner);
    return read_lines(dataset, folder, text + mark, size - mark, error);
}

static deeper_status read_list(dp_dataset *sets[DP_SETS], dp_dataset *dataset, const char *root,
                               const char *inner, deeper_error *error) {
    const char *slash = strrchr(dataset->path, '/');
    char *folder = dp_strdup(dataset->allocator, root ? root : slash ? dataset->path : "");
    if (!folder)
        return dp_fail_names(dataset, error);
    if (!root && slash)
        folder[slash - dataset->path + 1] = '\0';
    size_t size = 0;
    void *text = NULL;
    deeper_status status =
        dp_file_read(&text, &size, dataset->path, LIST_LIMIT, dataset->allocator, error);
    if (status == DEEPER_OK)
        status = read_text(sets, dataset, folder, inner, text, size, error);
    dp_free(dataset->allocator, text);
    dp_free(dataset->allocator, folder);
    return status;
}

deeper_status dp_open_list(dp_dataset *sets[DP_SETS], const char *path, const char *inner,
                           const char *root, const deeper_allocator *allocator,
                           deeper_error *error) {
    dp_dataset *dataset = dp_dataset_create(path, dp_read_file, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    deeper_status status = read_list(sets, dataset, root, inner, error);
    if (status == DEEPER_OK && dataset->image_count > 0)
        sets[DP_WHOLE] = dataset;
    else
        dp_dataset_free(dataset);
    return status;
}
