/* test_checkpoint.c - checkpoints come back to the same bits, damage anywhere is found and an older
 * one taken, the newest few stay. */
#include "train/record/checkpoint.h"

#include "base/checksum.h"
#include "helpers/helpers.h"
#include "train/record/progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FLOATS = 1500 };

typedef struct messages {
    int count;
    char last[DEEPER_MESSAGE_SIZE];
} messages;

static void event(void *context, const deeper_train_event *e) {
    messages *m = context;
    m->count++;
    snprintf(m->last, sizeof m->last, "%s", e->message);
}

static void write_one(const char *folder, uint64_t number, int keep) {
    float a[FLOATS], b[3] = { (float)number, -1, 2 };
    char state[64];
    deeper_error error;
    for (int i = 0; i < FLOATS; i++)
        a[i] = (float)i * 0.25F + (float)number;
    snprintf(state, sizeof state, "state \"%d\"", (int)number);
    const dp_arena arenas[] = { { "value", a, FLOATS }, { "velocity", b, 3 } };
    if (dp_checkpoint_write(folder, number, arenas, 2, state, keep, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

/* Reads the newest; its number by the state, or -1: none. */
static int read_newest(const char *folder, messages *m, deeper_status wanted, deeper_error *error) {
    float a[FLOATS], b[3];
    char *state = NULL;
    int number = -1;
    dp_arena arenas[] = { { "value", a, FLOATS }, { "velocity", b, 3 } };
    const deeper_train_calls calls = { event, NULL, m };
    assert_int_equal(dp_checkpoint_read(folder, arenas, 2, &state, &calls, NULL, error), wanted);
    if (!state)
        return -1;
    assert_int_equal(sscanf(state, "state \"%d\"", &number), 1);
    dp_free(NULL, state);
    for (int i = 0; i < FLOATS; i++)
        assert_true(a[i] == (float)i * 0.25F + (float)number);
    assert_true(b[0] == (float)number && b[1] == -1 && b[2] == 2);
    return number;
}

static void checkpoint_path(char path[TEST_PATH_SIZE], const char *folder, int number) {
    char name[64];
    snprintf(name, sizeof name, "step-%012d.safetensors", number);
    test_path(path, folder, name);
}

static void test_keep(void **state) {
    char *folder = test_folder(), other[TEST_PATH_SIZE];
    messages m = { 0 };
    deeper_error error;
    assert_int_equal(read_newest(folder, &m, DEEPER_OK, &error), -1);
    test_path(other, folder,
              "step-7.safetensors"); /* no checkpoint's name: neither read nor removed */
    test_write(other, "x", 1);
    for (int number = 8; number <= 11; number++) {
        write_one(folder, (uint64_t)number, 2);
        assert_int_equal(read_newest(folder, &m, DEEPER_OK, &error), number);
    }
    assert_int_equal(test_folder_count(folder), 2 + 1);
    write_one(folder, 9, 3); /* a run that went back: what is ahead of it goes */
    assert_int_equal(read_newest(folder, &m, DEEPER_OK, &error), 9);
    assert_int_equal(m.count, 0);
    test_folder_remove(folder);
}

/* Every kind of damage: a bit anywhere, a cut anywhere, nothing left. */
static void test_damage(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error;
    messages m = { 0 };
    write_one(folder, 1, 2);
    write_one(folder, 2, 2);
    checkpoint_path(path, folder, 2);
    size_t size = 0;
    char *bytes = test_read(path, &size);
    for (size_t at = 0; at < size; at += 97) {
        bytes[at] ^= 4;
        test_write(path, bytes, size);
        bytes[at] ^= 4;
        m.count = 0;
        int number = read_newest(folder, &m, DEEPER_OK, &error);
        if (number != 1 || m.count != 1 || !strstr(m.last, path))
            fail_msg("byte %zu: %d, %d messages", at, number, m.count);
    }
    for (size_t cut = 0; cut < size; cut += 501) {
        m.count = 0;
        test_write(path, bytes, cut);
        assert_int_equal(read_newest(folder, &m, DEEPER_OK, &error), 1);
        assert_int_equal(m.count, 1);
    }
    checkpoint_path(path, folder, 1);
    test_write(path, bytes, size / 2);
    assert_int_equal(read_newest(folder, &m, DEEPER_ERROR_FORMAT, &error), -1);
    assert_non_null(strstr(error.message, path));
    free(bytes);
    test_folder_remove(folder);
}

static void test_another_network(void **state) {
    char *folder = test_folder(), *text = NULL;
    float a[4];
    deeper_error error;
    write_one(folder, 1, 1);
    dp_arena arenas[] = { { "value", a, 4 } }, more[] = { { "average", a, 4 } };
    assert_int_equal(dp_checkpoint_read(folder, more, 1, &text, NULL, NULL, &error),
                     DEEPER_ERROR_MISMATCH);
    assert_non_null(strstr(error.message, "average"));
    assert_int_equal(dp_checkpoint_read(folder, arenas, 1, &text, NULL, NULL, &error),
                     DEEPER_ERROR_MISMATCH);
    assert_null(text);
    test_folder_remove(folder);
    assert_int_equal(dp_checkpoint_read("/nowhere/at/all", arenas, 1, &text, NULL, NULL, &error),
                     DEEPER_ERROR_IO);
    assert_int_equal(dp_checkpoint_write("/nowhere/at/all", 1, arenas, 1, "", 1, NULL, &error),
                     DEEPER_ERROR_IO);
}

/* The check value of this CRC for the text that all CRCs are checked with, short and long ways
 * alike. */
static void test_checksum(void **state) {
    assert_true(dp_checksum(0, "123456789", 9) == 0x995DC9BBDF1939FA);
    assert_true(dp_hash(DP_HASH_START, "a", 1) == 0xAF63DC4C8601EC8C);
    enum { SIZE = 10007 };
    static unsigned char bytes[SIZE];
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 7);
    uint64_t parts = 0;
    for (size_t at = 0; at < SIZE; at += 100)
        parts = dp_checksum(parts, bytes + at, SIZE - at < 100 ? SIZE - at : 100);
    assert_true(dp_checksum(0, bytes, SIZE) == parts);
    assert_true(dp_checksum(0, bytes, SIZE - 1) != parts);
}

static void test_progress(void **state) {
    dp_progress p = { .step = (uint64_t)1 << 40,
                      .epoch = 3,
                      .epochs = 9,
                      .factor = 0.1,
                      .length = { 2, { { 0, 900 }, { 7, 100 } } },
                      .planned = 1.5,
                      .rate = 1 / 3.0 },
                back;
    deeper_error error;
    p.sums.losses[2] = nextafter(0.3, 1);
    for (int i = 0; i < 3; i++)
        assert_true(dp_progress_add(
            &p, &(dp_report_epoch){ .epoch = i + 1, .val_top1 = 0.1 * i, .best = i != 1 }, NULL));
    char *text = dp_progress_to_json(&p);
    assert_non_null(text);
    assert_int_equal(dp_progress_from_json(&back, text, "x", NULL, &error), DEEPER_OK);
    assert_int_equal(back.history_count, 3);
    assert_memory_equal(back.history, p.history, 3 * sizeof *p.history);
    assert_true(back.step == p.step && back.epoch == 3 && back.planned == 1.5 && back.factor == 0.1
                && back.rate == p.rate);
    assert_memory_equal(&back.length, &p.length, sizeof p.length);
    assert_memory_equal(&back.sums, &p.sums, sizeof p.sums);
    dp_progress_free(&back, NULL);
    p.history[1].val_losses[0] = NAN;
    char *diverged = dp_progress_to_json(&p);
    assert_non_null(diverged);
    assert_non_null(strstr(diverged, "\"val_losses\":[null,"));
    assert_int_equal(dp_progress_from_json(&back, diverged, "x", NULL, &error), DEEPER_OK);
    assert_true(isnan(back.history[1].val_losses[0]) && back.history[2].val_losses[0] == 0);
    free(diverged);
    dp_progress_free(&back, NULL);
    char *field = strstr(text, "\"factor\"");
    assert_non_null(field);
    field[1] = 'F';
    assert_int_equal(dp_progress_from_json(&back, text, "x", NULL, &error), DEEPER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "factor"));
    free(text);
    assert_int_equal(dp_progress_from_json(&back, "[1]", "x", NULL, &error), DEEPER_ERROR_FORMAT);
    dp_progress_free(&p, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_another_network),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
