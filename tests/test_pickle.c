/* test_pickle.c - the unpickler: what state dicts are made of is read, everything else is refused
 * by name, and no pickle takes more time or memory than its bytes pay for. Whole files of PyTorch
 * are test_torch.c's. */
#include "formats/torch/pickle.h"
#include "helpers/helpers.h"
#include "helpers/pickles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define BYTES(text) text, sizeof text - 1

static const dp_pickle_global globals[] = { { "collections", "OrderedDict", true },
                                            { "lib", "make", false } };

static deeper_status parse(dp_pickle *pickle, const void *bytes, size_t size, deeper_error *error) {
    return dp_pickle_parse(pickle, bytes, size, globals, LENGTH(globals), "x.pth", NULL, error);
}

static dp_pickle parsed(const void *bytes, size_t size) {
    dp_pickle pickle;
    deeper_error error = { 0 };
    if (parse(&pickle, bytes, size, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    return pickle;
}

static void refused(const void *bytes, size_t size, deeper_status wanted, const char *words) {
    dp_pickle pickle;
    deeper_error error = { 0 };
    deeper_status status = parse(&pickle, bytes, size, &error);
    if (status != wanted || !strstr(error.message, words))
        fail_msg("status %d and \"%s\", not %d and \"%s\"", (int)status, error.message, (int)wanted,
                 words);
    assert_memory_equal(error.message, "x.pth: ", 7);
    assert_null(strchr(error.message, '\n'));
    assert_null(pickle.values);
}

static const dp_pickle_value *root(const dp_pickle *pickle) {
    return &pickle->values[pickle->root];
}

static const dp_pickle_value *element(const dp_pickle *pickle, int index) {
    int value = dp_pickle_element(pickle, pickle->root, index);
    assert_true(value >= 0);
    return &pickle->values[value];
}

/* --------------------------------------------------------------------------------- what is read */

static void integers(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        int64_t number;
    } cases[] = {
        { BYTES("K\xff."), 255 },
        { BYTES("M\xff\xff."), 65535 },
        { BYTES("J\xff\xff\xff\xff."), -1 },
        { BYTES("J\0\0\0\x80."), INT32_MIN },
        { BYTES("\x8a\0."), 0 },
        { BYTES("\x8a\1\xff."), -1 },
        { BYTES("\x8a\2\xff\0."), 255 },
        { BYTES("\x8a\x08\0\0\0\0\0\0\0\x80."), INT64_MIN },
        { BYTES("\x80\2\x88."), 1 },
        { BYTES("\x80\5\x89."), 0 },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dp_pickle pickle = parsed(cases[i].bytes, cases[i].size);
        assert_int_equal(root(&pickle)->integer, cases[i].number);
        assert_int_equal(pickle.size, cases[i].size);
        dp_pickle_free(&pickle);
    }
}

static void texts(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = { { BYTES("X\2\0\0\0hi.") },
                  { BYTES("\x8c\2hi.") },
                  { BYTES("\x8d\2\0\0\0\0\0\0\0hi.") },
                  { BYTES("U\2hi.") },
                  { BYTES("T\2\0\0\0hi.") },
                  { BYTES("\x80\4\x95\4\0\0\0\0\0\0\0\x8c\2hi\x94.") } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dp_pickle pickle = parsed(cases[i].bytes, cases[i].size);
        assert_true(dp_pickle_is_text(&pickle, pickle.root, "hi"));
        assert_false(dp_pickle_is_text(&pickle, pickle.root, "hi!"));
        dp_pickle_free(&pickle);
    }
}

static void containers(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        dp_pickle_kind kind;
        int count;
    } cases[] = {
        { BYTES("K\1K\2K\3\x87."), DP_PICKLE_TUPLE, 3 },
        { BYTES("K\1\x85."), DP_PICKLE_TUPLE, 1 },
        { BYTES("(K\1K\2K\3K\4t."), DP_PICKLE_TUPLE, 4 },
        { BYTES(")."), DP_PICKLE_TUPLE, 0 },
        { BYTES("]K\1a(K\2K\3e."), DP_PICKLE_LIST, 3 },
        { BYTES("}K\1K\2s(K\3K\4K\5K\6u."), DP_PICKLE_DICT, 6 },
        { BYTES("ccollections\nOrderedDict\n)R(K\1Nu}X\1\0\0\0a}sb."), DP_PICKLE_DICT, 2 },
        { BYTES("\x8c\x0b"
                "collections\x8c\x0bOrderedDict\x93)R."),
          DP_PICKLE_DICT, 0 },
        { BYTES("](K\1K\2"
                "1."),
          DP_PICKLE_LIST, 0 },
        { BYTES("]K\1"
                "0."),
          DP_PICKLE_LIST, 0 },
        { BYTES("]NaG\0\0\0\0\0\0\0\0a."), DP_PICKLE_LIST, 2 },
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        dp_pickle pickle = parsed(cases[i].bytes, cases[i].size);
        assert_int_equal(root(&pickle)->kind, cases[i].kind);
        assert_int_equal(root(&pickle)->count, cases[i].count);
        dp_pickle_free(&pickle);
    }
}

/* A call leaves its name and arguments side by side. */
static void calls(void **state) {
    dp_pickle pickle = parsed(BYTES("clib\nmake\nK\7K\x08\x86R."));
    assert_int_equal(root(&pickle)->kind, DP_PICKLE_CALL);
    assert_int_equal(root(&pickle)->global, 1);
    const dp_pickle_value *arguments = &pickle.values[root(&pickle)->first];
    assert_int_equal(arguments->kind, DP_PICKLE_TUPLE);
    assert_int_equal(pickle.values[dp_pickle_element(&pickle, root(&pickle)->first, 1)].integer, 8);
    assert_int_equal(dp_pickle_element(&pickle, root(&pickle)->first, 2), -1);
    assert_int_equal(dp_pickle_element(&pickle, pickle.root, 0), -1);
    dp_pickle_free(&pickle);
    pickle = parsed(BYTES("K\7Q."));
    assert_int_equal(root(&pickle)->kind, DP_PICKLE_PERSISTENT);
    assert_int_equal(pickle.values[root(&pickle)->first].integer, 7);
    dp_pickle_free(&pickle);
}

/* The memo makes one value stand in several places, also in itself. */
static void memo(void **state) {
    dp_pickle pickle = parsed(BYTES("]q\0h\0a]r\1\0\0\0aj\1\0\0\0a]\x94h\2\x86"
                                    "0."));
    assert_int_equal(root(&pickle)->kind, DP_PICKLE_LIST);
    assert_ptr_equal(element(&pickle, 0), root(&pickle));
    assert_ptr_equal(element(&pickle, 1), element(&pickle, 2));
    dp_pickle_free(&pickle);
}

/* ------------------------------------------------------------------------------ what is refused */

static void code_is_refused_by_name(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        { BYTES("cos\nsystem\n(X\2\0\0\0lstR."), "asks to call os.system; refused" },
        { BYTES("\x80\2"
                "cposix\nsystem\nX\2\0\0\0ls\x85R."),
          "asks to call posix.system; refused" },
        { BYTES("\x8c\x08"
                "builtins\x8c\4"
                "eval\x93."),
          "asks to call builtins.eval; refused" },
        { BYTES("cbuiltins\ngetattr\n."), "asks to call builtins.getattr; refused" },
        { BYTES("ccollections\nOrderedDict.__init__\n."),
          "asks to call collections.OrderedDict.__init__; refused" },
        { BYTES("c\n\n."), "asks to call .; refused" },
        { BYTES("ca\x1b[2Jb\nc\n."), "asks to call a?[2Jb.c; refused" },
        { BYTES("(S'ls'\nios\nsystem\n."), "0x53 'S' is refused" },
        { BYTES("(ios\nsystem\n."), "0x69 'i' is refused" },
        { BYTES("\x82\1."), "0x82 '?' is refused" }, /* extension registry */
        { BYTES("ccollections\nOrderedDict\n)\x81."), "0x81 '?' is refused" }, /* NEWOBJ */
        { BYTES("P1\n."), "0x50 'P' is refused" }, /* a persistent id as text */
        { BYTES("K\1}b."), "sets the state of an object; refused" },
        { BYTES("\x80\6N."), "protocol above 5" },
        { BYTES("\x8a\x09\0\0\0\0\0\0\0\0\0."), "more than 64 bits" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        refused(cases[i].bytes, cases[i].size, DEEPER_ERROR_UNSUPPORTED, cases[i].words);
}

static void damage(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        { BYTES(""), "cut short" },
        { BYTES("N"), "cut short" },
        { BYTES("X\2\0\0\0h."), "cut short" },
        { BYTES("X\xff\xff\xff\xffh."), "cut short" },
        { BYTES("\x8d\xff\xff\xff\xff\xff\xff\xff\xffh."), "cut short" },
        { BYTES("cos"), "cut short" },
        { BYTES("cos\nsystem"), "cut short" },
        { BYTES("G\0\0."), "cut short" },
        { BYTES("."), "empty stack" },
        { BYTES("(."), "empty stack" },
        { BYTES("0."), "empty stack" },
        { BYTES("2."), "empty stack" },
        { BYTES("q\0."), "empty stack" },
        { BYTES("K\1\x86."), "empty stack" },
        { BYTES("(K\1\x86."), "empty stack" },
        { BYTES("K\1s."), "empty stack" },
        { BYTES("](a."), "empty stack" },
        { BYTES("NN."), "values left over" },
        { BYTES("Nt."), "mark is missing" },
        { BYTES("1."), "mark is missing" },
        { BYTES("}(K\1u."), "no dictionary" },
        { BYTES("](K\1K\2u."), "no dictionary" },
        { BYTES("(K\1K\2u."), "no dictionary" },
        { BYTES("}K\1a."), "no list" },
        { BYTES("(K\1e."), "no list" },
        { BYTES("h\0."), "memo entry that is not there" },
        { BYTES("Nr\7\0\0\0h\6."), "memo entry that is not there" },
        { BYTES("K\1)R."), "calls what is no function" },
        { BYTES("clib\nmake\nK\1R."), "calls what is no function" },
        { BYTES("K\1K\2\x93."), "name is no text" },
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        refused(cases[i].bytes, cases[i].size, DEEPER_ERROR_FORMAT, cases[i].words);
}

static void limits(void **state) {
    refused(BYTES("Nr\0\0\x10\0."), DEEPER_ERROR_LIMIT, "a memo of more than");
    size_t size = DP_PICKLE_VALUES + 2;
    char *bytes = malloc(size);
    memset(bytes, 'N', size);
    refused(bytes, size, DEEPER_ERROR_LIMIT, "more than 1,048,576 values");
    free(bytes);
    /* Pairs of one value, fourteen deep: 2^14 ends for who would follow all, fifteen values
     * here. */
    test_bytes doubled = { 0 };
    test_put(&doubled, ")", 1);
    for (int i = 0; i < 14; i++)
        test_put(&doubled, "2\x86", 2);
    test_put(&doubled, ".", 1);
    dp_pickle pickle = parsed(doubled.bytes, doubled.size);
    assert_int_equal(pickle.value_count, 15);
    dp_pickle_free(&pickle);
    free(doubled.bytes);
    /* A list filled with itself, over and over. */
    test_bytes filled = { 0 };
    test_put(&filled, "]q\0(", 4);
    for (int i = 0; i < 1000; i++)
        test_put(&filled, "h\0", 2);
    test_put(&filled, "e.", 2);
    pickle = parsed(filled.bytes, filled.size);
    assert_int_equal(root(&pickle)->count, 1000);
    assert_int_equal(pickle.value_count, 1);
    dp_pickle_free(&pickle);
    free(filled.bytes);
}

static void allocations_fail(void **state) {
    static const char bytes[] = "]q\0(K\1h\0X\1\0\0\0ae.";
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        dp_pickle pickle;
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_pickle_parse(&pickle, (const unsigned char *)bytes, sizeof bytes - 1, globals,
                            LENGTH(globals), "x.pth", &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_pickle_free(&pickle);
        assert_int_equal(failing.outstanding, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(texts),
        cmocka_unit_test(containers),
        cmocka_unit_test(calls),
        cmocka_unit_test(memo),
        cmocka_unit_test(code_is_refused_by_name),
        cmocka_unit_test(damage),
        cmocka_unit_test(limits),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
