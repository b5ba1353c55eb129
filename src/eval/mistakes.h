/* mistakes.h - the pictures that a network got wrong while it was surest, kept as they come. */
#ifndef DP_EVAL_MISTAKES_H
#define DP_EVAL_MISTAKES_H

#include <stddef.h>

enum { DP_MISTAKES = 24 };

typedef struct dp_mistake {
    size_t image; /* in the data set */
    size_t label, predicted;
    double probability; /* of the predicted class */
} dp_mistake;

/* Zero to begin with. */
typedef struct dp_mistakes {
    dp_mistake items[DP_MISTAKES]; /* of the largest probability, largest first; of equals the first
                                      to come */
    size_t count;
} dp_mistakes;

void dp_mistakes_note(dp_mistakes *mistakes, const dp_mistake *mistake);

#endif
