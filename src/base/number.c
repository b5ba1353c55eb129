/* number.c - strtod and printf in the C locale, for this thread and the call only. */
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where it cannot be had (no memory) the thread keeps the one it is in. */
dp_c_locale dp_c_locale_enter(void) {
    dp_c_locale locale = { .entered = newlocale(LC_ALL_MASK, "C", (locale_t)0) };
    if (locale.entered)
        locale.callers = uselocale(locale.entered);
    return locale;
}

void dp_c_locale_leave(dp_c_locale locale) {
    if (!locale.entered)
        return;
    uselocale(locale.callers);
    freelocale(locale.entered);
}

bool dp_number_parse(const char *text, size_t length, double *value) {
    char digits[64] = "", *end = digits;
    if (!length || length >= sizeof digits || strchr(" \t\n\v\f\r", text[0]))
        return false;
    memcpy(digits, text, length);
    dp_c_locale locale = dp_c_locale_enter();
    double parsed = strtod(digits, &end);
    dp_c_locale_leave(locale);
    if ((size_t)(end - digits) != length || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

void dp_number_print(char *text, size_t size, float value) {
    dp_c_locale locale = dp_c_locale_enter();
    int precision = 6;
    do
        snprintf(text, size, "%.*g", precision, (double)value);
    while (precision++ < 9 && strtof(text, NULL) != value);
    dp_c_locale_leave(locale);
}
