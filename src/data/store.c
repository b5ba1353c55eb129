/* store.c - what the openers build data sets with: shared stores, growing tables, notes. */
#include "data/store.h"

#include "data/picture.h"

#include <string.h>
#include <unistd.h>

#define TEXT_LIMIT UINT32_MAX /* bytes of all names: some 50 million pictures */

static void release(dp_store *store, const deeper_allocator *allocator) {
    if (atomic_fetch_sub(&store->owners, 1) > 1)
        return;
    if (store->file >= 0)
        close(store->file);
    dp_free(allocator, store->pixels);
    dp_buffer_free(&store->text);
    dp_buffer_free(&store->notes);
    dp_free(allocator, store);
}

void dp_dataset_free(dp_dataset *dataset) {
    if (!dataset)
        return;
    dp_store *store = dataset->store;
    const deeper_allocator copy =
        store->copy; /* the store cannot free itself through what lies in it */
    const deeper_allocator *allocator = store->allocator ? &copy : NULL;
    dp_free(allocator, dataset->path);
    dp_free(allocator, dataset->classes);
    dp_free(allocator, dataset->images);
    dp_free(allocator, dataset);
    release(store, allocator);
}

static dp_store *create_store(dp_store_read *read, const deeper_allocator *allocator) {
    dp_store *store = dp_alloc(allocator, 1, sizeof *store);
    if (!store)
        return NULL;
    if (allocator) {
        store->copy = *allocator;
        store->allocator = &store->copy;
    }
    atomic_init(&store->owners, 0);
    dp_buffer_init(&store->text, store->allocator, TEXT_LIMIT);
    dp_buffer_init(&store->notes, store->allocator, TEXT_LIMIT);
    store->read = read;
    store->file = -1;
    return store;
}

/* A set without classes; NULL: out of memory, then a store that nobody owns is freed too. */
static dp_dataset *create(dp_store *store, const char *path) {
    dp_dataset *dataset = dp_alloc(store->allocator, 1, sizeof *dataset);
    char *copy = dp_strdup(store->allocator, path);
    atomic_fetch_add(&store->owners, 1);
    if (!dataset || !copy) {
        const deeper_allocator kept = store->copy;
        const deeper_allocator *allocator = store->allocator ? &kept : NULL;
        dp_free(allocator, dataset);
        dp_free(allocator, copy);
        release(store, allocator);
        return NULL;
    }
    *dataset = (dp_dataset){ .allocator = store->allocator, .store = store, .path = copy };
    return dataset;
}

dp_dataset *dp_dataset_create(const char *path, dp_store_read *read,
                              const deeper_allocator *allocator) {
    dp_store *store = create_store(read, allocator);
    return store ? create(store, path) : NULL;
}

dp_dataset *dp_dataset_create_part(const dp_dataset *whole) {
    dp_dataset *part = create(whole->store, whole->path);
    if (!part)
        return NULL;
    part->numbered = whole->numbered;
    for (size_t i = 0; i < whole->class_count; i++)
        if (!dp_dataset_add_class(part, whole->classes[i].name)) {
            dp_dataset_free(part);
            return NULL;
        }
    return part;
}

bool dp_dataset_add_class(dp_dataset *dataset, size_t name) {
    void *classes = dataset->classes;
    if (!dp_reserve(dataset->allocator, &classes, &dataset->class_capacity,
                    dataset->class_count + 1, sizeof *dataset->classes))
        return false;
    dataset->classes = classes;
    dataset->classes[dataset->class_count++] = (dp_class){ .name = name };
    return true;
}

bool dp_dataset_add(dp_dataset *dataset, const dp_picture *picture) {
    void *images = dataset->images;
    if (!dp_reserve(dataset->allocator, &images, &dataset->image_capacity, dataset->image_count + 1,
                    sizeof *dataset->images))
        return false;
    dataset->images = images;
    dataset->images[dataset->image_count++] = *picture;
    dataset->classes[picture->class_index].images++;
    return true;
}

bool dp_store_path(dp_store *store, size_t *begin, const char *folder, const char *name) {
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] != '/' ? "/" : "";
    *begin = store->text.size;
    dp_buffer_printf(&store->text, "%s%s%s", folder, slash, name);
    return dp_buffer_append(&store->text, "", 1);
}

deeper_status dp_read_file(dp_image *image, const dp_store *store, const dp_picture *picture,
                           const dp_decode_options *options, const deeper_allocator *allocator,
                           deeper_error *error) {
    return dp_picture_read(image, store->text.data + picture->name, options, allocator, error);
}

deeper_status dp_dataset_number_classes(dp_dataset *dataset, deeper_error *error) {
    dp_buffer *text = &dataset->store->text;
    dataset->numbered = true;
    for (size_t i = 0; i < dataset->class_count; i++) {
        dataset->classes[i].name = text->size;
        dp_buffer_printf(text, "%zu", i);
        dp_buffer_append(text, "", 1);
    }
    return text->failed ? dp_fail_names(dataset, error) : DEEPER_OK;
}

deeper_status dp_fail_names(const dp_dataset *dataset, deeper_error *error) {
    return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for the names of its pictures",
                   dataset->path);
}

deeper_status dp_dataset_check_empty(const dp_dataset *dataset, deeper_error *error) {
    if (dataset->class_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: holds files but no folders; put the pictures into one folder per class",
                       dataset->path);
    if (dataset->image_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no picture in any of its %zu class folders",
                       dataset->path, dataset->class_count);
    return DEEPER_OK;
}

const char *const dp_note_unlabelled = "holds pictures but no class folders; left aside";

deeper_status dp_dataset_add_note(dp_dataset *dataset, const char *folder, const char *name,
                                  const char *text, deeper_error *error) {
    dp_buffer *notes = &dataset->store->notes;
    size_t length = strlen(folder);
    dp_buffer_printf(notes, "%s%s%s: %s", folder,
                     length && (folder[length - 1] == '/' || folder[length - 1] == ':') ? "" : "/",
                     name, text);
    return dp_buffer_append(notes, "", 1) ? DEEPER_OK : dp_fail_names(dataset, error);
}

const char *dp_dataset_note(const dp_dataset *dataset, size_t index) {
    const dp_buffer *notes = &dataset->store->notes;
    const char *note = notes->data;
    const char *end = notes->size ? notes->data + notes->size : NULL;
    for (; index > 0 && note < end; index--)
        note += strlen(note) + 1;
    return note < end ? note : NULL;
}
