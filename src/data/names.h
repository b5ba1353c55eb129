/* names.h - what a name in a data set says: no picture, or a part of the set. Why here: folders,
 * tars and every other packing must pass over the same files and know the same parts. */
#ifndef DP_DATA_NAMES_H
#define DP_DATA_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether name[0..length) is passed over without a word: hidden names, the folders and files that
 * systems leave (__MACOSX, Thumbs.db), and files whose endings say that they are no pictures (.txt,
 * .csv, .zip, .mp4, ...). A name without an ending, or with one that is not known, may be a
 * picture's. */
bool dp_name_ignored(const char *name, size_t length, bool folder);

/* The part that a folder's name says, in any case, with "set", "data", "images" or a number after
 * it: "Training", "test_set", "val2017". -1: none. *rank orders the names of one part, 0 first. */
int dp_name_part(const char *name, size_t length, int *rank);

#endif
