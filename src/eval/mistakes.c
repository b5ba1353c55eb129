/* mistakes.c - see mistakes.h. */
#include "eval/mistakes.h"

#include <string.h>

void dp_mistakes_note(dp_mistakes *mistakes, const dp_mistake *mistake) {
    dp_mistake *items = mistakes->items;
    size_t at = mistakes->count;
    while (at > 0 && items[at - 1].probability < mistake->probability)
        at--;
    if (at == DP_MISTAKES)
        return;
    mistakes->count += mistakes->count < DP_MISTAKES;
    memmove(&items[at + 1], &items[at], (mistakes->count - at - 1) * sizeof *items);
    items[at] = *mistake;
}
