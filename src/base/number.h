/* number.h - numbers to text and back with a decimal point, whatever the locale of the program that
 * uses the library: file formats and option texts must not change their meaning in a country that
 * writes 0,5. */
#ifndef DP_BASE_NUMBER_H
#define DP_BASE_NUMBER_H

#include "base/status.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

/* The C locale on this thread from enter to leave, around a text with numbers in it; the caller's
 * own stays as it is. leave takes what enter returned. Pairs nest. */
typedef struct dp_c_locale {
    locale_t entered, callers;
} dp_c_locale;
dp_c_locale dp_c_locale_enter(void);
void dp_c_locale_leave(dp_c_locale locale);

/* The whole of text[0..length-1] as a finite number; false (*value untouched) if it is not one. At
 * most 63 bytes. */
bool dp_number_parse(const char *text, size_t length, double *value);

/* The fewest significant digits, six or more, that read back to the same float. size: 32 is
 * enough. */
void dp_number_print(char *text, size_t size, float value);

#endif
