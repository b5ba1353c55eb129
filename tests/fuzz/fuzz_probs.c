/* fuzz_probs.c - files of saved answers. First byte, lowest bit: 0: the rest is the file; 1: two
 * bytes (of a record), the header up to a line's end and the records are put into a sound journal,
 * whose checksums keep mutations of what is in it out. Checked: what opens has the records that it
 * says, and copied as the one shard of an evaluation it is the same.
 *
 * covers: src/eval/probs.c src/base/journal.c */
#include "base/files.h"
#include "eval/probs.h"
#include "helpers/fuzz.h"
#include "helpers/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64], copy[64], copy_part[72];

static void name_files(void) {
    snprintf(path, sizeof path, "%s/a", test_scratch());
    snprintf(copy, sizeof copy, "%s/b", test_scratch());
    snprintf(copy_part, sizeof copy_part, "%s.part", copy);
}

static void write_raw(const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    fuzz_demand(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void write_journal(const uint8_t *data, size_t size) {
    dp_journal *journal = NULL;
    if (size < 2)
        return;
    size_t record = data[0] | (size_t)data[1] << 8;
    const uint8_t *header = data + 2, *end = memchr(header, '\n', size - 2),
                  *next = end ? end + 1 : data + size;
    unlink(path);
    if (record == 0)
        return;
    fuzz_demand(dp_journal_create(&journal, path, header, end ? (size_t)(end - header) : size - 2,
                                  record, NULL, NULL)
                == DEEPER_OK);
    for (; (size_t)(data + size - next) >= record; next += record)
        fuzz_demand(dp_journal_append(journal, next, NULL) == DEEPER_OK);
    fuzz_demand(dp_journal_sync(journal, true, NULL) == DEEPER_OK);
    dp_journal_close(journal);
}

/* Every record read; the sum of all that they say. */
static double read_all(dp_probs *probs, bool *sound) {
    const dp_probs_about *about = dp_probs_tell(probs);
    double sum = 0;
    *sound = true;
    for (uint64_t i = 0; i < dp_probs_count(probs); i++) {
        dp_probs_record record;
        deeper_error error = { 0 };
        if (dp_probs_read(probs, i, &record, &error) != DEEPER_OK) {
            fuzz_demand(error.message[0] && !strchr(error.message, '\n'));
            *sound = false;
            return 0;
        }
        fuzz_demand(record.label < about->classes);
        sum += (double)record.label + record.unreadable;
        for (size_t k = 0; k < (size_t)about->models * about->classes && !record.unreadable; k++)
            sum += record.softmaxes[k] > 0;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t limit = 64 << 20;
    const deeper_allocator bounded = fuzz_bounded(&limit);
    if (size == 0)
        return 0;
    name_files();
    if (data[0] & 1)
        write_journal(data + 1, size - 1);
    else
        write_raw(data + 1, size - 1);
    dp_probs *probs = NULL, *again = NULL;
    deeper_error error = { 0 };
    deeper_status status = dp_probs_open(&probs, path, &bounded, &error);
    fuzz_demand((status == DEEPER_OK) == (probs != NULL)
                && (status == DEEPER_OK || (error.status == status && error.message[0])));
    if (!probs) {
        unlink(path);
        return 0;
    }
    bool sound, sound_again;
    double sum = read_all(probs, &sound);
    const char *parts[] = { path };
    status = dp_probs_merge(copy, parts, 1, &bounded, &error);
    fuzz_demand(status != DEEPER_OK || sound);
    if (status == DEEPER_OK) {
        fuzz_demand(dp_probs_open(&again, copy, &bounded, NULL) == DEEPER_OK);
        double sum_again = read_all(again, &sound_again);
        fuzz_demand(sound_again && sum_again == sum && dp_probs_tell(again)->shards == 1);
        dp_probs_close(again);
    }
    unlink(copy);
    unlink(copy_part);
    unlink(path);
    dp_probs_close(probs);
    return 0;
}
