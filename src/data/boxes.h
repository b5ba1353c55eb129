/* boxes.h - a set of photos with boxes, however its annotations are written: one form for scores,
 * training and conversion. What it does not do: labelled sets of whole pictures (dataset.h). */
#ifndef DP_DATA_BOXES_H
#define DP_DATA_BOXES_H

#include "base/name_index.h"

/* What is wrong with a set. The first are left out of it, from EMPTY on things are kept as they
 * are. */
typedef enum dp_box_fault {
    DP_BOX_UNREADABLE,  /* a file of annotations that is damaged */
    DP_BOX_ENTRY,       /* a line or entry that is not of the form */
    DP_BOX_NUMBER,      /* no finite number, or a size below 0 */
    DP_BOX_CLASS,       /* a class that the set does not have */
    DP_BOX_PHOTO,       /* of a photo that the set does not have */
    DP_BOX_REPEATED_ID, /* an id that is there already */
    DP_BOX_EMPTY,       /* of no width or no height */
    DP_BOX_OUTSIDE,     /* reaches out of its photo by more than a pixel */
    DP_BOX_REPEATED,    /* the same box of the same class again */
    DP_BOX_POLYGON,     /* an outline: its hull is taken. No fault */
    DP_BOX_MISSING,     /* a photo whose file is not there */
    DP_BOX_DAMAGED,     /* a photo that cannot be decoded */
    DP_BOX_SIZE,        /* a photo of another size than its annotation says */
    DP_BOX_FAULTS
} dp_box_fault;

/* A kind by its name in JSON and a line on it. */
const char *dp_box_fault_name(dp_box_fault fault, const char **description);

typedef struct dp_boxed_photo {
    size_t name;         /* where its path begins in the set's text */
    int64_t id;          /* COCO's; else its place in the set as it was read */
    int width, height;   /* 0: the annotations do not say */
    size_t first, count; /* its boxes */
} dp_boxed_photo;

typedef struct dp_boxed_class {
    size_t name;
    int64_t id; /* COCO's; else its index */
} dp_boxed_class;

typedef struct dp_boxes {
    const deeper_allocator *allocator;
    const char *format; /* the name of its row */
    char *path;
    dp_buffer text; /* names, each ended by a zero byte */
    dp_boxed_class *classes;
    size_t class_count, class_capacity;
    dp_boxed_photo *photos;
    size_t photo_count, photo_capacity;
    deeper_truth *boxes; /* by photo, in the order of the annotations */
    size_t box_count, box_capacity;
    size_t *parts; /* names of the parts that the set says it has, in its text */
    size_t part_count, part_capacity;
    size_t part; /* of these the one that was opened; SIZE_MAX: all of the set */
    size_t faults[DP_BOX_FAULTS];
    void (*problem)(void *context, const char *message); /* may be NULL */
    void *context;
} dp_boxes;

typedef struct dp_boxes_options {
    const char *part; /* "train", "val" ...; "all"; NULL: that to validate with, where the set says
                         which, else all */
    const char
        *photos;     /* the folder that names of photos are relative to; NULL: as the form has it */
    double fraction; /* 0: all photos; else round(fraction x n) of n photos are held out */
    bool held_out;   /* these are opened; false: the others */
    uint64_t seed;   /* which these are */
    void (*problem)(void *context, const char *message); /* one line each; may be NULL */
    void *context;
} dp_boxes_options;

/* The forms: name and a line on it; NULL past the last. */
const char *dp_boxes_form(size_t index, const char **description);

/* Whether `path` is such a set, by content. Takes no memory but for a folder's listing. */
bool dp_boxes_at(const char *path);

/* Opens a set of any form. What is wrong with single boxes, lines and files is told and counted,
 * not an error. Errors: IO, FORMAT (no form fits; a file is damaged as a whole; no photos),
 * ARGUMENT (a part that is none, named with those that are), UNSUPPORTED (a build without the
 * form's library), LIMIT, MEMORY. */
deeper_status dp_boxes_open(dp_boxes *boxes, const char *path, const dp_boxes_options *options,
                            const deeper_allocator *allocator, deeper_error *error);
void dp_boxes_free(dp_boxes *boxes);

static inline const char *dp_boxes_text(const dp_boxes *boxes, size_t at) {
    return boxes->text.data + at;
}

/* The part that was opened, NULL: all of the set. */
static inline const char *dp_boxes_part(const dp_boxes *boxes) {
    return boxes->part < boxes->part_count ? dp_boxes_text(boxes, boxes->parts[boxes->part]) : NULL;
}

/* Decodes every photo and counts, and tells, MISSING, DAMAGED and SIZE; sizes that the annotations
 * do not say are filled in. progress may be NULL. Errors: MEMORY. */
deeper_status dp_boxes_check_photos(dp_boxes *boxes,
                                    void (*progress)(void *context, uint64_t done, uint64_t total),
                                    void *context, deeper_error *error);

#endif
