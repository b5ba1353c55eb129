/* main.c - replays a fuzz target without libFuzzer: every file of the given folders as it is, then
 * mutations of it that are the same on every machine. Why here: so that each build (gcc,
 * sanitizers, another architecture) runs all parsers on all seeds under ctest, and a finding can be
 * replayed under a debugger. It searches for nothing new: that is what the fuzz preset is for.
 *
 *     fuzz_NAME FOLDER|FILE ... */
#include "base/files.h"
#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MUTATIONS = 64, /* of each seed; every eighth of them a truncation */
    LARGEST_MUTATED =
        1 << 16 /* larger seeds are replayed as they are only: there are few, and they are slow */
};

/* The parser gets a block of exactly `size` bytes, so that the sanitizer sees the first byte read
 * past its end. */
static void run(const unsigned char *data, size_t size) {
    unsigned char *copy = calloc(size ? size : 1, 1);
    if (!copy) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Truncates, or overwrites one to four bytes, half of them with values at which sizes and signs
 * turn. */
static size_t mutate(unsigned char *data, size_t size, uint64_t index) {
    static const unsigned char edges[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    dp_random random = dp_random_at(size, index, 0);
    if (index % 8 == 0)
        return dp_random_below(&random, (uint32_t)size);
    for (uint32_t left = 1 + dp_random_below(&random, 4); left > 0; left--) {
        uint32_t at = dp_random_below(&random, (uint32_t)size);
        uint32_t value = dp_random_below(&random, 512);
        data[at] = value < 256 ? (unsigned char)value : edges[value % sizeof edges];
    }
    return size;
}

static int replay_file(const char *path) {
    deeper_error error = { 0 };
    void *data = NULL;
    size_t size = 0;
    if (dp_file_read(&data, &size, path, 0, NULL, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    run(data, size);
    unsigned char *changed = size > 0 && size <= LARGEST_MUTATED ? malloc(size) : NULL;
    for (uint64_t index = 0; changed && index < MUTATIONS; index++) {
        memcpy(changed, data, size);
        run(changed, mutate(changed, size, index));
    }
    free(changed);
    dp_free(NULL, data);
    return 0;
}

static int replay_folder(const char *path, size_t *files) {
    deeper_error error = { 0 };
    dp_listing listing;
    int failed = 0;
    if (dp_listing_read(&listing, path, NULL, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < listing.count; i++) {
        char *name = dp_path_join(NULL, path, listing.names[i]);
        failed |= name ? replay_file(name) : 1;
        dp_free(NULL, name);
        (*files)++;
    }
    dp_listing_free(&listing, NULL);
    return failed;
}

int main(int argc, char **argv) {
    size_t files = 0;
    int failed = 0;
    run(NULL, 0);
    for (int i = 1; i < argc; i++) {
        if (dp_is_folder(argv[i]) == 1) {
            failed |= replay_folder(argv[i], &files);
        } else {
            failed |= replay_file(argv[i]);
            files++;
        }
    }
    printf("%zu files replayed, each with up to %d mutations\n", files, (int)MUTATIONS);
    if (files == 0)
        fprintf(stderr, "no seeds: give a folder that seeds_NAME has filled\n");
    return failed || files == 0;
}
