/* check.c - pictures hashed by the loader's threads, then sorted by hash: neighbours that are equal
 * are the same picture. */
#include "data/check.h"

#include "data/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 64 }; /* pictures taken from the loader at a time */

/* What a reader finds out about a picture; handed over in place of a tensor. */
typedef struct seen {
    uint64_t hash;
    int32_t width, height;
} seen;

enum { FLOATS = sizeof(seen) / sizeof(float) };

typedef struct print {
    uint64_t hash;
    uint64_t number; /* of the picture: those of train first */
} print;

typedef struct checking {
    dp_picture_limits limits;
    dp_budget budget;
    const dp_dataset *parts[2]; /* train, val or NULL */
    const dp_check_calls *calls;
    const deeper_allocator *allocator;
    deeper_dataset_soundness *result;
    uint64_t total;
    uint64_t asked; /* the loader's */
    print *prints;
    size_t print_count;
} checking;

/* The part that picture `number` is in; *index: which of it. */
static const dp_dataset *locate(const checking *check, uint64_t number, size_t *index) {
    size_t first = check->parts[0]->image_count;
    *index = (size_t)(number < first ? number : number - first);
    return check->parts[number >= first];
}

static void tell(const checking *check, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void tell(const checking *check, const char *name, const char *format, ...) {
    char message[DEEPER_MESSAGE_SIZE];
    va_list arguments;
    if (!check->calls->problem)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    check->calls->problem(check->calls->context, name, message);
}

/* ------------------------------------------------------------------------------------- pictures */

static int next(void *context, dp_job *job) {
    checking *check = context;
    job->key = check->asked;
    return check->asked < check->total ? check->asked++, 1 : 0;
}

/* Eight bytes at a time: each is mixed in by a multiplication and a shift that brings the high bits
 * down. */
static uint64_t hash_pixels(const dp_image *image) {
    size_t size = (size_t)image->width * (size_t)image->height * 3;
    uint64_t hash = (uint64_t)image->width << 32 ^ (uint64_t)image->height;
    for (size_t i = 0; i < size; i += sizeof hash) {
        uint64_t word = 0;
        memcpy(&word, image->pixels + i, size - i < sizeof word ? size - i : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return hash;
}

static deeper_status prepare(void *context, dp_item *item, float *tensor, deeper_error *error) {
    checking *check = context;
    size_t index;
    dp_image image;
    const dp_dataset *part = locate(check, item->key, &index);
    const dp_decode_options decode = { .limits = check->limits, .budget = &check->budget };
    DP_TRY(dp_dataset_read(&image, part, index, &decode, check->allocator, error));
    const seen picture = { .hash = hash_pixels(&image),
                           .width = image.width,
                           .height = image.height };
    memcpy(tensor, &picture, sizeof picture);
    dp_image_free(&image);
    return DEEPER_OK;
}

static deeper_status note(checking *check, const dp_item *item, const seen *picture,
                          deeper_error *error) {
    size_t index;
    const dp_dataset *part = locate(check, item->key, &index);
    const char *name = dp_dataset_name(part, index);
    check->result->images++;
    if (item->status == DEEPER_ERROR_MEMORY)
        return dp_fail(error, DEEPER_ERROR_MEMORY, "%s", item->message);
    if (item->status != DEEPER_OK) {
        check->result->unreadable++;
        tell(check, name, "%s", item->message);
        return DEEPER_OK;
    }
    check->prints[check->print_count++] = (print){ .hash = picture->hash, .number = item->key };
    if (picture->width < DP_CHECK_TINY || picture->height < DP_CHECK_TINY) {
        check->result->tiny++;
        tell(check, name, "%s: only %dx%d pixels", name, picture->width, picture->height);
    }
    return DEEPER_OK;
}

static deeper_status take(checking *check, dp_loader *loader, size_t *count, deeper_error *error) {
    dp_item items[AT_ONCE];
    float tensors[AT_ONCE * FLOATS];
    DP_TRY(dp_loader_take(loader, AT_ONCE, items, tensors, count, error));
    deeper_status status = DEEPER_OK;
    const float *tensor = tensors;
    for (size_t i = 0; i < *count; i++) {
        seen picture = { 0 };
        if (items[i].status == DEEPER_OK) {
            memcpy(&picture, tensor, sizeof picture);
            tensor += FLOATS;
        }
        if (status == DEEPER_OK)
            status = note(check, &items[i], &picture, error);
        dp_item_clear(&items[i]);
    }
    if (check->calls->progress && *count > 0)
        check->calls->progress(check->calls->context, check->result->images, check->total);
    return status;
}

static deeper_status read_all(checking *check, int readers, deeper_error *error) {
    dp_loader *loader = NULL;
    size_t count = 1;
    const dp_loader_options options = { .next = next,
                                        .prepare = prepare,
                                        .context = check,
                                        .floats = FLOATS,
                                        .readers = readers,
                                        .slots = (size_t)readers * 4 };
    DP_TRY(dp_loader_create(&loader, &options, check->allocator, error));
    deeper_status status = DEEPER_OK;
    while (status == DEEPER_OK && count > 0)
        status = take(check, loader, &count, error);
    dp_loader_free(loader);
    return status;
}

/* ---------------------------------------------------------------------- pictures that are alike */

static int compare_prints(const void *a, const void *b) {
    const print *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* A picture whose pixels are those of an earlier one. */
static void note_alike(checking *check, const print *earlier, const print *later) {
    size_t a, b;
    const dp_dataset *first = locate(check, earlier->number, &a),
                     *second = locate(check, later->number, &b);
    const char *first_name = dp_dataset_name(first, a), *second_name = dp_dataset_name(second, b);
    const char *first_class = dp_dataset_class(first, first->images[a].class_index);
    const char *second_class = dp_dataset_class(second, second->images[b].class_index);
    if (strcmp(first_class, second_class) != 0) {
        check->result->conflicting++;
        tell(check, second_name, "%s: the same picture as %s, which is of class %s, not %s",
             second_name, first_name, first_class, second_class);
    }
    if (first != second) {
        check->result->leaked++;
        tell(check, second_name,
             "%s: to validate with, but the same picture as %s, which is trained on", second_name,
             first_name);
    } else if (strcmp(first_class, second_class) == 0)
        check->result->repeated++;
}

static void compare_all(checking *check) {
    if (check->print_count > 1)
        qsort(check->prints, check->print_count, sizeof *check->prints, compare_prints);
    for (size_t begin = 0, i = 1; i < check->print_count; i++)
        if (check->prints[i].hash == check->prints[begin].hash)
            note_alike(check, &check->prints[begin], &check->prints[i]);
        else
            begin = i;
}

/* -------------------------------------------------------------------------------------- classes */

/* Classes of numbers are those up to the largest; one that is not used is no fault. */
static void check_classes(checking *check) {
    for (int part = 0; part < 2; part++) {
        const dp_dataset *set = check->parts[part];
        for (size_t c = 0; set && !set->numbered && c < set->class_count; c++)
            if (set->classes[c].images == 0) {
                check->result->empty_classes++;
                tell(check, set->path, "%s: class '%s' has no pictures", set->path,
                     dp_dataset_class(set, c));
            }
    }
}

deeper_status dp_dataset_check(deeper_dataset_soundness *result, const dp_dataset *train,
                               const dp_dataset *val, int readers, const dp_picture_limits *limits,
                               const dp_check_calls *calls, const deeper_allocator *allocator,
                               deeper_error *error) {
    checking check = { .parts = { train, val },
                       .limits = *limits,
                       .calls = calls,
                       .allocator = allocator,
                       .result = result };
    *result = (deeper_dataset_soundness){ 0 };
    check.total = train->image_count + (val ? val->image_count : 0);
    check.prints = dp_alloc_raw(allocator, (size_t)check.total, sizeof *check.prints);
    if (!check.prints)
        return dp_fail_memory(error, "the hashes of all pictures");
    dp_picture_budget_begin(&check.budget, limits);
    deeper_status status = read_all(&check, readers, error);
    dp_budget_end(&check.budget);
    if (status == DEEPER_OK) {
        compare_all(&check);
        check_classes(&check);
    }
    dp_free(allocator, check.prints);
    return status;
}
