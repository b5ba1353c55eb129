/* hints.c - see hints.h. */
#include "hints.h"

#include <stddef.h>
#include <string.h>

/* What the library says, and what that is here; the first row that fits holds. */
static const struct {
    const char *advice, *hint;
} hints[] = {
    { "or use no tuning", " ('deeper tune'; DEEPER_TUNING=none)" },
    { "measure it anew", " ('deeper tune')" },
    { "save a copy that does", " ('deeper convert --preprocess NAME')" },
    { "name what its weights were made with", " (--preprocess)" },
    { "say what makes probabilities of it", " (--answer)" },
    { "no layer's name begins with", " ('deeper summary' lists the names of the layers)" },
    { "use a file that deeper saved", " ('deeper convert' or 'deeper train')" },
    { "save the answers again", " ('deeper eval --crops N --save-probs FILE')" },
};

const char *cli_hint(const char *message) {
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(message, hints[i].advice))
            return hints[i].hint;
    return "";
}
