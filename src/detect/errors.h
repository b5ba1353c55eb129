/* errors.h - what kind of mistake each wrong detection is, and what each kind costs: the split of
 * TIDE (Bolya and others, 2020). */
#ifndef DP_DETECT_ERRORS_H
#define DP_DETECT_ERRORS_H

#include "detect/match.h"

/* By COCO's rule at overlap .5. A wrong detection is, the first that holds:
 *   LOCALISATION  on a box of its class, overlap from .1 to .5
 *   CLASS         on a box of another class, overlap .5 or more
 *   DUPLICATE     on a box of its class, .5 or more, that a better one has found
 *   BACKGROUND    on nothing: every overlap is below .1
 *   BOTH          what is left: another class, overlap from .1 to .5
 * and a box is MISSED that nothing found, nor a detection of the first two kinds is on. */
typedef enum dp_fault {
    DP_FAULT_CLASS,
    DP_FAULT_LOCALISATION,
    DP_FAULT_BOTH,
    DP_FAULT_DUPLICATE,
    DP_FAULT_BACKGROUND,
    DP_FAULT_MISSED,
    DP_FAULTS
} dp_fault;

typedef struct dp_errors {
    size_t counts[DP_FAULTS];
    double gains[DP_FAULTS]; /* by how much AP50 would rise without them: a CLASS or LOCALISATION
                                  put right where its box is not found otherwise, else dropped, the
                                  others dropped, a MISSED box no longer asked for */
} dp_errors;

/* The name of a kind and what it is. */
const char *dp_fault_name(dp_fault mistake, const char **description);

/* What the matches were made from. Errors: MEMORY. */
deeper_status dp_errors_find(dp_errors *errors, const dp_matches *matches,
                             const deeper_truth *truth, const deeper_detection *detections,
                             deeper_error *error);

#endif
