/* number.c - strtod and printf in the C locale, for this thread and the call only. */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enters the C locale. Where it cannot be had (no memory) the thread keeps the one it is in. */
static locale_t enter(locale_t *c) {
    *c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return *c ? uselocale(*c) : (locale_t)0;
}

static void leave(locale_t old, locale_t c) {
    if (!c)
        return;
    uselocale(old);
    freelocale(c);
}

bool dp_number_parse(const char *text, size_t length, double *value) {
    char digits[64] = "", *end = digits;
    if (!length || length >= sizeof digits || strchr(" \t\n\v\f\r", text[0]))
        return false;
    memcpy(digits, text, length);
    locale_t c, old = enter(&c);
    double parsed = strtod(digits, &end);
    leave(old, c);
    if ((size_t)(end - digits) != length || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

void dp_number_print(char *text, size_t size, float value) {
    locale_t c, old = enter(&c);
    int precision = 6;
    do
        snprintf(text, size, "%.*g", precision, (double)value);
    while (precision++ < 9 && strtof(text, NULL) != value);
    leave(old, c);
}
