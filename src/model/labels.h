/* labels.h - label tables: made from pairs of id and name, read from a text file or from the model
 * file's JSON, written to it. A table is one block of text and an array of pairs into it. Ids are
 * not empty and unique, for class folders are matched by them. */
#ifndef DP_MODEL_LABELS_H
#define DP_MODEL_LABELS_H

#include "model/model.h"

#include <jansson.h>

/* So that a table can be read back from the JSON that it is written to (three values a class, see
 * json.h). */
enum { DP_LABELS_MAX = 1 << 16 };

/* A table from the JSON text [[ID, NAME], ...]. `name` stands for the file in messages. Errors:
 * FORMAT, LIMIT, MEMORY; *labels is then empty. */
deeper_status dp_labels_from_json(dp_labels *labels, const char *json, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error);

/* The JSON text of a table as a malloc'ed string (free() it); NULL if memory is out. */
char *dp_labels_to_json(const dp_labels *labels);

/* A table from the text of a label file: lines "ID NAME", or "ID" alone, which is then the name
 * too. Words are ids where the first words of all lines have one form, the same but for their
 * numbers (n01440764, 7); else a line is a name of one or several words, which is its own id. Line
 * ends may be \r\n, the last may be missing, empty lines may only be last, a byte order mark is
 * skipped. Errors as above. */
deeper_status dp_labels_from_text(dp_labels *labels, const char *text, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error);

/* The 1000 classes of ILSVRC-2012 in label order, with their names in full ("tench, Tinca tinca").
 * Errors: MEMORY. */
deeper_status dp_labels_ilsvrc2012(dp_labels *labels, const deeper_allocator *allocator,
                                   deeper_error *error);

void dp_labels_free(dp_labels *labels, const deeper_allocator *allocator);

#endif
