/* seeds_probs.c - seeds for the reader of saved answers: whole evaluations and a shard, as files
 * and as fuzz_probs puts them together.
 *
 *     seeds_probs FOLDER        fills FOLDER/fuzz_probs */
#include "eval/probs.h"
#include "helpers/seeds.h"
#include "model/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 2 };

static char target[SEEDS_PATH_SIZE];

static void check(bool holds) {
    if (!holds)
        seeds_fail(target, "cannot be made a seed");
}

static FILE *next_seed(char first) {
    FILE *file = seeds_next();
    fputc(first, file);
    return file;
}

/* The file that was made: as it is, and taken apart. */
static void save(void) {
    char bytes[4096];
    size_t size;
    FILE *from = fopen(target, "rb"), *to = next_seed(0);
    check(from && (size = fread(bytes, 1, sizeof bytes, from)) > 0
          && fwrite(bytes, 1, size, to) == size && fclose(to) == 0);
    fclose(from);

    dp_journal *journal = NULL;
    check(dp_journal_open(&journal, target, NULL, NULL) == DEEPER_OK);
    const void *header = dp_journal_header(journal, &size);
    size_t record = dp_journal_record_size(journal);
    to = next_seed(1);
    check(fputc((int)(record & 255), to) != EOF && fputc((int)(record >> 8), to) != EOF);
    check(fwrite(header, 1, size, to) == size && fputc('\n', to) != EOF && record <= sizeof bytes);
    for (uint64_t i = 0; i < dp_journal_count(journal); i++)
        check(dp_journal_read(journal, i, bytes, NULL) == DEEPER_OK
              && fwrite(bytes, 1, record, to) == record);
    check(fclose(to) == 0);
    dp_journal_close(journal);
}

static void make(int models, const char *labels, int shard, int shards) {
    static const float softmax[CLASSES] = { 0.25F, 0.75F }, *const all[2] = { softmax, softmax };
    dp_probs_about about = { .models = models,
                             .names = { "first.safetensors", "second" },
                             .weights = { 1, 2 },
                             .crops = 1,
                             .classes = CLASSES,
                             .data = "pictures",
                             .fingerprint = 3,
                             .pictures = 3,
                             .shard = shard,
                             .shards = shards };
    dp_probs *probs = NULL;
    uint64_t begin, end;
    if (labels)
        check(dp_labels_from_text(&about.labels, labels, strlen(labels), "labels", NULL, NULL)
              == DEEPER_OK);
    unlink(target);
    check(dp_probs_create(&probs, target, &about, false, NULL, NULL) == DEEPER_OK);
    dp_probs_range(&about, &begin, &end);
    for (uint64_t i = begin; i < end; i++)
        check(dp_probs_add(probs, i % CLASSES, i == 2 ? NULL : all, NULL) == DEEPER_OK);
    dp_probs_close(probs);
    dp_labels_free(&about.labels, NULL);
    save();
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_probs");
    snprintf(target, sizeof target, "%s/made", argv[1]);
    make(1, NULL, 1, 1);
    make(2, "a A\nb B", 1, 1);
    make(1, NULL, 2, 2);
    unlink(target);
    return 0;
}
