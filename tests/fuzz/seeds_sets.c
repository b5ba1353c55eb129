/* seeds_sets.c - writes the first inputs of fuzz_tar_index and fuzz_idx: FOLDER/<target>/N. */
#include "helpers/seeds.h"
#include "helpers/tars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Writes and frees one seed. */
static void save(const char *target, test_bytes *seed) {
    seeds_begin(target);
    seeds_save(seed->bytes, seed->size);
    free(seed->bytes);
    *seed = (test_bytes){ 0 };
}

static void tars(void) {
    test_bytes tar = { 0 };
    char sparse[512];
    test_tar_put(&tar, "./a/", '5', NULL, NULL, 0);
    test_tar_put(&tar, "a/1", '0', NULL, "one", 3);
    test_tar_put(&tar, "a-b/2", '0', NULL, "two", 3);
    test_tar_put(&tar, "a/1", '0', NULL, "again", 5);
    test_tar_put(&tar, "a/3", '1', "a/1", NULL, 0);
    test_tar_put(&tar, "a/4", '2', "1", NULL, 0);
    test_tar_end(&tar);
    save("fuzz_tar_index", &tar);
    test_tar_put(&tar, "././@LongLink", 'L', NULL, "a/a long name", 14);
    test_tar_put(&tar, "short", '0', NULL, "x", 1);
    test_tar_put(&tar, "pax", 'x', NULL, "15 path=a/name\n12 size=0x1\n", 27);
    test_tar_put(&tar, "cut", '0', NULL, "y", 1);
    save("fuzz_tar_index", &tar);
    test_tar_put(&tar, "a/1", '1', "nowhere", NULL, 0);
    test_tar_end(&tar);
    save("fuzz_tar_index", &tar);
    int length =
        snprintf(sparse, sizeof sparse,
                 "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.realsize=9\n");
    test_tar_put(&tar, "pax", 'x', NULL, sparse, (size_t)length);
    memset(sparse, 0, sizeof sparse);
    memcpy(sparse, "1\n0\n1\n", 6);
    test_tar_put(&tar, "a/s", '0', NULL, sparse, sizeof sparse);
    save("fuzz_tar_index", &tar);
    test_tar_put(&tar, "a/1", '0', NULL, "one", 3);
    tar.size -= 512;
    save("fuzz_tar_index", &tar);
}

static void gzip(test_bytes *out, const test_bytes *in) {
    unsigned char packed[1024];
    z_stream stream = { 0 };
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        exit(1);
    stream.next_in = in->bytes;
    stream.avail_in = (unsigned)in->size;
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        exit(1);
    test_put(out, packed, sizeof packed - stream.avail_out);
    deflateEnd(&stream);
}

static void idx(void) {
    for (int rank = 1; rank <= 3; rank += 2) {
        test_bytes plain = { 0 }, packed = { 0 };
        test_idx_put(&plain, rank, 4, 5, 3, 7);
        gzip(&packed, &plain);
        save("fuzz_idx", &plain);
        test_bytes cut = { 0 };
        test_put(&cut, packed.bytes, packed.size - 4);
        save("fuzz_idx", &cut);
        save("fuzz_idx", &packed);
        test_idx_put(&plain, rank, 0, 5, 3, 7);
        save("fuzz_idx", &plain);
        test_idx_put(&plain, rank, 1, 1, 1, 1);
        test_put(&plain, "more", 4);
        save("fuzz_idx", &plain);
    }
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    tars();
    idx();
    return 0;
}
