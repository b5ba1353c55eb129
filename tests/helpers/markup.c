/* markup.c - the checker of markup: one pass over the text with a stack of open tags. */
#include "helpers/markup.h"
#include "base/text.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

size_t test_occurrences(const char *text, const char *word) {
    size_t count = 0;
    while ((text = strstr(text, word))) {
        count++;
        text += strlen(word);
    }
    return count;
}

enum { DEPTH_MAX = 32, NAME_MAX_SIZE = 16 };

typedef struct checker {
    const char *at;
    char open[DEPTH_MAX][NAME_MAX_SIZE];
    size_t depth;
} checker;

static void read_name(checker *c, char name[NAME_MAX_SIZE]) {
    size_t size = 0;
    while (isalnum((unsigned char)*c->at)) {
        assert_true(size + 1 < NAME_MAX_SIZE);
        name[size++] = *c->at++;
    }
    assert_true(size > 0);
    name[size] = '\0';
}

/* name="value" pairs up to > or />. True: the element has no content. */
static bool read_attributes(checker *c) {
    for (;;) {
        while (isspace((unsigned char)*c->at))
            c->at++;
        if (*c->at == '>' || !strncmp(c->at, "/>", 2))
            break;
        assert_true(islower((unsigned char)*c->at));
        while (isalnum((unsigned char)*c->at) || *c->at == '-')
            c->at++;
        assert_memory_equal(c->at, "=\"", 2);
        for (c->at += 2; *c->at != '"'; c->at++)
            assert_true(*c->at && *c->at != '<' && *c->at != '>');
        c->at++;
        assert_true(*c->at == ' ' || *c->at == '>'
                    || *c->at == '/'); /* an attribute ends where ours end it */
    }
    bool closed = *c->at == '/';
    c->at += closed ? 2 : 1;
    return closed;
}

static void read_tag(checker *c) {
    char name[NAME_MAX_SIZE];
    bool end = *++c->at == '/';
    c->at += end;
    read_name(c, name);
    if (end) {
        assert_true(c->depth > 0);
        assert_string_equal(name, c->open[--c->depth]);
        assert_int_equal(*c->at++, '>');
        return;
    }
    bool empty = read_attributes(c);
    if (empty || !strcmp(name, "meta") || !strcmp(name, "img") || !strcmp(name, "br"))
        return;
    assert_true(c->depth < DEPTH_MAX);
    memcpy(c->open[c->depth++], name, sizeof name);
    assert_string_not_equal(name, "script");
    if (!strcmp(name, "style"))
        c->at = strstr(c->at, "</style>");
}

void test_check_markup(const char *text) {
    static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
    assert_true(dp_text_clean(text, strlen(text), true));
    for (const char *at = text; (at = strchr(at, '&')); at++) {
        size_t i = 0;
        while (i < 5 && strncmp(at, entities[i], strlen(entities[i])) != 0)
            i++;
        assert_true(i < 5);
    }
    checker c = { .at = text };
    if (!strncmp(text, "<!DOCTYPE html>", 15))
        c.at += 15;
    while (*c.at)
        if (*c.at == '<')
            read_tag(&c);
        else
            assert_int_not_equal(*c.at++, '>');
    assert_int_equal(c.depth, 0);
    assert_int_equal(test_occurrences(text, "src=\""),
                     test_occurrences(text, "src=\"data:image/png;base64,"));
    assert_int_equal(test_occurrences(text, "href") + test_occurrences(text, "url(")
                         + test_occurrences(text, "@import"),
                     0);
}
