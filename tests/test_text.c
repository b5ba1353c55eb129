/* test_text.c - what is clean UTF-8, and that words and cells are read back as they were. */
#include "base/memory.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void clean_texts(void **state) {
    static const char *const clean[] = {
        "", "abc", "é", "지단", "\xf0\x9f\x90\x88", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"
    };
    static const char *const unclean[] = {
        "\n",       "a\x7f",        "\x80",         "\xc0\xaf",         "\xc2",
        "\xc2\x9b", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"
    };
    for (size_t i = 0; i < sizeof clean / sizeof *clean; i++)
        assert_true(dp_text_clean(clean[i], strlen(clean[i]), false));
    for (size_t i = 0; i < sizeof unclean / sizeof *unclean; i++)
        assert_false(dp_text_clean(unclean[i], strlen(unclean[i]), false));
    assert_true(dp_text_clean("a\nb\tc", 5, true));
    assert_false(dp_text_clean("a\rb", 3, true));
}

static void every_code_point_comes_back(void **state) {
    for (uint32_t code = 0; code <= 0x110000; code++) {
        char bytes[4];
        uint32_t read = 0;
        size_t size = dp_utf8_encode(bytes, code);
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
            assert_int_equal(size, 0);
            continue;
        }
        assert_int_equal(dp_utf8_decode(bytes, size, &read), size);
        assert_int_equal(read, code);
    }
}

static void assert_puts(void put(dp_text_sink *sink, void *context, const char *text),
                        const char *text, const char *expected) {
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 1000);
    put(dp_buffer_sink, &buffer, text);
    assert_int_equal(buffer.size, strlen(expected));
    assert_memory_equal(buffer.size ? buffer.data : "", expected, buffer.size);
    dp_buffer_free(&buffer);
}

/* What is written is what is expected, and a shell reads the word back. */
static void shell_words(void **state) {
    static const char *const words[][2] = {
        { "runs/a-1_b.c:d=e,f+g", "runs/a-1_b.c:d=e,f+g" },
        { "", "''" },
        { "a b", "'a b'" },
        { "$HOME", "'$HOME'" },
        { "it's", "'it'\\''s'" },
        { "'", "''\\'''" },
        { "~", "'~'" },
        { "*\n\\n", "'*\n\\n'" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_puts(dp_put_shell_word, words[i][0], words[i][1]);
        char command[100], read[100];
        snprintf(command, sizeof command, "printf %%s. %s", words[i][1]);
        FILE *shell = popen(command, "r");
        assert_non_null(shell);
        size_t size = fread(read, 1, sizeof read, shell);
        assert_int_equal(pclose(shell), 0);
        assert_int_equal(size, strlen(words[i][0]) + 1);
        assert_memory_equal(read, words[i][0], size - 1);
    }
}

static void csv_cells(void **state) {
    static const char *const cells[][2] = {
        { "", "" },
        { "a b;c'", "a b;c'" },
        { "a,b", "\"a,b\"" },
        { "\"", "\"\"\"\"" },
        { "say \"a\"", "\"say \"\"a\"\"\"" },
        { "a\r\nb", "\"a\r\nb\"" },
        { "=1+2", "'=1+2" }, /* a formula is none */
        { "+1", "'+1" },
        { "-a", "'-a" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "\t=1", "'\t=1" },
        { "=HYPERLINK(\"a\",1)", "\"'=HYPERLINK(\"\"a\"\",1)\"" },
        { "a=b", "a=b" },
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_puts(dp_put_csv_cell, cells[i][0], cells[i][1]);
}

static void put_text(dp_text_sink *sink, void *context, const char *text) {
    dp_put_shown(sink, context, text, false);
}

static void put_lines(dp_text_sink *sink, void *context, const char *text) {
    dp_put_shown(sink, context, text, true);
}

static void shown_texts(void **state) {
    static const char *const texts[][2] = {
        { "", "" },
        { "a é 지단 \xf0\x9f\x90\x88", "a é 지단 \xf0\x9f\x90\x88" },
        { "a\x1b[31m\x7f\rb", "a?[31m??b" },
        { "\xc2\x9b"
          "31m\xc2\x80\xc2\x9f\xc2\xa0",
          "?31m??\xc2\xa0" },                                 /* C1, and the first that is none */
        { "\x9b\xe9\x80", "?\xe9?" },                         /* Latin-1: its controls alone */
        { "\xe0\x82\x9b\xc0\x9b", "\xe0??\xc0?" },            /* overlong */
        { "x\xe2\x80\xaegpj.exe\xe2\x80\xac", "x?gpj.exe?" }, /* right-to-left override */
        { "\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xaf", "\xe2\x80\xa9?\xe2\x80\xaf" },
        { "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5??\xe2\x81\xaa" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_puts(put_text, texts[i][0], texts[i][1]);
    assert_puts(put_text, "a\n\tb", "a??b");
    assert_puts(put_lines, "a\n\tb\r", "a\n\tb?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_texts), cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(shell_words), cmocka_unit_test(csv_cells),
        cmocka_unit_test(shown_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
