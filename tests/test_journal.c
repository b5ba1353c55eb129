/* test_journal.c - a file that grows: kills in the middle of a record, damage, what is refused. */
#include "base/journal.h"
#include "helpers/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORD = 40, RECORDS = 5, HEADER = 6, FIRST = 64, STEP = RECORD + 8 };
static const char header[] = "header";

static char *folder, path[TEST_PATH_SIZE], part[TEST_PATH_SIZE];

static int setup(void **state) {
    folder = test_folder();
    test_path(path, folder, "journal");
    test_path(part, folder, "journal.part");
    return 0;
}

static int teardown(void **state) {
    test_folder_remove(folder);
    return 0;
}

static void make_record(char record[RECORD], int number) {
    for (int i = 0; i < RECORD; i++)
        record[i] = (char)(number * 31 + i * i);
}

static void append(dp_journal *journal, int from, int to) {
    char record[RECORD];
    for (int i = from; i < to; i++) {
        make_record(record, i);
        assert_int_equal(dp_journal_append(journal, record, NULL), DEEPER_OK);
    }
}

static void assert_records(const dp_journal *journal, int count) {
    char record[RECORD], wanted[RECORD];
    size_t size = 0;
    assert_memory_equal(dp_journal_header(journal, &size), header, HEADER);
    assert_int_equal(size, HEADER);
    assert_int_equal(dp_journal_record_size(journal), RECORD);
    assert_int_equal(dp_journal_count(journal), count);
    for (int i = 0; i < count; i++) {
        make_record(wanted, i);
        assert_int_equal(dp_journal_read(journal, (uint64_t)i, record, NULL), DEEPER_OK);
        assert_memory_equal(record, wanted, RECORD);
    }
}

static void refused(deeper_status status, deeper_status expected, const deeper_error *error,
                    const char *words) {
    assert_int_equal(status, expected);
    if (!strstr(error->message, words))
        fail_msg("\"%s\" should say \"%s\"", error->message, words);
}

/* Begins a journal with all records and leaves it unfinished; bytes[*size]: what then lies on the
 * disk. */
static char *make_part(size_t *size) {
    dp_journal *journal = NULL;
    assert_int_equal(dp_journal_create(&journal, path, header, HEADER, RECORD, NULL, NULL),
                     DEEPER_OK);
    append(journal, 0, RECORDS);
    assert_records(journal, RECORDS);
    dp_journal_close(journal);
    char *bytes = test_read(part, size);
    assert_int_equal(*size, FIRST + RECORDS * STEP);
    return bytes;
}

static void a_kill_loses_one_record_at_max(void **state) {
    size_t size = 0;
    char *bytes = make_part(&size);
    for (size_t cut = FIRST; cut <= size; cut += 7) {
        dp_journal *journal = NULL;
        test_write(part, bytes, cut);
        int sound = (int)((cut - FIRST) / STEP);
        assert_int_equal(dp_journal_resume(&journal, path, NULL, NULL), DEEPER_OK);
        assert_records(journal, sound);
        append(journal, sound, RECORDS);
        assert_int_equal(dp_journal_sync(journal, true, NULL), DEEPER_OK);
        assert_int_equal(dp_journal_sync(journal, true, NULL), DEEPER_OK); /* has its name */
        dp_journal_close(journal);
        size_t whole = 0;
        char *again = test_read(path, &whole);
        assert_int_equal(whole, size);
        assert_memory_equal(again, bytes, size);
        free(again);
        assert_int_equal(access(part, F_OK), -1);
        assert_int_equal(dp_journal_open(&journal, path, NULL, NULL), DEEPER_OK);
        assert_records(journal, RECORDS);
        dp_journal_close(journal);
        unlink(path);
    }
    for (size_t cut = 0; cut < sizeof header + 32; cut++) { /* not even the header is whole */
        dp_journal *journal = NULL;
        test_write(part, bytes, cut);
        assert_int_equal(dp_journal_resume(&journal, path, NULL, NULL), DEEPER_OK);
        assert_int_equal(journal == NULL, cut < 38);
        assert_int_equal(access(part, F_OK), cut < 38 ? -1 : 0);
        dp_journal_close(journal);
    }
    free(bytes);
    test_write(part, "not ours", 8); /* stays */
    dp_journal *journal = NULL;
    assert_int_equal(dp_journal_resume(&journal, path, NULL, NULL), DEEPER_ERROR_FORMAT);
    assert_int_equal(access(part, F_OK), 0);
    unlink(part);
}

/* Any changed bit is seen: in the header at once, in a record when it is read; resuming goes back
 * before it. */
static void damage_is_seen(void **state) {
    size_t size = 0;
    char *bytes = make_part(&size), record[RECORD];
    for (size_t at = 0; at < size; at++) {
        dp_journal *journal = NULL;
        bytes[at] ^= 4;
        test_write(path, bytes, size);
        test_write(part, bytes, size);
        deeper_status status = dp_journal_open(&journal, path, NULL, NULL);
        if (at < 32 + HEADER)
            assert_int_not_equal(status, DEEPER_OK);
        else if (at >= FIRST) {
            uint64_t hit = (at - FIRST) / STEP;
            assert_int_equal(status, DEEPER_OK);
            for (uint64_t i = 0; i < RECORDS; i++)
                assert_int_equal(dp_journal_read(journal, i, record, NULL),
                                 i == hit ? DEEPER_ERROR_FORMAT : DEEPER_OK);
            dp_journal_close(journal);
            assert_int_equal(dp_journal_resume(&journal, path, NULL, NULL), DEEPER_OK);
            assert_records(journal, (int)hit);
        }
        dp_journal_close(status == DEEPER_OK ? journal : NULL);
        bytes[at] ^= 4;
    }
    free(bytes);
    unlink(path);
    unlink(part);
}

static void refusals(void **state) {
    dp_journal *journal = NULL, *other = NULL;
    deeper_error error = { 0 };
    refused(dp_journal_open(&journal, path, NULL, &error), DEEPER_ERROR_IO, &error, path);
    assert_int_equal(dp_journal_resume(&journal, path, NULL, &error), DEEPER_OK);
    assert_null(journal);
    assert_int_equal(dp_journal_create(&journal, path, header, HEADER, RECORD, NULL, NULL),
                     DEEPER_OK);
    refused(dp_journal_create(&other, path, header, HEADER, RECORD, NULL, &error),
            DEEPER_ERROR_ARGUMENT, &error, "resume");
    refused(dp_journal_open(&other, path, NULL, &error), DEEPER_ERROR_IO, &error, "not finished");
    dp_journal_close(journal);
    unlink(part);
    refused(dp_journal_create(&journal, path, header, (size_t)DP_JOURNAL_HEADER_MAX + 1, RECORD,
                              NULL, &error),
            DEEPER_ERROR_LIMIT, &error, path);
    test_write(path, "some other file that is longer than a header", 44);
    refused(dp_journal_open(&journal, path, NULL, &error), DEEPER_ERROR_FORMAT, &error,
            "saved answers");
    unlink(path);
}

static void memory_failures_are_reported(void **state) {
    test_failing_allocator failing;
    for (long n = 1, done = 0; !done; n++) {
        dp_journal *journal = NULL;
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_journal_create(&journal, path, header, HEADER, RECORD, &failing.allocator, &error);
        if (status == DEEPER_OK)
            append(journal, 0, RECORDS);
        dp_journal_close(status == DEEPER_OK ? journal : NULL);
        journal = NULL;
        if (status == DEEPER_OK)
            status = dp_journal_resume(&journal, path, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_journal_close(status == DEEPER_OK ? journal : NULL);
        assert_int_equal(failing.outstanding, 0);
        unlink(part);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_one_record_at_max),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(refusals),
        cmocka_unit_test(memory_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
