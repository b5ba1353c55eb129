/* open_tar.c - a tar of class folders as a data set: one index of its headers, one open file,
 * pictures read at their offsets. Words: a base is the folder of the tar that is looked at, with a
 * slash at its end, or "" for all of it; a child is a name just below it. */
#include "base/files.h"
#include "data/layout.h"
#include "data/picture.h"
#include "data/store.h"
#include "data/tar.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BASE_SIZE = 4096 };

/* Fills `bytes` from the file; false: it cannot, or has not so many (errno 0). */
static bool read_at(int file, unsigned char *bytes, size_t size, uint64_t offset) {
    while (size > 0) {
        errno = 0;
        ssize_t got = pread(file, bytes, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

static deeper_status read_inside(dp_image *image, const dp_store *store, const dp_picture *picture,
                                 const dp_decode_options *options,
                                 const deeper_allocator *allocator, deeper_error *error) {
    const char *name = store->text.data + picture->name;
    *image = (dp_image){ 0 };
    if (picture->size > DP_PICTURE_BYTES)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: larger than the %d bytes that are read of a picture", name,
                       DP_PICTURE_BYTES);
    unsigned char *bytes = dp_alloc_raw(allocator, (size_t)picture->size, 1);
    if (!bytes)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to read it", name);
    deeper_status status;
    if (read_at(store->file, bytes, (size_t)picture->size, picture->offset))
        status =
            dp_image_decode(image, bytes, (size_t)picture->size, name, options, allocator, error);
    else
        status = errno ? dp_fail_errno(error, name, "cannot read")
                       : dp_fail(error, DEEPER_ERROR_IO,
                                 "%s: the tar has become shorter since it was opened", name);
    dp_free(allocator, bytes);
    return status;
}

/* -------------------------------------------------------------------------------------- folders */

/* The name of entry i below base; NULL: it is not below it. */
static const char *below(const dp_tar_index *index, size_t i, const char *base) {
    const char *name = index->text.data + index->entries[i].name;
    size_t length = strlen(base);
    return strncmp(name, base, length) == 0 ? name + length : NULL;
}

/* What is just below a base. */
typedef struct survey {
    const char *child; /* the last folder */
    size_t child_length;
    dp_holding holds;
    bool any;
} survey;

static bool put_name(dp_listing *listing, const char *name, size_t length,
                     const deeper_allocator *allocator) {
    char *copy = dp_alloc(allocator, length + 1, 1);
    if (!copy)
        return false;
    memcpy(copy, name, length);
    listing->folders[listing->count] = true;
    listing->names[listing->count++] = copy;
    return true;
}

/* listing: NULL, or where the names of the folders go, with room for them; *full false: out of
 * memory. */
static survey look(const dp_tar_index *index, const char *base, dp_listing *listing, bool *full) {
    survey seen = { 0 };
    for (size_t i = 0; i < index->count; i++) {
        const char *name = below(index, i, base);
        if (!name)
            continue;
        seen.any = true;
        size_t length = strcspn(name, "/");
        if (!name[length] && !index->entries[i].folder) {
            seen.holds.pictures = true;
            continue;
        }
        if (!seen.child || seen.child_length != length || memcmp(seen.child, name, length) != 0) {
            seen.holds.folders++;
            seen.child = name;
            seen.child_length = length;
            if (listing && !put_name(listing, name, length, index->text.allocator))
                *full = false;
        }
    }
    return seen;
}

/* base + child + "/"; false: too long. */
static bool step_into(char base[BASE_SIZE], const char *child, size_t length) {
    size_t used = strlen(base);
    if (length + 2 > BASE_SIZE - used)
        return false;
    memcpy(base + used, child, length);
    memcpy(base + used + length, "/", 2);
    return true;
}

/* Steps into the only folder at the top, and the only one in that, as long as there are folders
 * inside: one that holds files alone is a class. */
static void find_base(char base[BASE_SIZE], const dp_tar_index *index) {
    for (;;) {
        char inner[BASE_SIZE];
        survey here = look(index, base, NULL, NULL);
        memcpy(inner, base, BASE_SIZE);
        if (here.holds.folders != 1 || !step_into(inner, here.child, here.child_length))
            return;
        if (look(index, inner, NULL, NULL).holds.folders == 0)
            return;
        memcpy(base, inner, BASE_SIZE);
    }
}

/* -------------------------------------------------------------------------------------- classes */

/* Adds entry i, whose name below the base is `name`. joint: what stands between it and the set's
 * path. */
static bool add_entry(dp_dataset *dataset, const dp_tar_index *index, size_t i, const char *name,
                      char joint) {
    const dp_tar_entry *entry = &index->entries[i];
    dp_buffer *text = &dataset->store->text;
    size_t length = strcspn(name, "/");
    if (!name[length] && !entry->folder)
        return true; /* a file beside the class folders */
    const char *last =
        dataset->class_count ? dp_dataset_class(dataset, dataset->class_count - 1) : NULL;
    if (!last || strlen(last) != length || memcmp(last, name, length) != 0) {
        size_t begin = text->size;
        if (!dp_buffer_append(text, name, length) || !dp_buffer_append(text, "", 1)
            || !dp_dataset_add_class(dataset, begin))
            return false;
    }
    if (entry->folder)
        return true;
    dp_picture picture = { .name = text->size, .offset = entry->offset, .size = entry->size };
    picture.class_index = (uint32_t)(dataset->class_count - 1);
    picture.place = (uint32_t)(strlen(dataset->path) + 1);
    dp_buffer_printf(text, "%s%c%s", dataset->path, joint, name);
    return dp_buffer_append(text, "", 1) && dp_dataset_add(dataset, &picture);
}

/* The path of what lies below base; NULL: out of memory. Freed by dp_free. */
static char *name_base(const char *tar, const char *base, const deeper_allocator *allocator) {
    dp_buffer path;
    dp_buffer_init(&path, allocator, 2 * BASE_SIZE + strlen(tar));
    size_t length = strlen(base);
    dp_buffer_printf(&path, "%s%s%.*s", tar, length ? ":" : "", (int)(length ? length - 1 : 0),
                     base);
    if (!path.failed)
        return path.data;
    dp_buffer_free(&path);
    return NULL;
}

/* What lies below base, as one set, in the empty `dataset`. */
static deeper_status fill(dp_dataset *dataset, const dp_tar_index *index, const char *tar,
                          const char *base, deeper_error *error) {
    char *path = name_base(tar, base, dataset->allocator);
    if (!path)
        return dp_fail_names(dataset, error);
    dp_free(dataset->allocator, dataset->path);
    dataset->path = path;
    for (size_t i = 0; i < index->count; i++) {
        const char *name = below(index, i, base);
        if (name && !add_entry(dataset, index, i, name, *base ? '/' : ':'))
            return dp_fail_names(dataset, error);
    }
    DP_TRY(dp_dataset_check_empty(dataset, error));
    return dp_layout_check(dataset, error);
}

/* -------------------------------------------------------------------------------------- parts */

/* What is being opened. */
typedef struct opening {
    const dp_tar_index *index;
    const char *tar;
    char base[BASE_SIZE];
    dp_dataset *empty; /* owns the store */
} opening;

static deeper_status fail_long(const opening *set, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: the name of a folder in it is too long",
                   set->tar);
}

static deeper_status look_into(void *context, dp_holding *holding, const char *name,
                               deeper_error *error) {
    const opening *set = context;
    char base[BASE_SIZE];
    memcpy(base, set->base, BASE_SIZE);
    if (!step_into(base, name, strlen(name)))
        return fail_long(set, error);
    *holding = look(set->index, base, NULL, NULL).holds;
    return DEEPER_OK;
}

static deeper_status open_part(dp_dataset **part, const opening *set, const char *name,
                               deeper_error *error) {
    char base[BASE_SIZE];
    memcpy(base, set->base, BASE_SIZE);
    if (name && !step_into(base, name, strlen(name)))
        return fail_long(set, error);
    *part = dp_dataset_create_part(set->empty);
    return *part ? fill(*part, set->index, set->tar, base, error)
                 : dp_fail_names(set->empty, error);
}

static deeper_status open_all(dp_dataset *sets[DP_SETS], opening *set, const dp_listing *listing,
                              deeper_error *error) {
    const char *parts[DP_PARTS], *aside[DP_PARTS];
    char *path = name_base(set->tar, set->base, set->empty->allocator);
    if (!path)
        return dp_fail_names(set->empty, error);
    const char *joint = *set->base ? "/" : ":";
    const dp_layout layout = {
        .path = path, .joint = joint, .listing = listing, .look = look_into, .context = set
    };
    deeper_status status = dp_layout_parts(parts, aside, &layout, error);
    bool whole = true;
    for (int p = 0; p < DP_PARTS && status == DEEPER_OK; p++) {
        whole = whole && !parts[p];
        if (parts[p])
            status = open_part(&sets[p], set, parts[p], error);
        if (aside[p] && status == DEEPER_OK)
            status = dp_dataset_add_note(set->empty, path, aside[p], dp_note_unlabelled, error);
    }
    if (status == DEEPER_OK && whole)
        status = open_part(&sets[DP_WHOLE], set, NULL, error);
    dp_free(set->empty->allocator, path);
    return status;
}

/* `inner` of the tar, or what its top holds after the steps into lone folders. */
static deeper_status choose(dp_dataset *sets[DP_SETS], opening *set, const char *inner,
                            deeper_error *error) {
    const deeper_allocator *allocator = set->empty->allocator;
    if (inner && *inner) {
        size_t length = strlen(inner);
        while (length > 0 && inner[length - 1] == '/')
            length--;
        if (!step_into(set->base, inner, length) || !look(set->index, set->base, NULL, NULL).any)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s: no folder %s in it; list it with tar tf", set->tar, inner);
    } else
        find_base(set->base, set->index);
    size_t folders = look(set->index, set->base, NULL, NULL).holds.folders;
    dp_listing listing = { .names = dp_alloc(allocator, folders + 1, sizeof *listing.names),
                           .folders = dp_alloc(allocator, folders + 1, sizeof *listing.folders) };
    bool full = listing.names && listing.folders;
    if (full)
        look(set->index, set->base, &listing, &full);
    deeper_status status =
        full ? open_all(sets, set, &listing, error) : dp_fail_names(set->empty, error);
    dp_listing_free(&listing, allocator);
    return status;
}

deeper_status dp_open_tar(dp_dataset *sets[DP_SETS], const char *path, const char *inner,
                          const deeper_allocator *allocator, deeper_error *error) {
    dp_tar_index index;
    opening set = { .index = &index,
                    .tar = path,
                    .empty = dp_dataset_create(path, read_inside, allocator) };
    if (!set.empty)
        return dp_fail_memory(error, "the data set");
    int file = -1;
    deeper_status status = dp_file_open(&file, path, error);
    set.empty->store->file = file;
    if (status == DEEPER_OK)
        status = dp_tar_index_read(&index, file, path, allocator, error);
    if (status == DEEPER_OK) {
        status = choose(sets, &set, inner, error);
        dp_tar_index_free(&index);
    }
    for (int i = 0; i < DP_SETS && status != DEEPER_OK; i++) {
        dp_dataset_free(sets[i]);
        sets[i] = NULL;
    }
    dp_dataset_free(set.empty);
    return status;
}
