/* open_idx.c - a pair of IDX files as a data set: pictures held in memory, labels found beside them
 * by name. */
#include "base/files.h"
#include "data/idx.h"
#include "data/store.h"

#include <string.h>
#include <unistd.h>

/* The file of labels has the name of the file of pictures with these words changed. */
static const char *const words[][2] = { { "images", "labels" }, { "idx3", "idx1" } };
enum { WORDS = sizeof words / sizeof *words };

/* Classes of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), in the order of its labels. */
static const char *const fashion[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};
enum { FASHIONS = sizeof fashion / sizeof *fashion };

static deeper_status read_grey(dp_image *image, const dp_store *store, const dp_picture *picture,
                               const dp_decode_options *options, const deeper_allocator *allocator,
                               deeper_error *error) {
    const char *name = store->text.data + picture->name;
    const uint8_t *grey = store->pixels + picture->offset;
    *image = (dp_image){ 0 };
    if (options && options->limits.max_pixels && picture->size > options->limits.max_pixels)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "%s: %dx%d is more than the limit of %llu pixels (max_pixels)", name,
                       store->width, store->height, (unsigned long long)options->limits.max_pixels);
    uint8_t *rgb = dp_alloc_raw(allocator, (size_t)picture->size, 3);
    if (!rgb)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for %dx%d pixels", name,
                       store->width, store->height);
    for (size_t i = 0; i < picture->size; i++)
        memset(rgb + 3 * i, grey[i], 3);
    *image = (dp_image){
        .width = store->width, .height = store->height, .pixels = rgb, .allocator = allocator
    };
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------- file of labels */

/* Into `name` the file's name with the words changed; where there is no such file, with .gz taken
 * away or added. */
static deeper_status find_labels(dp_buffer *name, const char *path, deeper_error *error) {
    const char *slash = strrchr(path, '/'), *at = slash ? slash + 1 : path;
    bool changed = false;
    dp_buffer_append(name, path, (size_t)(at - path));
    while (*at) {
        size_t w = 0, length = 1;
        while (w < WORDS && strncmp(at, words[w][0], strlen(words[w][0])) != 0)
            w++;
        if (w < WORDS)
            length = strlen(words[w][0]);
        dp_buffer_append(name, w < WORDS ? words[w][1] : at, w < WORDS ? strlen(words[w][1]) : 1);
        changed = changed || w == 0;
        at += length;
    }
    if (!changed)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: IDX pictures whose name has no \"images\" in it; the labels have the "
                       "same name with \"labels\"",
                       path);
    if (!name->failed && dp_is_folder(name->data) < 0) {
        bool packed = name->size > 3 && strcmp(name->data + name->size - 3, ".gz") == 0;
        if (packed)
            name->data[name->size - 3] = '\0';
        else
            dp_buffer_append(name, ".gz", 3);
    }
    if (name->failed)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory for the name of its labels",
                       path);
    if (dp_is_folder(name->data) < 0)
        return dp_fail(error, DEEPER_ERROR_IO, "%s: its labels are not beside it: no file %s", path,
                       name->data);
    return DEEPER_OK;
}

static deeper_status read_labels(dp_idx *labels, const char *path,
                                 const deeper_allocator *allocator, deeper_error *error) {
    int file = -1;
    dp_buffer name;
    dp_buffer_init(&name, allocator, DEEPER_MESSAGE_SIZE * 16);
    deeper_status status = find_labels(&name, path, error);
    if (status == DEEPER_OK)
        status = dp_file_open(&file, name.data, error);
    if (status == DEEPER_OK)
        status = dp_idx_read(labels, file, false, name.data, allocator, error);
    if (file >= 0)
        close(file);
    dp_buffer_free(&name);
    return status;
}

/* -------------------------------------------------------------------------------------- opening */

static deeper_status read_pictures(dp_dataset *dataset, size_t *count, deeper_error *error) {
    dp_idx idx;
    int file = -1;
    DP_TRY(dp_file_open(&file, dataset->path, error));
    deeper_status status = dp_idx_read(&idx, file, true, dataset->path, dataset->allocator, error);
    close(file);
    dataset->store->pixels = idx.bytes;
    dataset->store->width = idx.columns;
    dataset->store->height = idx.rows;
    *count = idx.count;
    return status;
}

static deeper_status name_classes(dp_dataset *dataset, deeper_error *error) {
    if (dataset->class_count > FASHIONS || !strcasestr(dataset->path, "fashion"))
        return dp_dataset_number_classes(dataset, error);
    for (size_t c = 0; c < dataset->class_count; c++)
        if (!dp_store_path(dataset->store, &dataset->classes[c].name, "", fashion[c]))
            return dp_fail_names(dataset, error);
    return DEEPER_OK;
}

static deeper_status add_pictures(dp_dataset *dataset, const dp_idx *labels, deeper_error *error) {
    dp_store *store = dataset->store;
    dp_buffer *text = &store->text;
    const char *slash = strrchr(dataset->path, '/');
    dp_picture picture = { .place = slash ? (uint32_t)(slash + 1 - dataset->path) : 0 };
    picture.size = (uint64_t)store->width * (uint64_t)store->height;
    for (size_t i = 0; i < labels->count; i++) {
        bool have = true;
        picture.name = text->size;
        picture.class_index = labels->bytes[i];
        picture.offset = i * picture.size;
        while (have && dataset->class_count <= picture.class_index)
            have = dp_dataset_add_class(dataset, 0);
        dp_buffer_printf(text, "%s:%zu", dataset->path, i);
        if (!have || !dp_buffer_append(text, "", 1) || !dp_dataset_add(dataset, &picture))
            return dp_fail_names(dataset, error);
    }
    return name_classes(dataset, error);
}

static deeper_status read_pair(dp_dataset *dataset, deeper_error *error) {
    size_t count = 0;
    dp_idx labels = { 0 };
    DP_TRY(read_pictures(dataset, &count, error));
    deeper_status status = read_labels(&labels, dataset->path, dataset->allocator, error);
    if (status == DEEPER_OK && labels.count != count)
        status = dp_fail(error, DEEPER_ERROR_MISMATCH,
                         "%s: %zu pictures, but %zu labels beside them; fetch both again",
                         dataset->path, count, labels.count);
    if (status == DEEPER_OK)
        status = add_pictures(dataset, &labels, error);
    dp_free(dataset->allocator, labels.bytes);
    return status;
}

deeper_status dp_open_idx(dp_dataset **out, const char *path, const deeper_allocator *allocator,
                          deeper_error *error) {
    dp_dataset *dataset = dp_dataset_create(path, read_grey, allocator);
    if (!dataset)
        return dp_fail_memory(error, "the data set");
    deeper_status status = read_pair(dataset, error);
    if (status == DEEPER_OK)
        *out = dataset;
    else
        dp_dataset_free(dataset);
    return status;
}
