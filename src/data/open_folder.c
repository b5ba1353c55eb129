/* open_folder.c - a folder of class folders, or of train/ and val/ folders that hold them, or of
 * IDX files. Only names are read; a picture is opened when it is asked for. */
#include "base/files.h"
#include "data/store.h"

#include <string.h>
#include <sys/stat.h>

/* The folders that are being walked, innermost first: a link back to one of them would never
 * end. */
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
    *here = (walk){ .parent = parent,
                    .device = status.st_dev,
                    .inode = status.st_ino,
                    .depth = parent ? parent->depth + 1 : 0 };
    for (; parent; parent = parent->parent)
        if (parent->device == here->device && parent->inode == here->inode)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s: a link to a folder that it is in; remove the link", path);
    if (here->depth > DP_DATASET_DEPTH)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: more than %d folders deep", path,
                       DP_DATASET_DEPTH);
    return DEEPER_OK;
}

static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index,
                                const walk *parent, deeper_error *error);

/* An entry of a class folder. */
static deeper_status walk_entry(dp_dataset *dataset, const char *folder, const char *name,
                                bool is_folder, size_t class_index, const walk *here,
                                deeper_error *error) {
    size_t place = strlen(dataset->path);
    place += dataset->path[place - 1] != '/';
    dp_picture picture = { .class_index = (uint32_t)class_index, .place = (uint32_t)place };
    if (!is_folder)
        return dp_store_path(dataset->store, &picture.name, folder, name)
                       && dp_dataset_add(dataset, &picture)
                   ? DEEPER_OK
                   : dp_fail_names(dataset, error);
    char *path = dp_path_join(dataset->allocator, folder, name);
    deeper_status status =
        path ? walk_class(dataset, path, class_index, here, error) : dp_fail_names(dataset, error);
    dp_free(dataset->allocator, path);
    return status;
}

/* Adds every file in a class folder and in the folders inside it. */
static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index,
                                const walk *parent, deeper_error *error) {
    walk here;
    dp_listing listing = { 0 };
    DP_TRY(enter(&here, parent, path, error));
    deeper_status status = dp_listing_read(&listing, path, dataset->allocator, error);
    for (size_t i = 0; i < listing.count && status == DEEPER_OK; i++)
        status = walk_entry(dataset, path, listing.names[i], listing.folders[i], class_index, &here,
                            error);
    dp_listing_free(&listing, dataset->allocator);
    return status;
}

static deeper_status read_class(dp_dataset *dataset, const char *name, const walk *root,
                                deeper_error *error) {
    size_t text = 0;
    char *path = dp_path_join(dataset->allocator, dataset->path, name);
    bool have = path && dp_store_path(dataset->store, &text, "", name)
                && dp_dataset_add_class(dataset, text);
    deeper_status status = have ? walk_class(dataset, path, dataset->class_count - 1, root, error)
                                : dp_fail_names(dataset, error);
    dp_free(dataset->allocator, path);
    return status;
}

/* The folders in `listing`, which is of `path`, as the classes of one set. */
static deeper_status read_classes(dp_dataset **out, const char *path, const dp_listing *listing,
                                  const deeper_allocator *allocator, deeper_error *error) {
    walk root;
    DP_TRY(enter(&root, NULL, path, error));
    dp_dataset *dataset = dp_dataset_create(path, dp_read_file, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; i < listing->count && status == DEEPER_OK; i++)
        if (listing->folders[i])
            status = read_class(dataset, listing->names[i], &root, error);
    if (status == DEEPER_OK)
        status = dp_dataset_check_empty(dataset, error);
    if (status == DEEPER_OK)
        *out = dataset;
    else
        dp_dataset_free(dataset);
    return status;
}

/* ---------------------------------------------------------------------------------------- parts */

/* Opens path/name, which is one part of the set. */
static deeper_status open_part(dp_dataset **out, const char *path, const char *name,
                               const deeper_allocator *allocator, deeper_error *error) {
    dp_listing listing = { 0 };
    char *part = dp_path_join(allocator, path, name);
    if (!part)
        return dp_fail_memory(error, "the names of a data set's parts");
    deeper_status status;
    if (dp_is_folder(part) == 1) {
        status = dp_listing_read(&listing, part, allocator, error);
        if (status == DEEPER_OK)
            status = read_classes(out, part, &listing, allocator, error);
        dp_listing_free(&listing, allocator);
    } else
        status = dp_open_idx(out, part, allocator, error);
    dp_free(allocator, part);
    return status;
}

static deeper_status open_parts(dp_dataset **train, dp_dataset **val, const char *path,
                                const char *train_name, const char *val_name,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_dataset *first = NULL;
    DP_TRY(open_part(&first, path, train_name, allocator, error));
    deeper_status status = val_name ? open_part(val, path, val_name, allocator, error) : DEEPER_OK;
    if (status == DEEPER_OK)
        *train = first;
    else
        dp_dataset_free(first);
    return status;
}

/* Whether path/name holds a folder; *status tells if that cannot be known. */
static bool holds_folders(const char *path, const char *name, const deeper_allocator *allocator,
                          deeper_status *status, deeper_error *error) {
    bool holds = false;
    dp_listing listing = { 0 };
    char *part = dp_path_join(allocator, path, name);
    *status = part ? dp_listing_read(&listing, part, allocator, error)
                   : dp_fail_memory(error, "the names of a data set's parts");
    for (size_t i = 0; i < listing.count; i++)
        holds = holds || listing.folders[i];
    dp_listing_free(&listing, allocator);
    dp_free(allocator, part);
    return holds;
}

/* The names of the parts, among those of the listing; *train is NULL where the set has none. */
static deeper_status find_parts(const char **train, const char **val, const char *path,
                                const dp_listing *listing, const deeper_allocator *allocator,
                                deeper_error *error) {
    dp_parts parts = { 0 };
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; i < listing->count; i++)
        if (listing->folders[i])
            dp_parts_add(&parts, listing->names[i], strlen(listing->names[i]));
    if (dp_parts_found(&parts) && holds_folders(path, parts.train, allocator, &status, error)
        && holds_folders(path, parts.val, allocator, &status, error)) {
        *train = parts.train;
        *val = parts.val;
    }
    return status;
}

/* The IDX files of a folder that has no folders: those of Debian's packages and of the sets' own
 * pages. */
static void find_idx(const char **train, const char **val, const dp_listing *listing) {
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->names[i];
        if (listing->folders[i])
            return;
        if (!*train && strncmp(name, "train-images", 12) == 0)
            *train = name;
        if (!*val && strncmp(name, "t10k-images", 11) == 0)
            *val = name;
    }
}

deeper_status dp_open_folder(dp_dataset **train, dp_dataset **val, const char *path,
                             const deeper_allocator *allocator, deeper_error *error) {
    const char *train_name = NULL, *val_name = NULL;
    dp_listing listing = { 0 };
    deeper_status status = dp_listing_read(&listing, path, allocator, error);
    if (status == DEEPER_OK && listing.count == 0)
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: an empty folder; a data set has a folder of pictures for each class",
                         path);
    if (status == DEEPER_OK)
        status = find_parts(&train_name, &val_name, path, &listing, allocator, error);
    if (!train_name)
        find_idx(&train_name, &val_name, &listing);
    if (status == DEEPER_OK)
        status = train_name ? open_parts(train, val, path, train_name, val_name, allocator, error)
                            : read_classes(train, path, &listing, allocator, error);
    dp_listing_free(&listing, allocator);
    return status;
}
