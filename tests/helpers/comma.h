/* comma.h - a locale whose decimal point is a comma, whatever locales are installed: what a program
 * in many countries runs in. */
#ifndef TEST_HELPERS_COMMA_H
#define TEST_HELPERS_COMMA_H

/* From enter to leave printf and strtod have a comma: the C library's own C.UTF-8 with that one
 * byte changed, read through LOCPATH. Calls skip() where the C library keeps its locales in another
 * way. */
void test_comma_enter(void);
void test_comma_leave(void);

#endif
