/* fuzz_idx.c - any bytes as an IDX file of pictures and of labels, plain or gzipped. Checked: an
 * answer has all the bytes that it says, which are those of a plain input, and what fails says why.
 *
 * covers: src/data/idx.c */
#include "data/idx.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER_LABELS = 8, HEADER_PICTURES = 16 };

static void read_as(int file, const uint8_t *data, size_t size, bool pictures) {
    dp_idx idx;
    deeper_error error = { 0 };
    fuzz_demand(lseek(file, 0, SEEK_SET) == 0);
    deeper_status status = dp_idx_read(&idx, file, pictures, "input", NULL, &error);
    if (status != DEEPER_OK) {
        fuzz_demand(!idx.bytes && error.status == status
                    && strncmp(error.message, "input:", 6) == 0);
        return;
    }
    size_t bytes = idx.count * (size_t)idx.rows * (size_t)idx.columns,
           header = pictures ? HEADER_PICTURES : HEADER_LABELS;
    fuzz_demand(bytes > 0);
    if (dp_idx_begins(data, size))
        fuzz_demand(size == header + bytes && memcmp(idx.bytes, data + header, bytes) == 0);
    dp_free(NULL, idx.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int file = -1;
    if (file < 0)
        file = memfd_create("idx", MFD_CLOEXEC);
    fuzz_demand(file >= 0 && ftruncate(file, 0) == 0
                && pwrite(file, data, size, 0) == (ssize_t)size);
    read_as(file, data, size, true);
    read_as(file, data, size, false);
    return 0;
}
