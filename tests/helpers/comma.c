/* comma.c - see comma.h. */
#include "helpers/comma.h"

#include "helpers/helpers.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char *folder;

void test_comma_leave(void) {
    setlocale(LC_NUMERIC, "C");
    unsetenv("LOCPATH");
    if (folder)
        test_folder_remove(folder);
    folder = NULL;
}

/* LC_NUMERIC of glibc: texts one after the other, among them the decimal point, behind a table of
 * where they begin. */
void test_comma_enter(void) {
    char path[TEST_PATH_SIZE];
    size_t size = 0;
    char *bytes = test_read("/usr/lib/locale/C.utf8/LC_NUMERIC", &size),
         *point = bytes ? memchr(bytes, '.', size) : NULL;
    folder = test_folder();
    if (point && point[1] == '\0') {
        *point = ',';
        test_path(path, folder, "comma");
        mkdir(path, 0700);
        test_path(path, folder, "comma/LC_NUMERIC");
        test_write(path, bytes, size);
        setenv("LOCPATH", folder, 1);
    }
    free(bytes);
    if (setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0)
        return;
    test_comma_leave();
    print_message("no locale with a decimal comma can be made here\n");
    skip();
}
