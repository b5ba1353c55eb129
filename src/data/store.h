/* store.h - how a data set is put together: the store of names and bytes, and the openers of each
 * kind of set. Private to src/data. A new kind is one file with an opener, a row in dataset.c, and
 * a `read` that any number of threads may call. */
#ifndef DP_DATA_STORE_H
#define DP_DATA_STORE_H

#include "data/dataset.h"

#include <stdatomic.h>

typedef deeper_status dp_store_read(dp_image *image, const dp_store *store,
                                    const dp_picture *picture, const dp_decode_options *options,
                                    const deeper_allocator *allocator, deeper_error *error);

struct dp_store {
    deeper_allocator copy; /* the caller's structure may be gone when the last part is freed */
    const deeper_allocator *allocator; /* &copy, or NULL: malloc */
    atomic_int owners;
    dp_buffer text;  /* names of classes and pictures, each ended by a zero byte, for a set may have
                        millions of them */
    dp_buffer notes; /* likewise: what was passed over */
    dp_store_read *read;
    int file;          /* of a tar, else -1 */
    uint8_t *pixels;   /* of an IDX file, else NULL */
    int width, height; /* of each of its pictures */
};

/* An empty set with a store of its own; NULL: out of memory. path is copied. */
dp_dataset *dp_dataset_create(const char *path, dp_store_read *read,
                              const deeper_allocator *allocator);

/* An empty set with the classes and the store of another (pictures of the classes: 0); NULL: out of
 * memory. */
dp_dataset *dp_dataset_create_part(const dp_dataset *whole);

/* Appends a class, or a picture, which is counted in its class; false: out of memory. name and
 * picture->name: where it begins in the store's text. */
bool dp_dataset_add_class(dp_dataset *dataset, size_t name);
bool dp_dataset_add(dp_dataset *dataset, const dp_picture *picture);

/* Puts "folder/name" (no doubled slash), or name if folder is empty, into the store's text; *begin
 * is where. False: out of memory. */
bool dp_store_path(dp_store *store, size_t *begin, const char *folder, const char *name);

/* Reads the file whose path is the picture's name. */
dp_store_read dp_read_file;

/* Names each class by its number. Errors: MEMORY. */
deeper_status dp_dataset_number_classes(dp_dataset *dataset, deeper_error *error);

deeper_status dp_fail_names(const dp_dataset *dataset,
                            deeper_error *error); /* MEMORY: for the names of its pictures */

/* FORMAT, with the remedy, if it has no classes or no pictures. */
deeper_status dp_dataset_check_empty(const dp_dataset *dataset, deeper_error *error);

/* Adds a note to the set's: `text` about the path folder/name. Errors: MEMORY. */
deeper_status dp_dataset_add_note(dp_dataset *dataset, const char *folder, const char *name,
                                  const char *text, deeper_error *error);

/* *picture = the one at `path`, relative to a list's folder; false: out of memory. */
bool dp_list_picture(dp_dataset *dataset, dp_picture *picture, const char *folder,
                     const char *path);

/* The sets of a table, with names in the store of the empty `dataset`; all NULL on failure. */
struct dp_table;
deeper_status dp_open_table(dp_dataset *sets[DP_SETS], dp_dataset *dataset, const char *folder,
                            const char *inner, struct dp_table *table, deeper_error *error);

/* What is noted of a part that is left aside, since nothing says its classes. */
extern const char *const dp_note_unlabelled;

/* The openers, as dp_dataset_open_pair has them: sets[DP_WHOLE], or those of the parts that there
 * are; all NULL on failure. */
deeper_status dp_open_folder(dp_dataset *sets[DP_SETS], const char *path,
                             const deeper_allocator *allocator, deeper_error *error);
/* inner: a part that a table says, or NULL. */
deeper_status dp_open_list(dp_dataset *sets[DP_SETS], const char *path, const char *inner,
                           const char *root, const deeper_allocator *allocator,
                           deeper_error *error);
deeper_status dp_open_idx(dp_dataset **dataset, const char *path, const deeper_allocator *allocator,
                          deeper_error *error);
/* inner: a folder inside the tar, or NULL. */
deeper_status dp_open_tar(dp_dataset *sets[DP_SETS], const char *path, const char *inner,
                          const deeper_allocator *allocator, deeper_error *error);

#endif
