/* match.h - which output of a model stands for which class of a data set. Why here: both sides sort
 * their classes in their own way, so a match by position is quietly wrong; only ids and names
 * count. */
#ifndef DP_EVAL_MATCH_H
#define DP_EVAL_MATCH_H

#include "data/dataset.h"
#include "model/model.h"

/* outputs[c] (dataset->class_count of them) = the model's class for class c of the data set. A
 * class folder matches a label by its id, else by its name or one of the names that the label lists
 * between commas; in names, case does not count and '_' is a space. Classes of a list are numbers
 * already. Classes without pictures are not matched (outputs[c] = 0). Errors: MISMATCH, naming the
 * classes that fit no label or more than one, a model without labels, a number that is no class. */
deeper_status dp_match_classes(size_t *outputs, const dp_dataset *dataset, const dp_model *model,
                               deeper_error *error);

#endif
