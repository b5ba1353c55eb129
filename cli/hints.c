/* hints.c - see hints.h. */
#include "hints.h"

#include <stddef.h>
#include <string.h>

static const struct {
    deeper_status status;
    const char *field, *hint;
} hints[] = {
    { DEEPER_ERROR_FORMAT, "tuning", " ('deeper tune'; DEEPER_TUNING=none)" },
    { DEEPER_ERROR_MISMATCH, "preprocess", " (--preprocess, or 'deeper convert --preprocess')" },
    { DEEPER_ERROR_MISMATCH, "crops", " ('deeper eval --crops N --save-probs FILE')" },
    { DEEPER_ERROR_LIMIT, "max_memory", " (--max-memory)" },
    { DEEPER_ERROR_ARGUMENT, "freeze", " ('deeper summary --layers' lists the names)" },
    { DEEPER_ERROR_ARGUMENT, "probe", " (--init MODEL)" },
    { DEEPER_ERROR_ARGUMENT, "rates", " ('deeper summary --layers' lists the names)" },
};

const char *cli_hint(const deeper_error *error) {
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        size_t length = strlen(hints[i].field);
        if (error->status == hints[i].status && !strncmp(error->message, hints[i].field, length)
            && error->message[length] == ':')
            return hints[i].hint;
    }
    return "";
}
