/* dataset.c - a data set opened by what its path is, read, identified and divided. */
#include "data/dataset.h"

#include "base/files.h"
#include "base/random.h"
#include "data/store.h"

#include <string.h>
#include <sys/stat.h>

const char *dp_dataset_class(const dp_dataset *dataset, size_t index) {
    return dataset->store->text.data + dataset->classes[index].name;
}

const char *dp_dataset_name(const dp_dataset *dataset, size_t index) {
    return dataset->store->text.data + dataset->images[index].name;
}

deeper_status dp_dataset_read(dp_image *image, const dp_dataset *dataset, size_t index, const dp_decode_options *options,
                              const deeper_allocator *allocator, deeper_error *error) {
    return dataset->store->read(image, dataset->store, &dataset->images[index], options, allocator, error);
}

/* ----------------------------------------------------------------------------------------------------------- opening */

deeper_status dp_dataset_open_pair(dp_dataset **train, dp_dataset **val, const char *path, const char *root,
                                   const deeper_allocator *allocator, deeper_error *error) {
    *val = NULL;
    if (dp_is_folder(path) != 1)
        return dp_open_list(train, path, root, allocator, error);
    if (root)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: a folder has its pictures inside; a root is for list files", path);
    return dp_open_folder(train, val, path, allocator, error);
}

deeper_status dp_dataset_open(dp_dataset **dataset, const char *path, const char *root, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_dataset *train = NULL, *val = NULL;
    DP_TRY(dp_dataset_open_pair(&train, &val, path, root, allocator, error));
    if (val)
        dp_dataset_free(train);
    *dataset = val ? val : train;
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------------------- fingerprint */

/* FNV-1a of 64 bits. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* A number as its eight bytes, lowest first: the same on every machine. */
static uint64_t hash_number(uint64_t hash, uint64_t number) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return hash_bytes(hash, bytes, sizeof bytes);
}

static uint64_t hash_picture(uint64_t hash, const dp_dataset *dataset, size_t index) {
    const dp_picture *picture = &dataset->images[index];
    const char *path = dp_dataset_name(dataset, index), *name = path + picture->place;
    uint64_t size = picture->size;
    struct stat status;
    if (dataset->store->read == dp_read_file)
        size = stat(path, &status) == 0 ? (uint64_t)status.st_size : UINT64_MAX; /* missing: a set of its own */
    hash = hash_bytes(hash, name, strlen(name) + 1);
    hash = hash_number(hash, size);
    return hash_number(hash, picture->class_index);
}

uint64_t dp_dataset_fingerprint(const dp_dataset *dataset) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < dataset->class_count; i++) {
        const char *name = dp_dataset_class(dataset, i);
        hash = hash_bytes(hash, name, strlen(name) + 1);
    }
    for (size_t i = 0; i < dataset->image_count; i++)
        hash = hash_picture(hash, dataset, i);
    return hash;
}

/* ------------------------------------------------------------------------------------------------------------- split */

/* Marks the pictures of one class that go to validation. indices[0..count) are its pictures; they are shuffled. */
static size_t choose(bool *chosen, size_t *indices, size_t count, double fraction, dp_random random) {
    size_t wanted = (size_t)((double)count * fraction + 0.5);
    if (count < 2)
        return 0;
    wanted = wanted < 1 ? 1 : wanted < count ? wanted : count - 1;
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + (size_t)(dp_random_u64(&random) % (count - i));
        size_t index = indices[other];
        indices[other] = indices[i];
        chosen[index] = true;
    }
    return wanted;
}

/* chosen[i]: picture i goes to validation. The number of these, through *count. */
static bool choose_all(bool *chosen, size_t *count, const dp_dataset *dataset, double fraction, uint64_t seed) {
    size_t *indices = dp_alloc_raw(dataset->allocator, dataset->image_count, sizeof *indices);
    size_t *begins = dp_alloc(dataset->allocator, dataset->class_count, sizeof *begins), at = 0;
    bool have = indices && begins;
    for (size_t c = 0; have && c < dataset->class_count; c++) {
        begins[c] = at;
        at += dataset->classes[c].images;
    }
    for (size_t i = 0; have && i < dataset->image_count; i++)
        indices[begins[dataset->images[i].class_index]++] = i;
    for (size_t c = 0; have && c < dataset->class_count; c++) {
        size_t images = dataset->classes[c].images;
        *count += choose(chosen, indices + begins[c] - images, images, fraction, dp_random_at(seed, c, 0));
    }
    dp_free(dataset->allocator, indices);
    dp_free(dataset->allocator, begins);
    return have;
}

/* The pictures whose mark is `wanted`, as a set; NULL: out of memory. */
static dp_dataset *take(const dp_dataset *dataset, const bool *chosen, bool wanted) {
    dp_dataset *part = dp_dataset_create_part(dataset);
    for (size_t i = 0; part && i < dataset->image_count; i++)
        if (chosen[i] == wanted && !dp_dataset_add(part, &dataset->images[i])) {
            dp_dataset_free(part);
            part = NULL;
        }
    return part;
}

deeper_status dp_dataset_split(dp_dataset **train, dp_dataset **val, const dp_dataset *dataset, double fraction, uint64_t seed,
                               deeper_error *error) {
    if (!(fraction > 0 && fraction < 1))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: %g of it for validation; the share must lie between 0 and 1",
                       dataset->path, fraction);
    size_t count = 0;
    bool *chosen = dp_alloc(dataset->allocator, dataset->image_count, sizeof *chosen);
    bool have = chosen && choose_all(chosen, &count, dataset, fraction, seed);
    dp_dataset *rest = have ? take(dataset, chosen, false) : NULL;
    dp_dataset *part = rest ? take(dataset, chosen, true) : NULL;
    dp_free(dataset->allocator, chosen);
    deeper_status status = DEEPER_OK;
    if (!part)
        status = dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to divide its pictures", dataset->path);
    else if (count == 0)
        status = dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no class has two pictures, one to train on and one to validate with",
                         dataset->path);
    if (status != DEEPER_OK) {
        dp_dataset_free(rest);
        dp_dataset_free(part);
        return status;
    }
    *train = rest;
    *val = part;
    return DEEPER_OK;
}
