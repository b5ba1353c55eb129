/* open_tar.c - a tar of class folders as a data set: one index of its headers, one open file,
 * pictures read at their offsets. Words: a base is the folder of the tar that is looked at, with a
 * slash at its end, or "" for all of it; a child is a name just below it. */
#include "base/files.h"
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
    dp_parts parts;
    const char *child; /* the last folder */
    size_t child_length;
    size_t folders;
    bool any;
} survey;

static survey look(const dp_tar_index *index, const char *base) {
    survey seen = { 0 };
    for (size_t i = 0; i < index->count; i++) {
        const char *name = below(index, i, base);
        if (!name)
            continue;
        seen.any = true;
        size_t length = strcspn(name, "/");
        if (!name[length] && !index->entries[i].folder)
            continue;
        if (!seen.child || seen.child_length != length || memcmp(seen.child, name, length) != 0) {
            seen.folders++;
            seen.child = name;
            seen.child_length = length;
            dp_parts_add(&seen.parts, name, length);
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
        survey here = look(index, base);
        memcpy(inner, base, BASE_SIZE);
        if (here.folders != 1 || !step_into(inner, here.child, here.child_length))
            return;
        if (look(index, inner).folders == 0)
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

/* What lies below base, as one set, in the empty `dataset`. */
static deeper_status fill(dp_dataset *dataset, const dp_tar_index *index, const char *tar,
                          const char *base, deeper_error *error) {
    dp_buffer path;
    dp_buffer_init(&path, dataset->allocator, 2 * BASE_SIZE + strlen(tar));
    size_t length = strlen(base);
    dp_buffer_printf(&path, "%s%s%.*s", tar, length ? ":" : "", (int)(length ? length - 1 : 0),
                     base);
    if (path.failed) {
        dp_buffer_free(&path);
        return dp_fail_names(dataset, error);
    }
    dp_free(dataset->allocator, dataset->path);
    dataset->path = path.data;
    for (size_t i = 0; i < index->count; i++) {
        const char *name = below(index, i, base);
        if (name && !add_entry(dataset, index, i, name, length ? '/' : ':'))
            return dp_fail_names(dataset, error);
    }
    return dp_dataset_check_empty(dataset, error);
}

/* Whether both parts below base hold folders; their bases. */
static bool find_parts(char train[BASE_SIZE], char val[BASE_SIZE], const dp_tar_index *index,
                       const char *base) {
    dp_parts parts = look(index, base).parts;
    memcpy(train, base, BASE_SIZE);
    memcpy(val, base, BASE_SIZE);
    return dp_parts_found(&parts) && step_into(train, parts.train, parts.train_length)
           && step_into(val, parts.val, parts.val_length) && look(index, train).folders > 0
           && look(index, val).folders > 0;
}

static deeper_status choose(dp_dataset *dataset, dp_dataset **val, const dp_tar_index *index,
                            const char *tar, const char *inner, deeper_error *error) {
    char base[BASE_SIZE] = "", train_base[BASE_SIZE], val_base[BASE_SIZE];
    if (inner && *inner) {
        size_t length = strlen(inner);
        while (length > 0 && inner[length - 1] == '/')
            length--;
        if (!step_into(base, inner, length) || !look(index, base).any)
            return dp_fail(error, DEEPER_ERROR_FORMAT,
                           "%s: no folder %s in it; list it with tar tf", tar, inner);
    } else
        find_base(base, index);
    if (!find_parts(train_base, val_base, index, base))
        return fill(dataset, index, tar, base, error);
    dp_dataset *part = dp_dataset_create_part(dataset);
    if (!part)
        return dp_fail_names(dataset, error);
    deeper_status status = fill(dataset, index, tar, train_base, error);
    if (status == DEEPER_OK)
        status = fill(part, index, tar, val_base, error);
    if (status == DEEPER_OK)
        *val = part;
    else
        dp_dataset_free(part);
    return status;
}

deeper_status dp_open_tar(dp_dataset **train, dp_dataset **val, const char *path, const char *inner,
                          const deeper_allocator *allocator, deeper_error *error) {
    dp_tar_index index;
    dp_dataset *dataset = dp_dataset_create(path, read_inside, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    int file = -1;
    deeper_status status = dp_file_open(&file, path, error);
    dataset->store->file = file;
    if (status == DEEPER_OK)
        status = dp_tar_index_read(&index, file, path, allocator, error);
    if (status == DEEPER_OK) {
        status = choose(dataset, val, &index, path, inner, error);
        dp_tar_index_free(&index);
    }
    if (status == DEEPER_OK)
        *train = dataset;
    else
        dp_dataset_free(dataset);
    return status;
}
