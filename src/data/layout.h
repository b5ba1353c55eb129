/* layout.h - which folders of a data set are its classes and which its parts, and what is neither:
 * a set that is named one level too high, or whose parts have no classes, would train "train
 * against test" and look well. Why here: folders and tars must be judged alike. It opens nothing:
 * openers say what a folder holds. */
#ifndef DP_DATA_LAYOUT_H
#define DP_DATA_LAYOUT_H

#include "base/files.h"
#include "data/dataset.h"

/* What a folder holds itself, ignored names (names.h) aside. */
typedef struct dp_holding {
    size_t folders;
    bool pictures;
} dp_holding;

/* A folder to be judged. */
typedef struct dp_layout {
    const char *path;  /* starts messages */
    const char *joint; /* between it and a name in it */
    const dp_listing *listing;
    deeper_status (*look)(void *context, dp_holding *holding, const char *name,
                          deeper_error *error);
    void *context;
} dp_layout;

/* parts[DP_TRAIN..]: the names of the folders that are parts and hold class folders, NULL: not
 * there; all NULL: the set has no parts. aside[]: the names of those that hold pictures, but no
 * class folders. Of several folders for one part the first by names.c is meant. Errors: FORMAT,
 * naming the folder to give instead, where parts stand beside folders that are none, or where none
 * of the parts, or that to train on, has class folders; those of `look`. */
deeper_status dp_layout_parts(const char *parts[DP_PARTS], const char *aside[DP_PARTS],
                              const dp_layout *layout, deeper_error *error);

/* FORMAT, naming the folder to give instead, where half of the class folders or more hold folders
 * and no pictures of their own: then those are the classes. A class whose pictures all lie in one
 * folder inside it ("n01443537/images") is sound. The pictures of a class must be neighbours. */
deeper_status dp_layout_check(const dp_dataset *dataset, deeper_error *error);

#endif
