/* lists.h - the pictures of a run as CSV: which were trained on, and what the saved model says of
 * the others. */
#ifndef DP_TRAIN_LISTS_H
#define DP_TRAIN_LISTS_H

#include "train/run/folder.h"
#include "train/run/validate.h"

/* Writes split.csv (path,label,part), a list that data sets are opened from again: paths are
 * absolute. Errors: IO, MEMORY. */
deeper_status dp_lists_split(const dp_run_folder *folder, const dp_pictures *pictures,
                             deeper_error *error);

/* Writes predictions.csv (path,label,prediction,probability) of the validation pictures; the last
 * two are empty where a picture could not be read. Errors: IO, MEMORY. */
deeper_status dp_lists_predictions(const dp_run_folder *folder, const dp_picture_set *set,
                                   const dp_labels *labels, const dp_validation *validation,
                                   deeper_error *error);

#endif
