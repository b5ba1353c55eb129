/* fuzz_tar_index.c - any bytes as a tar, indexed. Checked: entries lie inside the file, names are
 * plain and strictly in order, and what fails says why. The bytes are a file in memory, as the
 * index reads a descriptor.
 *
 * covers: src/data/tar.c */
#include "data/tar.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int file = -1;
    if (file < 0)
        file = memfd_create("tar", MFD_CLOEXEC);
    fuzz_demand(file >= 0 && ftruncate(file, 0) == 0
                && pwrite(file, data, size, 0) == (ssize_t)size);
    dp_tar_begins(data, size);
    dp_tar_index index;
    deeper_error error = { 0 };
    deeper_status status = dp_tar_index_read(&index, file, "input", NULL, &error);
    if (status != DEEPER_OK) {
        fuzz_demand(!index.entries && error.status == status
                    && strncmp(error.message, "input:", 6) == 0);
        return 0;
    }
    for (size_t i = 0; i < index.count; i++) {
        const dp_tar_entry *entry = &index.entries[i];
        const char *name = index.text.data + entry->name;
        size_t length = strlen(name);
        fuzz_demand(entry->offset <= size && entry->size <= size - entry->offset);
        fuzz_demand(length > 0 && name[0] != '/' && name[0] != '.' && name[length - 1] != '/');
        fuzz_demand(i == 0 || strcmp(name, index.text.data + entry[-1].name) != 0);
    }
    dp_tar_index_free(&index);
    return 0;
}
