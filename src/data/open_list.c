/* open_list.c - a list file of `PATH LABEL` lines (which list.c cuts) as a data set. */
#include "base/files.h"
#include "base/text.h"
#include "data/list.h"
#include "data/store.h"

#include <string.h>

#define LIST_LIMIT UINT32_MAX /* bytes of a list file */

static deeper_status add_line(dp_dataset *dataset, const char *folder, const char *path,
                              size_t label, deeper_error *error) {
    bool have = true;
    size_t place = path[0] == '/' ? 0 : strlen(folder);
    place += place > 0 && folder[place - 1] != '/';
    dp_picture picture = { .class_index = (uint32_t)label, .place = (uint32_t)place };
    while (have && dataset->class_count <= label)
        have = dp_dataset_add_class(dataset, 0);
    if (!have || !dp_store_path(dataset->store, &picture.name, path[0] == '/' ? "" : folder, path)
        || !dp_dataset_add(dataset, &picture))
        return dp_fail_names(dataset, error);
    return DEEPER_OK;
}

static deeper_status read_lines(dp_dataset *dataset, const char *folder, char *text, size_t size,
                                deeper_error *error) {
    dp_list list = { .text = text, .size = size, .next = dp_byte_order_mark(text, size) };
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
    return DEEPER_OK;
}

static deeper_status read_list(dp_dataset *dataset, const char *root, deeper_error *error) {
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
        status = read_lines(dataset, folder, text, size, error);
    dp_free(dataset->allocator, text);
    dp_free(dataset->allocator, folder);
    return status == DEEPER_OK ? dp_dataset_number_classes(dataset, error) : status;
}

deeper_status dp_open_list(dp_dataset **out, const char *path, const char *root,
                           const deeper_allocator *allocator, deeper_error *error) {
    dp_dataset *dataset = dp_dataset_create(path, dp_read_file, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    deeper_status status = read_list(dataset, root, error);
    if (status == DEEPER_OK)
        *out = dataset;
    else
        dp_dataset_free(dataset);
    return status;
}
