/* dataset.h - a labelled set of pictures, however it is stored: what evaluation and training draw
 * from. Why here: a folder, a list file, a tar and an IDX pair must be the same thing to every loop
 * above. What it does not do: matching classes with a model's labels (eval/match.h), reading ahead
 * (loader.h), augmentation (augment.h). */
#ifndef DP_DATA_DATASET_H
#define DP_DATA_DATASET_H

#include "image/image.h"

typedef struct dp_class {
    size_t name; /* where it begins in the store's text */
    size_t images;
} dp_class;

typedef struct dp_picture {
    size_t name; /* where it begins in the store's text */
    uint32_t class_index;
    uint32_t place; /* bytes of the name that say where the set lies, in front of what names the
                       picture in it */
    uint64_t offset, size; /* its bytes inside a tar or IDX file; 0 and 0 for a file of its own */
} dp_picture;

/* Names, and where the bytes are; shared by the parts of one set (store.h). */
typedef struct dp_store dp_store;

/* Immutable once opened, and shared by any number of threads. */
typedef struct dp_dataset {
    const deeper_allocator *allocator; /* the store's */
    dp_store *store;
    char *path;    /* as the caller gave it, with the part that was chosen in it; starts messages */
    bool numbered; /* class i is output i of a model, and its name is the number */
    dp_class *classes;
    size_t class_count, class_capacity;
    dp_picture *images;
    size_t image_count, image_capacity;
} dp_dataset;

enum { DP_DATASET_DEPTH = 16 }; /* folders inside a class folder */

/* The parts that a set may have, and the set of one that has none. */
enum { DP_TRAIN, DP_VAL, DP_TEST, DP_PARTS, DP_WHOLE = DP_PARTS, DP_SETS };

/* Opens what `path` is, found by content; the pictures to train on and those to validate on, or
 * *val = NULL where the set does not say (see dp_dataset_split).
 *   - Folder: every folder in it is a class, every file in a class folder or in folders inside it a
 *     picture of it, but for those whose names say that they are none (names.h). Classes and
 *     pictures are sorted by bytes; files beside the class folders are not looked at; links are
 *     followed, but those to a folder that they lie in are passed over with a note. A class folder
 *     without pictures stays a class with images == 0.
 *   - Parts: a folder that holds folders "train", "val" or "test" (names.h has the other names),
 *     with class folders inside, is two or three sets. What stands beside them must be empty; a
 * part without class folders is left aside with a note. So is a folder with the IDX files
 *     "train-images..." and "t10k-images...".
 *   - Tar, not compressed: the same as the folder it was made from. A folder that is alone at its
 *     top and holds folders is stepped into. "set.tar:inner/folder" is that folder of it. Symbolic
 *     links inside are not followed, hard links are.
 *   - List: lines of list.h; a path is relative to the list's folder, or to `root` if not NULL.
 *     Classes are 0..largest label.
 *   - CSV: a header that names the columns (table.c has the words) or rows of path and label; in a
 *     column of parts train, val and test are sets, "list.csv:val" is that one. Labels that are all
 *     numbers are outputs; else the classes are the labels, sorted by bytes.
 *   - IDX: a file of pictures (...-images-idx3-ubyte, gzipped or not), its labels beside it
 *     (...-labels-idx1-ubyte). Classes are numbers, but those of Fashion-MNIST have its names where
 *     the path has "fashion" in it.
 * To validate on is "val", else "test". Errors: IO (missing, unreadable), FORMAT (no class folders,
 * no pictures, parts without class folders or none to train on, classes one level too deep:
 * layout.h; a line that is not of the form; a damaged tar or IDX file), MISMATCH (IDX pictures and
 * labels that differ in number), UNSUPPORTED (a compressed tar; a build without libarchive),
 * ARGUMENT (root with anything but a list), LIMIT (depth or file too large), MEMORY. */
deeper_status dp_dataset_open_pair(dp_dataset **train, dp_dataset **val, const char *path,
                                   const char *root, const deeper_allocator *allocator,
                                   deeper_error *error);

/* The same where one set is needed, to measure on: the validation part where there are several.
 * Errors also: FORMAT where there is only one to train on. */
deeper_status dp_dataset_open(dp_dataset **dataset, const char *path, const char *root,
                              const deeper_allocator *allocator, deeper_error *error);

/* One part, or (DP_SETS) the one to measure on. Errors also: FORMAT where there is no such part. */
deeper_status dp_dataset_open_part(dp_dataset **dataset, const char *path, const char *root,
                                   int part, const deeper_allocator *allocator,
                                   deeper_error *error);

/* What was passed over when the set was opened, a line each that begins with a path; NULL after the
 * last. */
const char *dp_dataset_note(const dp_dataset *dataset, size_t index);
void dp_dataset_free(dp_dataset *dataset);

/* Live with the data set; index must be in range. The name of a picture is its path, or
 * "set.tar:inner/path", or "images-file:number" from 0. */
const char *dp_dataset_class(const dp_dataset *dataset, size_t index);
const char *dp_dataset_name(const dp_dataset *dataset, size_t index);

/* Reads and decodes a picture; grey levels become RGB. options as in dp_image_decode. Any number of
 * threads may read at once. Errors: IO, and those of dp_image_decode, with the picture's name in
 * front. On failure *image is all zero. Freed by dp_image_free. */
deeper_status dp_dataset_read(dp_image *image, const dp_dataset *dataset, size_t index,
                              const dp_decode_options *options, const deeper_allocator *allocator,
                              deeper_error *error);

/* A number that stands for the set: a hash of the names of its classes, and of the name, size in
 * bytes and class of each picture, in order. It does not depend on where the set lies, nor on
 * whether it is a folder or the tar of it. Looks at every file's size. */
uint64_t dp_dataset_fingerprint(const dp_dataset *dataset);

/* Two sets with all the classes of `dataset` and its pictures divided between them, in its order:
 * of each class of n >= 2 pictures, round(fraction x n), but at least 1 and at most n - 1, chosen
 * by `seed`, go to *val; a class with a single picture stays in *train. They live on after
 * `dataset` is freed. Errors: ARGUMENT (fraction not between 0 and 1), FORMAT (no class has two
 * pictures), MEMORY. */
deeper_status dp_dataset_split(dp_dataset **train, dp_dataset **val, const dp_dataset *dataset,
                               double fraction, uint64_t seed, deeper_error *error);

#endif
