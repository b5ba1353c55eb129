/* dataset.c - a data set opened by what its path is, read, identified and divided. */
#include "data/dataset.h"

#include "base/checksum.h"
#include "base/files.h"
#include "base/random.h"
#include "data/idx.h"
#include "data/store.h"
#include "data/tar.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

const char *dp_dataset_class(const dp_dataset *dataset, size_t index) {
    return dataset->store->text.data + dataset->classes[index].name;
}

const char *dp_dataset_name(const dp_dataset *dataset, size_t index) {
    return dataset->store->text.data + dataset->images[index].name;
}

deeper_status dp_dataset_read(dp_image *image, const dp_dataset *dataset, size_t index,
                              const dp_decode_options *options, const deeper_allocator *allocator,
                              deeper_error *error) {
    return dataset->store->read(image, dataset->store, &dataset->images[index], options, allocator,
                                error);
}

/* -------------------------------------------------------------------------------------- opening */

/* What a file is by its first bytes. */
typedef enum kind { KIND_LIST, KIND_TAR, KIND_IDX, KIND_PACKED } kind;

enum { HEAD = 512 }; /* a block of a tar */

/* Files that must be unpacked first: their first bytes, and the command. */
static const struct {
    const char *bytes;
    size_t size;
    const char *name, *remedy;
} packings[] = {
    { "\x1F\x8B", 2, "gzip", "gunzip -k" },
    { "\xFD"
      "7zXZ",
      5, "xz", "xz -dk" },
    { "BZh", 3, "bzip2", "bunzip2 -k" },
    { "\x28\xB5\x2F\xFD", 4, "zstd", "zstd -d" },
    { "PK\x03\x04", 4, "zip", "unzip" },
};
enum { GZIP, PACKINGS = sizeof packings / sizeof *packings };

/* The first bytes of a file as they are; of an IDX file that is gzipped its first words. */
static size_t read_head(unsigned char head[HEAD], int file) {
    ssize_t got = pread(file, head, HEAD, 0);
    if (got < 2 || memcmp(head, packings[GZIP].bytes, packings[GZIP].size) != 0)
        return got > 0 ? (size_t)got : 0;
    unsigned char words[4];
    int copy = dup(file); /* gzclose closes it */
    gzFile stream = copy >= 0 ? gzdopen(copy, "rb") : NULL;
    if (!stream && copy >= 0)
        close(copy);
    if (!stream)
        return (size_t)got;
    gzbuffer(stream, 16); /* unpack no more than is asked for: what is damaged further on, the
                             reader of IDX files tells */
    int unpacked = gzread(stream, words, sizeof words);
    gzclose(stream);
    if (unpacked != sizeof words || !dp_idx_begins(words, sizeof words))
        return (size_t)got;
    memcpy(head, words, sizeof words);
    return sizeof words;
}

/* *packing: of KIND_PACKED, which. Only ordinary files are looked into: to read from a pipe takes
 * its bytes away. */
static deeper_status find_kind(kind *format, size_t *packing, const char *path,
                               deeper_error *error) {
    unsigned char head[HEAD];
    struct stat status;
    *format = KIND_LIST;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return DEEPER_OK; /* what is wrong with it, reading it as a list will tell */
    int file = -1;
    DP_TRY(dp_file_open(&file, path, error));
    size_t size = read_head(head, file);
    close(file);
    *packing = 0;
    while (*packing < PACKINGS
           && (size < packings[*packing].size
               || memcmp(head, packings[*packing].bytes, packings[*packing].size) != 0))
        ++*packing;
    *format = dp_idx_begins(head, size)   ? KIND_IDX
              : dp_tar_begins(head, size) ? KIND_TAR
              : *packing < PACKINGS       ? KIND_PACKED
                                          : KIND_LIST;
    return DEEPER_OK;
}

/* inner: the folder after the colon, or NULL. */
static deeper_status open_file(dp_dataset *sets[DP_SETS], const char *path, const char *inner,
                               const char *root, const deeper_allocator *allocator,
                               deeper_error *error) {
    kind format = KIND_LIST;
    size_t packing = 0;
    DP_TRY(find_kind(&format, &packing, path, error));
    if (format == KIND_PACKED)
        return dp_fail(
            error, DEEPER_ERROR_UNSUPPORTED,
            "%s: compressed (%s), so its pictures cannot be read at random; unpack it first: %s",
            path, packings[packing].name, packings[packing].remedy);
    if (format == KIND_LIST)
        return dp_open_list(sets, path, inner, root, allocator, error);
    if (inner && format != KIND_TAR)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not a tar, so there is no folder %s in it", path, inner);
    if (root)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: has its pictures inside; a root is for list files", path);
    return format == KIND_TAR ? dp_open_tar(sets, path, inner, allocator, error)
                              : dp_open_idx(&sets[DP_WHOLE], path, allocator, error);
}

/* A path of nothing that is there: "FILE:folder" if there is such a file, up to the first colon
 * that makes one. */
static deeper_status open_inside(dp_dataset *sets[DP_SETS], const char *path, const char *root,
                                 const deeper_allocator *allocator, deeper_error *error) {
    char *file = dp_strdup(allocator, path);
    if (!file)
        return dp_fail_memory(error, "the path of a data set");
    char *colon = strchr(file, ':');
    for (; colon; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (dp_is_folder(file) == 0)
            break;
        *colon = ':';
    }
    deeper_status status = open_file(sets, file, colon ? colon + 1 : NULL, root, allocator, error);
    dp_free(allocator, file);
    return status;
}

/* The set, or those of its parts; all NULL on failure. */
static deeper_status open_sets(dp_dataset *sets[DP_SETS], const char *path, const char *root,
                               const deeper_allocator *allocator, deeper_error *error) {
    int is_folder = dp_is_folder(path);
    for (int i = 0; i < DP_SETS; i++)
        sets[i] = NULL;
    if (is_folder < 0)
        return open_inside(sets, path, root, allocator, error);
    if (is_folder == 0)
        return open_file(sets, path, NULL, root, allocator, error);
    if (root)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: a folder has its pictures inside; a root is for list files", path);
    return dp_open_folder(sets, path, allocator, error);
}

/* Gives the chosen set out of those that were opened. */
static dp_dataset *take_out(dp_dataset *sets[DP_SETS], int which) {
    dp_dataset *chosen = sets[which];
    sets[which] = NULL;
    return chosen;
}

static void free_sets(dp_dataset *sets[DP_SETS]) {
    for (int i = 0; i < DP_SETS; i++)
        dp_dataset_free(sets[i]);
}

/* Which of the sets is to be measured on; DP_TRAIN: none. */
static int to_measure(dp_dataset *const sets[DP_SETS]) {
    return sets[DP_WHOLE] ? DP_WHOLE : sets[DP_VAL] ? DP_VAL : sets[DP_TEST] ? DP_TEST : DP_TRAIN;
}

deeper_status dp_dataset_open_pair(dp_dataset **train, dp_dataset **val, const char *path,
                                   const char *root, const deeper_allocator *allocator,
                                   deeper_error *error) {
    dp_dataset *sets[DP_SETS];
    *val = NULL;
    DP_TRY(open_sets(sets, path, root, allocator, error));
    int measured = to_measure(sets);
    deeper_status status = DEEPER_OK;
    if (!sets[DP_WHOLE] && !sets[DP_TRAIN])
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: has pictures to measure on (%s), but no part 'train' to train on; to "
                         "train on them give that folder",
                         path, sets[measured]->path);
    else {
        *train = take_out(sets, sets[DP_WHOLE] ? DP_WHOLE : DP_TRAIN);
        *val = take_out(sets, measured);
    }
    free_sets(sets);
    return status;
}

deeper_status dp_dataset_open_part(dp_dataset **dataset, const char *path, const char *root,
                                   int part, const deeper_allocator *allocator,
                                   deeper_error *error) {
    static const char *const words[DP_PARTS] = { "train", "val", "test" };
    dp_dataset *sets[DP_SETS];
    DP_TRY(open_sets(sets, path, root, allocator, error));
    deeper_status status = DEEPER_OK;
    int wanted = part == DP_SETS ? to_measure(sets) : part;
    if (part == DP_SETS && wanted == DP_TRAIN)
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: has pictures to train on alone; to measure on them give %s", path,
                         sets[DP_TRAIN]->path);
    else if (!sets[wanted])
        status = dp_fail(error, DEEPER_ERROR_FORMAT, "%s: has no part '%s'%s", path, words[wanted],
                         sets[DP_WHOLE] ? "; it is one set" : "");
    else
        *dataset = take_out(sets, wanted);
    free_sets(sets);
    return status;
}

deeper_status dp_dataset_open(dp_dataset **dataset, const char *path, const char *root,
                              const deeper_allocator *allocator, deeper_error *error) {
    return dp_dataset_open_part(dataset, path, root, DP_SETS, allocator, error);
}

/* ---------------------------------------------------------------------------------- fingerprint */

/* A number as its eight bytes, lowest first: the same on every machine. */
static uint64_t hash_number(uint64_t hash, uint64_t number) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return dp_hash(hash, bytes, sizeof bytes);
}

static uint64_t hash_picture(uint64_t hash, const dp_dataset *dataset, size_t index) {
    const dp_picture *picture = &dataset->images[index];
    const char *path = dp_dataset_name(dataset, index), *name = path + picture->place;
    uint64_t size = picture->size;
    struct stat status;
    if (dataset->store->read == dp_read_file)
        size = stat(path, &status) == 0 ? (uint64_t)status.st_size
                                        : UINT64_MAX; /* missing: a set of its own */
    hash = dp_hash(hash, name, strlen(name) + 1);
    hash = hash_number(hash, size);
    return hash_number(hash, picture->class_index);
}

uint64_t dp_dataset_fingerprint(const dp_dataset *dataset) {
    uint64_t hash = DP_HASH_START;
    for (size_t i = 0; i < dataset->class_count; i++) {
        const char *name = dp_dataset_class(dataset, i);
        hash = dp_hash(hash, name, strlen(name) + 1);
    }
    for (size_t i = 0; i < dataset->image_count; i++)
        hash = hash_picture(hash, dataset, i);
    return hash;
}

/* ---------------------------------------------------------------------------------------- split */

/* Marks the pictures of one class that go to validation. indices[0..count) are its pictures; they
 * are shuffled. */
static size_t choose(bool *chosen, size_t *indices, size_t count, double fraction,
                     dp_random random) {
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
static bool choose_all(bool *chosen, size_t *count, const dp_dataset *dataset, double fraction,
                       uint64_t seed) {
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
        *count += choose(chosen, indices + begins[c] - images, images, fraction,
                         dp_random_at(seed, c, 0));
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

deeper_status dp_dataset_split(dp_dataset **train, dp_dataset **val, const dp_dataset *dataset,
                               double fraction, uint64_t seed, deeper_error *error) {
    if (!(fraction > 0 && fraction < 1))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: %g of it for validation; the share must lie between 0 and 1",
                       dataset->path, fraction);
    size_t count = 0;
    bool *chosen = dp_alloc(dataset->allocator, dataset->image_count, sizeof *chosen);
    bool have = chosen && choose_all(chosen, &count, dataset, fraction, seed);
    dp_dataset *rest = have ? take(dataset, chosen, false) : NULL;
    dp_dataset *part = rest ? take(dataset, chosen, true) : NULL;
    dp_free(dataset->allocator, chosen);
    deeper_status status = DEEPER_OK;
    if (!part)
        status = dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to divide its pictures",
                         dataset->path);
    else if (count == 0)
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: no class has two pictures, one to train on and one to validate with",
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
