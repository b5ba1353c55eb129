/* open_folder.c - a folder of class folders, or of train/ and val/ folders that hold them, or of
 * IDX files. Only names are read; a picture is opened when it is asked for. */
#include "base/files.h"
#include "base/open.h"
#include "data/layout.h"
#include "data/names.h"
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

/* *loops: the folder is one of those that it lies in. */
static deeper_status enter(walk *here, bool *loops, const walk *parent, const char *path,
                           deeper_error *error) {
    struct stat status;
    if (stat(path, &status) != 0)
        return dp_fail_errno(error, path, "cannot read the folder");
    *here = (walk){ .parent = parent,
                    .device = status.st_dev,
                    .inode = status.st_ino,
                    .depth = parent ? parent->depth + 1 : 0 };
    *loops = parent && dp_leads_up(path);
    for (; parent && !*loops; parent = parent->parent)
        *loops = parent->device == here->device && parent->inode == here->inode;
    if (here->depth > DP_DATASET_DEPTH)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: more than %d folders deep", path,
                       DP_DATASET_DEPTH);
    return DEEPER_OK;
}

static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index,
                                const walk *here, deeper_error *error);

static const char loop_note[] = "a link to a folder that it is in; passed over";

/* A folder in a class folder. */
static deeper_status walk_inside(dp_dataset *dataset, const char *folder, const char *name,
                                 size_t class_index, const walk *parent, deeper_error *error) {
    walk here;
    bool loops = false;
    char *path = dp_path_join(dataset->allocator, folder, name);
    deeper_status status =
        path ? enter(&here, &loops, parent, path, error) : dp_fail_names(dataset, error);
    if (status == DEEPER_OK)
        status = loops ? dp_dataset_add_note(dataset, folder, name, loop_note, error)
                       : walk_class(dataset, path, class_index, &here, error);
    dp_free(dataset->allocator, path);
    return status;
}

static deeper_status add_file(dp_dataset *dataset, const char *folder, const char *name,
                              size_t class_index, deeper_error *error) {
    size_t place = strlen(dataset->path);
    place += dataset->path[place - 1] != '/';
    dp_picture picture = { .class_index = (uint32_t)class_index, .place = (uint32_t)place };
    return dp_store_path(dataset->store, &picture.name, folder, name)
                   && dp_dataset_add(dataset, &picture)
               ? DEEPER_OK
               : dp_fail_names(dataset, error);
}

/* Adds every file in a class folder, or in a folder inside it. */
static deeper_status walk_class(dp_dataset *dataset, const char *path, size_t class_index,
                                const walk *here, deeper_error *error) {
    dp_listing listing = { 0 };
    deeper_status status = dp_listing_read(&listing, path, dataset->allocator, error);
    for (size_t i = 0; i < listing.count && status == DEEPER_OK; i++) {
        const char *name = listing.names[i];
        if (dp_name_ignored(name, strlen(name), listing.folders[i]))
            continue;
        status = listing.folders[i] ? walk_inside(dataset, path, name, class_index, here, error)
                                    : add_file(dataset, path, name, class_index, error);
    }
    dp_listing_free(&listing, dataset->allocator);
    return status;
}

static deeper_status read_class(dp_dataset *dataset, const char *name, const walk *root,
                                deeper_error *error) {
    walk here;
    bool loops = false;
    size_t text = 0;
    char *path = dp_path_join(dataset->allocator, dataset->path, name);
    deeper_status status =
        path ? enter(&here, &loops, root, path, error) : dp_fail_names(dataset, error);
    if (status == DEEPER_OK && loops)
        status = dp_dataset_add_note(dataset, dataset->path, name, loop_note, error);
    else if (status == DEEPER_OK)
        status =
            dp_store_path(dataset->store, &text, "", name) && dp_dataset_add_class(dataset, text)
                ? walk_class(dataset, path, dataset->class_count - 1, &here, error)
                : dp_fail_names(dataset, error);
    dp_free(dataset->allocator, path);
    return status;
}

/* The folders in `listing`, which is of `path`, as the classes of one set. */
static deeper_status read_classes(dp_dataset **out, const char *path, const dp_listing *listing,
                                  const deeper_allocator *allocator, deeper_error *error) {
    walk root;
    bool loops;
    DP_TRY(enter(&root, &loops, NULL, path, error));
    dp_dataset *dataset = dp_dataset_create(path, dp_read_file, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; i < listing->count && status == DEEPER_OK; i++)
        if (listing->folders[i]
            && !dp_name_ignored(listing->names[i], strlen(listing->names[i]), true))
            status = read_class(dataset, listing->names[i], &root, error);
    if (status == DEEPER_OK)
        status = dp_dataset_check_empty(dataset, error);
    if (status == DEEPER_OK)
        status = dp_layout_check(dataset, error);
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

static deeper_status open_parts(dp_dataset *sets[DP_SETS], const char *path,
                                const char *const names[DP_PARTS],
                                const char *const aside[DP_PARTS],
                                const deeper_allocator *allocator, deeper_error *error) {
    deeper_status status = DEEPER_OK;
    dp_dataset *noted = NULL;
    for (int p = 0; p < DP_PARTS && status == DEEPER_OK; p++)
        if (names[p])
            status = open_part(&sets[p], path, names[p], allocator, error);
    for (int p = 0; p < DP_PARTS; p++)
        noted = noted ? noted : sets[p];
    for (int p = 0; p < DP_PARTS && status == DEEPER_OK; p++)
        if (aside[p])
            status = dp_dataset_add_note(noted, path, aside[p], dp_note_unlabelled, error);
    for (int p = 0; p < DP_PARTS && status != DEEPER_OK; p++) {
        dp_dataset_free(sets[p]);
        sets[p] = NULL;
    }
    return status;
}

/* The set that is opened, for dp_layout.look. */
typedef struct opening {
    const char *path;
    const deeper_allocator *allocator;
} opening;

static deeper_status look(void *context, dp_holding *holding, const char *name,
                          deeper_error *error) {
    const opening *set = context;
    dp_listing listing = { 0 };
    char *path = dp_path_join(set->allocator, set->path, name);
    deeper_status status = path ? dp_listing_read(&listing, path, set->allocator, error)
                                : dp_fail_memory(error, "the names of a data set's parts");
    *holding = (dp_holding){ 0 };
    for (size_t i = 0; i < listing.count; i++)
        if (!dp_name_ignored(listing.names[i], strlen(listing.names[i]), listing.folders[i])) {
            holding->folders += listing.folders[i];
            holding->pictures |= !listing.folders[i];
        }
    dp_listing_free(&listing, set->allocator);
    dp_free(set->allocator, path);
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

/* Opens what a folder with this listing is. */
static deeper_status open_listed(dp_dataset *sets[DP_SETS], const char *path,
                                 const dp_listing *listing, const deeper_allocator *allocator,
                                 deeper_error *error) {
    const char *parts[DP_PARTS], *aside[DP_PARTS];
    opening set = { path, allocator };
    const dp_layout layout = { .path = path,
                               .joint = *path && path[strlen(path) - 1] == '/' ? "" : "/",
                               .listing = listing,
                               .look = look,
                               .context = &set };
    if (listing->count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: an empty folder; a data set has a folder of pictures for each class",
                       path);
    DP_TRY(dp_layout_parts(parts, aside, &layout, error));
    if (!parts[DP_TRAIN] && !parts[DP_VAL] && !parts[DP_TEST])
        find_idx(&parts[DP_TRAIN], &parts[DP_VAL], listing);
    return parts[DP_TRAIN] || parts[DP_VAL] || parts[DP_TEST]
               ? open_parts(sets, path, parts, aside, allocator, error)
               : read_classes(&sets[DP_WHOLE], path, listing, allocator, error);
}

deeper_status dp_open_folder(dp_dataset *sets[DP_SETS], const char *path,
                             const deeper_allocator *allocator, deeper_error *error) {
    dp_listing listing = { 0 };
    deeper_status status = dp_listing_read(&listing, path, allocator, error);
    if (status == DEEPER_OK)
        status = open_listed(sets, path, &listing, allocator, error);
    dp_listing_free(&listing, allocator);
    return status;
}
