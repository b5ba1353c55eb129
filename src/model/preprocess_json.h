/* metadata.h - the preprocessing of a model as the JSON text that the model file keeps under
 * deeper.preprocess:
 *
 *   {"size": 224, "channels": 3, "order": "BGR", "mean": [104, 117, 123], "scale": [1, 1, 1],
 *   "resize": {"rule": "squash", "side": 256, "filter": "bilinear"}, "crop": "centre"}
 *
 * order is "BGR", "RGB" or (one channel) "grey"; mean and scale have a number a channel; side is
 * absent from the rule "none". A network that has no rule for pictures yet has size and channels
 * alone. */
#ifndef DP_MODEL_PREPROCESS_JSON_H
#define DP_MODEL_PREPROCESS_JSON_H

#include "base/memory.h"
#include "image/preprocess.h"

/* Reads the text; *whole: there is more than size and channels. Messages begin with "NAME: WHAT: ".
 * Errors: FORMAT, with the field at fault; LIMIT, MEMORY. */
deeper_status dp_preprocess_from_json(dp_preprocess *preprocess, bool *whole, const char *json,
                                      const char *name, const char *what, deeper_error *error);

/* The JSON text as a malloc'ed string (free() it); NULL if memory is out. Floats come back to the
 * same bits. */
char *dp_preprocess_to_json(const dp_preprocess *preprocess, bool whole);

#endif
