/* dataset.h - a labelled set of pictures as names: what evaluation and training draw from. No picture is opened here.
 * What it does not do: matching classes with a model's labels (eval/match.h), decoding (loader.h). */
#ifndef DP_DATA_DATASET_H
#define DP_DATA_DATASET_H

#include "base/memory.h"

typedef struct dp_class {
    size_t name; /* where it begins in text */
    size_t images;
} dp_class;

typedef struct dp_picture {
    size_t path; /* where it begins in text */
    size_t class_index;
} dp_picture;

/* Paths and names lie in one text, for a set may have millions of them. Immutable once opened. */
typedef struct dp_dataset {
    const deeper_allocator *allocator;
    char *path;    /* as the caller gave it, for messages */
    bool numbered; /* from a list file: class i is output i of a model, and its name is the number */
    dp_class *classes;
    size_t class_count, class_capacity;
    dp_picture *images;
    size_t image_count, image_capacity;
    dp_buffer text;
} dp_dataset;

enum { DP_DATASET_DEPTH = 16 }; /* folders inside a class folder */

/* `path` is a folder or a list file.
 * Folder: every folder in it is a class, every file in a class folder or in folders inside it a picture of it, whatever its
 * extension. Classes and pictures are sorted by bytes; hidden names, and files beside the class folders, are not looked at; links
 * are followed. A class folder without pictures stays a class with images == 0.
 * List: lines of list.h; a path is relative to the list's folder, or to `root` if not NULL. Classes are 0..largest label.
 * Errors: IO (missing, unreadable), FORMAT (no class folders, no pictures, a line that is not of the form, a folder inside itself),
 * ARGUMENT (root with a folder), LIMIT (depth or file too large), MEMORY. */
deeper_status dp_dataset_open(dp_dataset **dataset, const char *path, const char *root, const deeper_allocator *allocator,
                              deeper_error *error);
void dp_dataset_free(dp_dataset *dataset);

/* Live with the data set; index must be in range. */
const char *dp_dataset_class(const dp_dataset *dataset, size_t index);
const char *dp_dataset_image(const dp_dataset *dataset, size_t index);

#endif
