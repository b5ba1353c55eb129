/* length.c - the stages of a run. */
#include "train/core/length.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const uint64_t MAX_STEPS = (uint64_t)1 << 52; /* exact as a double */

bool dp_length_add(dp_length *l, uint64_t from, uint64_t steps) {
    const dp_stage *last = l->count > 0 ? &l->stages[l->count - 1] : NULL;
    if (steps < from || steps == 0 || steps > MAX_STEPS || (last ? from < last->from : from != 0))
        return false;
    bool replaces = last && from == last->from;
    if (!replaces && l->count == DP_LENGTH_STAGES)
        return false;
    l->count += !replaces;
    l->stages[l->count - 1] = (dp_stage){ from, steps };
    return true;
}

/* A whole number at *text, which goes past it. */
static bool take_number(const char **text, uint64_t *number) {
    char *end = NULL;
    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

bool dp_length_parse(dp_length *l, const char *text) {
    uint64_t from = 0, steps = 0, before = 0;
    *l = (dp_length){ 0 };
    for (;; text++) {
        if (!take_number(&text, &steps))
            return false;
        if (l->count > 0) {
            from = steps;
            if (*text++ != ':' || !take_number(&text, &steps) || from <= before)
                return false;
        }
        if (!dp_length_add(l, from, steps))
            return false;
        before = from;
        if (*text != ',')
            return *text == '\0';
    }
}

void dp_length_print(dp_buffer *buffer, const dp_length *l) {
    for (int i = 0; i < l->count; i++) {
        if (i > 0)
            dp_buffer_printf(buffer, ",%llu:", (unsigned long long)l->stages[i].from);
        dp_buffer_printf(buffer, "%llu", (unsigned long long)l->stages[i].steps);
    }
}

uint64_t dp_length_steps(const dp_length *l, uint64_t step) {
    int i = l->count - 1;
    while (i > 0 && l->stages[i].from > step)
        i--;
    return l->stages[i].steps;
}

double dp_length_progress(const dp_length *l, double step) {
    double progress = 0;
    for (int i = 0; i < l->count && (double)l->stages[i].from < step; i++) {
        double begin = (double)l->stages[i].from, end = step,
               left = (double)l->stages[i].steps - begin;
        if (i + 1 < l->count)
            end = fmin(end, (double)l->stages[i + 1].from);
        progress += (1 - progress) * (left > 0 ? fmin(1, (end - begin) / left) : 1);
    }
    return progress;
}
