/* dataset.c - listing a data set: a folder of class folders, or a list of `PATH LABEL` lines (which list.c cuts). */
#include "data/dataset.h"

#include "base/files.h"
#include "data/list.h"

#include <string.h>
#include <sys/stat.h>

#define TEXT_LIMIT UINT32_MAX /* bytes of all paths, and of a list file: some 50 million pictures */

void dp_dataset_free(dp_dataset *dataset) {
    if (!dataset)
        return;
    const deeper_allocator *allocator = dataset->allocator;
    dp_free(allocator, dataset->path);
    dp_free(allocator, dataset->classes);
    dp_free(allocator, dataset->images);
    dp_buffer_free(&dataset->text);
    dp_free(allocator, dataset);
}

const char *dp_dataset_class(const dp_dataset *dataset, size_t index) {
    return dataset->text.data + dataset->classes[index].name;
}

const char *dp_dataset_image(const dp_dataset *dataset, size_t index) {
    return dataset->text.data + dataset->images[index].path;
}

/* --------------------------------------------------------------------------------------------------------- additions */

static deeper_status fail_names(const dp_dataset *dataset, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for the names of its pictures", dataset->path);
}

static bool add_class(dp_dataset *dataset, const char *name) {
    if (!dp_reserve(dataset->allocator, (void **)&dataset->classes, &dataset->class_capacity, dataset->class_count + 1,
                    sizeof *dataset->classes))
        return false;
    dataset->classes[dataset->class_count++] = (dp_class){ .name = dataset->text.size };
    return dp_buffer_append(&dataset->text, name, strlen(name) + 1);
}

/* A picture at folder/name, or at name if folder is empty. */
static bool add_image(dp_dataset *dataset, const char *folder, const char *name, size_t class_index) {
    if (!dp_reserve(dataset->allocator, (void **)&dataset->images, &dataset->image_capacity, dataset->image_count + 1,
                    sizeof *dataset->images))
        return false;
    dataset->images[dataset->image_count++] = (dp_picture){ .path = dataset->text.size, .class_index = class_index };
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] != '/' ? "/" : "";
    dp_buffer_printf(&dataset->text, "%s%s%s", folder, slash, name);
    return dp_buffer_append(&dataset->text, "", 1);
}

/* ----------------------------------------------------------------------------------------------------------- folders */

/* The folders that are being walked, innermost first: a link back to one of them would never end. */
typedef struct walk {
    const struct walk *parent;
    dev_t device;
    ino_t inode;
    int depth;
} walk;

static deeper_status enter(walk *here, const walk *parent, const char *path, deeper_error *error) {
    struct stat status;
    if (stat(path, &status) != 0)
        return dp_fail_errno(error, path, "cannot read the folder");
    *here = (walk){ .parent = parent, .device = status.st_dev, .inode = status.st_ino, .depth = parent ? parent->depth + 1 : 0 };
    for (; parent; parent = parent->parent)
        if (parent->device == here->device && parent->inode == here->inode)
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: a link to a folder that it is in; remove the link", path);
    if (here->depth > DP_DATASET_DEPTH)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: more than %d folders deep", path, DP_DATASET_DEPTH);
    return DEEPER_OK;
}

static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index, const walk *parent, deeper_error *error);

/* An entry of a class folder. */
static deeper_status walk_entry(dp_dataset *dataset, const char *folder, const char *name, bool is_folder, size_t class_index,
                                const walk *here, deeper_error *error) {
    if (!is_folder)
        return add_image(dataset, folder, name, class_index) ? DEEPER_OK : fail_names(dataset, error);
    char *path = dp_path_join(dataset->allocator, folder, name);
    deeper_status status = path ? walk_class(dataset, path, class_index, here, error) : fail_names(dataset, error);
    dp_free(dataset->allocator, path);
    return status;
}

/* Adds every file in a class folder and in the folders inside it. */
static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index, const walk *parent,
                                deeper_error *error) {
    walk here;
    dp_listing listing = { 0 };
    DP_TRY(enter(&here, parent, path, error));
    deeper_status status = dp_listing_read(&listing, path, dataset->allocator, error);
    for (size_t i = 0; i < listing.count && status == DEEPER_OK; i++)
        status = walk_entry(dataset, path, listing.names[i], listing.folders[i], class_index, &here, error);
    dp_listing_free(&listing, dataset->allocator);
    return status;
}

static deeper_status read_class(dp_dataset *dataset, const char *name, const walk *root, deeper_error *error) {
    size_t before = dataset->image_count;
    char *path = dp_path_join(dataset->allocator, dataset->path, name);
    deeper_status status = path && add_class(dataset, name) ? walk_class(dataset, path, dataset->class_count - 1, root, error)
                                                            : fail_names(dataset, error);
    dp_free(dataset->allocator, path);
    if (status == DEEPER_OK)
        dataset->classes[dataset->class_count - 1].images = dataset->image_count - before;
    return status;
}

static deeper_status read_folder(dp_dataset *dataset, deeper_error *error) {
    walk root;
    dp_listing listing = { 0 };
    DP_TRY(enter(&root, NULL, dataset->path, error));
    deeper_status status = dp_listing_read(&listing, dataset->path, dataset->allocator, error);
    for (size_t i = 0; i < listing.count && status == DEEPER_OK; i++)
        if (listing.folders[i])
            status = read_class(dataset, listing.names[i], &root, error);
    bool empty = listing.count == 0;
    dp_listing_free(&listing, dataset->allocator);
    if (status != DEEPER_OK)
        return status;
    if (empty)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: an empty folder; a data set has a folder of pictures for each class",
                       dataset->path);
    if (dataset->class_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: holds files but no folders; put the pictures into one folder per class",
                       dataset->path);
    if (dataset->image_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no picture in any of its %zu class folders", dataset->path,
                       dataset->class_count);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------------------------- lists */

static deeper_status add_line(dp_dataset *dataset, const char *folder, const char *path, size_t label, deeper_error *error) {
    size_t had = dataset->class_count, need = label + 1 > had ? label + 1 : had;
    if (!dp_reserve(dataset->allocator, (void **)&dataset->classes, &dataset->class_capacity, need, sizeof *dataset->classes)
        || !add_image(dataset, path[0] == '/' ? "" : folder, path, label))
        return fail_names(dataset, error);
    dataset->class_count = need;
    dataset->classes[label].images++;
    return DEEPER_OK;
}

static deeper_status read_lines(dp_dataset *dataset, const char *folder, char *text, size_t size, deeper_error *error) {
    dp_list list = { .text = text, .size = size };
    const char *path;
    size_t label;
    while (dp_list_read(&list, &path, &label))
        DP_TRY(add_line(dataset, folder, path, label, error));
    if (list.wrong)
        return dp_fail_at(error, DEEPER_ERROR_FORMAT, (int64_t)list.begin, "%s:%zu: %s", dataset->path, list.line, list.wrong);
    return DEEPER_OK;
}

/* The classes of a list are named by their numbers. */
static deeper_status name_numbers(dp_dataset *dataset, deeper_error *error) {
    for (size_t i = 0; i < dataset->class_count; i++) {
        dataset->classes[i].name = dataset->text.size;
        dp_buffer_printf(&dataset->text, "%zu", i);
        dp_buffer_append(&dataset->text, "", 1);
    }
    return dataset->text.failed ? fail_names(dataset, error) : DEEPER_OK;
}

static deeper_status read_list(dp_dataset *dataset, const char *root, deeper_error *error) {
    const char *slash = strrchr(dataset->path, '/');
    char *folder = dp_strdup(dataset->allocator, root ? root : slash ? dataset->path : "");
    if (!folder)
        return fail_names(dataset, error);
    if (!root && slash)
        folder[slash - dataset->path + 1] = '\0';
    void *text = NULL;
    size_t size = 0;
    deeper_status status = dp_file_read(&text, &size, dataset->path, TEXT_LIMIT, dataset->allocator, error);
    if (status == DEEPER_OK)
        status = read_lines(dataset, folder, text, size, error);
    dp_free(dataset->allocator, text);
    dp_free(dataset->allocator, folder);
    if (status != DEEPER_OK)
        return status;
    if (dataset->image_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: a list without lines; each is `PATH LABEL`", dataset->path);
    dataset->numbered = true;
    return name_numbers(dataset, error);
}

deeper_status dp_dataset_open(dp_dataset **out, const char *path, const char *root, const deeper_allocator *allocator,
                              deeper_error *error) {
    bool folder = dp_is_folder(path) == 1;
    if (folder && root)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: a folder has its pictures inside; a root is for list files", path);
    dp_dataset *dataset = dp_alloc(allocator, 1, sizeof *dataset);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    dataset->allocator = allocator;
    dp_buffer_init(&dataset->text, allocator, TEXT_LIMIT);
    dataset->path = dp_strdup(allocator, path);
    deeper_status status = !dataset->path ? dp_fail_memory(error, "the data set")
                           : folder       ? read_folder(dataset, error)
                                          : read_list(dataset, root, error);
    if (status != DEEPER_OK) {
        dp_dataset_free(dataset);
        return status;
    }
    *out = dataset;
    return DEEPER_OK;
}
